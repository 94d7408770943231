"""One interviewer against all others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.checks.interviewer_spread import differences, middle, newcombe, spread, z_of


@pytest.mark.parametrize(("first", "second", "low", "high"), [
    ((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 10), 0.6075, 1.0),
    ((5, 56), (0, 29), -0.0381, 0.1926),
])  # fmt: skip
def test_the_interval_of_a_difference_is_newcombes(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe 1998, Statistics in Medicine 17, 873–890, table II, method 10."""
    assert newcombe(first, second) == pytest.approx((low, high), abs=5e-5)


def test_intervals_of_many_interviewers_are_wider() -> None:
    assert z_of(1) == pytest.approx(1.959964, abs=1e-6)
    assert z_of(5) == pytest.approx(2.575829, abs=1e-6)


def test_only_who_is_far_from_the_others_stands_out() -> None:
    found = differences({1: (12, 100), 2: (10, 100), 3: (60, 100)})
    assert {who: one.stands_out for who, one in found.items()} == {1: False, 2: False, 3: True}
    assert found[3].difference == pytest.approx(0.6 - 22 / 200)
    assert found[1].difference == pytest.approx(0.02), "who stands out is not among those others are compared with"


def test_of_two_who_are_far_apart_nobody_knows_who_is_strange() -> None:
    assert [one.stands_out for one in differences({1: (90, 100), 2: (10, 100)}).values()] == [True, True]


def test_nobody_stands_out_among_equals() -> None:
    found = differences({1: (12, 100), 2: (10, 100), 3: (14, 100)})
    assert not any(one.stands_out for one in found.values())


def test_who_has_too_few_interviews_is_not_compared() -> None:
    assert set(differences({1: (9, 9), 2: (10, 100), 3: (12, 100)})) == {2, 3}
    assert differences({1: (50, 100)}) == {}


def test_the_median_comes_with_its_ranks() -> None:
    assert middle([]) is None
    assert middle([7.0]) == (7.0, 7.0, 7.0)
    assert middle([float(number) for number in range(100)]) == (49.5, 40.0, 60.0)


def test_interviewers_who_hear_the_same_add_no_error() -> None:
    found = spread({1: (5, 10), 2: (5, 10)})
    assert found is not None
    assert (found.rho < 0, found.deff, found.n, found.interviewers) == (True, 1.0, 20, 2)


def test_interviewers_who_each_hear_one_thing_leave_as_many_cases_as_they_are() -> None:
    found = spread({1: (0, 10), 2: (10, 10)})
    assert found is not None
    assert (found.rho, found.deff) == pytest.approx((1, 10))


@pytest.mark.parametrize("counts", [{}, {1: (3, 10)}, {1: (1, 1), 2: (0, 1)}])
def test_spread_is_not_told_of_too_little(counts: dict[int, tuple[int, int]]) -> None:
    assert spread(counts) is None


pair = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(pair, pair)
def test_the_interval_holds_the_difference_and_turns_with_it(first: tuple[int, int], second: tuple[int, int]) -> None:
    low, high = newcombe(first, second)
    gap = first[0] / first[1] - second[0] / second[1]
    assert -1 - 1e-9 <= low <= gap + 1e-9
    assert gap - 1e-9 <= high <= 1 + 1e-9
    assert newcombe(second, first) == pytest.approx((-high, -low))


@given(st.dictionaries(st.integers(1, 20), pair, min_size=2))
def test_an_answer_never_varies_more_between_than_at_all(counts: dict[int, tuple[int, int]]) -> None:
    found = spread(counts)
    if found is not None:
        assert found.rho <= 1 + 1e-9
        assert 1 <= found.deff <= found.n
