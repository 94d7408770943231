"""Known right answers for margins, intervals and effective shares."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys import results
from surveys.weighting.intervals import lead_margin, margin, wilson


@pytest.mark.parametrize(("n", "expected"), [(1200, 0.02829), (1001, 0.03098), (519, 0.04302)])
def test_the_margin_is_the_one_that_newspapers_print(n: int, expected: float) -> None:
    """El Financiero 2017: ±2.8 with 1,200 interviews, ±3.1 with 1,001; a subgroup's ±4.3 is n ≈ 519."""
    assert margin(n) == pytest.approx(expected, abs=5e-5)


def test_a_design_effect_widens_the_margin_by_its_root() -> None:
    assert margin(1000, design_effect=4) == pytest.approx(2 * margin(1000))


@pytest.mark.parametrize(("count", "n", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)])
def test_wilsons_interval_is_newcombes(count: int, n: int, low: float, high: float) -> None:
    """Newcombe 1998, table I, method 3."""
    assert wilson(count, n) == pytest.approx((low, high), abs=5e-5)


def test_the_margin_of_a_lead_is_not_the_polls_margin() -> None:
    """46 against 44 with n = 1,000: ±5.88 (Franklin's formula)."""
    assert lead_margin(0.46, 0.44, 1000) == pytest.approx(0.0588, abs=5e-5)


def test_effective_shares_are_mitofskys() -> None:
    """Mitofsky, 21–24 May 2024: 50 / 27.4 / 10.4 and 12.2 without a candidate."""
    shares = {"sheinbaum": 50.0, "galvez": 27.4, "maynez": 10.4, "none": 12.2}
    effective = results.effective(shares, ["sheinbaum", "galvez", "maynez"])
    assert [round(100 * share, 2) for share in effective.values()] == [56.95, 31.21, 11.85]


def test_without_cases_there_is_no_figure() -> None:
    assert math.isnan(margin(0))
    assert math.isnan(wilson(0, 0)[0])
    assert math.isnan(lead_margin(0.5, 0.4, 1))
    assert results.effective({"a": 0.0}, ["a"]) == {}


@given(st.integers(1, 10**6), st.data())
def test_an_interval_holds_its_share_and_stays_between_nothing_and_all(n: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, n))
    low, high = wilson(count, n)
    assert 0 <= low <= count / n <= high <= 1
