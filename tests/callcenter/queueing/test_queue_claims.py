from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, jobs, queues
from callcenter.attempts import Attempt
from callcenter.base import clock
from callcenter.base.clock import campaign_now
from callcenter.calls import Event
from callcenter.contacts import ContactPhone
from callcenter.queueing import queue_claims, queue_entries, queue_rules
from callcenter.queueing.queue_rules import Retry, Rules
from callcenter.queues import CallQueue, QueueEntry
from tests.callcenter import cast
from tests.callcenter.cast import FakeCarrier

OTHER = "+529229990001"


def entries_of(session: Session, queue: CallQueue) -> list[QueueEntry]:
    return list(session.scalars(select(QueueEntry).where(QueueEntry.queue_id == queue.id).order_by(QueueEntry.id)))


def claimed(session: Session, queue: CallQueue, limit: int = 50, **how: Any) -> list[int]:
    """Ids of those claimed, who are given back at once."""
    entries = queues.claim(session, queue.id, limit, **how)
    for entry in entries:
        queue_entries.give_back(session, entry)
    return [entry.id for entry in entries]


def let_pass(session: Session, time: timedelta) -> None:
    """Every call, and every wish for a later one, was so much earlier."""
    session.flush()
    for entry in session.scalars(select(QueueEntry).where(QueueEntry.not_before.is_not(None))):
        assert entry.not_before is not None
        entry.not_before -= time
    for attempt in session.scalars(select(Attempt)):
        attempt.at, attempt.created_at = attempt.at - time, attempt.created_at - time
        attempt.closed_at = attempt.closed_at and attempt.closed_at - time
    for call in session.scalars(select(calls.Call)):
        for moment in ("placed_at", "ringing_at", "hung_up_at"):
            at = getattr(call, moment)
            setattr(call, moment, at and at - time)
    session.flush()


def ended(session: Session, queue: CallQueue, outcome: str) -> UUID:
    """The next call of the queue, which ends so before anybody speaks."""
    call_id = cast.rung(session, queue)
    calls.record_event(session, call_id, Event(outcome, f"{outcome}:{call_id}"))
    session.flush()
    return call_id


def test_who_rests_is_claimed_when_their_time_comes_and_not_before(session: Session) -> None:
    queue = cast.queue(session, *[cast.person(session) for _ in range(3)])
    first, second, third = entries_of(session, queue)
    first.not_before = campaign_now(session) + timedelta(minutes=5)
    second.not_before = campaign_now(session) - timedelta(seconds=1)
    session.flush()
    assert claimed(session, queue) == [second.id, third.id]
    assert queue_claims.next_ready(session, queue.id) == first.not_before
    let_pass(session, timedelta(minutes=6))
    assert claimed(session, queue) == [first.id, second.id, third.id]
    assert queue_claims.next_ready(session, queue.id) is None


def test_a_claim_wakes_a_few_and_more_only_where_too_few_stand_ready(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_claims, "WAKES", 2)
    queue = cast.queue(session, *[cast.person(session) for _ in range(9)])
    for entry in entries_of(session, queue):
        entry.not_before = campaign_now(session) - timedelta(minutes=1)
    session.flush()

    def resting() -> int:
        session.expire_all()
        return sum(entry.not_before is not None for entry in entries_of(session, queue))

    assert len(queues.claim(session, queue.id, 1)) == 1
    assert resting() == 7
    assert len(queues.claim(session, queue.id, 5)) == 5
    assert resting() == 1  # two, and then the two that were wanted with two more
    assert len(queues.claim(session, queue.id, 50)) == 3


def test_the_order_of_the_rules_decides_between_priority_pass_and_section(session: Session) -> None:
    queue = cast.queue(session, *[cast.person(session) for _ in range(4)])
    plain, important, second_pass, reached = entries_of(session, queue)
    important.priority, important.pass_number = 5, 2
    second_pass.pass_number, reached.urgency = 2, -2
    session.flush()
    ids = {"plain": plain.id, "important": important.id, "second": second_pass.id, "reached": reached.id}

    def order(*codes: str) -> list[int]:
        queue.rules = queue_rules.to_keep(Rules(order=codes, section_goal=5))
        session.flush()
        return claimed(session, queue)

    assert order("priority", "pass", "section_goal") == [ids[n] for n in ("important", "plain", "reached", "second")]
    assert order("pass", "priority", "section_goal")[2:] == [ids["important"], ids["second"]]
    assert order("section_goal", "priority", "pass") == [ids[n] for n in ("important", "plain", "second", "reached")]
    reached.urgency = 0
    assert order("priority", "newest")[:3] == [ids["important"], ids["reached"], ids["plain"]]


