"""Interviews and their answers: saved as they are given, every change of mind kept."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import NotFound, Refused
from callcenter.calls import Call
from callcenter.queueing import withdrawals
from surveys import engine
from surveys.fieldwork import call_facts, interview_people
from surveys.fieldwork.answering import record_answer, set_state, weigh
from surveys.fieldwork.interview_ledger import Answer, Interview
from surveys.fieldwork.interview_standing import (
    Standing,
    belongs_to,
    fresh,
    locked,
    of_call,
    progress,
    read,
    standing_of,
    trail,
)
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.forms.items import Items
from surveys.questionnaire import Newest, Survey, current, newest
from surveys.sampling import sample_marks

__all__ = ["Answer", "Interview", "Standing", "belongs_to", "close", "close_call", "close_for_link", "language_for",
           "of_call", "open_for_call", "open_for_link", "progress", "record_answer", "reopen_call", "seed_of",
           "standing_of", "suggested", "trail"]  # fmt: skip


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
    kind, _slash, survey = call.script.partition("/") if call else ("", "", "")
    if call is None or kind != "survey" or not survey.isdecimal():
        raise NotFound(_("This call has no questionnaire."))
    version = newest(session, int(survey))
    if version is None:
        raise NotFound(_("There is no survey %(id)s.", id=survey))
    if version.state == "closed":
        raise Refused("survey_closed", _("This survey is closed. Ask your supervisor which one to use."))
    if version.state == "draft":
        session.get_one(Survey, version.survey_id).state = "open"
    # A machine has named its interview already, and reads it by that name: a new one, or what the person had begun.
    earlier = (
        interview_people.to_go_on(session, version.survey_id, call.attempt.contact_id)
        if number is None
        else session.get(Interview, number, with_for_update=True)
    )
    if earlier is not None:
        return _go_on_in_call(session, earlier, call, user_id, face)
    made = _insert(session, version, call, _Begin(user_id, face, number or uuid4()))
    weigh(session, made)
    return made.interview


def open_for_link(session: Session, link: SurveyLink, *, face: str = "web", language: str = "") -> Interview:
    """The interview of the person whose link this is: what they began elsewhere goes on, else a new one. The caller
    has locked the link and knows that it is open (surveys.fieldwork.survey_links.door).

    Raises Refused("asked_now") while somebody asks them by telephone."""
    held = session.get(Interview, link.interview_id, with_for_update=True) if link.interview_id else None
    begun = held or interview_people.of_person(session, link.survey_id, link.contact_id or 0)
    if begun is not None and interview_people.is_spoken(begun):
        raise Refused("asked_now", _(
            "Somebody of ours is asking you these questions by telephone just now. Go on with them; afterwards this "
            "link works again."
        ))  # fmt: skip
    found = held or interview_people.to_go_on(session, link.survey_id, link.contact_id)
    is_new = found is None
    if found is None:
        found = _new_for_link(session, link, face, language)
    elif found.queue_id is None and (found.face != face or found.ended_at is not None):  # it comes back from elsewhere
        found.queue_id = session.scalar(select(interview_people.campaign_of(link.survey_id, link.contact_id)))
        is_new = found.queue_id is not None
    found.face, found.ended_at = face, None
    standing = read(session, found)
    if language in standing.items["languages"]:
        found.language = language
    link.interview_id, link.opened_at = found.id, link.opened_at or real_now()
    session.flush()
    _take_up(session, standing, enters=is_new)
    return found


def _take_up(session: Session, standing: Standing, *, enters: bool) -> None:
    """`enters`: it begins in its campaign, so that the quotas are looked at; elsewhere what was decided holds."""
    set_state(session, standing)
    if enters and standing.interview.queue_id is not None:
        set_state(session, weigh(session, standing))


def _new_for_link(session: Session, link: SurveyLink, face: str, language: str) -> Interview:
    questionnaire = current(session, link.survey_id)
    facts, spoken = call_facts.of_link(session, link, face)
    number = uuid4()
    made = Interview(
        id=number, survey_id=link.survey_id, questionnaire_id=questionnaire.id, face=face,
        language=language_for(questionnaire.items, language or spoken), state="started", seed=seed_of(number),
        hidden=facts, at=campaign_now(session), ended_at=None,
        queue_id=interview_people.campaign_of(link.survey_id, link.contact_id),
        **sample_marks.of_person(session, link.survey_id, link.contact_id).columns(),
    )  # fmt: skip
    session.add(made)
    session.get_one(Survey, link.survey_id).state = "open"
    session.flush()
    return made


def _go_on_in_call(session: Session, interview: Interview, call: Call, user_id: int | None, face: str) -> Interview:
    enters = interview.queue_id != call.queue_id
    facts, _language = call_facts.of_call(session, call.id, user_id, face)
    now_said: dict[str, Any] = {name: facts[name] for name in ("operator_name", "sponsor", "campaign") if name in facts}
    interview.call_id, interview.queue_id, interview.face = call.id, call.queue_id, face
    interview.interviewer_id, interview.ended_at = user_id, None
    interview.hidden = {**interview.hidden, **now_said}
    session.flush()
    _take_up(session, read(session, interview), enters=enters)
    return interview


@dataclass(frozen=True)
class _Begin:
    user_id: int | None
    face: str
    number: UUID


def seed_of(number: UUID) -> int:
    """The seed of the interview with this id."""
    return number.int % 2**63


def _insert(session: Session, version: Newest, call: Call, begin: _Begin) -> Standing:
    """The interview of this call; somebody who was faster has made it."""
    values = _values(session, version, call, begin)
    row = insert(Interview).values(values).on_conflict_do_nothing(index_elements=["call_id"])
    made = session.scalars(row.returning(Interview)).one_or_none()
    if made is None:
        return read(session, session.scalars(select(Interview).where(Interview.call_id == call.id)).one())
    return fresh(session, made, version.items)


def _values(session: Session, version: Newest, call: Call, begin: _Begin) -> dict[str, Any]:
    facts, language = call_facts.of_call(session, call.id, begin.user_id, begin.face)
    return {
        "id": begin.number,
        "survey_id": version.survey_id,
        "questionnaire_id": version.version_id,
        "call_id": call.id,
        "queue_id": call.queue_id,
        "interviewer_id": begin.user_id,
        "face": begin.face,
        "language": language_for(version.items, language),
        "state": "started",
        "seed": seed_of(begin.number),
        "hidden": facts,
        "at": campaign_now(session),
        "started_at": real_now(),
        **sample_marks.of_person(session, version.survey_id, call.attempt.contact_id).columns(),
    }


def language_for(items: Items, wanted: str) -> str:
    """The person's language where the questionnaire has it, else its own."""
    return str(wanted if wanted in items["languages"] else items["default_language"])


