"""A study's data as files: read back without loss, SPSS with labels and missing values, no formulas."""

import io
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from callcenter.base.errors import InvalidInput
from surveys.analysis.response_items import Item
from surveys.publishing import codebook, data_files
from surveys.publishing.codebook import FIRST_MISSING
from surveys.publishing.data_files import Workbook, spss_name
from surveys.responses import Responses
from tests.surveys.response_cast import AS_OF, item

VOTE = item("vote", "azul", "rojo", "dk", "refused", azul="candidate", rojo="candidate", dk="dk", refused="refused")
PROBLEMS = item("problems", "water", "crime", kind="select_multiple")
LIKELY = Item("likely", "integer", {"es": "¿Qué tan seguro?"})
ITEMS = {one.name: one for one in (VOTE, PROBLEMS, LIKELY)}


def frame(votes: list[str | None], problems: list[list[str] | None], places: list[str | None]) -> pl.DataFrame:
    people = len(votes)
    return pl.DataFrame({
        "interview": range(1, people + 1),
        "state": ["complete"] * people,
        "over_quota": [number % 2 == 0 for number in range(people)],
        "base_weight": [1 / 3] * people,
        "day": ["2027-05-10"] * people,
        "h_municipality": places,
        "d_sex": pl.Series(["H", "M", None, "X"][:people] + ["H"] * (people - 4), dtype=pl.Enum(["H", "M", "X"])),
        "vote": pl.Series(votes, dtype=pl.Enum(VOTE.codes)),
        "o_vote": pl.Series([["rojo", "azul"]] * people, dtype=pl.List(pl.String)),
        "problems": pl.Series(problems, dtype=pl.List(pl.String)),
        "likely": pl.Series([10.0, None, 0.1, 7.0][:people] + [1.0] * (people - 4), dtype=pl.Float64),
        "weight": [0.1 + 0.2] * people,
    }, schema_overrides={"interview": pl.Int64, "h_municipality": pl.String})  # fmt: skip


FOUR = frame(["azul", "dk", None, "refused"], [["water", "crime"], None, ["crime"], ["water"]],
             ["Minatitlán", "=1+1", None, "@x"])  # fmt: skip
codes = st.one_of(st.none(), st.sampled_from(VOTE.codes))
mentions = st.one_of(st.none(), st.lists(st.sampled_from(PROBLEMS.codes), min_size=1, max_size=2, unique=True))
words = st.one_of(st.none(), st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1))


@given(st.lists(st.tuples(codes, mentions, words), min_size=4, max_size=12))
def test_what_is_written_as_csv_is_read_back_the_same(
    people: list[tuple[str | None, list[str] | None, str | None]],
) -> None:
    given_frame = frame([one[0] for one in people], [one[1] for one in people], [one[2] for one in people])
    # An apostrophe before a formula's sign is the one word that cannot be told from our own.
    safe = given_frame.filter(~pl.col("h_municipality").fill_null("").str.contains(r"^'[=+\-@\t\r\n]"))
    assert_frame_equal(data_files.read_csv(data_files.csv_bytes(safe), ITEMS), safe)


def test_no_cell_of_the_csv_is_a_formula() -> None:
    text = data_files.csv_bytes(FOUR).decode("utf-8-sig")
    assert "'=1+1" in text
    assert "'@x" in text
    assert ",=" not in text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"interview,weight,vote\n1,1,verde\n",
        b"interview,weight,likely\n1,1,mucho\n",
        b"\xff\xfe\x00",
        b"vote\nazul\n",
        b"interview,weight\n1\n2,3,4\n",
        b"interview,weight\nx,1\n",
    ],
)
def test_a_file_that_was_changed_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(InvalidInput) as fault:
        data_files.read_csv(content, ITEMS)
    assert set(fault.value.faults) == {"data"}