def test_more_lanes_than_a_claim_looks_at_are_served_from_the_highest_priority(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_claims, "MOST_LANES", 2)
    queue = cast.queue(session, *[cast.person(session) for _ in range(5)])
    for priority, entry in enumerate(entries_of(session, queue)):
        entry.priority = priority
    session.flush()
    assert [entry.priority for entry in queues.claim(session, queue.id, 9)] == [4, 3]
    assert [entry.priority for entry in queues.claim(session, queue.id, 9)] == [2, 1]


def test_a_number_that_is_nobodys_leads_to_the_persons_next_phone_and_then_to_the_end(session: Session) -> None:
    ana = cast.person(session)
    ana.extra_phones.append(ContactPhone(position=1, phone=OTHER))
    queue = cast.queue(session, ana)
    ended(session, queue, "invalid_number")
    let_pass(session, timedelta(hours=1))
    (entry,) = queues.claim(session, queue.id, 1)
    assert queue_claims.phones(session, [entry]) == {entry.id: OTHER}
    (call_id,) = calls.plan(session, queue, [entry])
    assert cast.call(session, call_id).attempt.phone == OTHER
    calls.record_event(session, call_id, Event("claimed", "claimed"))
    calls.record_event(session, call_id, Event("invalid_number", "i"))
    assert (cast.entry(session, call_id).state, cast.entry(session, call_id).reason) == ("done", "invalid_number")


def test_a_wrong_number_is_tried_at_the_other_phone_of_the_person(session: Session) -> None:
    ana, olga = cast.person(session), cast.operator(session)
    ana.extra_phones.append(ContactPhone(position=1, phone=OTHER))
    queue = cast.queue(session, ana)
    call_id = cast.connected(session, queue)
    calls.dispose(session, call_id, olga.id, "wrong_number")
    entry = cast.entry(session, call_id)
    assert (entry.state, queue_claims.phones(session, [entry])) == ("waiting", {entry.id: OTHER})


def test_a_retry_at_the_other_phone_goes_round_and_a_phone_that_was_taken_away_is_no_phone(session: Session) -> None:
    ana = cast.person(session)
    ana.extra_phones.append(ContactPhone(position=1, phone=OTHER))
    queue = cast.queue(session, ana, rules=queue_rules.to_keep(
        Rules(retries={"no_answer": Retry(minutes=5, other_phone=True)}, most_attempts=6)
    ))  # fmt: skip
    seen = []
    for _ in range(3):
        seen.append(cast.call(session, ended(session, queue, "no_answer")).attempt.phone)
        let_pass(session, timedelta(hours=1))
    assert seen == [ana.phone, OTHER, ana.phone]
    session.delete(ana.extra_phones[0])
    session.flush()
    session.expire_all()
    assert cast.call(session, cast.planned(session, queue)).attempt.phone == ana.phone


def test_who_was_abandoned_rests_three_days_in_every_campaign_unless_an_operator_is_held(session: Session) -> None:
    home = "+529221112233"
    rosa, luis = cast.person(session, "Rosa Luna", home), cast.person(session, "Luis Luna", home)
    first = cast.queue(session, rosa)
    second = cast.queue(session, rosa, luis)
    olga = cast.operator(session, free=False)
    call_id = cast.rung(session, first)
    calls.record_event(session, call_id, Event("answered", "a"))
    calls.record_event(session, call_id, Event("hung_up", "h"))
    assert cast.call(session, call_id).attempt.outcome == "abandoned"
    let_pass(session, timedelta(hours=71))
    assert claimed(session, first) == claimed(session, second) == []
    assert len(claimed(session, first, held=olga.id)) == 1
    late = cast.queue(session, rosa)  # a list made after it
    assert claimed(session, late) == []
    let_pass(session, timedelta(hours=2))
    assert len(claimed(session, first)) == len(claimed(session, second)) == len(claimed(session, late)) == 1


