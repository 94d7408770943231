import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.pace.pacing_estimates import HORIZONS, TALK_STEP, Rings, Talks
from campaigns.pace.pacing_odds import Odds


def true_chance(rings: Rings, talks: Talks, floor: tuple[tuple[float, ...], tuple[float, ...]], seats: int) -> float:
    """By counting every outcome, the answer rate taken as certain."""
    ringing, talking = floor
    total = 0.0
    for at in range(len(HORIZONS)):
        chances = [rings.chances[at][int(age)] for age in ringing]
        chances += [1 - talks.talking[at][int(age / TALK_STEP)] for age in talking]
        for outcome in itertools.product((0, 1), repeat=len(chances)):
            if sum(outcome) >= seats:
                total += math.prod(p if hit else 1 - p for p, hit in zip(chances, outcome, strict=True))
    return total / len(HORIZONS)


@pytest.mark.parametrize(
    ("ringing", "talking", "seats"),
    [
        ((1.0, 4.0, 9.0, 14.0), (20.0, 60.0, 100.0), 4),
        ((0.0,) * 8, (50.0,) * 3, 5),
        ((12.0,) * 6, (5.0, 200.0), 4),
        ((0.0, 20.0), (90.0,) * 5, 6),
    ],
)
def test_the_chance_to_find_nobody_is_about_the_true_one(
    ringing: tuple[float, ...], talking: tuple[float, ...], seats: int
) -> None:
    rings, talks = Rings(worth=1e6), Talks(worth=1e6)
    found = Odds(rings, talks).crowd(ringing, talking, ()).fills(seats)
    assert found == pytest.approx(true_chance(rings, talks, (ringing, talking), seats), abs=0.035)


@given(
    st.lists(st.floats(0, 90), max_size=30), st.lists(st.floats(0, 900), max_size=20),
    st.lists(st.floats(0, 300), max_size=9), st.integers(-3, 40),
)  # fmt: skip
def test_it_is_a_chance_whatever_the_floor(
    ringing: list[float], talking: list[float], wrapping: list[float], seats: int
) -> None:
    chance = Odds(Rings(), Talks()).crowd(tuple(ringing), tuple(talking), tuple(wrapping)).fills(seats)
    assert 0 <= chance <= 1


def test_an_empty_floor_without_operators_finds_nobody_for_certain_and_with_one_never() -> None:
    crowd = Odds(Rings(), Talks()).crowd((), (), ())
    assert crowd.fills(0) == 1.0
    assert crowd.fills(1) < 1e-9


def test_a_telephone_that_joins_and_leaves_changes_nothing() -> None:
    odds = Odds(Rings(), Talks())
    crowd = odds.crowd((3.0, 8.0), (30.0,), ())
    before = crowd.fills(2)
    crowd.join(odds.ring(0.0))
    assert crowd.fills(2) > before
    crowd.leave(odds.ring(0.0))
    assert crowd.fills(2) == pytest.approx(before)


def test_what_is_not_known_yet_widens_the_chance() -> None:
    known, unknown = Odds(Rings(worth=1e6), Talks()), Odds(Rings(worth=3.0), Talks())
    floor = ((0.0,) * 20, (), ())
    assert unknown.crowd(*floor).fills(12) > known.crowd(*floor).fills(12)


def test_at_a_beginning_talks_that_go_on_count_and_not_only_the_short_ones_that_have_ended() -> None:
    talks = Talks()
    for seconds in range(5, 85):
        talks.feed("talk", seconds)  # sixty more began with them
    odds = Odds(Rings(), talks)
    alone, together = (odds.crowd((), (90.0,) * many, ()).fills(many) for many in (1, 60))
    assert alone**60 < 0.1 < 0.3 < together
    for _ in range(3000):
        talks.feed("talk", 60.0)
    assert not talks.is_young
