import random

import pytest

from campaigns.pace.pacing_team import HOUR, LATELY, SHIFT, Team


def hear(team: Team, *, a_minute: float, since: float, until: float, seed: int = 1) -> bool:
    """Answers by chance, so many a minute in the mean. Did the team seem to have shrunk at any of them?"""
    chance, at, was = random.Random(seed), since, False
    while (at := at + chance.expovariate(a_minute / 60)) < until:
        team.answer(at)
        was = was or team.has_shrunk(at)
    return was


@pytest.mark.parametrize("a_minute", [1.0, 4.0, 20.0])
def test_a_team_that_stays_hardly_ever_seems_to_have_shrunk(a_minute: float) -> None:
    shrank = [hear(Team(), a_minute=a_minute, since=0.0, until=8 * HOUR, seed=seed) for seed in range(20)]
    assert sum(shrank) <= 1


@pytest.mark.parametrize("a_minute", [8.0, 20.0])
def test_half_of_a_team_that_goes_is_noticed_within_a_quarter_of_an_hour_and_when_it_is_back(a_minute: float) -> None:
    team = Team()
    hear(team, a_minute=a_minute, since=0.0, until=2 * HOUR)
    assert not hear(team, a_minute=a_minute / 2, since=2 * HOUR, until=2 * HOUR + LATELY / 5)
    assert hear(team, a_minute=a_minute / 2, since=2 * HOUR + LATELY / 5, until=3 * HOUR)
    assert team.has_shrunk(3 * HOUR + 1)
    hear(team, a_minute=a_minute, since=3 * HOUR, until=3 * HOUR + 2 * LATELY)
    assert not team.has_shrunk(3 * HOUR + 2 * LATELY)


def test_a_smaller_team_is_the_usual_one_in_the_next_shift() -> None:
    team = Team()
    hear(team, a_minute=20.0, since=0.0, until=2 * HOUR)
    hear(team, a_minute=10.0, since=2 * HOUR, until=4 * HOUR)
    assert team.has_shrunk(4 * HOUR)
    assert not team.has_shrunk(4 * HOUR + SHIFT)


def test_a_campaign_that_was_stopped_for_a_while_tells_nothing_of_its_team() -> None:
    team = Team()
    hear(team, a_minute=20.0, since=0.0, until=2 * HOUR)
    assert not hear(team, a_minute=20.0, since=2 * HOUR + LATELY, until=5 * HOUR)
