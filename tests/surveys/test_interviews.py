"""Interviews: one a call, every answer saved at once, nothing lost when a person changes their mind."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from callcenter import calls
from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.calls import Call
from callcenter.operators import Operator
from surveys import interviews, questionnaire, views
from surveys.fieldwork import contact_interviews
from surveys.interviews import Interview
from surveys.questionnaire import Questionnaire, Survey
from tests.surveys.survey_forms import workbook

AGREED = {"intro": "", "consent": "yes", "age": "34", "sex": "M", "registered": "yes", "likely": "8", "vote": "rojo",
          "second": "azul", "problems": "water", "opinion_azul": "g", "why": "Porque sí."}  # fmt: skip


def answer_all(session: Session, interview_id: UUID, given: dict[str, str]) -> None:
    for item, value in given.items():
        interviews.record_answer(session, interview_id, item, value)


def test_a_call_has_one_interview_however_often_it_is_opened(
    session: Session, interview: Interview, rosa: User
) -> None:
    assert interview.call_id is not None
    assert interviews.open_for_call(session, interview.call_id, rosa.id).id == interview.id


def test_the_call_fills_in_what_it_knows_and_nobodys_name(session: Session, interview: Interview) -> None:
    assert interview.hidden["operator_name"] == "Rosa Lira"
    assert interview.hidden["sponsor"] == "Instituto Inventado"
    assert interview.hidden["section"] == "9001"
    assert interview.hidden["section_kind"] == "R"
    assert interview.hidden["sex"] == "M"
    assert "Persona" not in str(interview.hidden)
    assert "+52" not in str(interview.hidden)


def test_a_fact_of_the_call_does_not_answer_a_question(session: Session, interview: Interview) -> None:
    answers = interviews.standing_of(session, interview.id).answers
    assert "sex" not in answers
    assert "age" not in answers
    assert answers["operator_name"] == "Rosa Lira"


def test_a_call_without_a_questionnaire_has_no_interview(
    session: Session, new_call: Callable[..., UUID], rosa: User
) -> None:
    call_id = new_call()
    session.get_one(Call, call_id).script = "operator"
    with pytest.raises(NotFound):
        interviews.open_for_call(session, call_id, rosa.id)
    with pytest.raises(NotFound):
        interviews.open_for_call(session, uuid4(), rosa.id)


def test_a_closed_survey_opens_no_interview(
    session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    call_id = new_call()
    questionnaire.set_state(session, survey.id, "closed")
    with pytest.raises(Refused):
        interviews.open_for_call(session, call_id, rosa.id)


def test_the_first_interview_opens_the_survey_and_the_first_answer_freezes_its_version(
    session: Session, survey: Survey, interview: Interview
) -> None:
    assert survey.state == "open"
    assert questionnaire.current(session, survey.id).frozen_at is None
    interviews.record_answer(session, interview.id, "consent", "yes")
    session.expire_all()
    assert questionnaire.current(session, survey.id).frozen_at is not None


def test_the_same_answer_twice_is_one_and_a_change_keeps_the_old_one(session: Session, interview: Interview) -> None:
    first = interviews.record_answer(session, interview.id, "consent", "yes")
    assert interviews.record_answer(session, interview.id, "consent", "yes").id == first.id
    changed = interviews.record_answer(session, interview.id, "consent", "no")
    trail = interviews.trail(session, interview.id)
    assert [(answer.id, answer.value, answer.superseded_at is None) for answer in trail] == [
        (first.id, "yes", False),
        (changed.id, "no", True),
    ]


def test_a_request_sent_again_late_does_not_undo_a_newer_answer(session: Session, interview: Interview) -> None:
    first = interviews.record_answer(session, interview.id, "consent", "yes", key="k1")
    newer = interviews.record_answer(session, interview.id, "consent", "no", key="k2")
    assert interviews.record_answer(session, interview.id, "consent", "yes", key="k1").id == first.id
    assert interviews.standing_of(session, interview.id).answers["consent"] == "no"
    assert newer.superseded_at is None


def test_an_answer_keeps_the_order_in_which_the_choices_were_shown(session: Session, interview: Interview) -> None:
    answer_all(session, interview.id, {"consent": "yes", "registered": "yes"})
    shown = interviews.standing_of(session, interview.id).question("vote")
    answer = interviews.record_answer(session, interview.id, "vote", "azul", seconds=4.5)
    assert shown is not None
    assert answer.choice_order == shown.order
    assert answer.seconds == 4.5


def test_an_earlier_change_takes_later_answers_out_of_the_count_and_back(
    session: Session, interview: Interview
) -> None:
    answer_all(session, interview.id, {"consent": "yes", "registered": "yes", "vote": "azul"})
    vote = next(answer for answer in interviews.trail(session, interview.id) if answer.item == "vote")
    interviews.record_answer(session, interview.id, "registered", "no")
    session.refresh(vote)
    assert (vote.counts, vote.superseded_at) == (False, None)
    interviews.record_answer(session, interview.id, "registered", "yes")
    session.refresh(vote)
    assert vote.counts


def test_what_the_questionnaire_refuses_is_not_saved(session: Session, interview: Interview) -> None:
    interviews.record_answer(session, interview.id, "consent", "yes")
    with pytest.raises(InvalidInput, match="18 años"):
        interviews.record_answer(session, interview.id, "age", "17")
    assert "age" not in interviews.standing_of(session, interview.id).answers


@pytest.mark.parametrize(
    ("given", "state", "suggested"),
    [
        (AGREED, "complete", "completed"),
        ({"intro": "", "consent": "no"}, "void", "refused"),
        ({"intro": "", "consent": "yes", "age": "34"}, "partial", "partial"),
        ({"intro": "", "consent": "yes"}, "void", None),
        ({}, "void", None),
    ],
)
def test_the_end_of_the_call_says_what_became_of_the_interview(
    given: dict[str, str], state: str, suggested: str | None, session: Session, interview: Interview
) -> None:
    assert interview.call_id is not None
    answer_all(session, interview.id, given)
    assert interviews.suggested(session, interview.call_id) == suggested
    interviews.close_call(session, interview.call_id)
    assert interview.state == state
    interviews.close_call(session, interview.call_id)
    assert interview.state == state
    interviews.reopen_call(session, interview.call_id)
    assert interview.state == ("complete" if state == "complete" else "started")


def test_an_undone_outcome_opens_the_interview_again(
    session: Session, interview: Interview, operator: Operator
) -> None:
    views.compose()
    assert interview.call_id is not None
    answer_all(session, interview.id, {"intro": "", "consent": "yes", "age": "34"})
    calls.dispose(session, interview.call_id, operator.id, "partial")
    assert (interview.state, interview.ended_at is None) == ("partial", False)
    calls.undo_disposition(session, interview.call_id, operator.id)
    assert (interview.state, interview.ended_at) == ("started", None)


def test_a_persons_page_learns_that_an_interview_took_place_and_nothing_more(
    session: Session, interview: Interview
) -> None:
    contact_id = session.get_one(Attempt, interview.call_id).contact_id
    assert contact_id is not None
    assert contact_interviews.deeds(session, contact_id, 10, None) == []
    answer_all(session, interview.id, AGREED)
    (deed,) = contact_interviews.deeds(session, contact_id, 10, None)
    assert (deed.at, deed.campaign) == (interview.at, "Ola 1")
    assert not any(answer in repr(deed) for answer in ("rojo", "azul", "Porque", "complete"))


def test_progress_counts_along_the_way_as_it_looks_now(session: Session, interview: Interview) -> None:
    interviews.record_answer(session, interview.id, "intro", "")
    assert (
        interviews.progress(session, interview.id)["answered"],
        interviews.progress(session, interview.id)["total"],
    ) == (1, 3)
    interviews.record_answer(session, interview.id, "consent", "yes")
    assert interviews.progress(session, interview.id)["total"] == 8


def test_an_answer_that_meets_another_form_in_place_of_its_own_is_not_stored(
    session: Session, survey: Survey, interview: Interview
) -> None:
    read = questionnaire.read_form("b.xlsx", workbook([["type", "name", "label"], ["text", "other", "¿Otra?"]]))
    questionnaire.current(session, survey.id)  # known to this session as it was
    changed = update(Questionnaire).where(Questionnaire.survey_id == survey.id).values(items=read.items)
    session.execute(changed.execution_options(synchronize_session=False))  # somebody else, a moment ago
    with pytest.raises(InvalidInput, match="no such question"):
        interviews.record_answer(session, interview.id, "consent", "yes")
    assert interviews.record_answer(session, interview.id, "other", "Ésta").value == "Ésta"


def test_a_new_file_replaces_an_unanswered_version_and_follows_an_answered_one(
    session: Session, survey: Survey, interview: Interview
) -> None:
    other = workbook([["type", "name", "label"], ["text", "why", "¿Por qué?"]])
    assert questionnaire.replace_form(session, survey.id, questionnaire.read_form("b.xlsx", other)).version == 1
    interviews.record_answer(session, interview.id, "why", "x")
    session.expire_all()
    assert questionnaire.replace_form(session, survey.id, questionnaire.read_form("b.xlsx", other)).version == 1
    third = workbook([["type", "name", "label"], ["text", "why", "¿Por qué no?"]])
    assert questionnaire.replace_form(session, survey.id, questionnaire.read_form("c.xlsx", third)).version == 2
    assert interviews.standing_of(session, interview.id).items["items"][0]["label"] == {"": "¿Por qué?"}
