"""Saving one answer, and what it changes: which answers count, the interview's state, the quota of a group."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.outbox import tell_later
from callcenter.calls import Call
from surveys import engine, quotas
from surveys.fieldwork import quota_counts, screening
from surveys.fieldwork.interview_ledger import Answer
from surveys.fieldwork.interview_standing import Standing, locked
from surveys.questionnaire import Questionnaire


def record_answer(
    session: Session,
    interview_id: UUID,
    item: str,
    value: str | Sequence[str],
    seconds: float | None = None,
    *,
    key: str | None = None,
) -> Answer:
    """Save one answer; the same value again, or the same key again, changes nothing. A change keeps the old answer.

    Raises InvalidInput({item: sentence}) when the questionnaire does not accept it, NotFound."""
    standing = locked(session, interview_id)
    repeated = _by_key(session, interview_id, key)
    if repeated is not None:
        return repeated
    interview, items, answers = standing.interview, standing.items, standing.answers
    read = engine.read_answer(items, answers, item, value, seed=interview.seed, language=interview.language)
    present = _current(session, interview_id, item)
    if present is not None and present.value == read:
        return present
    if present is not None:
        present.superseded_at = real_now()
        session.flush()
    shown = standing.question(item)
    answer = Answer(
        interview_id=interview_id,
        item=item,
        value=read,
        choice_order=(shown.order or None) if shown else None,
        client_key=key,
        seconds=seconds,
        face=interview.face,
        interviewer_id=interview.interviewer_id if interview.face == "screen" else None,
    )
    session.add(answer)
    session.flush()
    _after_answer(session, replace(standing, answers={**answers, item: read}), item)
    return answer


def _after_answer(session: Session, standing: Standing, item: str) -> None:
    """What an answer changes: which answers count, the interview's state, the version that can no longer change."""
    interview, items, answers = standing.interview, standing.items, standing.answers
    session.execute(
        update(Questionnaire)
        .where(Questionnaire.id == interview.questionnaire_id, Questionnaire.frozen_at.is_(None))
        .values(frozen_at=real_now())
    )
    counting = engine.applicable(items, answers, interview.seed)
    counts = Answer.item.in_(counting)
    session.execute(
        update(Answer)
        .where(Answer.interview_id == interview.id, Answer.superseded_at.is_(None), Answer.counts != counts)
        .values(counts=counts)
        .execution_options(synchronize_session="fetch")
    )
    set_state(session, weigh(session, standing, item))


def weigh(session: Session, standing: Standing, item: str | None = None) -> Standing:
    """The standing, with the short way where the person's group has enough.

    Whether the person's group has enough people is looked at when the interview begins and when a stratum is
    answered, not between: nobody is sent away half-way because the group filled up while they talked."""
    interview = standing.interview
    if item is not None and item not in (quotas.strata(session, interview.queue_id) or ()):
        return standing
    screen = quota_counts.screen(session, interview.queue_id, interview.hidden, without=interview.id)
    is_open = interview.state in ("started", "screened")  # who was asked everything keeps it
    only = screening.only(screen, standing.items, standing.answers) if is_open else None
    interview.over_quota = only is not None
    return replace(standing, only=only)


def set_state(session: Session, standing: Standing) -> None:
    """The state that the answers deserve; whoever shows it is told after the commit."""
    interview = standing.interview
    before, interview.state = interview.state, _state(standing)
    tell_later(session, f"survey/{interview.survey_id}")
    if before == interview.state:
        return
    if "complete" in (before, interview.state) and interview.queue_id is not None:
        quotas.counted_later(session, interview.queue_id)
    if interview.call_id is not None:
        call = session.get(Call, interview.call_id)
        if call is not None and call.operator_id is not None:
            tell_later(session, f"operator/{call.operator_id}")  # the outcome that the answers suggest may have changed


def _state(standing: Standing) -> str:
    interview, items, answers = standing.interview, standing.items, standing.answers
    if engine.refused_consent(items, answers):
        return "void" if interview.ended_at else "started"
    if engine.is_finished(items, answers, interview.seed, interview.face):
        return "complete"
    if standing.only is not None and screening.is_finished(
        items, answers, standing.only, interview.seed, interview.face
    ):
        return "screened"
    if interview.ended_at is None:
        return "started"
    return "partial" if engine.has_substance(items, answers, interview.seed) else "void"


def _current(session: Session, interview_id: UUID, item: str) -> Answer | None:
    return session.scalars(
        select(Answer).where(Answer.interview_id == interview_id, Answer.item == item, Answer.superseded_at.is_(None))
    ).one_or_none()


def _by_key(session: Session, interview_id: UUID, key: str | None) -> Answer | None:
    if key is None:
        return None
    return session.scalars(
        select(Answer).where(Answer.interview_id == interview_id, Answer.client_key == key)
    ).one_or_none()
