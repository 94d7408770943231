"""What one conversation is made of: the questionnaire as it is said, facts, the seed.

Read once at its beginning (scripts.ivr), or anew for each of its turns (carried_interviews): then what was settled at
the beginning is held."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.ledger.call_ledger import Call
from surveys import interviews, questionnaire, quotas
from surveys.faces.turns import Setting
from surveys.fieldwork import call_facts, interview_people, quota_counts
from surveys.fieldwork.quota_cells import Screen, Values
from surveys.fieldwork.recorded_calls import RecordedCall, Subject
from surveys.forms.items import Items
from surveys.interviews import Interview
from surveys.questionnaire import Questionnaire, Survey
from surveys.voice import prompts
from surveys.voice.prompt_trials import PromptTrial
from surveys.voice.prompts import Kept


@dataclass(frozen=True)
class Material:
    """`number`: the interview's id, of one that exists or of the one to be; `answers`: what is kept of it already;
    `kept`: the survey's own prompts; `trial`: nothing is kept of what is said."""

    call_id: UUID
    setting: Setting
    number: UUID
    kept: Kept
    answers: dict[str, str]
    voice: bool | None = None
    is_begun: bool = False
    trial: bool = False


@dataclass(frozen=True)
class Held:
    """What the beginning of a conversation settled. `number`: the interview's id; `full`: the quota cells that had
    enough then (quota_cells.Screen), None where nobody is sent away."""

    number: UUID
    full: frozenset[Values] | None


def of_call(session: Session, subject: Subject, held: Held | None = None) -> Material | None:
    """What is said in a call; None when its survey is gone, or closed before the conversation began (`held`)."""
    survey = session.get(Survey, subject.survey_id)
    if survey is None or (survey.state == "closed" and held is None):
        return None
    begun = interviews.of_call(session, subject.call_id)
    if begun is not None:
        return _resumed(session, subject, begun, held)
    earlier = _earlier(session, subject, held)
    if earlier is not None:
        return _gone_on(session, subject, earlier, held)
    items = questionnaire.current(session, survey.id).items
    facts, wanted = call_facts.of_call(session, subject.call_id, None, "agi")
    language, number = interviews.language_for(items, wanted), held.number if held else uuid4()
    values = call_facts.for_items(items, facts) | call_facts.personal_in_call(session, items, subject.call_id)
    screen = _screen(session, _queue(session, subject), facts, held)
    talk = _Talk(subject.call_id, language, number, values, subject.sponsor, subject.notice, screen)
    return _material(session, survey.id, items, talk)


def _earlier(session: Session, subject: Subject, held: Held | None) -> Interview | None:
    if held is not None:
        return session.get(Interview, held.number)
    return interview_people.to_go_on(session, subject.survey_id, _person(session, subject.call_id))


def _queue(session: Session, subject: Subject) -> int | None:
    return session.scalar(select(Call.queue_id).where(Call.id == subject.call_id))


def _screen(
    session: Session, queue_id: int | None, record: Mapping[str, str], held: Held | None, without: UUID | None = None
) -> Screen | None:
    """The quotas as they stood when the conversation began: nobody is sent away because a group filled up meanwhile."""
    if held is None:
        return quota_counts.screen(session, queue_id, record, without=without)
    plan = quotas.of(session, queue_id) if held.full is not None else None
    return Screen(plan, held.full or frozenset(), record) if plan else None


def _resumed(session: Session, subject: Subject, begun: Interview, held: Held | None) -> Material:
    standing = interviews.standing_of(session, begun.id)
    row = session.get(RecordedCall, subject.call_id)
    screen = _screen(session, begun.queue_id, begun.hidden, held, begun.id)
    talk = _Talk(subject.call_id, begun.language, begun.id, standing.answers, subject.sponsor, subject.notice, screen)
    made = _material(session, begun.survey_id, standing.items, talk)
    return replace(made, answers=standing.answers, voice=row.agreed_to_voice if row else None, is_begun=True)


def _gone_on(session: Session, subject: Subject, earlier: Interview, held: Held | None) -> Material:
    """What the person began elsewhere: after who calls and the challenge, the first question without an answer."""
    standing = interviews.standing_of(session, earlier.id)
    facts, _language = call_facts.of_call(session, subject.call_id, None, "agi")
    values = standing.answers | call_facts.for_items(standing.items, facts)
    screen = _screen(session, _queue(session, subject), earlier.hidden, held, earlier.id)
    talk = _Talk(subject.call_id, earlier.language, earlier.id, values, subject.sponsor, subject.notice, screen)
    return _material(session, earlier.survey_id, standing.items, talk)


def _person(session: Session, call_id: UUID) -> int | None:
    return session.scalar(select(Attempt.contact_id).where(Attempt.id == call_id))


def of_trial(session: Session, trial: PromptTrial, number: UUID | None = None) -> Material:
    """What is said when somebody tries a survey on their own telephone; values of a call stand in brackets."""
    items = session.get_one(Questionnaire, questionnaire.current(session, trial.survey_id).id).items
    values = {item["name"]: "…" for item in items["items"] if item["type"] == "hidden"}
    talk = _Talk(
        trial.id, interviews.language_for(items, trial.language), number or uuid4(), values, trial.sponsor, "…"
    )
    return replace(_material(session, trial.survey_id, items, talk), trial=True)


@dataclass(frozen=True)
class _Talk:
    call_id: UUID
    language: str
    number: UUID
    facts: dict[str, str]
    sponsor: str
    notice: str
    screen: Screen | None = None


def _material(session: Session, survey_id: int, items: Items, talk: _Talk) -> Material:
    kept = prompts.kept(session, survey_id, talk.language)
    setting = Setting(
        items=prompts.worded(items, talk.language, kept.wordings), language=talk.language,
        seed=interviews.seed_of(talk.number), facts=talk.facts, sponsor=talk.sponsor, notice=talk.notice,
        wordings=kept.own_sentences, screen=talk.screen,
    )  # fmt: skip
    return Material(talk.call_id, setting, talk.number, kept, {})
