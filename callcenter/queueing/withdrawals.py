"""Withdrawals: a person leaves their queues for good, at once, because of what happened elsewhere."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import exists, or_, select, text, update
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base import audit
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.ledger.call_ledger import Call
from callcenter.queueing.queue_tables import CallQueue, QueueEntry

BEFORE_AN_ANSWER = ("planned", "placing", "unknown", "ringing")
FOR_A_WHILE = ("quota_full", "quota_outside")  # reasons of entries that quotas take back (surveys.quotas)
# What nobody is called for who has voted already.
ABOUT_VOTING = ("persuasion", "mobilization", "neutral_reminder")


def withdraw(
    session: Session,
    contact_ids: Collection[int],
    reason: str,
    *,
    scripts: Collection[str] | None = None,
    purposes: Collection[str] | None = None,
    but_entry: int | None = None,
    queue_id: int | None = None,
) -> int:
    """Take people out of the queues in which they wait or are being called; returns of how many entries.

    `reason`: one of queue_entries.WITHDRAWN. `scripts`, `purposes`: only of queues with one of these; `queue_id`: only
    of this one. A phone that rings is hung up, who talks goes on talking; nothing that is heard of their call later
    brings them back, nor does a quota that had left them out for a while."""
    which = select(QueueEntry.id, QueueEntry.queue_id).join(CallQueue, CallQueue.id == QueueEntry.queue_id)
    comes_back = (QueueEntry.state == "excluded") & QueueEntry.reason.in_(FOR_A_WHILE)
    which = which.where(QueueEntry.contact_id.in_(contact_ids))
    which = which.where(or_(QueueEntry.state.in_(("waiting", "calling")), comes_back))
    if scripts is not None:
        which = which.where(CallQueue.script.in_(scripts))
    if purposes is not None:
        which = which.where(CallQueue.purpose.in_(purposes))
    if queue_id is not None:
        which = which.where(QueueEntry.queue_id == queue_id)
    if but_entry is not None:
        which = which.where(QueueEntry.id != but_entry)
    found = session.execute(which.order_by(QueueEntry.id).with_for_update(of=QueueEntry)).all()
    ids = [row.id for row in found]
    if not ids:
        return 0
    out = update(QueueEntry).where(QueueEntry.id.in_(ids)).values(state="excluded", reason=reason)
    session.execute(out.execution_options(synchronize_session="fetch"))
    under_way = select(Call.id).where(Call.entry_id.in_(ids), Call.state.in_(BEFORE_AN_ANSWER))
    for call_id in session.scalars(under_way):
        enqueue_later(session, "callcenter.queueing.queue_jobs.break_off", str(call_id), queue="urgent")
    for queue_id in {row.queue_id for row in found}:
        tell_later(session, f"queue/{queue_id}")
    return len(ids)


def answered_elsewhere(session: Session, call_id: UUID, script: str) -> int:
    """Whoever was called has answered this survey: no other queue asks it of them again."""
    call = session.get(Call, call_id)
    if call is None or call.attempt.contact_id is None:
        return 0
    reason = "answered_elsewhere"
    return withdraw(session, [call.attempt.contact_id], reason, scripts=[script], but_entry=call.entry_id)


def take_back(session: Session, call_id: UUID, script: str) -> None:
    """Undo it: the interview goes on, and the other queues of the survey wait for its end again."""
    who = select(Attempt.contact_id).where(Attempt.id == call_id).scalar_subquery()
    queues = select(CallQueue.id).where(CallQueue.script == script)
    out = (QueueEntry.state == "excluded", QueueEntry.reason == "answered_elsewhere", QueueEntry.queue_id.in_(queues))
    back = update(QueueEntry).where(QueueEntry.contact_id == who, *out).values(state="waiting", reason=None)
    session.execute(back.execution_options(synchronize_session="fetch"))


def has_voted(session: Session, contact_id: int) -> bool:
    """Was the person reported, while they stood on a list about voting?"""
    reported = exists().where(QueueEntry.contact_id == contact_id, QueueEntry.reason == text("'voted'"))
    return bool(session.scalar(select(reported)))


def report_voted(session: Session, contact_ids: Collection[int], user_id: int | None, *, source: str) -> int:
    """These people are reported as having voted: nobody calls them about it any more, from no list made later either.
    `source`: who said so. Audited; returns how many entries were taken out. Of who stands on no such list nothing is
    kept but the audit: nobody collects who voted."""
    people = sorted(set(contact_ids))
    withdrawn = withdraw(session, people, "voted", purposes=ABOUT_VOTING)
    for contact_id in people:
        audit.record(session, user_id, "contacts.report_voted", f"contact/{contact_id}", source=source[:200])
    return withdrawn


def unreport_voted(session: Session, contact_id: int, user_id: int | None) -> int:
    """It was a mistake: the person waits again where they did. Audited; returns on how many lists."""
    out = (QueueEntry.contact_id == contact_id, QueueEntry.state == "excluded", QueueEntry.reason == text("'voted'"))
    back = update(QueueEntry).where(*out).values(state="waiting", reason=None).returning(QueueEntry.id)
    number = len(session.scalars(back.execution_options(synchronize_session="fetch")).all())
    audit.record(session, user_id, "contacts.unreport_voted", f"contact/{contact_id}")
    return number
