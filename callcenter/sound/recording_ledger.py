"""The tables of recordings and the words for what they hold. What may be done with them: callcenter.recordings (while
the call lives), callcenter.sound.recording_storing and callcenter.sound.recording_keeping (afterwards)."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, ForeignKey, Index, select, text
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, deferred, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound

LIVE = ("asked", "recording", "paused")
STATES: dict[str, LazyString] = {
    "asked": _l("Not started yet"),
    "recording": _l("Recording"),
    "paused": _l("Recording paused"),
    "ended": _l("Being stored"),
    "stored": _l("Stored"),
    "refused": _l("Refused by the citizen, deleted"),
    "lost": _l("Not recorded"),
    "deleted": _l("Deleted"),
}
FAULTS: dict[str, LazyString] = {
    "no_space": _l("There was too little space on the disk."),
    "no_answer": _l("The citizen was not asked, or did not answer."),
    "not_started": _l("The call ended before the switch had begun to record."),
    "switch_refused": _l("The switch refused to record. An administrator should look at its log."),
    "switch_away": _l("The switch does not answer at this moment; it is asked again."),
    "waiting": _l("The switch has not finished the sound file yet."),
    "no_file": _l("The switch left no sound file."),
    "empty": _l("The sound file of the switch is empty."),
    "unreadable": _l("The sound file of the switch cannot be read."),
    "no_folder": _l("The folder of the switch cannot be seen from here. An administrator has to share it."),
    "no_right": _l("The sound file of the switch may not be read. An administrator has to set its rights."),
    "carrier_away": _l("The carrier does not hand the sound over at this moment; it is asked again."),
    "not_arrived": _l("The carrier never handed the sound over."),
    "storage": _l("The storage does not take the file at this moment; it is tried again."),
}
MODES: dict[str, LazyString] = {
    "off": _l("Calls are not recorded"),
    "notice": _l("Recorded; the operator says so at the beginning"),
    "ask": _l("Recorded only when the citizen says yes"),
}
ANSWERS: dict[str, LazyString] = {"yes": _l("yes"), "no": _l("no")}
NOTICE = _l("This call will be recorded to look after its quality. If you prefer it not to be, tell me now.")
DELETIONS: dict[str, LazyString] = {
    "refused": _l("the citizen refused"),
    "by_hand": _l("by hand"),
    "retention": _l("its term was over"),
    "erased": _l("the person's data were deleted"),
}


class RecordingNotice(Base):
    """One wording of what the operator says about the recording. Never changed: another wording is another row."""

    __tablename__ = "recording_notices"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(default=real_now)


class Recording(Base):
    """`state`: one of STATES; `wanted`: on | pause | off, what the operator and the rules want of the switch.

    `notice_at`: when the notice stood before the operator; `answer` yes | no with its time and the operator.
    `switch`: where the raw file is while `in_spool`; or `leg_ref`: the leg of which the carrier itself holds the sound,
    while `in_spool`. `storage`: folder | bucket while a file may be there.
    `next_at`: when somebody should look at it again, None when nothing is left to do. Times are real time."""

    __tablename__ = "recordings"
    __table_args__ = (
        Index("ix_recordings_live", "call_id", postgresql_where=text("state IN ('asked', 'recording', 'paused')")),
        Index("ix_recordings_next_at", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        Index("ix_recordings_asked_at", "asked_at", "id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("calls.id", ondelete="SET NULL"), unique=True)
    state: Mapped[str] = mapped_column(default="asked")
    wanted: Mapped[str] = mapped_column(default="on")
    switch: Mapped[str]
    leg_ref: Mapped[str | None]
    notice_id: Mapped[int] = mapped_column(ForeignKey("recording_notices.id"))
    notice_at: Mapped[datetime] = mapped_column(default=real_now)
    must_ask: Mapped[bool] = mapped_column(default=False)
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]
    answer_by: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    asked_at: Mapped[datetime] = mapped_column(default=real_now)
    since: Mapped[datetime] = mapped_column(default=real_now)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    stored_at: Mapped[datetime | None]
    in_spool: Mapped[bool] = mapped_column(default=False)
    storage: Mapped[str | None]
    duration_ms: Mapped[int | None]
    size: Mapped[int | None] = mapped_column(BigInteger)  # bytes
    sha256: Mapped[str | None]
    peaks: Mapped[dict[str, Any] | None] = deferred(mapped_column(JSONB))  # recording_sound.Sound.peaks
    fault: Mapped[str | None]  # a code of FAULTS
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    held_at: Mapped[datetime | None]
    held_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    hold_reason: Mapped[str | None]
    goes_after_hold: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime | None]
    deletion: Mapped[str | None]  # refused | by_hand | retention | erased
    deletion_reason: Mapped[str | None]

    @property
    def needs_consent(self) -> bool:
        """Does the recording wait for the citizen's yes?"""
        return self.state == "asked" and self.must_ask and self.answer is None


def notice_version(session: Session, wording: str) -> int:
    """The id of this wording of the notice, written down when it is new. Raises InvalidInput when it is empty."""
    wording = " ".join(wording.split())
    if not wording:
        raise InvalidInput({"recording_notice": _("Write what the operator says about the recording.")})
    session.execute(insert(RecordingNotice).values(text=wording, created_at=real_now()).on_conflict_do_nothing())
    return session.scalars(select(RecordingNotice.id).where(RecordingNotice.text == wording)).one()


def locked(session: Session, recording_id: UUID) -> Recording:
    """Raises NotFound."""
    found = session.get(Recording, recording_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such recording."))
    return found


def enter(recording: Recording, state: str) -> None:
    """Into this state, from now on."""
    recording.state, recording.since = state, real_now()


def forget(recording: Recording, deletion: str, reason: str | None = None, *, state: str = "deleted") -> None:
    """Nothing of the sound stays in the row from now on; its files go as soon as a worker comes to it.

    `deletion`: a code of DELETIONS. When the notice was read and what the citizen answered stays."""
    enter(recording, state)
    recording.wanted, recording.goes_after_hold = "off", False
    recording.deletion, recording.deletion_reason, recording.deleted_at = deletion, reason, real_now()
    recording.duration_ms = recording.size = recording.sha256 = recording.peaks = recording.fault = None
    recording.held_at = recording.held_by = recording.hold_reason = None
    if recording.in_spool or recording.storage:
        recording.next_at = real_now()


def is_leased(recording: Recording) -> bool:
    """Is a worker at it at this moment?"""
    return recording.leased_until is not None and recording.leased_until > real_now()


def of_call(session: Session, call_id: UUID) -> Recording | None:
    """The call's recording, locked and fresh."""
    found = select(Recording).where(Recording.call_id == call_id).with_for_update()
    return session.scalar(found.execution_options(populate_existing=True))
