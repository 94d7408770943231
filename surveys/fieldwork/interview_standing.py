"""Where an interview stands: its questions, the answers so far, what is asked next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import Row, bindparam, or_, select
from sqlalchemy.orm import Session

from callcenter.base.errors import NotFound
from callcenter.calls import Call
from surveys import engine, quotas
from surveys.fieldwork import call_facts, screening
from surveys.fieldwork.interview_ledger import Answer, Interview
from surveys.forms.items import Items
from surveys.questionnaire import Questionnaire, frozen_items
from surveys.quotas import Quota

# (id, item, value, at, counts, superseded_at, client_key) of an answer
_Row = Row[int, str, str, datetime, bool, datetime | None, str | None]
# Built once: to put them together for every answer takes as long as PostgreSQL needs for them.
_HOLD = (
    select(Interview, Questionnaire.sha256, Questionnaire.frozen_at, Quota.dimensions, Quota.when_full)
    .join(Questionnaire, Questionnaire.id == Interview.questionnaire_id)
    .outerjoin(Quota, Quota.queue_id == Interview.queue_id)
    .where(Interview.id == bindparam("interview_id"))
    .with_for_update(of=Interview)
    .execution_options(populate_existing=True)
)
_ANSWERS = select(
    Answer.id, Answer.item, Answer.value, Answer.at, Answer.counts, Answer.superseded_at, Answer.client_key
).where(
    Answer.interview_id == bindparam("interview_id"),
    or_(Answer.superseded_at.is_(None), Answer.client_key == bindparam("key")),
)


@dataclass(frozen=True)
class Standing:
    """An interview as its page needs it: `answers` include the values filled from the call.

    `only`: what is still asked of somebody whose group has enough people; None: everything."""

    interview: Interview
    items: Items
    answers: dict[str, str]
    saved_at: datetime | None
    only: frozenset[str] | None = None

    @cached_property
    def look(self) -> engine.Look:
        """Its questions with these answers."""
        one = self.interview
        return engine.Look(self.items, self.answers, one.seed, language=one.language, face=one.face)

    def next_question(self) -> engine.Question | None:
        return self.look.next_question() if self.only is None else screening.next_question(self.look, self.only)

    def question(self, name: str) -> engine.Question | None:
        return self.look.question(name)

    def path(self) -> list[str]:
        return self.look.path if self.only is None else screening.path(self.look, self.only)


@dataclass(frozen=True)
class Kept:
    """An answer that holds now, as it stands in the ledger."""

    id: int
    value: str
    counts: bool


@dataclass(frozen=True)
class Held:
    """An interview that nobody else changes until the transaction ends. `kept`: its answers by item; `repeated`: number
    of the answer that came with the same key before; `is_frozen`: its version can no longer change; `strata`: names of
    the questions that tell the person's quota cell, where a full one sends people away."""

    standing: Standing
    kept: Mapping[str, Kept]
    repeated: int | None
    is_frozen: bool
    strata: frozenset[str] = frozenset()


def of_call(session: Session, call_id: UUID) -> Interview | None:
    return session.scalars(select(Interview).where(Interview.call_id == call_id)).one_or_none()


def standing_of(session: Session, interview_id: UUID) -> Standing:
    interview = session.get(Interview, interview_id)
    if interview is None:
        raise NotFound(_("There is no such interview."))
    return read(session, interview)


def locked(session: Session, interview_id: UUID) -> Standing:
    """The interview, held against others until the transaction ends. Raises NotFound."""
    return hold(session, interview_id).standing


def hold(session: Session, interview_id: UUID, key: str | None = None) -> Held:
    """The same, with what the ledger has of its answers; `key`: of the answer that comes now. Raises NotFound."""
    held = hold_begun(session, interview_id, key)
    if held is None:
        raise NotFound(_("There is no such interview."))
    return held


def hold_begun(session: Session, interview_id: UUID, key: str | None = None) -> Held | None:
    """The same; None while there is no such interview."""
    found = session.execute(_HOLD, {"interview_id": interview_id}).one_or_none()
    if found is None:
        return None
    interview, sha256, frozen_at, dimensions, when_full = found
    if frozen_at is not None:
        items = frozen_items(session, interview.questionnaire_id, sha256)
    else:  # until its first answer somebody may put another form in its place
        version = session.get_one(
            Questionnaire, interview.questionnaire_id, with_for_update=True, populate_existing=True
        )
        items, frozen_at = version.items, version.frozen_at
    rows = _answers(session, interview_id, key)
    kept = {row.item: Kept(row.id, row.value, row.counts) for row in rows if row.superseded_at is None}
    repeated = next((row.id for row in rows if key is not None and row.client_key == key), None)
    strata = quotas.strata_of(dimensions, when_full)
    standing = _standing(session, interview, items, rows, strata)
    return Held(standing, kept, repeated, frozen_at is not None, strata or frozenset())


def read(session: Session, interview: Interview) -> Standing:
    """Its questionnaire, the values filled from the call, and the answers that hold now."""
    items = session.get_one(Questionnaire, interview.questionnaire_id).items
    strata = quotas.strata(session, interview.queue_id) if interview.over_quota else None
    return _standing(session, interview, items, _answers(session, interview.id), strata)


def fresh(session: Session, interview: Interview, items: Items) -> Standing:
    """Of one that has just begun, and has no answers; `items`: of its version."""
    return _standing(session, interview, items, [], None)


def _answers(session: Session, interview_id: UUID, key: str | None = None) -> Sequence[_Row]:
    """The answers that hold now, and the one with this key."""
    return session.execute(_ANSWERS, {"interview_id": interview_id, "key": key or ""}).all()


def _standing(
    session: Session, interview: Interview, items: Items, rows: Sequence[_Row], strata: frozenset[str] | None
) -> Standing:
    current = [row for row in rows if row.superseded_at is None]
    answers = call_facts.for_items(items, interview.hidden)
    answers |= call_facts.personal(session, items, interview)
    answers |= {row.item: row.value for row in current}
    only = screening.short_way(items, strata) if interview.over_quota and strata is not None else None
    return Standing(interview, items, answers, max((row.at for row in current), default=None), only)


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
