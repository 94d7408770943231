"""How long recordings are kept, by whom they are held or deleted, and what a person is shown of theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base import audit, health
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.ledger.call_ledger import Call
from callcenter.privacy import person_register, retention
from callcenter.privacy.person_register import Attachment, Gone, Sheet
from callcenter.queues import CallQueue
from callcenter.sound import recording_files
from callcenter.sound.recording_ledger import ANSWERS, LIVE, STATES, Recording, RecordingNotice, forget, locked

REASON_LENGTH = 300
LATELY = timedelta(minutes=5)
LONG = timedelta(minutes=30)  # after this a recording should have been stored, or its file have gone


@dataclass(frozen=True)
class Figures:
    """What recordings take: how many have a file, their bytes, how many wait to be stored or removed, the oldest."""

    stored: int
    bytes: int
    waiting: int
    oldest: datetime | None


def delete(session: Session, recording_id: UUID, reason: str, user_id: int) -> None:
    """Delete the sound by hand; the row says why. Raises InvalidInput, NotFound, Refused."""
    recording = locked(session, recording_id)
    reason = _reason(reason)
    if recording.held_at is not None:
        raise Refused("recording_held", _("This recording is being kept for a dispute. Lift that first."))
    if recording.state in LIVE:
        raise Refused("recording_live", _("This call is going on. Delete its recording afterwards."))
    if recording.state not in ("ended", "stored", "lost"):
        raise Refused("recording_gone", _("This recording is deleted already."))
    forget(recording, "by_hand", reason)
    audit.record(session, user_id, "recordings.delete", f"recording/{recording_id}")


def hold(session: Session, recording_id: UUID, reason: str, user_id: int) -> None:
    """Keep it for a dispute until somebody lifts that, whatever its term. Raises InvalidInput, NotFound, Refused."""
    recording = locked(session, recording_id)
    reason = _reason(reason)
    if recording.state not in ("ended", "stored"):
        raise Refused("recording_gone", _("There is no sound to keep."))
    if recording.held_at is not None:
        raise Refused("recording_held", _("This recording is being kept already."))
    recording.held_at, recording.held_by, recording.hold_reason = real_now(), user_id, reason
    audit.record(session, user_id, "recordings.hold", f"recording/{recording_id}")


def lift(session: Session, recording_id: UUID, user_id: int) -> None:
    """The dispute is over; what had to go meanwhile goes now. Raises NotFound, Refused."""
    recording = locked(session, recording_id)
    if recording.held_at is None:
        raise Refused("recording_not_held", _("This recording is not being kept for a dispute."))
    recording.held_at = recording.held_by = recording.hold_reason = None
    audit.record(session, user_id, "recordings.lift", f"recording/{recording_id}")
    if recording.goes_after_hold:
        forget(recording, "erased")


def _reason(said: str) -> str:
    said = " ".join(said.split())
    if not said or len(said) > REASON_LENGTH:
        raise InvalidInput({"reason": _("Say why, in at most %(n)s characters.", n=REASON_LENGTH)})
    return said


def _has_file() -> ColumnElement[bool]:
    return or_(Recording.in_spool, Recording.storage.is_not(None))


def due_before(until: datetime) -> Select[Any]:
    """The ids of recordings whose term is over: calls that ended before `until`, not held for a dispute."""
    over = Recording.state.in_(("ended", "stored", "lost"))
    return select(Recording.id).where(Recording.ended_at < until, over, _has_file(), Recording.held_at.is_(None))


def purge(session: Session, ids: list[UUID]) -> int:
    """Their files go; returns how many."""
    found = session.scalars(select(Recording).where(Recording.id.in_(ids))).all()
    for recording in found:
        forget(recording, "retention")
    session.flush()
    return len(found)


def figures(session: Session) -> Figures:
    """For the administrator's page."""
    stored = Recording.state == "stored"
    row = session.execute(
        select(func.count(), func.coalesce(func.sum(Recording.size), 0), func.min(Recording.ended_at)).where(stored)
    ).one()
    return Figures(row[0], int(row[1] or 0), waiting(session), row[2])


