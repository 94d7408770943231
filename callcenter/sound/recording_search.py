"""Finding recordings: the list with its filter, and who has listened to one."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base import audit
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.base.clock import ZONE, real_now
from callcenter.base.errors import NotFound
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator
from callcenter.queues import CallQueue
from callcenter.sound.recording_ledger import Recording, RecordingNotice

STRETCH = timedelta(minutes=10)  # a player asks for many parts: as long as this they are one listening


@dataclass(frozen=True)
class Filter:
    """What is looked for; None and "" mean anything. Days are of real time here, seconds at least."""

    since: date | None = None
    until: date | None = None
    queue_id: int | None = None
    operator_id: int | None = None
    outcome: str = ""
    seconds: int | None = None
    state: str = ""


def found(wanted: Filter) -> Select[Recording, str, str, str, datetime]:
    """columns: Recording, queue (name), operator (name), outcome (code), at (campaign time); newest first."""
    outcome = func.coalesce(Call.disposition, Attempt.outcome)
    query = (
        select(
            Recording, CallQueue.name.label("queue"), User.full_name.label("operator"), outcome.label("outcome"),
            Attempt.at.label("at"),
        )
        .outerjoin(Call, Call.id == Recording.call_id)
        .outerjoin(Attempt, Attempt.id == Recording.call_id)
        .outerjoin(CallQueue, CallQueue.id == Call.queue_id)
        .outerjoin(Operator, Operator.id == Call.operator_id)
        .outerjoin(User, User.id == Operator.user_id)
        .order_by(Recording.asked_at.desc(), Recording.id)
    )  # fmt: skip
    if wanted.since:
        query = query.where(Recording.asked_at >= _midnight(wanted.since))
    if wanted.until:
        query = query.where(Recording.asked_at < _midnight(wanted.until + timedelta(days=1)))
    for column, value in ((Call.queue_id, wanted.queue_id), (Call.operator_id, wanted.operator_id)):
        query = query.where(column == value) if value is not None else query
    if wanted.outcome:
        query = query.where(outcome == wanted.outcome)
    if wanted.state:
        query = query.where(Recording.state == wanted.state)
    if wanted.seconds is not None:
        query = query.where(Recording.duration_ms >= wanted.seconds * 1000)
    return query


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE)


def queues_recorded(session: Session) -> list[tuple[int, str]]:
    """Campaigns that record, newest first: id and name."""
    wanted = select(CallQueue.id, CallQueue.name).where(CallQueue.recording != "off").order_by(CallQueue.id.desc())
    return [(row.id, row.name) for row in session.execute(wanted.limit(200))]


def operators_recorded(session: Session) -> list[tuple[int, str]]:
    """Operators, by name: id and name."""
    rows = session.execute(select(Operator.id, User.full_name).join(User, User.id == Operator.user_id))
    return sorted(((row.id, row.full_name) for row in rows), key=lambda row: row[1])


def one(session: Session, recording_id: UUID) -> Any:
    """One row of `found`, and notice (its text), contact_id (None: the person is gone). Raises NotFound."""
    query = found(Filter()).add_columns(RecordingNotice.text.label("notice"), Attempt.contact_id.label("contact_id"))
    query = query.join(RecordingNotice, RecordingNotice.id == Recording.notice_id)
    row = session.execute(query.where(Recording.id == recording_id)).first()
    if row is None:
        raise NotFound
    return row


def note_listening(session: Session, recording_id: UUID, user_id: int) -> None:
    """Audit that this person listens; the parts that a player asks for within ten minutes are one listening."""
    subject = f"recording/{recording_id}"
    lately = select(AuditEntry.id).where(
        AuditEntry.subject == subject, AuditEntry.at > real_now() - STRETCH, AuditEntry.user_id == user_id,
        AuditEntry.action == "recordings.listen",
    )  # fmt: skip
    if session.scalar(lately.limit(1)) is None:
        audit.record(session, user_id, "recordings.listen", subject)


def acts(session: Session, recording_id: UUID, limit: int = 50) -> list[Any]:
    """What was done with a recording, newest first; columns: AuditEntry, full name."""
    return list(session.execute(audit.search(subject=f"recording/{recording_id}").limit(limit)).all())
