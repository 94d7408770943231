"""Hearing how one question was asked: its place in the call's recording, and what somebody thinks of it.

An answer knows when it was saved and for how long its question had stood there, a recording when it began; a pause
writes silence, so that times stay true. Who is heard next is chosen by chance, interviewers least heard first.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Interval, Select, Text, cast, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.sound.recording_ledger import Recording
from surveys.checks import interviewer_counts
from surveys.checks.quality_tables import SoundAudit
from surveys.fieldwork.interview_ledger import Answer, Interview
from surveys.weighting.intervals import wilson

BEFORE, AFTER = 1.5, 1.0  # seconds heard around: the switch was told a little before, the key pressed a little after
VERDICTS = ("right", "changed", "led", "skipped", "misnoted", "unclear")
FAULTS = ("changed", "led", "skipped", "misnoted")


@dataclass(frozen=True)
class Extract:
    """One question of one interview. `first` and `last`: seconds in the recording; `value` as it is stored."""

    interview_id: UUID
    item: str
    value: str
    recording_id: UUID
    first: float
    last: float
    interviewer: str


def _heard(survey_id: int) -> Select[Answer, Recording, Interview]:
    """Answers that a stored recording holds. columns: Answer, Recording, Interview."""
    length = cast(func.concat(Recording.duration_ms, " milliseconds"), Interval)
    return (
        select(Answer, Recording, Interview)
        .join(Interview, Interview.id == Answer.interview_id)
        .join(Recording, Recording.call_id == Interview.call_id)
        .where(Interview.survey_id == survey_id, Interview.state != "void", Recording.state == "stored")
        .where(Answer.superseded_at.is_(None), Answer.counts, Answer.value != "", Answer.seconds.is_not(None))
        .where(Answer.at >= Recording.started_at, Answer.at <= Recording.started_at + length)
    )


def items_heard(session: Session, survey_id: int) -> list[str]:
    """The questions of which there is sound."""
    heard = _heard(survey_id).with_only_columns(Answer.item).distinct()
    return sorted(session.scalars(heard))


def recordings_of(session: Session, interview_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """{interview: recording that can be heard}."""
    kept = select(Interview.id, Recording.id).join(Recording, Recording.call_id == Interview.call_id)
    kept = kept.where(Interview.id.in_(interview_ids), Recording.state == "stored")
    return dict(session.execute(kept).all())


def next_extract(session: Session, survey_id: int, auditor_id: int, item: str | None = None) -> Extract | None:
    """What this person should hear now: nothing twice, nothing of their own interviews; of any question when `item` is
    None."""
    heard = _heard(survey_id).where(~_is_done(auditor_id), Interview.interviewer_id.is_distinct_from(auditor_id))
    if item is not None:
        heard = heard.where(Answer.item == item)
    counted = (
        select(Interview.interviewer_id.label("who"), func.count().label("n"))
        .join(SoundAudit, SoundAudit.interview_id == Interview.id)
        .where(SoundAudit.survey_id == survey_id)
        .group_by(Interview.interviewer_id).subquery()
    )  # fmt: skip
    chance = func.md5(func.concat(cast(Answer.interview_id, Text), "/", Answer.item, "/", str(auditor_id)))
    heard = heard.outerjoin(counted, counted.c.who == Interview.interviewer_id)
    row = session.execute(heard.order_by(func.coalesce(counted.c.n, 0), chance).limit(1)).first()
    return _extract(session, row) if row else None


def _is_done(auditor_id: int) -> ColumnElement[bool]:
    return exists().where(
        SoundAudit.interview_id == Answer.interview_id, SoundAudit.item == Answer.item,
        SoundAudit.auditor_id == auditor_id,
    )  # fmt: skip


def _extract(session: Session, row: Any) -> Extract:
    answer, recording, interview = row
    first, last = place(recording, answer)
    who = session.get(User, interview.interviewer_id) if interview.interviewer_id else None
    name = who.full_name if who else "–"
    return Extract(interview.id, answer.item, answer.value, recording.id, first, last, name)


def place(recording: Recording, answer: Answer) -> tuple[float, float]:
    """Seconds in the recording between which the question was asked and answered."""
    assert recording.started_at is not None
    length = (recording.duration_ms or 0) / 1000
    end = (answer.at - recording.started_at).total_seconds()
    begin = end - (answer.seconds or 0.0)
    return max(0.0, begin - BEFORE), min(length, end + AFTER)


def judge(session: Session, survey_id: int, subject: tuple[UUID, str], verdict: str, auditor_id: int) -> None:
    """Keep what somebody thinks of (interview, item) after hearing it; saying it again changes it.

    Raises InvalidInput({"verdict": sentence}), NotFound when the recording holds no such answer."""
    if verdict not in VERDICTS:
        raise InvalidInput({"verdict": _("Choose what you heard.")})
    interview_id, item = subject
    heard = _heard(survey_id).where(Answer.interview_id == interview_id, Answer.item == item)
    if session.execute(heard).first() is None:
        raise NotFound(_("There is no sound of this answer any more."))
    row = {"survey_id": survey_id, "interview_id": interview_id, "item": item, "auditor_id": auditor_id,
           "verdict": verdict, "at": real_now()}  # fmt: skip
    unique = ["interview_id", "item", "auditor_id"]
    changed = {"verdict": verdict, "at": row["at"]}
    session.execute(insert(SoundAudit).values(row).on_conflict_do_update(index_elements=unique, set_=changed))
    audit.record(session, auditor_id, "sound_audit.judge", f"survey/{survey_id}", item=item, verdict=verdict)


@dataclass(frozen=True)
class Judged:
    """One interviewer's questions by verdict. `share` (0–1) of those that could be heard has a fault, with Wilson's
    interval; None where nothing could."""

    name: str
    counts: Counter[str]

    @property
    def share(self) -> tuple[float, float, float] | None:
        n = sum(self.counts.values()) - self.counts["unclear"]
        faults = sum(self.counts[verdict] for verdict in FAULTS)
        return (faults / n, *wilson(faults, n)) if n else None


def judged(session: Session, survey_id: int) -> list[Judged]:
    """By interviewer's name."""
    found = interviewer_counts.by_interviewer(session, survey_id, SoundAudit, SoundAudit.verdict)
    return [Judged(name, counts) for name, counts in found]
