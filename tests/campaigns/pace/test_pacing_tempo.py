import random

import pytest

from campaigns.pace.pacing_tempo import FINEST, OFF, Tempo
from campaigns.pacing import Pacer
from campaigns.twin import Plan, simulate


def heard(mean: float, answers: int = 400, seed: int = 1) -> Tempo:
    """After so many answers, `mean` seconds of ringing each, and talks of ten times that."""
    dice, tempo = random.Random(seed), Tempo()
    for _ in range(answers):
        tempo.hear("answered", dice.gammavariate(4, mean / 4))
        tempo.hear("talk", dice.expovariate(1 / (10 * mean)))
        tempo.hear("wrap", mean)
    return tempo


@pytest.mark.parametrize("seed", range(20))
def test_the_clock_of_a_usual_campaign_is_never_changed_by_chance(seed: int) -> None:
    assert heard(12.0, seed=seed).unit == 1.0


@pytest.mark.parametrize("mean", [1.0, 3.0, 6.0])
def test_a_campaign_answered_sooner_has_a_finer_clock(mean: float) -> None:
    assert heard(mean).unit == pytest.approx(mean / 12, rel=0.4)


def test_the_clock_has_a_finest_and_a_coarsest() -> None:
    assert FINEST <= heard(0.01).unit <= FINEST * OFF
    assert heard(40.0).unit == 1.0


def test_by_its_own_clock_a_quick_floor_looks_as_a_usual_one() -> None:
    usual, quick = heard(12.0), heard(1.0)
    seats = 6
    chances = [
        tempo.crowd((2 * unit,) * 5, (30 * unit,) * 5, (5 * unit,)).fills(seats)
        for tempo, unit in ((usual, 1.0), (quick, quick.unit))
    ]
    assert chances[0] > 0.1
    # Two seconds of grace are twenty-four of the quick one's: who talks there is likelier to be free in time.
    assert chances[1] < chances[0]


@pytest.mark.parametrize("operators", [5, 10])
def test_a_floor_twelve_times_as_quick_talks_more_than_one_phone_each_allows_within_the_limit(operators: int) -> None:
    plan = Plan(operators, 0.3, hours=1.0, warm_up_hours=0.2, talk_mean=10.0, wrap_mean=1.25, answer_mean=1.0)
    pacer = Pacer("predictive", 0.03)
    day, one_each = simulate(plan, pacer, 1), simulate(plan, Pacer("progressive"), 1)
    assert day.utilisation > one_each.utilisation + 0.1
    assert day.over_to_date(0.03) < 1
    assert pacer.budget.is_believed
