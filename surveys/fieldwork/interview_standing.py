"""Where an interview stands: its questions, the answers so far, what is asked next."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.errors import NotFound
from callcenter.calls import Call
from surveys import engine, quotas
from surveys.fieldwork import call_facts, screening
from surveys.fieldwork.interview_ledger import Answer, Interview
from surveys.forms.items import Items
from surveys.questionnaire import Questionnaire


@dataclass(frozen=True)
class Standing:
    """An interview as its page needs it: `answers` include the values filled from the call.

    `only`: what is still asked of somebody whose group has enough people; None: everything."""

    interview: Interview
    items: Items
    answers: dict[str, str]
    saved_at: datetime | None
    only: frozenset[str] | None = None

    def next_question(self) -> engine.Question | None:
        one, asked = self.interview, (self.items, self.answers)
        if self.only is not None:
            return screening.next_question(*asked, self.only, one.seed, language=one.language, face=one.face)
        return engine.next_question(*asked, one.seed, one.language, one.face)

    def question(self, name: str) -> engine.Question | None:
        interview = self.interview
        return engine.question(
            self.items, self.answers, name, interview.seed, language=interview.language, face=interview.face
        )

    def path(self) -> list[str]:
        one = self.interview
        if self.only is not None:
            return screening.path(self.items, self.answers, self.only, one.seed, one.face)
        return engine.path(self.items, self.answers, one.seed, one.face)


def of_call(session: Session, call_id: UUID) -> Interview | None:
    return session.scalars(select(Interview).where(Interview.call_id == call_id)).one_or_none()


def standing_of(session: Session, interview_id: UUID) -> Standing:
    interview = session.get(Interview, interview_id)
    if interview is None:
        raise NotFound(_("There is no such interview."))
    return read(session, interview)


def locked(session: Session, interview_id: UUID) -> Standing:
    """The interview, held against others until the transaction ends. Raises NotFound."""
    interview = session.scalars(
        select(Interview)
        .where(Interview.id == interview_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if interview is None:
        raise NotFound(_("There is no such interview."))
    questionnaire = session.get_one(Questionnaire, interview.questionnaire_id)
    if questionnaire.frozen_at is None:  # until its first answer somebody may put another form in its place
        session.refresh(questionnaire, with_for_update=True)
    return read(session, interview)


def read(session: Session, interview: Interview) -> Standing:
    """Its questionnaire, the values filled from the call, and the answers that hold now."""
    questionnaire = session.get_one(Questionnaire, interview.questionnaire_id)
    rows = session.execute(
        select(Answer.item, Answer.value, Answer.at).where(
            Answer.interview_id == interview.id, Answer.superseded_at.is_(None)
        )
    ).all()
    answers = call_facts.for_items(questionnaire.items, interview.hidden)
    answers |= call_facts.personal(session, questionnaire.items, interview)
    answers |= {item: value for item, value, _at in rows}
    saved_at = max((at for _item, _value, at in rows), default=None)
    strata = quotas.strata(session, interview.queue_id) if interview.over_quota else None
    only = None if strata is None else screening.short_way(questionnaire.items, strata)
    return Standing(interview, questionnaire.items, answers, saved_at, only)


def progress(session: Session, interview_id: UUID) -> dict[str, Any]:
    """{"state", "answered", "total" (on the way as it looks now), "saved_at"}."""
    standing = standing_of(session, interview_id)
    way = standing.path()
    answered = sum(name in standing.answers for name in way)
    return {
        "state": standing.interview.state,
        "answered": answered,
        "total": len(way),
        "saved_at": standing.saved_at,
    }


def belongs_to(session: Session, interview_id: UUID, operator_id: int) -> bool:
    """Is the interview's call this operator's?"""
    return bool(
        session.scalar(
            select(Call.id)
            .join(Interview, Interview.call_id == Call.id)
            .where(Interview.id == interview_id, Call.operator_id == operator_id)
        )
    )


def trail(session: Session, interview_id: UUID) -> list[Answer]:
    """Every answer ever given in this interview, in the order given."""
    return list(session.scalars(select(Answer).where(Answer.interview_id == interview_id).order_by(Answer.id)))
