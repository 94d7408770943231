"""Notes of supervisors to operators: to everybody, to who serves a campaign, or to one. Seen once, and counted."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, and_, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import queues
from callcenter.base import audit
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.outbox import tell_later
from callcenter.operators import Operator, locked, operator_queues

LENGTH = 280
LIFE = timedelta(hours=12)  # a note is for the shift
MOST_SHOWN = 3  # on an operator's screen at once


class FloorNote(Base):
    """`operator_id` and `queue_id` None: to everybody. After `ends_at` nobody is shown it any more."""

    __tablename__ = "floor_notes"
    __table_args__ = (Index("ix_floor_notes_ends_at", "ends_at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"))
    queue_id: Mapped[int | None] = mapped_column(ForeignKey("call_queues.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=real_now)
    ends_at: Mapped[datetime]


class FloorNoteReading(Base):
    """An operator said that they have seen a note."""

    __tablename__ = "floor_note_readings"
    note_id: Mapped[int] = mapped_column(ForeignKey("floor_notes.id", ondelete="CASCADE"), primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=real_now)


@dataclass(frozen=True)
class Sent:
    """A note as the floor lists it. `to`: a name, or '' for everybody; `read`: operators who have seen it; `waiting`:
    operators at work now who have not."""

    id: int
    text: str
    by: str
    to: str
    at: datetime
    read: int
    waiting: int


def send(session: Session, text: str, user_id: int, *, operator_id: int | None = None,
         queue_id: int | None = None) -> FloorNote:  # fmt: skip
    """Put a note on the screens of whom it is for, now and until the shift is over. Raises InvalidInput, NotFound."""
    text = " ".join(text.split())
    if not text or len(text) > LENGTH:
        raise InvalidInput({"text": _("Write a note of at most %(n)s characters.", n=LENGTH)})
    if operator_id is not None:
        locked(session, operator_id)
    if queue_id is not None:
        queues.get(session, queue_id)
    note = FloorNote(text=text, user_id=user_id, operator_id=operator_id, queue_id=queue_id, ends_at=real_now() + LIFE)
    session.add(note)
    session.flush()
    audit.record(session, user_id, "floor_notes.send", f"floor-note/{note.id}", operator=operator_id, queue=queue_id)
    _tell(session, note.id)
    return note


def withdraw(session: Session, note_id: int, user_id: int) -> None:
    """Nobody is shown it any more. Raises NotFound."""
    note = _note(session, note_id)
    if note.ends_at > real_now():
        _tell(session, note_id)
        note.ends_at = real_now()
        audit.record(session, user_id, "floor_notes.withdraw", f"floor-note/{note_id}")


def seen(session: Session, note_id: int, operator_id: int) -> None:
    """The operator has seen it; harmless when repeated. Raises NotFound for a note that is not for them."""
    for_them = select(FloorNote.id).join(Operator, is_for()).where(FloorNote.id == note_id, Operator.id == operator_id)
    if session.scalar(for_them) is None:
        raise NotFound(_("There is no such note for you."))
    reading = {"note_id": note_id, "operator_id": operator_id, "at": real_now()}
    session.execute(insert(FloorNoteReading).values(reading).on_conflict_do_nothing())
    tell_later(session, f"operator/{operator_id}")
    tell_later(session, "floor")


def unseen_by(session: Session, operator_id: int) -> list[dict[str, Any]]:
    """For the operator's screen, oldest first: id, text, by (name), at (ISO)."""
    wanted = (
        select(FloorNote.id, FloorNote.text, User.full_name, FloorNote.at)
        .select_from(FloorNote)
        .join(Operator, is_for())
        .join(User, User.id == FloorNote.user_id)
        .where(Operator.id == operator_id, FloorNote.ends_at > real_now(), ~_is_read())
        .order_by(FloorNote.id)
        .limit(MOST_SHOWN)
    )
    return [{"id": id_, "text": text, "by": by, "at": at.isoformat()} for id_, text, by, at in session.execute(wanted)]


def of_shift(session: Session) -> list[Sent]:
    """The notes that are still shown, newest first."""
    read = select(func.count()).where(FloorNoteReading.note_id == FloorNote.id).scalar_subquery()
    at_work = select(func.count()).select_from(Operator).where(Operator.state != "offline", is_for(), ~_is_read())
    to = select(User.full_name).join(Operator, Operator.user_id == User.id).where(Operator.id == FloorNote.operator_id)
    campaign = select(queues.CallQueue.name).where(queues.CallQueue.id == FloorNote.queue_id)
    rows = session.execute(
        select(
            FloorNote, User.full_name, func.coalesce(to.scalar_subquery(), campaign.scalar_subquery(), ""), read,
            at_work.correlate(FloorNote).scalar_subquery(),
        )
        .join(User, User.id == FloorNote.user_id)
        .where(FloorNote.ends_at > real_now())
        .order_by(FloorNote.id.desc())
    )  # fmt: skip
    return [Sent(note.id, note.text, by, whom, note.at, number, left) for note, by, whom, number, left in rows]


def is_for() -> Any:
    """The condition that a note is for an operator: by name, by a campaign they serve, or because it is for all."""
    own = select(operator_queues.c.queue_id).where(operator_queues.c.operator_id == Operator.id)
    own = own.correlate(Operator, FloorNote)  # by itself only to the SELECT right around it
    serves = or_(~own.exists(), own.where(operator_queues.c.queue_id == FloorNote.queue_id).exists())
    return and_(
        or_(FloorNote.operator_id.is_(None), FloorNote.operator_id == Operator.id),
        or_(FloorNote.queue_id.is_(None), serves),
    )


def _is_read() -> Any:
    own = exists().where(FloorNoteReading.note_id == FloorNote.id, FloorNoteReading.operator_id == Operator.id)
    return own.correlate(Operator, FloorNote)


def _note(session: Session, note_id: int) -> FloorNote:
    note = session.get(FloorNote, note_id, with_for_update=True, populate_existing=True)
    if note is None:
        raise NotFound(_("There is no such note."))
    return note


def _tell(session: Session, note_id: int) -> None:
    """Tell the screens of those at work whom it concerns, and the floor."""
    reached = select(Operator.id).join(FloorNote, is_for()).where(FloorNote.id == note_id, Operator.state != "offline")
    for operator_id in session.scalars(reached):
        tell_later(session, f"operator/{operator_id}")
    tell_later(session, "floor")
