import random

import pytest

from campaigns.pace.pacing_estimates import HORIZONS, RINGS, TALK_STEP, Rings, Talks


def fed(rate: float, attempts: int = 3000, seed: int = 1) -> Rings:
    """What is learnt of so many attempts: answers after 12 s in the mean, the others ring 25 s."""
    dice, rings = random.Random(seed), Rings()
    for _ in range(attempts):
        answered = dice.random() < rate
        rings.feed(dice.gammavariate(4, 3) if answered else 25.0, answered=answered)
    return rings


def test_a_telephone_that_begins_to_ring_is_answered_as_often_as_the_list_answers() -> None:
    within_20_seconds = fed(0.3).chances[-1]
    assert within_20_seconds[0] == pytest.approx(0.3 * 0.9, rel=0.15)


def test_the_longer_ahead_the_likelier_an_answer_and_every_chance_is_one() -> None:
    chances = fed(0.15).chances
    assert chances.shape == (len(HORIZONS), RINGS)
    assert (chances[1:] >= chances[:-1] - 1e-12).all()
    assert (chances >= 0).all()
    assert (chances <= 1).all()


def test_a_rate_that_doubles_is_noticed_within_some_hundred_attempts() -> None:
    dice, rings = random.Random(2), fed(0.15)
    before = rings.chances[-1][0]
    for _ in range(600):
        answered = dice.random() < 0.3
        rings.feed(dice.gammavariate(4, 3) if answered else 25.0, answered=answered)
    assert rings.chances[-1][0] > 1.5 * before


def test_what_was_given_up_says_nothing_of_who_would_have_answered() -> None:
    rings = fed(0.3)
    before = rings.chances[-1][0]
    for _ in range(200):
        rings.feed(16.0, answered=False, given_up=True)
        rings.feed(8.0, answered=True)
    assert rings.chances[-1][0] > before


def test_two_kinds_of_talks_are_learnt_as_they_are() -> None:
    dice, talks = random.Random(3), Talks()
    for _ in range(2000):
        talks.feed("talk", dice.gauss(10, 1) if dice.random() < 0.5 else dice.gauss(300, 10))
        talks.feed("wrap", 2.0)
    free = talks.talking[-1]  # within 22 seconds
    assert free[int(8 / TALK_STEP)] > 0.4
    assert free[int(100 / TALK_STEP)] < 0.05
    assert free[int(290 / TALK_STEP)] > 0.5


def test_a_write_up_that_nearly_always_ends_at_once_is_soon_over() -> None:
    talks = Talks()
    for _ in range(300):
        talks.feed("wrap", 1.0)
    assert talks.wrapping[0][0] > 0.8


def test_talks_longer_than_the_table_are_learnt_as_long_as_they_last() -> None:
    dice, talks = random.Random(4), Talks()
    for _ in range(1000):
        talks.feed("talk", 600.0 + dice.expovariate(1 / 600))
        talks.feed("wrap", 1.0)
    within_22_seconds = talks.talking[-1]
    assert within_22_seconds[-1] < 0.1
