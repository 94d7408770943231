"""Messages that people leave who ring us: recorded by the carrier, then a file of our own, heard and seen to by
supervisors, deleted on time.

An Asterisk leaves `<spool>/voices/<id>.wav`, Twilio keeps a recording under a name of its own (`ref`); a job makes a
file of ours of either (callcenter.sound.recording_files) and removes theirs. `state`: asked (they may be speaking) |
left (with the carrier) | kept | lost (nothing was said, or it never came) | going (to be deleted) | deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ForeignKey, Index, Select, func, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import carriers, switches
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.ledger.call_ledger import Call
from callcenter.sound import recording_files

STATES: dict[str, LazyString] = {
    "asked": _l("Being spoken"),
    "left": _l("Being stored"),
    "kept": _l("Stored"),
    "lost": _l("Nothing was heard, or it was lost"),
    "going": _l("Deleted"),
    "deleted": _l("Deleted"),
}
SILENT = timedelta(minutes=10)  # after which who was asked to speak has said nothing
PATIENCE = timedelta(hours=1)  # for a sound that the carrier still holds
AGAIN = timedelta(seconds=30)  # a job that was lost has a successor after this
BATCH = 100


class VoiceMessage(Base):
    """One message, of one call. `switch` and `ref`: where the carrier has it, while `is_with_carrier`; `storage`: of
    callcenter.sound.recording_files. `done_at`: when somebody had seen to it. Times are real time."""

    __tablename__ = "voice_messages"
    __table_args__ = (
        Index("ix_voice_messages_at", "at", "id"),
        Index("ix_voice_messages_waiting", "at",
              postgresql_where=text("is_with_carrier OR state IN ('asked', 'left', 'going')")),
    )  # fmt: skip
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    call_id: Mapped[UUID] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), unique=True)
    state: Mapped[str] = mapped_column(default="asked")
    switch: Mapped[str | None]
    ref: Mapped[str | None]
    is_with_carrier: Mapped[bool] = mapped_column(default=False)
    storage: Mapped[str | None]
    duration_ms: Mapped[int | None]
    size: Mapped[int | None]  # bytes
    at: Mapped[datetime] = mapped_column(default=real_now)
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    removed_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Work:
    """One message that is worked on, free of the session. `folder`: the switch's, as this host sees it. `is_late`: what
    has not come by now never will."""

    id: UUID
    state: str
    call_ref: str
    folder: str | None
    ref: str | None
    storage: str | None
    is_with_carrier: bool
    is_late: bool


def begin(session: Session, call: Call) -> VoiceMessage:
    """The citizen may speak now. Asked again, the same message."""
    found = session.scalar(select(VoiceMessage).where(VoiceMessage.call_id == call.id))
    if found is None:
        found = VoiceMessage(id=uuid4(), call_id=call.id, switch=carriers.switch_of(call.carrier_ref or ""))
        session.add(found)
        session.flush()
    return found


def of_call(session: Session, call_id: UUID) -> VoiceMessage:
    """Raises NotFound."""
    return _found(session.scalar(select(VoiceMessage).where(VoiceMessage.call_id == call_id)))


def get(session: Session, message_id: UUID) -> VoiceMessage:
    """Fresh. Raises NotFound."""
    return _found(session.get(VoiceMessage, message_id, populate_existing=True))


def left(session: Session, message_id: UUID, ref: str | None = None) -> None:
    """The carrier has it (`ref`: its name there); a job fetches it after the commit, or has it removed when it was
    deleted meanwhile. Harmless when repeated."""
    message = locked(session, message_id)
    if message.state in ("left", "kept"):
        return
    message.ref, message.is_with_carrier = ref, True
    if message.state in ("asked", "lost"):
        message.state = "left"
    tend_later(session, message.id)
    tell_later(session, "floor")


def lost(session: Session, message_id: UUID) -> None:
    """There was nothing to keep."""
    message = locked(session, message_id)
    if message.state in ("asked", "left"):
        message.state = "lost"


def kept(session: Session, work: Work, duration_ms: int, size: int) -> None:
    """The file is ours now. One that was to be deleted meanwhile still is."""
    message = locked(session, work.id)
    message.storage, message.duration_ms, message.size = work.storage, duration_ms, size
    if message.state == "left":
        message.state = "kept"
    tell_later(session, "floor")


def cleared(session: Session, work: Work) -> None:
    """The carrier has it no more; nor have we, where it was to go."""
    message = locked(session, work.id)
    message.is_with_carrier = False
    if work.state == "going":
        message.state, message.storage = "deleted", None
    elif message.state == "going":
        tend_later(session, work.id)  # deleted meanwhile


def claim(session: Session, message_id: UUID) -> Work | None:
    """What is to be done with a message; None when nothing is."""
    message = locked(session, message_id)
    if message.state not in ("asked", "left", "going") and not message.is_with_carrier:
        return None
    if message.state == "left":
        message.storage = recording_files.kind()  # before it is filled: whatever breaks off is found again
    folder = switches.folder_of(session, message.switch) if message.switch else None
    age = real_now() - message.at
    ref = session.scalar(select(Call.carrier_ref).where(Call.id == message.call_id)) or ""
    is_late = age > (SILENT if message.state == "asked" else PATIENCE)
    return Work(
        message.id, message.state, ref, folder, message.ref, message.storage, message.is_with_carrier, is_late
    )  # fmt: skip


def spool_file(folder: str, message_id: UUID) -> Path:
    """Where a switch with this folder leaves the message."""
    return Path(folder) / "voices" / f"{message_id}.wav"


def finish(session: Session, message_id: UUID, user_id: int) -> None:
    """Somebody has seen to it. Harmless when repeated."""
    message = locked(session, message_id)
    if message.done_at is None:
        message.done_at, message.done_by = real_now(), user_id
        audit.record(session, user_id, "voice_messages.finish", f"voice-message/{message_id}")


def remove(session: Session, message_ids: Sequence[UUID], user_id: int | None) -> int:
    """Nobody hears these from now on; a job removes the files. Returns how many."""
    wanted = select(VoiceMessage).where(
        VoiceMessage.id.in_(message_ids), VoiceMessage.state.in_(("asked", "left", "kept", "lost"))
    )
    found = session.scalars(wanted.with_for_update().execution_options(populate_existing=True)).all()
    for message in found:
        message.state, message.removed_at = "going", real_now()
        audit.record(session, user_id, "voice_messages.delete", f"voice-message/{message.id}")
        tend_later(session, message.id)
    session.flush()
    return len(found)


def older_than(until: datetime) -> Select[Any]:
    """For the purge: messages from before this moment."""
    return select(VoiceMessage.id).where(VoiceMessage.at < until, VoiceMessage.state.not_in(("going", "deleted")))


def waiting(session: Session) -> int:
    """How many can be heard and nobody has seen to."""
    wanted = select(func.count()).select_from(VoiceMessage).where(VoiceMessage.state.in_(("left", "kept")), is_open())
    return session.execute(wanted).scalar_one()


def is_open() -> Any:
    """The condition of a message that nobody has seen to."""
    return VoiceMessage.done_at.is_(None)


def sweep(session: Session) -> int:
    """Give the jobs that were lost a successor, and ask for what never came; returns how many."""
    due = or_(VoiceMessage.state.in_(("asked", "left", "going")), VoiceMessage.is_with_carrier)
    found = session.scalars(select(VoiceMessage.id).where(due, VoiceMessage.at < real_now() - AGAIN).limit(BATCH)).all()
    for message_id in found:
        tend_later(session, message_id)
    return len(found)


def tend_later(session: Session, message_id: UUID) -> None:
    enqueue_later(session, "callcenter.sound.voice_message_jobs.tend", str(message_id))


def locked(session: Session, message_id: UUID) -> VoiceMessage:
    """Locked and fresh. Raises NotFound."""
    return _found(session.get(VoiceMessage, message_id, with_for_update=True, populate_existing=True))


def _found(message: VoiceMessage | None) -> VoiceMessage:
    if message is None:
        raise NotFound(_("There is no such message."))
    return message