def close_call(session: Session, call_id: UUID) -> None:
    """The call has its disposition: an interview that did not reach its end is partial, one without answers void."""
    interview = of_call(session, call_id)
    if interview is None:
        return
    close(session, interview.id)
    if interview.state == "complete":
        withdrawals.answered_elsewhere(session, call_id, f"survey/{interview.survey_id}")


def close(session: Session, interview_id: UUID) -> Interview:
    """Nobody asks any more: complete, partial, screened or void, as its answers deserve. Harmless twice."""
    standing = locked(session, interview_id)
    standing.interview.ended_at = standing.interview.ended_at or real_now()
    set_state(session, standing)
    return standing.interview


def close_for_link(session: Session, interview_id: UUID, contact_id: int | None) -> Interview:
    """`close` for one that needs no call; who has answered everything is called for it from no queue, and whose group
    has enough not from the campaign that said so."""
    interview = close(session, interview_id)
    if interview.state == "complete" and contact_id is not None:
        scripts = [f"survey/{interview.survey_id}"]
        withdrawals.withdraw(session, [contact_id], "answered_elsewhere", scripts=scripts)
    elif interview.state == "screened" and contact_id is not None and interview.queue_id is not None:
        withdrawals.withdraw(session, [contact_id], "over_quota", queue_id=interview.queue_id)
    return interview


def reopen_call(session: Session, call_id: UUID) -> None:
    """The operator took the disposition back: the interview goes on where it was."""
    interview = of_call(session, call_id)
    if interview is None:
        return
    standing = locked(session, interview.id)
    if interview.state == "complete":
        withdrawals.take_back(session, call_id, f"survey/{interview.survey_id}")
    standing.interview.ended_at = None
    set_state(session, standing)


def suggested(session: Session, call_id: UUID) -> str | None:
    """The disposition that the answers imply (a code of callcenter.ledger.dispositions); None when they imply none."""
    interview = of_call(session, call_id)
    if interview is None:
        return None
    standing = read(session, interview)
    if engine.refused_consent(standing.items, standing.answers):
        return "refused"
    if interview.state in ("complete", "screened"):
        return "completed" if interview.state == "complete" else "over_quota"
    return "partial" if standing.look.has_substance else None
