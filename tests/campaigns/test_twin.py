from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns import twin
from campaigns.pace.twin_floor import Policy
from campaigns.pace.twin_policies import ByHand, Formula, HardLimit, Oracle, Ratio
from campaigns.pacing import Decision, FloorView, Pacer, UnknownModeError
from campaigns.twin import Change, Day, Plan

TEN = Plan(10, 0.3, hours=1.0)


def day(told: list[tuple[float, bool]]) -> Day:
    return Day(0.5, 10, 5, 4, 1, 0, tuple(told), 3600.0)


def test_the_same_seed_gives_the_same_day_and_another_another() -> None:
    first = twin.simulate(TEN, Pacer("predictive"), 1)
    assert first == twin.simulate(TEN, Pacer("predictive"), 1)
    assert first != twin.simulate(TEN, Pacer("predictive"), 2)


def test_one_phone_for_each_operator_abandons_nobody_and_talks_seven_tenths_of_the_time() -> None:
    done = twin.simulate(replace(TEN, hours=4.0), Pacer("progressive"), 3)
    assert done.abandoned_share == 0
    assert done.utilisation == pytest.approx(0.70, abs=0.03)


def test_predictive_talks_more_within_its_limit() -> None:
    done = twin.simulate(replace(TEN, hours=4.0), Pacer("predictive", 0.03), 3)
    assert done.utilisation > 0.80
    assert 0 < done.abandoned_share <= 0.0305


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    st.integers(1, 10_000), st.sampled_from([5, 12, 25]), st.sampled_from([0.1, 0.2, 0.45]),
    st.sampled_from([0.01, 0.03]),
)  # fmt: skip
def test_the_limit_holds_to_date_from_the_first_answers_on_and_in_any_hour(
    seed: int, operators: int, rate: float, limit: float
) -> None:
    done = twin.simulate(Plan(operators, rate, hours=1.2), Pacer("predictive", limit), seed)
    assert done.over_to_date(limit) <= 2  # those who find nobody come together now and then; that is paid back
    assert done.over_the_hour(limit) <= 2
    if done.answered > 200:
        assert done.abandoned_share <= limit


@pytest.mark.parametrize(
    ("at_noon", "most"),
    [
        (replace(TEN, operators=20, answer_rate=0.15), 0.03),
        (replace(TEN, operators=20, answer_rate=0.60), 0.03),
        (replace(TEN, operators=10), 0.03),
    ],
)
def test_a_day_that_changes_at_once_stays_within_the_limit(at_noon: Plan, most: float) -> None:
    morning = replace(TEN, operators=20, hours=2.0)
    done = twin.simulate(morning, Pacer("predictive", 0.03), 5, (Change(3600.0, at_noon),))
    assert done.abandoned_share <= most


def test_nothing_is_placed_beyond_the_lines_and_nobody_is_called_twice() -> None:
    seen: list[int] = []

    class Counting(Pacer):
        def decide(self, view: FloorView) -> Decision:
            decision = super().decide(view)
            seen.append(len(view.ringing) + len(view.talking) + decision.place)
            return decision

    done = twin.simulate(replace(TEN, lines=12, people=40, warm_up_hours=0.0), Counting("predictive"), 1)
    assert max(seen) <= 12
    assert done.attempts <= 40


@pytest.mark.parametrize("policy", [Ratio(1.5), HardLimit(0.03), Formula(0.03), ByHand(), Oracle(TEN, 0.03)])
def test_other_ways_to_pace_play_on_the_same_floor(policy: Policy) -> None:
    done = twin.simulate(TEN, policy, 1)
    assert 0.3 < done.utilisation < 1
    assert done.conversations <= done.answered <= done.attempts


def test_what_is_known_from_the_start_is_a_bound_for_what_must_be_learnt() -> None:
    plan = replace(TEN, hours=3.0)
    learning, knowing = (twin.simulate(plan, policy, 2) for policy in (Pacer("predictive", 0.03), Oracle(plan, 0.03)))
    assert learning.utilisation <= knowing.utilisation + 0.01


def test_an_hour_is_judged_by_its_worst_sixty_minutes() -> None:
    answers = [(60.0 * minute, False) for minute in range(120)]
    told = sorted([*answers, (61.0, True), (3700.0, True), (3701.0, True)])
    assert day(told).worst_hour() == pytest.approx(2 / 60, rel=0.05)
    assert day(told).worst_hour(since=3800.0) == 0.0
    assert day(told).over_the_hour(0.01) == pytest.approx(0.8)


def test_the_first_hundred_answers_may_have_one_above_the_limit_and_later_ones_none() -> None:
    answers = [(float(second), False) for second in range(400)]
    assert day(sorted([*answers, (5.5, True)])).over_to_date(0.01) == 0.0
    assert day(sorted([*answers, (5.5, True), (6.5, True)])).over_to_date(0.01) == pytest.approx(0.99)
    assert day(sorted([*answers, (150.5, True), (151.5, True)])).over_to_date(0.01) == pytest.approx(0.48)


def test_a_forecast_knows_what_a_team_may_expect() -> None:
    plan = Plan(10, 0.3)
    slow, fast = twin.forecast(plan, "progressive"), twin.forecast(plan, "predictive", 0.03)
    assert fast.conversations_per_hour > slow.conversations_per_hour > 150
    assert slow.abandoned_share == 0.0
    assert fast.wait_seconds < slow.wait_seconds
    assert fast.hours_for(10_000, 1.5) == pytest.approx(15_000 / fast.attempts_per_hour)
    assert twin.forecast(plan, "preview").conversations_per_hour < slow.conversations_per_hour


def test_a_forecast_of_a_large_team_is_in_proportion() -> None:
    fifty, hundred = (twin.forecast(Plan(team, 0.3), "progressive") for team in (50, 100))
    assert hundred.conversations_per_hour == pytest.approx(2 * fifty.conversations_per_hour)


@pytest.mark.parametrize("plan", [Plan(0, 0.3), Plan(5, 0.0), Plan(5, 0.3, lines=0)])
def test_nobody_to_call_with_is_a_forecast_of_nothing(plan: Plan) -> None:
    nothing = twin.forecast(plan, "predictive")
    assert nothing.conversations_per_hour == 0
    assert nothing.hours_for(100) == float("inf")
    assert nothing.hours_for(0) == 0


def test_a_forecast_of_an_unknown_mode_is_refused() -> None:
    with pytest.raises(UnknownModeError, match="guess"):
        twin.forecast(Plan(5, 0.3), "guess")