@pytest.fixture(scope="module")
def spss(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    """(table, its description) of the SPSS file of FOUR."""
    described = codebook.variables(Responses(1, FOUR, ITEMS, AS_OF), "es")
    path: Path = tmp_path_factory.mktemp("sav") / "data.sav"
    path.write_bytes(data_files.sav_bytes(FOUR, described, "Estudio de mayo"))
    read: tuple[Any, Any] = pyreadstat.read_sav(path, user_missing=True)
    return read


def test_spss_gets_numbers_with_labels_and_missing_values(spss: tuple[Any, Any]) -> None:
    table, known = spss
    assert known.column_names_to_labels["vote"] == "¿vote?"
    assert known.variable_value_labels["vote"] == {
        1.0: "Azul", 2.0: "Rojo", FIRST_MISSING: "Dk", FIRST_MISSING + 1: "Refused"}  # fmt: skip
    assert known.missing_ranges["vote"] == [{"lo": FIRST_MISSING, "hi": FIRST_MISSING + 1}]
    assert table["vote"].fillna(-1).tolist() == [1, FIRST_MISSING, -1, FIRST_MISSING + 1]


def test_a_question_of_several_answers_is_one_column_an_answer(spss: tuple[Any, Any]) -> None:
    table, known = spss
    assert table["problems_crime"].fillna(-1).tolist() == [1, -1, 1, 0]
    assert known.column_names_to_labels["problems_crime"] == "¿problems?: Crime"
    assert known.variable_measure["problems_crime"] == "nominal"


def test_numbers_and_words_stay_what_they_are(spss: tuple[Any, Any]) -> None:
    table, known = spss
    assert table["likely"].fillna(-1).tolist() == [10, -1, 0.1, 7]
    assert table["o_vote"].tolist() == ["rojo azul"] * 4
    assert known.variable_measure["weight"] == "scale"


def test_codes_that_are_numbers_keep_them_and_others_are_counted() -> None:
    numbers = codebook.numbered([("5", "Cinco", False), ("2", "Dos", False), ("98", "No sabe", True)])
    assert [value.number for value in numbers] == [5, 2, FIRST_MISSING]
    words_ = codebook.numbered([("no", "No", False), ("1", "Uno", False), ("dk", "No sabe", True)])
    assert [value.number for value in words_] == [1, 2, FIRST_MISSING]


@given(st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=20))
def test_every_name_becomes_one_that_spss_takes_and_none_stands_twice(names: list[str]) -> None:
    taken: list[str] = []
    for name in names:
        taken.append(spss_name(name, taken))
    assert len({name.upper() for name in taken}) == len(names)
    assert all(len(name.encode()) <= 64 and name[0].isalpha() and name.isascii() for name in taken)
    assert all(name.upper() not in data_files.RESERVED for name in taken)


def test_names_of_loops_and_reserved_words_are_changed() -> None:
    assert [spss_name(name, ()) for name in ("age.1", "by", "Ñandú", "1a", "__")] == [
        "age_1", "v_by", "Nandu", "v_1a", "v"]  # fmt: skip


def test_a_workbook_has_its_sheets_and_no_formula() -> None:
    book = Workbook()
    book.add("Voto: [mayo]", ["respuesta"], [["=1+1"], [0.5]], ["nota"])
    book.add("voto mayo", ["x"], [])
    read = openpyxl.load_workbook(io.BytesIO(book.content()))
    assert read.sheetnames == ["Voto mayo", "voto mayo 2"]
    assert [[cell.value for cell in row] for row in read["Voto mayo"]] == [["nota"], ["respuesta"], ["'=1+1"], [0.5]]


def test_the_codebook_names_every_column_with_its_codes() -> None:
    lines = list(codebook.rows(codebook.variables(Responses(1, FOUR, ITEMS, AS_OF), "es")))
    assert {line[0] for line in lines} == set(FOUR.columns)
    assert [line[3] for line in lines if line[0] == "vote"] == ["", *VOTE.codes]
    assert [line[4] for line in lines if line[0] == "vote" and line[6]] == [str(FIRST_MISSING), str(FIRST_MISSING + 1)]
