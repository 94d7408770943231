from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.queueing import queue_rules
from callcenter.queueing.queue_rules import (
    DEAD_PHONE,
    LEFT_ALONE,
    LONGEST,
    ORDERS,
    RETRIES,
    Retry,
    Rules,
    Step,
    next_step,
)
from tests.callcenter import cast

FINAL = ("completed", "refused", "do_not_call", "deceased", "language_barrier", "ineligible")

retries = st.builds(
    Retry, most=st.none() | st.integers(0, 10), minutes=st.floats(1, LONGEST), growth=st.floats(1, 5),
    other_phone=st.booleans(), next_pass=st.booleans(),
)  # fmt: skip
rules_of_anybody = st.builds(
    Rules, retries=st.dictionaries(st.sampled_from(sorted(set(RETRIES) - {"abandoned"})), retries),
    most_attempts=st.integers(1, 6), passes=st.integers(1, 5), minutes_between_passes=st.integers(0, LONGEST),
    order=st.permutations(sorted(set(ORDERS) - {"section_goal"})).map(tuple),
    spend_limit=st.none() | st.decimals(0, 1000, places=2),
)  # fmt: skip


@given(rules_of_anybody)
def test_rules_are_kept_as_they_were_given(rules: Rules) -> None:
    again = queue_rules.from_kept(queue_rules.to_keep(rules))
    assert queue_rules.to_keep(again) == queue_rules.to_keep(rules)
    assert all(again.retry(code) == rules.retry(code) for code in RETRIES)
    assert queue_rules.faults_of(rules) == {}


@given(rules_of_anybody, st.data())
def test_whoever_is_never_reached_is_done_after_the_last_try_and_each_pause_is_bounded(
    rules: Rules, data: st.DataObject
) -> None:
    """A person who ends every try in some way without a conversation, until the rules have had enough."""
    tries, pass_number, same = 0, 1, dict.fromkeys(RETRIES, 0)
    while True:
        outcome = data.draw(st.sampled_from(["busy", "no_answer", "machine", "failed"]))
        tries, same[outcome] = tries + 1, same[outcome] + 1
        step = next_step(rules, outcome, same=same[outcome], tries=tries, pass_number=pass_number)
        if step.minutes is None:
            break
        assert 1 <= step.minutes <= LONGEST
        if step.is_new_pass:
            assert step.minutes >= rules.minutes_between_passes
            pass_number, same = pass_number + 1, dict.fromkeys(RETRIES, 0)
    assert tries <= rules.most_attempts
    assert pass_number <= rules.passes


@pytest.mark.parametrize("outcome", FINAL)
def test_a_conversation_is_never_followed_by_a_retry(outcome: str) -> None:
    assert next_step(Rules(), outcome, same=1, tries=1, pass_number=1) == Step(outcome)


def test_a_pause_grows_with_each_try_that_ends_so() -> None:
    rules = Rules(retries={"busy": Retry(most=3, minutes=10, growth=2.0)}, most_attempts=6)
    pauses = [next_step(rules, "busy", same=n, tries=n, pass_number=1).minutes for n in (1, 2, 3, 4)]
    assert pauses == [10, 20, 40, None]


def test_with_several_passes_nobody_is_tried_twice_in_one_unless_a_rule_says_so() -> None:
    rules = Rules(passes=3, minutes_between_passes=600, retries={"busy": Retry(most=1, minutes=15)})
    assert next_step(rules, "no_answer", same=1, tries=1, pass_number=1) == Step("no_answer", 600, is_new_pass=True)
    assert next_step(rules, "busy", same=1, tries=1, pass_number=1) == Step("busy", 15)
    assert next_step(rules, "busy", same=2, tries=2, pass_number=1) == Step("busy", 600, is_new_pass=True)
    assert next_step(rules, "no_answer", same=1, tries=2, pass_number=3) == Step("max_attempts")


def test_an_outcome_without_a_retry_ends_the_person_with_its_own_name() -> None:
    rules = Rules(retries={"machine": Retry(most=0, next_pass=False)})
    assert next_step(rules, "machine", same=1, tries=1, pass_number=1) == Step("machine")


@pytest.mark.parametrize("outcome", sorted(queue_rules.GIVEN_BACK))
def test_a_try_that_never_reached_the_person_is_made_again_however_often(outcome: str) -> None:
    assert next_step(Rules(most_attempts=1), outcome, same=9, tries=9, pass_number=1).minutes is not None


def test_a_number_that_the_network_never_takes_is_asked_for_less_and_less_often_but_every_hour() -> None:
    pauses = [next_step(Rules(), "not_placed", same=n, tries=0, pass_number=1).minutes for n in (1, 2, 3, 6, 7, 5000)]
    assert pauses == [2, 4, 8, 60, 60, 60]
    assert next_step(Rules(), "lost", same=9, tries=0, pass_number=1).minutes == queue_rules.HOUR


def test_a_promised_callback_is_not_lost_to_the_most_tries() -> None:
    step = next_step(Rules(most_attempts=1), "no_answer", same=1, tries=4, pass_number=1, is_callback=True)
    assert step.minutes is not None


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        (Rules(most_attempts=0), "most_attempts"),
        (Rules(most_attempts=7), "most_attempts"),
        (Rules(passes=6), "passes"),
        (Rules(order=("priority", "priority")), "order"),
        (Rules(order=("luck",)), "order"),
        (Rules(order=("section_goal",)), "section_goal"),
        (Rules(spend_limit=Decimal(-1)), "spend_limit"),
        (Rules(minute_price=Decimal("NaN")), "minute_price"),
        (Rules(retries={"completed": Retry()}), "retries.completed"),
        (Rules(retries={"busy": Retry(minutes=0)}), "retries.busy"),
        (Rules(retries={"busy": Retry(growth=9)}), "retries.busy"),
        (Rules(retries={"busy": Retry(most=11)}), "retries.busy"),
        (Rules(retries={"abandoned": Retry(minutes=LEFT_ALONE - 1)}), "retries.abandoned"),
    ],
)
def test_rules_that_cannot_be_used_are_refused_by_the_field(session: Session, rules: Rules, field: str) -> None:
    queue = cast.queue(session)
    with pytest.raises(InvalidInput) as refused:
        queue_rules.set_rules(session, queue.id, rules, None)
    assert list(refused.value.faults) == [field]
    assert queue_rules.of(session, queue.id) == Rules()


def test_a_change_of_the_rules_is_audited_with_what_was_and_holds_for_the_next_try(session: Session) -> None:
    queue = cast.queue(session, cast.person(session))
    queue_rules.set_rules(session, queue.id, Rules(retries={"busy": Retry(minutes=5)}, most_attempts=2), None)
    queue_rules.set_rules(session, queue.id, Rules(retries={"busy": Retry(minutes=5)}, most_attempts=2), None)
    rows = session.scalars(select(AuditEntry).where(AuditEntry.action == "queues.set_rules")).all()
    assert [(row.detail["was"], row.detail["now"]["most_attempts"]) for row in rows] == [({}, 2)]
    assert queue_rules.of(session, queue.id).retries["busy"].minutes == 5


def test_there_are_no_rules_of_a_queue_that_is_not_there(session: Session) -> None:
    for ask in (lambda: queue_rules.of(session, 0), lambda: queue_rules.set_rules(session, 0, Rules(), None)):
        with pytest.raises(NotFound):
            ask()


def test_a_dead_phone_is_tried_again_only_at_another_one() -> None:
    assert all(RETRIES[code].other_phone for code in DEAD_PHONE)
