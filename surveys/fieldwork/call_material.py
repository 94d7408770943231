"""What one conversation is made of: the questionnaire as it is said, facts, the seed.

Read once at its beginning (scripts.ivr), or anew for each of its turns (carried_interviews): then what was settled at
the beginning is held."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from surveys import interviews, questionnaire, quotas
from surveys.faces.turns import Setting
from surveys.fieldwork import call_facts, interview_people, quota_counts
from surveys.fieldwork.interview_standing import Held, Standing, hold_begun
from surveys.fieldwork.quota_cells import Screen, Values
from surveys.fieldwork.recorded_calls import RecordedCall, Subject
from surveys.forms.items import Items
from surveys.voice import prompts
from surveys.voice.prompt_trials import PromptTrial
from surveys.voice.prompts import Kept


@dataclass(frozen=True)
class Material:
    """`number`: the interview's id, of one that exists or of the one to be; `answers`: what is kept of it already;
    `kept`: the survey's own prompts; `trial`: nothing is kept of what is said; `held`: the interview, where it is held
    for what is answered now."""

    call_id: UUID
    setting: Setting
    number: UUID
    kept: Kept
    answers: dict[str, str]
    voice: bool | None = None
    is_begun: bool = False
    trial: bool = False
    held: Held | None = None


@dataclass(frozen=True)
class Settled:
    """What the beginning of a conversation settled. `number`: the interview's id; `full`: the quota cells that had
    enough then (quota_cells.Screen), None where nobody is sent away."""

    number: UUID
    full: frozenset[Values] | None


def of_call(session: Session, subject: Subject) -> Material | None:
    """What is said in a call from its beginning; None when its survey is gone or closed."""
    newest = questionnaire.newest(session, subject.survey_id)
    if newest is None or newest.state == "closed":
        return None
    begun = interviews.of_call(session, subject.call_id)
    if begun is not None:
        row = session.get(RecordedCall, subject.call_id)
        made = _resumed(session, subject, interviews.standing_of(session, begun.id))
        return replace(made, voice=row.agreed_to_voice if row else None)
    earlier = interview_people.to_go_on(session, subject.survey_id, subject.contact_id)
    if earlier is not None:
        return _gone_on(session, subject, interviews.standing_of(session, earlier.id))
    return _new(session, subject, newest.items)


def of_turn(session: Session, subject: Subject, settled: Settled) -> Material | None:
    """What is said at a later turn, also when the survey was closed meanwhile; None when it is gone."""
    held = hold_begun(session, settled.number)
    if held is not None:
        is_of_call = held.standing.interview.call_id == subject.call_id
        made = (_resumed if is_of_call else _gone_on)(session, subject, held.standing, settled)
        return replace(made, held=held)
    newest = questionnaire.newest(session, subject.survey_id)
    return None if newest is None else _new(session, subject, newest.items, settled)


def _new(session: Session, subject: Subject, items: Items, settled: Settled | None = None) -> Material:
    facts, wanted = call_facts.of_call(session, subject.call_id, None, "agi")
    language, number = interviews.language_for(items, wanted), settled.number if settled else uuid4()
    values = call_facts.for_items(items, facts) | call_facts.personal_in_call(session, items, subject.call_id)
    screen = _screen(session, subject.queue_id, facts, settled)
    talk = _Talk(subject.call_id, language, number, values, subject.sponsor, subject.notice, screen)
    return _material(session, subject.survey_id, items, talk)


def _screen(
    session: Session, queue_id: int | None, record: Mapping[str, str], settled: Settled | None
) -> Screen | None:
    """The quotas as they stood when the conversation began: nobody is sent away because a group filled up meanwhile."""
    if settled is None:
        return quota_counts.screen(session, queue_id, record)
    plan = quotas.recent(session, queue_id) if settled.full is not None else None
    return Screen(plan, settled.full or frozenset(), record) if plan else None


def _screen_of(session: Session, queue_id: int | None, standing: Standing, settled: Settled | None) -> Screen | None:
    """The same for an interview that goes on. Who was told to go on in this campaign goes on."""
    begun = standing.interview
    screen = _screen(session, queue_id, begun.hidden, settled)
    if screen is None or begun.over_quota or begun.queue_id != queue_id:
        return screen
    return replace(screen, told_to_go_on=screen.said(standing.answers))


def _resumed(session: Session, subject: Subject, standing: Standing, settled: Settled | None = None) -> Material:
    begun = standing.interview
    screen = _screen_of(session, begun.queue_id, standing, settled)
    talk = _Talk(subject.call_id, begun.language, begun.id, standing.answers, subject.sponsor, subject.notice, screen)
    made = _material(session, begun.survey_id, standing.items, talk)
    return replace(made, answers=standing.answers, is_begun=True)


def _gone_on(session: Session, subject: Subject, standing: Standing, settled: Settled | None = None) -> Material:
    """What the person began elsewhere: after who calls and the challenge, the first question without an answer."""
    earlier = standing.interview
    facts, _language = call_facts.of_call(session, subject.call_id, None, "agi")
    values = standing.answers | call_facts.for_items(standing.items, facts)
    screen = _screen_of(session, subject.queue_id, standing, settled)
    talk = _Talk(subject.call_id, earlier.language, earlier.id, values, subject.sponsor, subject.notice, screen)
    return _material(session, earlier.survey_id, standing.items, talk)


def of_trial(session: Session, trial: PromptTrial, number: UUID | None = None) -> Material:
    """What is said when somebody tries a survey on their own telephone; values of a call stand in brackets."""
    items = questionnaire.current(session, trial.survey_id).items
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
