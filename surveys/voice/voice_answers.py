"""Answers in a person's own voice: recorded after they agreed, kept as files, written down by hand, deleted on time.

The switch leaves `<spool>/voices/<id>.wav`, a carrier keeps a recording of its own; a job makes a file of ours of it
(callcenter.sound.recording_files) and removes theirs. `state`: left (with the switch or carrier) | kept | lost (there
was no sound) | going (to be deleted) | deleted.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Index, Select, SmallInteger, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound
from callcenter.base.outbox import enqueue_later
from surveys.interviews import Interview

PATIENCE = timedelta(hours=1)  # for a file that its switch still holds
MOST_TEXT = 4000


class VoiceAnswer(Base):
    """One voice. `storage`: of callcenter.sound.recording_files. `carrier_ref`: how a carrier names its recording, None
    once it has none, and for one of a switch's. The transcript outlives the voice."""

    __tablename__ = "voice_answers"
    __table_args__ = (
        Index("ix_voice_answers_interview_id", "interview_id"),
        Index("ix_voice_answers_waiting", "at", postgresql_where=text("state IN ('left', 'going')")),
        Index("ix_voice_answers_with_carrier", "at", postgresql_where=text("carrier_ref IS NOT NULL")),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    interview_id: Mapped[UUID] = mapped_column(ForeignKey("interviews.id", ondelete="CASCADE"))
    item: Mapped[str]
    switch: Mapped[str]
    carrier_ref: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="left")
    storage: Mapped[str | None]
    duration_ms: Mapped[int | None]
    size: Mapped[int | None]
    transcript: Mapped[str | None]
    transcribed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    transcribed_at: Mapped[datetime | None]
    is_machine: Mapped[bool] = mapped_column(default=False, server_default=text("false"))  # written down by a program
    transcript_tries: Mapped[int] = mapped_column(SmallInteger, default=0, server_default=text("0"))
    at: Mapped[datetime] = mapped_column(default=real_now)
    removed_at: Mapped[datetime | None]


def add(
    session: Session, voice_id: UUID, interview_id: UUID, item: str, switch: str, carrier_ref: str | None = None
) -> None:
    """The switch, or the carrier of this name, has recorded a voice; a job fetches it after the commit."""
    where = {"item": item, "switch": switch, "carrier_ref": carrier_ref}
    session.add(VoiceAnswer(id=voice_id, interview_id=interview_id, state="left", at=real_now(), **where))
    fetch_later(session, voice_id)


def fetch_later(session: Session, voice_id: UUID) -> None:
    enqueue_later(session, "surveys.jobs.keep_voice", str(voice_id))


def get(session: Session, voice_id: UUID) -> VoiceAnswer:
    """Raises NotFound."""
    found = session.get(VoiceAnswer, voice_id, populate_existing=True)
    if found is None:
        raise NotFound(_("There is no such recorded answer."))
    return found


def of_survey(session: Session, survey_id: int, *, after: int = 0, limit: int = 25) -> list[VoiceAnswer]:
    """Voices of a survey, the newest first; those that hold nothing any more only with a transcript."""
    shown = (VoiceAnswer.state.in_(("left", "kept"))) | VoiceAnswer.transcript.is_not(None)
    wanted = (
        select(VoiceAnswer)
        .join(Interview, Interview.id == VoiceAnswer.interview_id)
        .where(Interview.survey_id == survey_id, shown)
        .order_by(VoiceAnswer.at.desc(), VoiceAnswer.id)
    )
    return list(session.scalars(wanted.offset(after).limit(limit)))


def spool_file(folder: str, voice_id: UUID) -> Path:
    """Where a switch with this folder leaves the voice."""
    return Path(folder) / "voices" / f"{voice_id}.wav"


def kept(session: Session, voice_id: UUID, *, storage: str, duration_ms: int, size: int) -> None:
    """The file is ours now. One that was to be deleted meanwhile still is."""
    voice = session.get_one(VoiceAnswer, voice_id, with_for_update=True, populate_existing=True)
    voice.storage, voice.duration_ms, voice.size = storage, duration_ms, size
    if voice.state == "left":
        voice.state = "kept"


def lost(session: Session, voice_id: UUID) -> None:
    """There was nothing to keep."""
    voice = session.get_one(VoiceAnswer, voice_id, with_for_update=True, populate_existing=True)
    if voice.state == "left":
        voice.state = "lost"


def write_down(session: Session, voice_id: UUID, transcript: str, user_id: int | None) -> None:
    """What somebody heard in it; '' for nothing."""
    voice = get(session, voice_id)
    voice.transcript = transcript.strip()[:MOST_TEXT] or None
    voice.transcribed_by, voice.transcribed_at, voice.is_machine = user_id, real_now(), False
    audit.record(session, user_id, "voice_answer.transcribe", f"voice-answer/{voice_id}")


def remove(session: Session, voice_ids: list[UUID], user_id: int | None) -> int:
    """Delete these voices: nobody hears them from now on; a job removes the files. Their transcripts stay."""
    changed = session.connection().execute(
        update(VoiceAnswer)
        .where(VoiceAnswer.id.in_(voice_ids), VoiceAnswer.state.in_(("left", "kept")))
        .values(state="going", removed_at=real_now())
        .returning(VoiceAnswer.id)
    )
    gone = list(changed.scalars())
    for voice_id in gone:
        enqueue_later(session, "surveys.jobs.remove_voice", str(voice_id))
        audit.record(session, user_id, "voice_answer.delete", f"voice-answer/{voice_id}")
    session.expire_all()
    return len(gone)


def removed(session: Session, voice_id: UUID) -> None:
    """The file is gone."""
    session.get_one(VoiceAnswer, voice_id, with_for_update=True, populate_existing=True).state = "deleted"


def of_interviews(session: Session, interview_ids: list[UUID]) -> list[UUID]:
    return list(session.scalars(select(VoiceAnswer.id).where(VoiceAnswer.interview_id.in_(interview_ids))))


def older_than(until: datetime) -> Select[Any]:
    """For the purge: voices from before this moment that still lie somewhere."""
    return select(VoiceAnswer.id).where(VoiceAnswer.at < until, VoiceAnswer.state.in_(("left", "kept")))


def sweep(session: Session) -> int:
    """Give the jobs that were lost a successor; returns how many."""
    waiting = VoiceAnswer.state.in_(("left", "going")) | VoiceAnswer.carrier_ref.is_not(None)
    wanted = select(VoiceAnswer.id, VoiceAnswer.state).where(
        waiting, VoiceAnswer.at < real_now() - timedelta(seconds=30)
    )
    rows = session.execute(wanted.limit(100)).all()
    for voice_id, state in rows:
        job = "remove_voice" if state == "going" else "keep_voice"
        enqueue_later(session, f"surveys.jobs.{job}", str(voice_id))
    return len(rows)


def survey_of(session: Session, voice: VoiceAnswer) -> int:
    return session.get_one(Interview, voice.interview_id).survey_id
