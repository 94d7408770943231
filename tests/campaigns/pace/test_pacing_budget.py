from hypothesis import given
from hypothesis import strategies as st

from campaigns.pace.pacing_budget import EARNED, SETTLED, TOO_MANY, Budget
from campaigns.pace.pacing_team import HOUR

limits = st.sampled_from([0.005, 0.01, 0.02, 0.03])


def answered(budget: Budget, times: int, *, every: float = 10.0) -> float:
    """So many answers; returns the second of the last."""
    for number in range(times):
        budget.answer(number * every)
    return (times - 1) * every


def test_the_first_call_may_find_nobody_and_then_nobody_until_it_is_earned() -> None:
    budget = Budget(0.01)
    assert budget.has_room(0.0)
    answered(budget, 10)
    budget.abandon(100.0)
    assert not budget.has_room(101.0)


def test_a_campaign_of_more_than_a_hundred_answers_has_no_call_to_spare() -> None:
    budget = Budget(0.01)
    last = answered(budget, 150, every=40.0)
    assert budget.has_room(last)
    budget.abandon(last)
    assert not budget.has_room(last)
    assert not budget.has_room(last + 10 * HOUR)  # time alone earns nothing


def test_an_hour_that_had_its_share_rests_although_the_campaign_has_credit() -> None:
    budget = Budget(0.03)
    last = answered(budget, 1000)
    before = budget.risk(last, 10)
    while budget.has_room(last):
        budget.abandon(last)
    assert budget.credit > 1
    assert budget.risk(last, 10) < before / 3
    assert budget.has_room(last + HOUR + 1)


def test_an_hour_after_half_of_the_team_has_left_allows_less_than_another() -> None:
    stays, left = Budget(0.03), Budget(0.03)
    for budget, every in ((stays, 10.0), (left, 20.0)):
        last = answered(budget, 720)
        for number in range(int(HOUR / every)):
            budget.answer(last + number * every)
    lost = {}
    for name, budget, answers in (("stays", stays, 360), ("left", left, 180)):
        while budget.has_room(3 * HOUR):
            budget.abandon(3 * HOUR)
        lost[name] = budget.abandoned / answers
    assert lost["left"] < 0.03 < lost["stays"]


@given(limits, st.integers(0, 400), st.integers(0, 20), st.integers(1, 200))
def test_risk_never_exceeds_what_is_allowed_and_is_least_without_room(
    limit: float, answers: int, lost: int, operators: int
) -> None:
    budget = Budget(limit)
    last = answered(budget, answers)
    for _ in range(lost):
        budget.abandon(last)
    risk = budget.risk(last, operators)
    assert 0 < risk <= 0.2
    if not budget.has_room(last):
        assert risk <= 0.2 * limit


def test_a_limit_of_nothing_risks_nothing() -> None:
    budget = Budget(0.0)
    answered(budget, 300)
    assert budget.risk(3000.0, 20) == 0.0


def test_a_larger_team_keeps_more_in_hand_because_more_find_nobody_at_once() -> None:
    budget = Budget(0.03)
    last = answered(budget, 110)
    assert budget.risk(last, 100) < budget.risk(last, 5)


def test_odds_that_were_wrong_are_not_believed_until_the_campaign_has_earned_enough() -> None:
    budget = Budget(0.03)
    now = answered(budget, 1000)
    while budget.is_believed:
        now += 20.0
        budget.abandon(now)
    assert -SETTLED / 20 - TOO_MANY - 2 <= budget.credit < 0
    while not budget.is_believed:
        budget.answer(now)
    assert budget.credit >= EARNED
    first = budget.abandoned
    while budget.is_believed:
        budget.abandon(now)
    assert budget.abandoned > first
    assert budget.credit > 1  # the second time it ends within the limit


def test_many_who_find_nobody_at_once_are_an_accident_and_no_error() -> None:
    budget = Budget(0.03)
    now = answered(budget, 1000)
    for _ in range(60):  # half of the team has left
        budget.abandon(now)
    assert budget.credit < -20
    assert budget.is_believed