def waiting(session: Session) -> int:
    """How many have waited for long to be stored, or for their file to go. Reads a few rows of an index only."""
    late = (Recording.next_at.is_not(None), Recording.since < real_now() - LONG, Recording.state.not_in(LIVE))
    return session.execute(select(func.count()).select_from(Recording).where(*late)).scalar_one()


def trouble(session: Session) -> str | None:
    """Why calls are not recorded, or not stored, in the reader's language; None when all is well."""
    lately = Recording.asked_at > real_now() - LATELY
    unbegun = select(Recording.id).where(Recording.fault == "no_space", lately).limit(1)
    if recording_files.space().is_short or session.scalar(unbegun) is not None:
        return str(_("The disk is nearly full: calls go on, and none is recorded until there is space again."))
    late = waiting(session)
    if not late:
        return None
    return str(ngettext("%(num)s recording has waited for long to be stored or deleted.",
                        "%(num)s recordings have waited for long to be stored or deleted.", late))  # fmt: skip


def _health(session: Session) -> str | None:
    space = recording_files.space()
    if space.is_short:
        return f"only {space.free // 2**20} MB are left: no call is recorded, calls go on"
    late = waiting(session)
    return f"{late} recordings have waited for long to be stored or deleted" if late else None


def export(session: Session, contact_id: int) -> list[Sheet]:
    """The recordings of a person's calls with what was said about them, and the sound of those that are there."""
    rows = session.execute(
        select(Recording, RecordingNotice.text, CallQueue.name)
        .join(Attempt, Attempt.id == Recording.call_id).join(Call, Call.id == Recording.call_id)
        .join(CallQueue, CallQueue.id == Call.queue_id)
        .join(RecordingNotice, RecordingNotice.id == Recording.notice_id)
        .where(Attempt.contact_id == contact_id).order_by(Recording.asked_at)
    ).all()  # fmt: skip
    told = [
        (found.asked_at, queue, str(STATES[found.state]), (found.duration_ms or 0) // 1000, notice, found.notice_at,
         str(ANSWERS[found.answer]) if found.answer else None, found.answered_at,
         _file_name(found) if found.state == "stored" else None)
        for found, notice, queue in rows
    ]  # fmt: skip
    columns = [_l("When"), _l("Campaign"), _l("State"), _l("Seconds"), _l("What was said about the recording"),
               _l("Said at"), _l("Answer"), _l("Answered at"), _l("File")]  # fmt: skip
    files = [Attachment(_file_name(found), _reader(found)) for found, *_names in rows if found.state == "stored"]
    return [Sheet("recordings", _l("Recordings of calls"), columns, told, files)]


def _file_name(recording: Recording) -> str:
    return f"recordings/{recording.id}.flac"


def _reader(recording: Recording) -> Callable[[], bytes]:
    storage, recording_id, size = recording.storage or "", recording.id, recording.size or 0
    return lambda: b"".join(recording_files.storage(storage).read(recording_id, 0, size))


def erase(session: Session, gone: Gone) -> dict[str, int]:
    """Their files go, and what people wrote about them; what is held for a dispute goes when that is lifted."""
    theirs = select(Recording).join(Attempt, Attempt.id == Recording.call_id).where(Attempt.contact_id.in_(gone.ids))
    found = session.scalars(theirs.with_for_update(of=Recording)).all()
    for recording in found:
        if recording.held_at is not None:
            recording.goes_after_hold, recording.hold_reason = True, None
        else:
            forget(recording, "erased")
    session.flush()
    return {"recordings": len(found)}


def compose() -> None:
    """Put recordings into the registers of personal data, of terms and of health."""
    retention.register("recordings", due_before, purge)
    person_register.register("recordings", export=export, erase=erase, tables=("recordings",))
    person_register.spare("recording_notices", "what operators say to everybody about recordings")
    health.register("recordings", _health)
