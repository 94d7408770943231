"""Shares by area, drawn to the whole where few were asked."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.analysis import area_shares
from surveys.analysis.area_shares import Shares, Sums


def _areas(*areas: tuple[int, int]) -> Shares:
    """Of (people, of whom so many gave the answer), each counting once."""
    n = np.array([people for people, _hits in areas])
    base = n.astype(float)
    return area_shares.drawn_together(Sums(n, base, base, np.array([float(hits) for _people, hits in areas])))


def test_areas_that_differ_by_chance_alone_all_get_the_mean() -> None:
    found = _areas((100, 30), (100, 32), (100, 28), (100, 30))
    assert found.spread == 0
    assert found.drawn.tolist() == pytest.approx([0.3] * 4)
    assert found.own.tolist() == [0] * 4


def test_areas_of_many_people_that_differ_keep_their_own_share() -> None:
    found = _areas((10_000, 2_000), (10_000, 4_000), (10_000, 6_000))
    assert found.own.min() > 0.99
    assert found.drawn.tolist() == pytest.approx([0.2, 0.4, 0.6], abs=0.002)


def test_the_fewer_were_asked_the_more_is_lent_by_the_others() -> None:
    found = _areas((1_000, 200), (1_000, 400), (1_000, 600), (12, 12))
    assert found.own[3] < found.own[0]
    assert found.mean < found.drawn[3] < found.raw[3] == 1.0
    assert found.high[3] - found.low[3] > found.high[0] - found.low[0]


def test_an_area_where_nobody_was_asked_has_no_share() -> None:
    found = _areas((0, 0), (100, 40), (100, 20))
    assert math.isnan(found.raw[0])
    assert math.isnan(found.drawn[0])
    assert not math.isnan(found.drawn[1])


def test_without_anybody_there_is_nothing() -> None:
    assert math.isnan(_areas((0, 0)).mean)


def test_sums_leave_out_who_is_nowhere_who_is_not_looked_at_and_who_weighs_nothing() -> None:
    found = area_shares.sums(
        np.array([0, 0, 1, -1, 1]), np.array([True, False, True, True, True]), np.array([2.0, 1.0, 1.0, 9.0, 0.0]),
        np.array([True, True, True, True, True]), count=3,
    )  # fmt: skip
    assert (found.n.tolist(), found.base.tolist()) == ([2, 1, 0], [3.0, 1.0, 0.0])
    assert (found.hits.tolist(), found.squares.tolist()) == ([2.0, 1.0, 0.0], [5.0, 1.0, 0.0])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 1)), min_size=1, max_size=12))
def test_a_drawn_share_lies_between_its_own_and_the_mean(areas: list[tuple[int, float]]) -> None:
    found = _areas(*((people, round(people * share)) for people, share in areas))
    for raw, drawn, low, high in zip(found.raw, found.drawn, found.low, found.high, strict=True):
        if math.isnan(raw):
            continue
        ends = sorted((raw, found.mean))
        assert ends[0] - 1e-9 <= drawn <= ends[1] + 1e-9
        assert 0 <= low <= high <= 1
