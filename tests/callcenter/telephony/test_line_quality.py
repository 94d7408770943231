from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput
from callcenter.telephony import line_quality
from callcenter.telephony.line_quality import Measured

FIGURES = st.one_of(
    st.none(), st.floats(allow_nan=True), st.integers(), st.booleans(), st.text(), st.lists(st.integers())
)


@dataclass
class Line:
    loss: float | None = 0.0
    jitter_ms: float | None = 5.0
    round_trip_ms: float | None = 40.0
    measured_at: datetime | None = None


@pytest.mark.parametrize(
    ("figures", "word"),
    [
        ({}, "good"),
        ({"loss": 0.03}, "good"),
        ({"loss": 0.031}, "poor"),
        ({"jitter_ms": 61.0}, "poor"),
        ({"round_trip_ms": 401.0}, "poor"),
        ({"loss": None, "jitter_ms": None, "round_trip_ms": None}, "good"),
    ],
)
def test_one_word_says_how_the_line_is(figures: dict[str, Any], word: str) -> None:
    now = real_now()
    assert line_quality.word(Line(measured_at=now, **figures), now) == word


@pytest.mark.parametrize("seconds", [None, 21])
def test_a_line_that_was_not_measured_lately_has_no_word(seconds: int | None) -> None:
    now = real_now()
    measured_at = None if seconds is None else now - timedelta(seconds=seconds)
    assert line_quality.word(Line(measured_at=measured_at), now) is None


def test_every_word_has_a_sentence() -> None:
    assert set(line_quality.WORDS) == {"good", "poor", None}


@given(st.dictionaries(st.sampled_from([*line_quality.LIMITS, "more"]), FIGURES))
def test_whatever_a_page_sends_is_figures_or_refused_by_name(given: dict[str, object]) -> None:
    wrong = {name for name in line_quality.LIMITS if not is_figure(given.get(name), line_quality.LIMITS[name])}
    if wrong:
        with pytest.raises(InvalidInput) as refused:
            line_quality.read(given)
        assert set(refused.value.faults) <= wrong
    else:
        read = line_quality.read(given)
        assert all(getattr(read, name) == given.get(name) for name in line_quality.LIMITS)


def is_figure(value: object, most: float) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most)


def test_what_a_page_leaves_out_is_unknown() -> None:
    assert line_quality.read({"loss": 0.5}) == Measured(0.5, None, None)