def test_a_household_rests_after_a_conversation_as_long_as_the_rules_say(session: Session) -> None:
    home = "+529221112233"
    rosa, luis = cast.person(session, "Rosa Luna", home), cast.person(session, "Luis Luna", home)
    queue = cast.queue(session, rosa, luis, rules={"household_minutes": 120})
    olga = cast.operator(session)
    calls.dispose(session, cast.connected(session, queue), olga.id, "completed")
    let_pass(session, timedelta(minutes=90))
    assert claimed(session, queue) == []
    let_pass(session, timedelta(minutes=31))
    assert len(claimed(session, queue)) == 1


def test_the_longest_overdue_callback_comes_first_and_one_of_a_held_operator_only_to_them(session: Session) -> None:
    olga, pedro = cast.operator(session, "olga", free=False), cast.operator(session, "pedro", free=False)
    queue = cast.queue(session, *[cast.person(session) for _ in range(3)])
    for entry, minutes, keeper in zip(entries_of(session, queue), (5, 40, 20), (olga, pedro, None), strict=True):
        entry.is_callback, entry.not_before = True, campaign_now(session) - timedelta(minutes=minutes)
        entry.callback_operator_id = keeper.id if keeper else None
    session.flush()
    hers, overdue, anyones = (entry.id for entry in entries_of(session, queue))
    assert claimed(session, queue) == [overdue, anyones]
    assert claimed(session, queue, held=olga.id) == [overdue, anyones, hers]
    assert claimed(session, queue, held=pedro.id) == [overdue, anyones]


def test_a_person_comes_back_in_the_next_pass_after_those_who_were_never_tried(session: Session) -> None:
    people = [cast.person(session) for _ in range(2)]
    queue = cast.queue(session, *people, rules={"passes": 2, "minutes_between_passes": 60})
    tried = cast.entry(session, ended(session, queue, "no_answer"))
    assert (tried.pass_number, tried.reason) == (2, "no_answer")
    assert tried.not_before is not None
    assert tried.not_before > campaign_now(session) + timedelta(minutes=59)
    let_pass(session, timedelta(hours=3))
    untried = next(entry.id for entry in entries_of(session, queue) if entry.id != tried.id)
    assert claimed(session, queue) == [untried, tried.id]


def test_a_claim_asks_for_nobody_when_nothing_is_wanted(session: Session) -> None:
    queue = cast.queue(session, cast.person(session))
    assert queues.claim(session, queue.id, 0) == []
    assert queues.claim(session, 0, 5) == []
    assert queue_claims.phones(session, []) == {}


def test_a_household_at_the_phone_of_the_next_try_is_one_household(session: Session) -> None:
    """Two people meet at a phone that is the second of one of them."""
    rosa, luis = cast.person(session), cast.person(session, "Luis Luna", OTHER)
    rosa.extra_phones.append(ContactPhone(position=1, phone=OTHER))
    queue = cast.queue(session, rosa, luis)
    session.flush()
    hers = next(entry for entry in entries_of(session, queue) if entry.contact_id == rosa.id)
    hers.phone_id = rosa.extra_phones[0].id
    session.flush()
    assert len(queues.claim(session, queue.id, 5)) == 1


def test_the_people_of_one_phone_do_not_keep_the_others_of_the_list_waiting(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_claims, "SPARE", 0)
    shared = [cast.person(session, phone="+529221112233") for _ in range(9)]
    alone, other = cast.person(session), cast.person(session)
    queue = cast.queue(session, *shared, alone, other)
    first = queues.claim(session, queue.id, 2)
    assert [entry.contact_id for entry in first] == [shared[0].id, alone.id]
    calls.plan(session, queue, first)
    assert [entry.contact_id for entry in queues.claim(session, queue.id, 2)] == [other.id]


def test_tries_of_one_campaign_count_against_the_caps_in_every_other(session: Session, carrier: FakeCarrier) -> None:
    clock.start_drill(session)  # a weekday in calling hours, whenever the test runs
    rosa = cast.person(session)
    first = cast.queue(session, rosa, rules={"most_attempts": 6})
    for _ in range(3):
        ended(session, first, "no_answer")
        let_pass(session, timedelta(hours=5))
    second = cast.queue(session, rosa)
    call_id = cast.planned(session, second)
    session.commit()
    jobs.place_calls([str(call_id)])
    assert carrier.dialled == []
    entry = cast.entry(session, call_id)
    assert (entry.state, entry.reason) == ("waiting", "cap_week")
    assert entry.not_before is not None
    assert entry.not_before > campaign_now(session) + timedelta(days=6)
