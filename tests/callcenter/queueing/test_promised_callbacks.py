from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, queues
from callcenter.base.clock import campaign_now
from callcenter.base.errors import NotFound, Refused
from callcenter.calls import Event
from callcenter.contacts import Contact
from callcenter.queueing import promised_callbacks
from callcenter.queues import CallQueue, QueueEntry
from tests.callcenter import cast


def promised(session: Session, queue: CallQueue, person: Contact, minutes: int = 60) -> QueueEntry:
    """The person's place in the queue, with a callback so many minutes from now."""
    entry = session.scalars(
        select(QueueEntry).where(QueueEntry.queue_id == queue.id, QueueEntry.contact_id == person.id)
    ).one()
    entry.is_callback, entry.not_before = True, campaign_now(session) + timedelta(minutes=minutes)
    session.flush()
    return entry


def fresh(session: Session, entry: QueueEntry) -> QueueEntry:
    session.flush()
    session.refresh(entry)
    return entry


def test_a_closing_campaign_calls_only_whom_it_promised_it_and_then_finishes_by_itself(session: Session) -> None:
    rosa, luis = cast.person(session), cast.person(session)
    queue, olga = cast.queue(session, rosa, luis), cast.operator(session)
    entry = promised(session, queue, rosa, minutes=-1)
    promised_callbacks.keep(session, queue.id, None)
    promised_callbacks.sweep(session)
    assert queues.get(session, queue.id).state == "running"
    assert queues.open_callbacks(session, queue.id) == 1
    call_id = cast.connected(session, queue)
    assert cast.entry(session, call_id).id == entry.id
    assert queues.claim(session, queue.id, 5) == []  # Luis waits, and is not called any more
    promised_callbacks.sweep(session)
    assert queues.get(session, queue.id).state == "running"  # they still talk
    calls.dispose(session, call_id, olga.id, "completed")
    promised_callbacks.sweep(session)
    closed = queues.get(session, queue.id)
    assert (closed.state, closed.state_reason) == ("finished", "callbacks_kept")


def test_another_campaign_takes_the_promises_over_with_their_time_and_operator(session: Session) -> None:
    rosa, luis = cast.person(session), cast.person(session)
    queue, other, olga = cast.queue(session, rosa, luis), cast.queue(session, luis), cast.operator(session)
    hers, his = promised(session, queue, rosa), promised(session, queue, luis, minutes=5)
    hers.callback_operator_id = olga.id
    session.flush()
    at = hers.not_before
    assert promised_callbacks.move(session, queue.id, other.id, None) == 2
    queues.set_state(session, queue.id, "finished", None, None)
    rows = session.scalars(select(QueueEntry).where(QueueEntry.queue_id == other.id)).all()
    by_person = {row.contact_id: fresh(session, row) for row in rows}
    assert {row.is_callback for row in by_person.values()} == {True}
    assert (by_person[rosa.id].not_before, by_person[rosa.id].callback_operator_id) == (at, olga.id)
    assert [(fresh(session, one).state, one.reason) for one in (hers, his)] == [("done", "moved")] * 2


def test_a_promise_stays_while_the_other_campaign_is_calling_the_person(session: Session) -> None:
    rosa = cast.person(session)
    queue, other = cast.queue(session, rosa), cast.queue(session, rosa)
    entry = promised(session, queue, rosa)
    queues.claim(session, other.id, 1)
    assert promised_callbacks.move(session, queue.id, other.id, None) == 0
    assert fresh(session, entry).state == "waiting"
    with pytest.raises(Refused):
        queues.set_state(session, queue.id, "finished", None, None)


def test_nobody_who_opted_out_there_is_called_because_of_a_promise(session: Session) -> None:
    rosa = cast.person(session)
    queue, other = cast.queue(session, rosa), cast.queue(session, rosa)
    promised(session, queue, rosa)
    theirs = session.scalars(select(QueueEntry).where(QueueEntry.queue_id == other.id)).one()
    theirs.state, theirs.reason = "excluded", "opted_out"
    session.flush()
    assert promised_callbacks.move(session, queue.id, other.id, None) == 1
    assert fresh(session, theirs).state == "excluded"


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"state": "finished"}, "queue_state"),
        ({"state": "draft"}, "queue_state"),
        ({"purpose": "structure"}, "purpose"),
    ],
)
def test_promises_go_only_to_a_campaign_that_calls_for_the_same(
    session: Session, columns: dict[str, str], code: str
) -> None:
    queue, other = cast.queue(session), cast.queue(session, **columns)
    with pytest.raises(Refused) as refused:
        promised_callbacks.move(session, queue.id, other.id, None)
    assert refused.value.code == code
    with pytest.raises(Refused):
        promised_callbacks.move(session, queue.id, queue.id, None)
    with pytest.raises(NotFound):
        promised_callbacks.move(session, queue.id, 0, None)


def test_a_campaign_that_never_ran_has_no_promises_to_keep(session: Session) -> None:
    with pytest.raises(Refused):
        promised_callbacks.keep(session, cast.queue(session, state="draft").id, None)


def test_a_callback_promised_in_a_call_that_outlives_its_campaign_opens_it_for_promises_alone(session: Session) -> None:
    olga = cast.operator(session)
    queue = cast.queue(session, cast.person(session), cast.person(session))
    call_id = cast.connected(session, queue)
    queues.set_state(session, queue.id, "finished", "review", None)
    calls.record_event(session, call_id, Event("hung_up", "h"))
    at = campaign_now(session) + timedelta(hours=3)
    calls.dispose(session, call_id, olga.id, "callback", callback_at=at)
    again = queues.get(session, queue.id)
    assert (again.state, again.only_callbacks) == ("running", True)
    assert queues.claim(session, queue.id, 5) == []
    assert cast.entry(session, call_id).not_before == at
