from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, queues
from callcenter.base.audit import AuditEntry
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Sessions
from callcenter.base.errors import NotFound, Refused
from callcenter.calls import Event
from callcenter.contacts import Contact
from callcenter.queueing import queue_entries
from callcenter.queues import QueueEntry
from tests.callcenter import cast


def entries_of(session: Session, queue_id: int) -> list[QueueEntry]:
    return list(session.scalars(select(QueueEntry).where(QueueEntry.queue_id == queue_id).order_by(QueueEntry.id)))


def test_filling_twice_adds_nobody_twice(session: Session) -> None:
    people = [cast.person(session), cast.person(session)]
    queue = cast.queue(session)
    chosen = select(Contact.id).where(Contact.id.in_([p.id for p in people]))
    assert queues.fill(session, queue.id, chosen) == 2
    assert queues.fill(session, queue.id, chosen) == 0


def test_due_callbacks_come_first_then_priority_then_the_order_of_the_list(session: Session) -> None:
    people = [cast.person(session) for _ in range(4)]
    queue = cast.queue(session, *people)
    plain, important, late_callback, future_callback = entries_of(session, queue.id)
    important.priority = 5
    for entry, minutes in ((late_callback, -1), (future_callback, 30)):
        entry.is_callback, entry.not_before = True, campaign_now(session) + timedelta(minutes=minutes)
    session.flush()
    assert queues.claim(session, queue.id, 9) == [late_callback, important, plain]
    assert {entry.state for entry in (late_callback, important, plain)} == {"calling"}


def test_a_campaign_with_promised_callbacks_cannot_be_finished_over_them(session: Session) -> None:
    queue, olga = cast.queue(session, cast.person(session, "Rosa Luna")), cast.operator(session)
    (entry,) = entries_of(session, queue.id)
    entry.is_callback, entry.callback_operator_id = True, olga.id
    entry.not_before = campaign_now(session) + timedelta(hours=1)
    session.flush()
    with pytest.raises(Refused, match="1 person was promised a call"):
        queues.set_state(session, queue.id, "finished", "review", None)
    assert (queue_entries.next_callback(session, olga.id) or {})["name"] == "Rosa Luna"
    entry.is_callback = False
    session.flush()
    queues.set_state(session, queue.id, "finished", "review", None)
    assert queues.get(session, queue.id).state == "finished"


def test_a_callback_promised_by_one_operator_waits_for_them_a_quarter_of_an_hour(session: Session) -> None:
    olga = cast.operator(session, free=False)
    queue = cast.queue(session, cast.person(session))
    (entry,) = entries_of(session, queue.id)
    entry.is_callback, entry.callback_operator_id = True, olga.id
    entry.not_before = campaign_now(session) - timedelta(minutes=5)
    session.flush()
    assert queues.claim(session, queue.id, 1) == []
    entry.not_before = campaign_now(session) - timedelta(minutes=16)
    session.flush()
    assert queues.claim(session, queue.id, 1) == [entry]


def test_a_household_is_called_one_by_one(session: Session) -> None:
    home = "+529221112233"
    queue = cast.queue(session, cast.person(session, "Rosa Luna", home), cast.person(session, "Luis Luna", home))
    first = queues.claim(session, queue.id, 2)
    assert len(first) == 1
    (call_id,) = calls.plan(session, queue, first)
    assert queues.claim(session, queue.id, 2) == []
    calls.record_event(session, call_id, Event("claimed", "c"))
    calls.record_event(session, call_id, Event("busy", "b"))
    assert queues.claim(session, queue.id, 2) == []  # not within the minute
    call = cast.call(session, call_id)
    call.attempt.closed_at = real_now() - timedelta(minutes=2)
    session.flush()
    assert [entry.id for entry in queues.claim(session, queue.id, 2)] != [first[0].id]


def test_two_claims_at_once_take_different_people(committed: Sessions) -> None:
    with committed() as setting:
        queue_id = cast.queue(setting, *[cast.person(setting) for _ in range(6)]).id
        setting.commit()
    with committed() as one, committed() as other:
        first, second = queues.claim(one, queue_id, 3), queues.claim(other, queue_id, 9)
        assert (len(first), len(second)) == (3, 3)
        assert not {entry.id for entry in first} & {entry.id for entry in second}


def test_a_person_is_done_after_the_queues_last_try(session: Session) -> None:
    queue = cast.queue(session, cast.person(session), rules={"most_attempts": 1})
    call_id = cast.rung(session, queue)
    calls.record_event(session, call_id, Event("no_answer", "n"))
    entry = cast.entry(session, call_id)
    assert (entry.state, entry.reason, entry.attempts) == ("done", "max_attempts", 1)


def test_progress_counts_everybody_once(session: Session) -> None:
    queue = cast.queue(session, *[cast.person(session) for _ in range(3)])
    call_id = cast.rung(session, queue)
    calls.record_event(session, call_id, Event("busy", "b"))
    cast.planned(session, queue)
    counts = queues.progress(session, queue.id)
    assert counts["total"] == 3 == counts["waiting"] + counts["calling"] + counts["done"] + counts["excluded"]
    assert (counts["waiting"], counts["ready"], counts["resting"], counts["calling"], counts["untried"]) == (
        2,
        1,
        1,
        1,
        1,
    )


def test_a_change_of_state_is_audited_with_its_reason_and_the_end_is_final(session: Session) -> None:
    queue = cast.queue(session)
    queues.set_state(session, queue.id, "paused", "lunch", None)
    queues.set_state(session, queue.id, "finished", None, None)
    rows = session.scalars(select(AuditEntry).where(AuditEntry.subject == f"queue/{queue.id}").order_by(AuditEntry.id))
    assert [row.detail for row in rows] == [
        {"was": "running", "now": "paused", "reason": "lunch"},
        {"was": "paused", "now": "finished", "reason": None},
    ]
    with pytest.raises(Refused, match="finished"):
        queues.set_state(session, queue.id, "running", None, None)
    with pytest.raises(NotFound):
        queues.set_state(session, 0, "running", None, None)


def test_a_long_list_is_counted_once_for_all_who_look_on_and_a_short_one_each_time(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = cast.queue(session, cast.person(session), cast.person(session))
    assert queues.progress_lately(session, queue.id)["calling"] == 0
    queues.claim(session, queue.id, 1)
    assert queues.progress_lately(session, queue.id)["calling"] == 1
    monkeypatch.setattr(queues, "LONG", 1)
    monkeypatch.setattr(queues, "_counted", {})
    assert queues.progress_lately(session, queue.id)["calling"] == 1
    queues.claim(session, queue.id, 1)
    assert queues.progress_lately(session, queue.id)["calling"] == 1
    assert queues.progress(session, queue.id)["calling"] == 2
