"""Work on the lists of queues for a worker: ids in, nothing out, harmless twice. Each opens its own session."""

from uuid import UUID

from callcenter import calls, jobs
from callcenter.base.db import open_session
from callcenter.calls import Event
from callcenter.ledger import call_ledger
from callcenter.queueing import queue_order


def arrange(queue_id: int) -> None:
    """Write into every entry of the queue what its order looks at, some thousands at a time."""
    after: int | None = 0
    while after is not None:
        with open_session() as session:
            after = queue_order.arrange(session, queue_id, after)
            session.commit()


def learn_hours() -> None:
    """Learn from the ledger at which hour who picks up."""
    with open_session() as session:
        queue_order.learn(session)
        session.commit()


def break_off(call_id: str) -> None:
    """Do not place a planned call, or hang up a phone that rings: the person was withdrawn."""
    with open_session() as session:
        call = call_ledger.lock(session, UUID(call_id))
        if call is None or call.answered_at is not None:
            return
        is_planned = call.state == "planned"
        if is_planned:
            calls.record_event(session, call.id, Event("not_placed", "withdrawn", {"why": "withdrawn"}))
        session.commit()
    if not is_planned:
        jobs.hang_up(call_id)
