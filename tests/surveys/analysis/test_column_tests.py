"""Letters of columns: pooled z on effective bases, Bonferroni, and who is not compared."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.analysis import column_tests
from surveys.analysis.column_tests import compare_means, compare_shares, effective_base, letters


def _shares(*values: float) -> np.ndarray:
    return np.array(values)


EVERY = np.array([True, True, True])


def test_a_pair_of_shares_is_compared_by_the_pooled_z() -> None:
    # 45 of 100 and 30 of 100: pooled 0.375, z = 0.15 / √(0.375 · 0.625 · 0.02) = 2.19089, two-sided p = 0.028460.
    (pair,) = compare_shares(_shares(0.45, 0.30), _shares(100, 100), EVERY[:2], adjust=False)
    assert (pair.above, pair.below) == (0, 1)
    assert pair.p == pytest.approx(0.0284597, abs=1e-7)
    assert pair.is_telling


def test_bonferroni_multiplies_by_the_number_of_pairs() -> None:
    plain = compare_shares(_shares(0.45, 0.30, 0.35), _shares(100, 100, 100), EVERY, adjust=False)
    adjusted = compare_shares(_shares(0.45, 0.30, 0.35), _shares(100, 100, 100), EVERY, adjust=True)
    assert [pair.p for pair in adjusted] == pytest.approx([min(1, pair.p * 3) for pair in plain])
    assert [pair.is_telling for pair in adjusted] == [False, False, False]


@pytest.mark.parametrize(
    ("shares", "bases", "tested"),
    [
        (_shares(0.0, 0.5), _shares(100, 100), EVERY[:2]),
        (_shares(1.0, 0.5), _shares(100, 100), EVERY[:2]),
        (_shares(0.2, 0.5), _shares(100, 100), np.array([False, True])),
        (_shares(0.2, 0.5), _shares(0, 100), EVERY[:2]),
    ],
    ids=["nobody gave it", "everybody gave it", "few people", "no people"],
)
def test_some_columns_are_not_compared(shares: np.ndarray, bases: np.ndarray, tested: np.ndarray) -> None:
    assert compare_shares(shares, bases, tested, adjust=True) == []


def test_columns_that_are_left_out_do_not_count_among_the_pairs() -> None:
    pairs = compare_shares(_shares(0.45, 0.30, 0.0), _shares(100, 100, 100), EVERY, adjust=True)
    assert [pair.p for pair in pairs] == [pytest.approx(0.0284597, abs=1e-7)]


def test_means_are_compared_with_the_spread_of_people() -> None:
    # Means 6 and 5, variance 4 each, 50 people each: z = 1 / √(0.16) = 2.5, p = 0.012419.
    (pair,) = compare_means(_shares(5, 6), _shares(4, 4), _shares(50, 50), EVERY[:2], adjust=True)
    assert (pair.above, pair.below) == (1, 0)
    assert pair.p == pytest.approx(0.0124193, abs=1e-7)


def test_letters_go_on_after_z() -> None:
    names = letters(703)
    assert (names[0], names[25], names[26], names[51], names[52], names[702]) == ("A", "Z", "AA", "AZ", "BA", "AAA")
    assert len(set(names)) == 703


def test_equal_weights_leave_the_base_as_it_is() -> None:
    assert effective_base(_shares(10, 0), _shares(10, 0)).tolist() == [10, 0]
    assert effective_base(_shares(4), _shares(10)).tolist() == [1.6]  # weights 3 and 1


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e6)), min_size=2, max_size=6),
    st.booleans(),
)
def test_a_p_value_is_a_probability_and_nobody_is_above_themselves(
    columns: list[tuple[float, float]], adjust: bool
) -> None:
    shares = np.array([share for share, _base in columns])
    bases = np.array([base for _share, base in columns])
    pairs = column_tests.compare_shares(shares, bases, np.ones(len(columns), dtype=bool), adjust=adjust)
    assert all(0 <= pair.p <= 1 and pair.above != pair.below for pair in pairs)
    assert all(shares[pair.above] >= shares[pair.below] for pair in pairs)
