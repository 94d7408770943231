"""What surveys keep of a person: their answers, shown to them alone, and unlinked from them when they are erased."""

from collections.abc import Collection
from typing import Any

from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.contacts import Contact
from callcenter.privacy import person_register, retention
from callcenter.privacy.person_register import Gone, Sheet, is_mentioned, words_of
from surveys.fieldwork import interview_people
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.fieldwork.recorded_calls import RecordedCall
from surveys.interviews import Answer, Interview
from surveys.questionnaire import Questionnaire, Survey
from surveys.sampling import sample_keeping
from surveys.voice import voice_answers
from surveys.voice.voice_answers import VoiceAnswer

STATES = {"started": _l("started"), "complete": _l("complete"), "partial": _l("broken off"), "void": _l("void"),
          "screened": _l("short: the group had enough interviews")}  # fmt: skip
VOICES = {"left": _l("kept"), "kept": _l("kept"), "lost": _l("nothing was heard"), "going": _l("deleted"),
          "deleted": _l("deleted")}  # fmt: skip
ERASED = "…"  # what stands where an open answer named the person


def compose() -> None:
    """Put the floor into the register."""
    tables = ("interviews", "answers", "voice_answers", "keystrokes", "recorded_calls", "survey_links", "sample_cases")
    person_register.register("surveys", export=export, erase=erase, tables=tables)
    retention.register("voice_answers", voice_answers.older_than, _purge_voices)
    person_register.spare("surveys", "names of surveys")
    person_register.spare("vote_recipes", "how a vote is reckoned, and who of the house wrote and signed it")
    person_register.spare("questionnaires", "questions")
    person_register.spare("questionnaire_drafts", "questions that somebody of the house is writing")
    person_register.spare("studies", "who ordered, made and paid a study, and its figures")
    person_register.spare("study_files", "files of a study: logos, contracts, CVs of the house's own people")
    person_register.spare("study_packages", "figures and files of a study, whose people are not named")
    person_register.spare("numbering_plans", "which numbers were given out, and names of files")
    person_register.spare("quotas", "how many interviews of whom a campaign wants")
    person_register.spare("quota_cells", "how many interviews of whom a campaign wants")
    person_register.spare("prompts", "what a recorded survey says, and who changed it")
    person_register.spare("carried_talks", "what a recorded survey said last; gone within the hour")
    person_register.spare("prompt_sounds", "sounds of what a recorded survey says")
    person_register.spare("pictures", "pictures that questionnaires show")
    person_register.spare(
        "questionnaire_pictures", "which picture a questionnaire shows, and who of the house added it"
    )
    person_register.spare("prompt_trials", "who of the house tried a recorded survey; the number rung is kept nowhere")


def export(session: Session, contact_id: int) -> list[Sheet]:
    """Every interview with its answers, those that were changed later left out."""
    rows: list[tuple[Any, ...]] = []
    taken = session.execute(
        select(Interview, Survey.name, Questionnaire.items)
        .join(Survey, Survey.id == Interview.survey_id)
        .join(Questionnaire, Questionnaire.id == Interview.questionnaire_id)
        .where(Interview.id.in_(interview_people.of_people(contact_id))).order_by(Interview.at)
    )  # fmt: skip
    for interview, survey, items in taken:
        rows += [
            (interview.at, survey, str(STATES[interview.state]), *told) for told in _answers(session, interview, items)
        ]
    columns = [_l("When"), _l("Survey"), _l("State"), _l("Question"), _l("Answer")]
    voices = [_l("When"), _l("Question"), _l("State"), _l("What was written down of it")]
    return [
        Sheet("interviews", _l("Interviews and your answers"), columns, rows),
        Sheet("voice_answers", _l("Answers in your own voice"), voices, _voices(session, contact_id)),
        sample_keeping.sheet(session, contact_id),
    ]


def _voices(session: Session, contact_id: int) -> list[tuple[Any, ...]]:
    found = session.scalars(
        select(VoiceAnswer)
        .where(VoiceAnswer.interview_id.in_(interview_people.of_people(contact_id))).order_by(VoiceAnswer.at)
    )  # fmt: skip
    return [(one.at, one.item, str(VOICES[one.state]), one.transcript or "") for one in found]


def _purge_voices(session: Session, keys: list[Any]) -> int:
    return voice_answers.remove(session, keys, None)


def _answers(session: Session, interview: Interview, items: Any) -> list[tuple[str, str]]:
    given = session.scalars(
        select(Answer).where(Answer.interview_id == interview.id, Answer.superseded_at.is_(None)).order_by(Answer.id)
    )
    known = {item["name"]: item for item in items["items"]}
    told = [_in_words(known.get(answer.item), answer) for answer in given]
    return told or [("", "")]


def _in_words(item: Any, answer: Answer) -> tuple[str, str]:
    if item is None:
        return answer.item, answer.value
    choices = {choice["name"]: _text(choice["label"]) or choice["name"] for choice in item["choices"]}
    codes = answer.value.split() if choices else [answer.value]
    return _text(item["label"]) or answer.item, ", ".join(choices.get(code, code) for code in codes)


def _text(labels: dict[str, str]) -> str:
    """The words in the reader's language, else in the form's first one."""
    locale = str(get_locale() or "es")[:2]
    spoken = {language.rpartition("(")[2].rstrip(")")[:2].lower(): said for language, said in labels.items()}
    return spoken.get(locale) or next(iter(labels.values()), "")


def erase(session: Session, gone: Gone) -> dict[str, int]:
    """The answers stay, and belong to nobody; an open answer that names the person is emptied."""
    # An interview of two channels has two ways to the person, who may be called by another name in each.
    called = (
        select(Interview.id, Contact.name, Attempt.phone)
        .join(Attempt, Attempt.id == Interview.call_id)
        .join(Contact, Contact.id == Attempt.contact_id)
    )
    linked = (
        select(Interview.id, Contact.name, Contact.phone)
        .join(SurveyLink, SurveyLink.interview_id == Interview.id)
        .join(Contact, Contact.id == SurveyLink.contact_id)
    )
    theirs = Contact.id.in_(gone.ids)
    taken = [*session.execute(called.where(theirs)), *session.execute(linked.where(theirs))]  # fmt: skip
    for interview_id, name, phone in taken:
        _empty_answers(session, interview_id, words_of(name), {phone})
    ids = [row.id for row in taken]
    voice_answers.remove(session, voice_answers.of_interviews(session, ids), None)
    session.execute(update(VoiceAnswer).where(VoiceAnswer.interview_id.in_(ids)).values(transcript=None))
    session.execute(delete(RecordedCall).where(RecordedCall.interview_id.in_(ids)))
    unlinked = update(Interview).where(Interview.id.in_([row.id for row in taken])).values(call_id=None)
    session.execute(unlinked.execution_options(synchronize_session=False))
    interview_people.forget(session, list(gone.ids))
    sample_keeping.forget(session, gone)
    return {"interviews": len(set(ids))}


def _empty_answers(session: Session, interview_id: Any, words: tuple[str, ...], phones: Collection[str]) -> None:
    given = session.execute(select(Answer.id, Answer.value).where(Answer.interview_id == interview_id))
    naming = [row.id for row in given if is_mentioned(row.value, words, phones)]
    if naming:
        emptied = update(Answer).where(Answer.id.in_(naming)).values(value=ERASED)
        session.execute(emptied.execution_options(synchronize_session=False))
