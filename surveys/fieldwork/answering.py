"""Saving one answer, and what it changes: which answers count, the interview's state, the quota of a group."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.outbox import tell_later
from callcenter.calls import Call
from surveys import engine, quotas
from surveys.fieldwork import quota_counts, screening
from surveys.fieldwork.interview_ledger import Answer
from surveys.fieldwork.interview_standing import Held, Standing, hold
from surveys.fieldwork.quota_cells import Screen
from surveys.questionnaire import Questionnaire


@dataclass(frozen=True)
class Given:
    """What came in for one item. `seconds`: since the question was shown; `key`: the sender's own, the same each time
    that it sends the same answer."""

    item: str
    value: str | Sequence[str]
    seconds: float | None = None
    key: str | None = None


def record_answer(
    session: Session,
    interview_id: UUID,
    item: str,
    value: str | Sequence[str],
    seconds: float | None = None,
    *,
    key: str | None = None,
    screen: Screen | None = None,
) -> Answer:
    """Save one answer; the same value again, or the same key again, changes nothing. A change keeps the old answer.
    `screen`: the quotas as the conversation knows them; None: as they stand now.

    Raises InvalidInput({item: sentence}) when the questionnaire does not accept it, NotFound."""
    held = hold(session, interview_id, key)
    return save(session, held, Given(item, value, seconds, key), screen)[0]


def save(session: Session, held: Held, given: Given, screen: Screen | None = None) -> tuple[Answer, Standing]:
    """The same for an interview that is held already; with where it stands then."""
    standing = held.standing
    if held.repeated is not None:
        return session.get_one(Answer, held.repeated), standing
    read, present = standing.look.read(given.item, given.value), held.kept.get(given.item)
    if present is not None and present.value == read:
        return session.get_one(Answer, present.id), standing
    if present is not None:
        session.get_one(Answer, present.id).superseded_at = real_now()
        session.flush()
    after = replace(standing, answers={**standing.answers, given.item: read}, saved_at=real_now())
    answer = _answer(standing, given, after)
    session.add(answer)
    if not held.is_frozen:
        session.get_one(Questionnaire, standing.interview.questionnaire_id).frozen_at = real_now()
    session.flush()
    return answer, _after_answer(session, held, after, given.item, screen)


def _answer(standing: Standing, given: Given, after: Standing) -> Answer:
    interview, shown = standing.interview, standing.question(given.item)
    return Answer(
        interview_id=interview.id,
        item=given.item,
        value=after.answers[given.item],
        counts=given.item in after.look.applicable,
        at=after.saved_at,
        choice_order=(shown.order or None) if shown else None,
        client_key=given.key,
        seconds=given.seconds,
        face=interview.face,
        interviewer_id=interview.interviewer_id if interview.face == "screen" else None,
    )


def _after_answer(
    session: Session, held: Held, standing: Standing, item: str, screen: Screen | None
) -> Standing:  # fmt: skip
    """What an answer changes: which answers count, the quota of its group, the interview's state."""
    interview, counting = standing.interview, standing.look.applicable
    if any(kept.counts != (name in counting) for name, kept in held.kept.items() if name != item):
        counts = Answer.item.in_(counting)
        session.execute(
            update(Answer)
            .where(Answer.interview_id == interview.id, Answer.superseded_at.is_(None), Answer.counts != counts)
            .values(counts=counts)
            .execution_options(synchronize_session="fetch")
        )
    weighed = weigh(session, standing, screen) if item in held.strata else standing
    interview.over_quota = weighed.only is not None  # the quotas may be gone since it was weighed
    set_state(session, weighed)
    return weighed


def weigh(session: Session, standing: Standing, screen: Screen | None = None) -> Standing:
    """The standing, with the short way where the person's group has enough; `screen`: of `record_answer`.

    Whether the person's group has enough people is looked at when the interview begins and when a stratum is
    answered, not between: nobody is sent away half-way because the group filled up while they talked."""
    interview = standing.interview
    only = None
    if interview.state in ("started", "screened"):  # who was asked everything keeps it
        screen = screen or quota_counts.screen(session, interview.queue_id, interview.hidden)
        only = screening.only(screen, standing.items, standing.answers)
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
    interview, look = standing.interview, standing.look
    if engine.refused_consent(standing.items, standing.answers):
        return "void" if interview.ended_at else "started"
    if look.is_finished:
        return "complete"
    if standing.only is not None and screening.is_finished(look, standing.only):
        return "screened"
    if interview.ended_at is None:
        return "started"
    return "partial" if look.has_substance else "void"
