"""Interviews and their answers: saved as they are given, every change of mind kept."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter import withdrawals
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import NotFound, Refused
from callcenter.base.outbox import tell_later
from callcenter.calls import Call
from surveys import call_facts, engine, quota_counts, quotas, screening
from surveys.interview_ledger import Answer, Interview
from surveys.interview_standing import (
    Standing,
    belongs_to,
    locked,
    of_call,
    progress,
    read,
    standing_of,
    trail,
)
from surveys.items import Items
from surveys.questionnaire import Questionnaire, Survey, current

__all__ = ["Answer", "Interview", "Standing", "belongs_to", "close_call", "language_for", "of_call", "open_for_call",
           "progress", "record_answer", "reopen_call", "seed_of", "standing_of", "suggested", "trail"]  # fmt: skip


def open_for_call(
    session: Session, call_id: UUID, user_id: int | None, *, face: str = "screen", number: UUID | None = None
) -> Interview:
    """The interview of this call, made when there is none yet. One a call, however often it is opened.

    `face`: how it is asked, see engine.FACES; `number`: the id of a new one, for a caller who must know it before.

    Raises NotFound when the call runs no survey, Refused("survey_closed")."""
    found = of_call(session, call_id)
    if found is not None:
        return found
    call = session.get(Call, call_id)
    kind, _slash, survey_id = call.script.partition("/") if call else ("", "", "")
    if call is None or kind != "survey" or not survey_id.isdecimal():
        raise NotFound(_("This call has no questionnaire."))
    survey = session.get(Survey, int(survey_id))
    if survey is None:
        raise NotFound(_("There is no survey %(id)s.", id=survey_id))
    if survey.state == "closed":
        raise Refused("survey_closed", _("This survey is closed. Ask your supervisor which one to use."))
    survey.state = "open"
    made = _insert(session, survey.id, call, _Begin(user_id, face, number or uuid4()))
    _weigh(session, read(session, made))
    return made


@dataclass(frozen=True)
class _Begin:
    user_id: int | None
    face: str
    number: UUID


def seed_of(number: UUID) -> int:
    """The seed of the interview with this id."""
    return number.int % 2**63


def _insert(session: Session, survey_id: int, call: Call, begin: _Begin) -> Interview:
    facts, language = call_facts.of_call(session, call.id, begin.user_id, begin.face)
    questionnaire = current(session, survey_id)
    session.execute(
        insert(Interview)
        .values(
            id=begin.number,
            survey_id=survey_id,
            questionnaire_id=questionnaire.id,
            call_id=call.id,
            queue_id=call.queue_id,
            interviewer_id=begin.user_id,
            face=begin.face,
            language=language_for(questionnaire.items, language),
            state="started",
            seed=seed_of(begin.number),
            hidden=facts,
            at=campaign_now(session),
            started_at=real_now(),
        )
        .on_conflict_do_nothing(index_elements=["call_id"])
    )
    return session.scalars(select(Interview).where(Interview.call_id == call.id)).one()


def language_for(items: Items, wanted: str) -> str:
    """The person's language where the questionnaire has it, else its own."""
    return str(wanted if wanted in items["languages"] else items["default_language"])


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
    _set_state(session, _weigh(session, standing, item))


def _weigh(session: Session, standing: Standing, item: str | None = None) -> Standing:
    """Whether the person's group has enough people is looked at when the interview begins and when a stratum is
    answered, not between: nobody is sent away half-way because the group filled up while they talked."""
    interview = standing.interview
    if item is not None and item not in (quotas.strata(session, interview.queue_id) or ()):
        return standing
    screen = quota_counts.screen(session, interview.queue_id, interview.hidden, without=interview.id)
    is_open = interview.state in ("started", "screened")  # who was asked everything keeps it
    only = screening.only(screen, standing.items, standing.answers) if is_open else None
    interview.over_quota = only is not None
    return replace(standing, only=only)


def close_call(session: Session, call_id: UUID) -> None:
    """The call has its disposition: an interview that did not reach its end is partial, one without answers void."""
    interview = of_call(session, call_id)
    if interview is None:
        return
    standing = locked(session, interview.id)
    standing.interview.ended_at = standing.interview.ended_at or real_now()
    _set_state(session, standing)
    if interview.state == "complete":
        withdrawals.answered_elsewhere(session, call_id, f"survey/{interview.survey_id}")


def reopen_call(session: Session, call_id: UUID) -> None:
    """The operator took the disposition back: the interview goes on where it was."""
    interview = of_call(session, call_id)
    if interview is None:
        return
    standing = locked(session, interview.id)
    if interview.state == "complete":
        withdrawals.take_back(session, call_id, f"survey/{interview.survey_id}")
    standing.interview.ended_at = None
    _set_state(session, standing)


def _set_state(session: Session, standing: Standing) -> None:
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


def suggested(session: Session, call_id: UUID) -> str | None:
    """The disposition that the answers imply (a code of callcenter.dispositions); None when they imply none."""
    interview = of_call(session, call_id)
    if interview is None:
        return None
    standing = read(session, interview)
    if engine.refused_consent(standing.items, standing.answers):
        return "refused"
    if interview.state in ("complete", "screened"):
        return "completed" if interview.state == "complete" else "over_quota"
    return "partial" if engine.has_substance(standing.items, standing.answers, interview.seed) else None


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
