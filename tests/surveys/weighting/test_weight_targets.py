"""Targets as people write them: each fault names its line."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.base.errors import InvalidInput
from surveys.weighting import weight_targets
from surveys.weighting.raking import Margin

HEAD = "variable,category,share,includes\n"
SAMPLE = HEAD + "sex,H,0.4719,H\nsex,M,0.5281,M|X\nkind,U,0.77,\nkind,R,0.23,\n"


def test_a_file_of_shares_is_read() -> None:
    sex, kind = weight_targets.margins(weight_targets.read(SAMPLE))
    assert sex == Margin("sex", {"H": 0.4719, "M": 0.5281}, {"H": ("H",), "M": ("M", "X")})
    assert kind == Margin("kind", {"U": 0.77, "R": 0.23}, {})


def test_what_was_written_is_read_again() -> None:
    found = weight_targets.margins(weight_targets.read(SAMPLE))
    assert weight_targets.margins(weight_targets.read(weight_targets.write(found))) == found


@pytest.mark.parametrize("text", [
    HEAD + "sex,H,47.19,\nsex,M,52.81,",
    "margen;categoría;porcentaje\nsex;H;47,19 %\nsex;M;52,81 %",
    "variable\tnivel\tmeta\nsex\tH\t0,4719\nsex\tM\t0,5281",
    "\ufeffvariable,category,share\n\n sex , H ,0.4719\nsex,\u00a0M,0.5281\n,,\n",
])  # fmt: skip
def test_percents_commas_tabs_and_spanish_heads_mean_the_same(text: str) -> None:
    (found,) = weight_targets.margins(weight_targets.read(text))
    assert found.shares == pytest.approx({"H": 0.4719, "M": 0.5281})


def test_a_file_of_windows_is_read() -> None:
    text = weight_targets.decoded("variable,categoría,share\nmun,Cosoleacaque,1".encode("cp1252"))
    assert weight_targets.read(text)[0].category == "Cosoleacaque"


@pytest.mark.parametrize(("text", "words"), [
    ("", "Write a head"),
    (HEAD, "Write a head"),
    ("name,share\nsex,1", "“variable”"),
    ("variable,category,includes\nsex,H,", "“share”"),
    (HEAD + "sex,H,half,\nsex,M,0.5,", "Line 2: “half” is no share"),
    (HEAD + ",H,0.5,", "Line 2: there is no variable"),
    (HEAD + "sex,,0.5,", "Line 2: there is no category"),
    (HEAD + "sex,H,0.5,\nsex,H,0.5,", "Line 3: sex, H stands in line 2 already"),
    (HEAD + "sex,H,0.5,\nsex,M,0.6,", "add up to 1.1"),
    (HEAD + "sex,H,0.5,\nsex,M,0.5,H", "the code H is in more than one level"),
    (HEAD + "sex,H,-0.5,\nsex,M,1.5,", "level H"),
    (HEAD + "sex,H,nan,\nsex,M,1,", "Line 2"),
])  # fmt: skip
def test_a_fault_says_where_it_is(text: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        weight_targets.margins(weight_targets.read(text))
    assert words in refusal.value.faults["targets"]


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"a\x00b", b"x" * 300_000])
def test_what_is_no_table_of_text_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput) as refusal:
        weight_targets.decoded(content)
    assert "CSV" in refusal.value.faults["file"]


def test_a_stranger_among_variables_or_codes_is_named() -> None:
    known = {"sex": ("H", "M", "X"), "municipality": ()}
    weight_targets.require_known([Margin("sex*municipality", {"H*Jalapa": 0.5, "M*Jalapa": 0.5})], known)
    for margin, words in (
        (Margin("religion", {"a": 1.0}), "“religion”"),
        (Margin("sex", {"H": 0.5, "F": 0.5}), "no code “F”"),
        (Margin("sex*municipality", {"H": 1.0}), "no combination"),
    ):
        with pytest.raises(InvalidInput) as refusal:
            weight_targets.require_known([margin], known)
        assert words in refusal.value.faults["targets"]


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidInput):
        weight_targets.margins(weight_targets.read(text))
