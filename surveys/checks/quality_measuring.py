"""Measuring interviews once they have ended, in batches: what checks.signals says of each is kept for the pages."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.outbox import enqueue_later
from surveys.checks.quality_tables import InterviewSignal
from surveys.checks.signals import Signals, measure
from surveys.fieldwork.interview_ledger import Answer, Interview
from surveys.fieldwork.recorded_calls import Keystrokes
from surveys.forms.items import Items
from surveys.questionnaire import Questionnaire

BATCH = 1000
LATE = timedelta(days=1)  # an interview that ended longer before the newest measured one is found by `tend_all`


def tend(session: Session) -> None:
    """Have a worker measure what ended lately."""
    newest = session.scalar(select(func.max(InterviewSignal.ended_at)))
    _enqueue(session, newest - LATE if newest else None)


def tend_all(session: Session) -> None:
    """Have a worker measure whatever was missed, however old."""
    _enqueue(session, None)


def _enqueue(session: Session, since: datetime | None) -> None:
    if session.scalar(select(exists().where(_waits(since)))):
        told = since.isoformat() if since else None
        enqueue_later(session, "surveys.checks.quality_jobs.measure", told, queue="bulk")


def _waits(since: datetime | None) -> ColumnElement[bool]:
    """Ended, not void, and not measured since it ended."""
    is_measured = exists().where(
        InterviewSignal.interview_id == Interview.id, InterviewSignal.measured_at >= Interview.ended_at
    )
    wanted = and_(Interview.ended_at.is_not(None), Interview.state != "void", ~is_measured)
    return wanted if since is None else and_(Interview.ended_at >= since, wanted)


def measure_batch(session: Session, since: datetime | None = None, limit: int = BATCH) -> int:
    """Measure at most `limit` ended interviews; returns how many there were. Harmless when repeated."""
    found = session.scalars(select(Interview).where(_waits(since)).order_by(Interview.ended_at).limit(limit)).all()
    if not found:
        return 0
    at = real_now()
    given, items = _answers(session, found), _items(session, found)
    keyed = _keyed(session, [one.id for one in found if one.face in ("agi", "twiml")])
    rows = [
        {
            "interview_id": one.id, "survey_id": one.survey_id, "ended_at": one.ended_at,
            "measured_at": max(at, one.ended_at or at),
            **asdict(_measured(one, items[one.questionnaire_id], given.get(one.id, []), keyed.get(one.id, []))),
        }
        for one in found
    ]  # fmt: skip
    written = insert(InterviewSignal).values(rows)
    changed = {name: written.excluded[name] for name in rows[0] if name != "interview_id"}
    session.execute(written.on_conflict_do_update(index_elements=["interview_id"], set_=changed))
    return len(rows)


def _measured(one: Interview, items: Items, given: Sequence[Answer], keyed: Sequence[Keystrokes]) -> Signals:
    answers = {answer.item: answer.value for answer in given}
    faces = {answer.item: answer.face or one.face for answer in given}
    # By telephone keys nobody tells seconds with the answer: they are from the prompt's beginning to the last key.
    seconds = {answer.item: answer.seconds for answer in given}
    seconds |= {keys.item: max(0.0, ((keys.prompt_ms or 0) + keys.after_ms) / 1000) for keys in keyed}
    pressed = {keys.item: keys.keys for keys in keyed}
    return measure(items, answers, seconds, language=one.language, faces=faces, keys=pressed)


def _answers(session: Session, found: Sequence[Interview]) -> dict[UUID, list[Answer]]:
    """The answers that hold and count, by interview."""
    holding = select(Answer).where(
        Answer.interview_id.in_([one.id for one in found]), Answer.superseded_at.is_(None), Answer.counts
    )
    given: dict[UUID, list[Answer]] = defaultdict(list)
    for answer in session.scalars(holding):
        given[answer.interview_id].append(answer)
    return given


def _items(session: Session, found: Sequence[Interview]) -> dict[int, Items]:
    wanted = select(Questionnaire.id, Questionnaire.items).where(
        Questionnaire.id.in_({one.questionnaire_id for one in found})
    )
    return {row.id: row.items for row in session.execute(wanted)}


def _keyed(session: Session, interview_ids: Sequence[UUID]) -> dict[UUID, list[Keystrokes]]:
    """The keys that were answers, by interview, in their order."""
    found: dict[UUID, list[Keystrokes]] = defaultdict(list)
    if interview_ids:
        pressed = select(Keystrokes).where(Keystrokes.interview_id.in_(interview_ids), Keystrokes.is_answer)
        for keys in session.scalars(pressed.order_by(Keystrokes.id)):
            found[keys.interview_id].append(keys)
    return found
