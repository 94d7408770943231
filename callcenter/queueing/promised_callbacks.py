"""Promised callbacks of a campaign that closes: it keeps them, or another one takes them over. None is lost."""

from flask_babel import gettext as _
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.base import audit
from callcenter.base.errors import NotFound, Refused
from callcenter.base.outbox import tell_later
from callcenter.queueing.queue_entries import WITHDRAWN
from callcenter.queueing.queue_tables import CallQueue, QueueEntry


def keep(session: Session, queue_id: int, user_id: int | None) -> None:
    """The queue calls nobody any more but those who were promised it, and finishes itself after the last of them.

    Raises NotFound, Refused for a queue that never ran or is over."""
    queue = _locked(session, queue_id)
    if queue.state not in ("running", "paused"):
        raise Refused("queue_state", _("Only a campaign that runs or is paused can keep its promises."))
    queue.only_callbacks = True
    audit.record(session, user_id, "queues.keep_promises", f"queue/{queue_id}")
    queues.set_state(session, queue_id, "running", "callbacks", user_id)
    tell_later(session, f"queue/{queue_id}")
    tell_later(session, "dialer")


def move(session: Session, queue_id: int, to_id: int, user_id: int | None) -> int:
    """Another queue keeps the promises; returns how many. Who was done there is called all the same: it was promised.

    Raises NotFound, Refused where the other queue takes nobody, or calls for another purpose."""
    queue, to = _locked(session, queue_id), _locked(session, to_id)
    if to.id == queue.id or to.state not in ("running", "paused"):
        raise Refused("queue_state", _("Choose another campaign, one that runs or is paused."))
    if to.purpose != queue.purpose:
        raise Refused("purpose", _("The other campaign calls for another purpose: people were promised this one."))
    promised = select(QueueEntry).where(
        QueueEntry.queue_id == queue_id, QueueEntry.state == "waiting", QueueEntry.is_callback
    )  # fmt: skip
    entries = list(session.scalars(promised.order_by(QueueEntry.id).with_for_update()))
    moved = sum([_hand_over(session, entry, to_id) for entry in entries])
    session.flush()
    audit.record(session, user_id, "queues.move_promises", f"queue/{queue_id}", to=to_id, people=moved)
    for topic in (f"queue/{queue_id}", f"queue/{to_id}", "dialer"):
        tell_later(session, topic)
    return moved


def _hand_over(session: Session, entry: QueueEntry, to_id: int) -> bool:
    """One promise; False while the other queue is calling the person: then it stays where it is."""
    place = select(QueueEntry).where(QueueEntry.queue_id == to_id, QueueEntry.contact_id == entry.contact_id)
    there = session.scalar(place.with_for_update().execution_options(populate_existing=True))
    if there is not None and there.state == "calling":
        return False
    if there is None:
        there = QueueEntry(queue_id=to_id, contact_id=entry.contact_id)
        session.add(there)
    is_withdrawn = there.state == "excluded" and there.reason in WITHDRAWN
    if not is_withdrawn and not (there.state == "waiting" and there.is_callback):
        there.state, there.reason, there.is_callback, there.phone_id = "waiting", "callback", True, entry.phone_id
        there.not_before, there.callback_operator_id = entry.not_before, entry.callback_operator_id
    entry.state, entry.reason, entry.is_callback, entry.not_before = "done", "moved", False, None
    return True


def sweep(session: Session) -> None:
    """Finish the queues that have kept every promise and in which nobody talks any more."""
    open_ones = exists().where(
        QueueEntry.queue_id == CallQueue.id,
        (QueueEntry.state == "calling") | ((QueueEntry.state == "waiting") & QueueEntry.is_callback),
    )
    kept = select(CallQueue.id).where(CallQueue.only_callbacks, CallQueue.state == "running", ~open_ones)
    for queue_id in session.scalars(kept.order_by(CallQueue.id)).all():
        queues.set_state(session, queue_id, "finished", "callbacks_kept", None)
        session.execute(update(CallQueue).where(CallQueue.id == queue_id).values(only_callbacks=False))


def _locked(session: Session, queue_id: int) -> CallQueue:
    queue = session.get(CallQueue, queue_id, with_for_update=True, populate_existing=True)
    if queue is None:
        raise NotFound(_("There is no such call queue."))
    return queue
