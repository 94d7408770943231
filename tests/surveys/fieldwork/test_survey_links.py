"""Links: one a person and survey, one interview a person on whatever channel, and clear words when it is over."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.contacts import Contact
from callcenter.ledger.call_ledger import Call
from callcenter.privacy.person_register import Gone
from callcenter.queues import CallQueue, QueueEntry
from surveys import engine, interviews, person_keeping, questionnaire, quotas
from surveys.faces import agi
from surveys.fieldwork import call_material as material
from surveys.fieldwork import contact_interviews, interview_people, link_codes, survey_links
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.fieldwork.quota_cells import Cell, Dimension, QuotaPlan
from surveys.fieldwork.recorded_calls import Subject
from surveys.interviews import Answer, Interview
from surveys.questionnaire import Survey
from tests.surveys.link_cast import SPONSOR, code_of, person
from tests.surveys.test_interviews import AGREED, answer_all

pytestmark = pytest.mark.usefixtures("app")
BY_LINK = {name: value for name, value in AGREED.items() if name != "intro"}


@pytest.fixture
def lupita(session: Session) -> Contact:
    return person(session)


@pytest.fixture
def code(session: Session, survey: Survey, lupita: Contact) -> str:
    return code_of(session, survey.id, lupita)


def begun(session: Session, code: str) -> Interview:
    return interviews.open_for_link(session, survey_links.door(session, code, lock=True).link)


def test_a_person_has_one_link_to_a_survey_however_often_it_is_given(
    session: Session, survey: Survey, lupita: Contact
) -> None:
    first = survey_links.give(session, survey.id, [lupita.id], source="test")
    again = survey_links.give(session, survey.id, [lupita.id, person(session, "Mario Prueba").id], source="later")
    assert again[lupita.id] == first[lupita.id]
    assert len(set(again.values())) == 2


def test_a_link_that_was_given_again_is_good_for_longer(session: Session, survey: Survey, lupita: Contact) -> None:
    survey_links.give(session, survey.id, [lupita.id], source="test")
    link = session.scalars(select(SurveyLink)).one()
    link.expires_at = real_now() - timedelta(days=1)
    session.flush()
    code = link_codes.code(link.id)
    assert survey_links.door(session, code).state == "expired"
    survey_links.give(session, survey.id, [lupita.id], source="test")
    session.refresh(link)
    assert survey_links.door(session, code).state == "new"


def test_a_closed_survey_gives_no_links_and_those_that_are_out_say_so(
    session: Session, survey: Survey, lupita: Contact, code: str
) -> None:
    questionnaire.set_state(session, survey.id, "closed")
    with pytest.raises(Refused):
        survey_links.give(session, survey.id, [lupita.id], source="test")
    assert survey_links.door(session, code).state == "closed"


def test_a_link_of_a_person_who_is_gone_is_no_longer_in_use(session: Session, code: str) -> None:
    session.scalars(select(SurveyLink)).one().contact_id = None
    session.flush()
    with pytest.raises(NotFound):
        survey_links.door(session, code)
    with pytest.raises(NotFound):
        survey_links.door(session, "2" * 16)


def test_the_interview_knows_the_person_by_facts_and_not_by_name(
    session: Session, survey: Survey, lupita: Contact, code: str
) -> None:
    interview = begun(session, code)
    assert interview.hidden["sex"] == "M"
    assert interview.hidden["sponsor"] == SPONSOR
    assert (interview.face, interview.call_id, survey.state) == ("web", None, "open")
    assert "Lupita" not in str(interview.hidden)
    assert lupita.phone not in str(interview.hidden)


def test_where_nobody_calls_the_note_that_names_the_caller_is_not_shown(session: Session, code: str) -> None:
    asked = interviews.standing_of(session, begun(session, code).id).next_question()
    assert asked is not None
    assert asked.name == "consent"


def test_whoever_answers_everything_is_done_and_is_called_for_it_no_more(
    session: Session, survey: Survey, lupita: Contact, code: str, new_call: Callable[..., UUID]
) -> None:
    queue_id = session.get_one(Call, new_call()).queue_id
    entry = QueueEntry(queue_id=queue_id, contact_id=lupita.id)
    session.add(entry)
    interview = begun(session, code)
    answer_all(session, interview.id, BY_LINK)
    door = survey_links.door(session, code)
    assert door.standing is not None
    assert survey_links.last_words(door.standing) == ["Muchas gracias por su tiempo."]
    survey_links.finish(session, door.link)
    session.refresh(entry)
    assert (interview.state, entry.state, entry.reason) == ("complete", "excluded", "answered_elsewhere")
    assert interview.ended_at is not None
    assert survey_links.door(session, code).state == "used"


def test_an_interview_by_link_belongs_to_the_campaign_in_whose_list_the_person_stands(
    session: Session, survey: Survey, lupita: Contact, code: str, new_call: Callable[..., UUID]
) -> None:
    first = session.get_one(Call, new_call()).queue_id
    values = {"purpose": "survey", "script": f"survey/{survey.id}", "carrier": "simulated", "caller_id": "+525500000",
              "on_behalf_of": SPONSOR, "privacy_notice_url": "http://convoca.test/aviso"}  # fmt: skip
    second, third, over = (CallQueue(name=name, **values) for name in ("second", "third", "over"))
    over.state = "finished"
    session.add_all([second, third, over])
    session.flush()

    def of_campaign() -> int | None:
        return session.scalar(select(interview_people.campaign_of(survey.id, lupita.id)))

    assert of_campaign() is None, "one of three, and nobody knows which"
    second.state = third.state = "finished"
    session.flush()
    assert of_campaign() == first, "the only one that goes on"
    second.state = third.state = "paused"
    session.add_all([QueueEntry(queue_id=queue.id, contact_id=lupita.id) for queue in (second, third, over)])
    session.flush()
    assert of_campaign() == third.id
    plan = QuotaPlan((Dimension("sex", "", "code"),), (Cell(("M",), 1),))
    quotas.set_plan(session, second.id, plan, None)
    assert of_campaign() == second.id, "the one that has quotas"
    assert begun(session, code).queue_id == second.id


def test_who_declines_is_asked_nothing_more(session: Session, code: str) -> None:
    interview = begun(session, code)
    interviews.record_answer(session, interview.id, "consent", "no")
    survey_links.finish(session, survey_links.door(session, code).link)
    assert interview.state == "void"
    assert survey_links.door(session, code).state == "declined"


def test_an_answer_says_on_which_face_and_by_whom_it_was_asked(
    session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    call_id = new_call()
    interview = interviews.open_for_call(session, call_id, rosa.id)
    answer_all(session, interview.id, {"intro": "", "consent": "yes", "age": "34"})
    interviews.close_call(session, call_id)
    assert interview.state == "partial"
    contact = session.get_one(Contact, session.get_one(Call, call_id).attempt.contact_id)
    code = code_of(session, survey.id, contact)
    assert survey_links.door(session, code).state == "new"
    assert begun(session, code).id == interview.id
    assert interview.state == "started"
    interviews.record_answer(session, interview.id, "sex", "M")
    told = {one.item: (one.face, one.interviewer_id) for one in session.scalars(select(Answer))}
    assert told["age"] == ("screen", rosa.id)
    assert told["sex"] == ("web", None)


def test_what_was_begun_by_link_goes_on_when_an_operator_calls(
    session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    call_id = new_call()
    contact = session.get_one(Contact, session.get_one(Call, call_id).attempt.contact_id)
    interview = begun(session, code_of(session, survey.id, contact))
    answer_all(session, interview.id, {"consent": "yes", "age": "34"})
    assert interviews.open_for_call(session, call_id, rosa.id).id == interview.id
    assert (interview.face, interview.call_id, interview.interviewer_id) == ("screen", call_id, rosa.id)
    assert interview.hidden["operator_name"] == "Rosa Lira"
    asked = interviews.standing_of(session, interview.id).next_question()
    assert asked is not None
    assert asked.name == "intro"  # whoever calls says who they are


def test_a_link_does_not_take_an_interview_out_of_an_operators_hands(
    session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    call_id = new_call()
    interviews.open_for_call(session, call_id, rosa.id)
    contact = session.get_one(Contact, session.get_one(Call, call_id).attempt.contact_id)
    code = code_of(session, survey.id, contact)
    with pytest.raises(Refused) as refusal:
        begun(session, code)
    assert refusal.value.code == "asked_now"


def test_who_answered_by_telephone_finds_the_link_used(
    session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    call_id = new_call()
    interview = interviews.open_for_call(session, call_id, rosa.id)
    answer_all(session, interview.id, AGREED)
    interviews.close_call(session, call_id)
    contact = session.get_one(Contact, session.get_one(Call, call_id).attempt.contact_id)
    assert survey_links.door(session, code_of(session, survey.id, contact)).state == "used"


def test_whoever_wants_no_more_is_suppressed_and_the_link_says_so(session: Session, lupita: Contact, code: str) -> None:
    link = survey_links.door(session, code, lock=True).link
    survey_links.opt_out(session, link)
    survey_links.opt_out(session, link)
    assert suppressions.find(session, lupita.phone) is not None
    assert survey_links.door(session, code).state == "opted_out"


def test_whoever_stops_answering_is_counted_as_broken_off_until_they_come_back(session: Session, code: str) -> None:
    survey_id = survey_links.door(session, code).survey.id
    interview = begun(session, code)
    silent = begun(session, code_of(session, survey_id, person(session, "Mario Prueba")))
    answer_all(session, interview.id, {"consent": "yes", "age": "34"})
    long_ago = real_now() - timedelta(hours=1)
    assert survey_links.sweep(session) == 0
    interview.started_at = silent.started_at = long_ago
    session.flush()
    assert survey_links.sweep(session) == 1, "who has just answered is not idle"
    for answer in session.scalars(select(Answer)):
        answer.at = long_ago
    session.flush()
    assert survey_links.sweep(session) == 1
    assert (interview.state, silent.state) == ("partial", "void")
    assert survey_links.door(session, code).state == "new"
    assert begun(session, code).id == interview.id
    assert (interview.state, interview.ended_at) == ("started", None)


def test_the_figures_of_a_surveys_links(session: Session, survey: Survey, code: str) -> None:
    code_of(session, survey.id, person(session, "Mario Prueba"))
    answer_all(session, begun(session, code).id, {"consent": "yes"})
    told = survey_links.figures(session, survey.id)
    assert (told["given"], told["opened"], told["under_way"], told["waiting"]) == (2, 1, 1, 1)


def test_links_may_be_good_for_longer_or_shorter_within_a_year(
    session: Session, survey: Survey, code: str, rosa: User
) -> None:
    assert survey_links.set_expiry(session, survey.id, real_now() + timedelta(days=40), rosa.id) == 1
    with pytest.raises(InvalidInput):
        survey_links.set_expiry(session, survey.id, real_now() + timedelta(days=400), rosa.id)
    with pytest.raises(InvalidInput):
        survey_links.set_expiry(session, survey.id, real_now() - timedelta(days=2), rosa.id)


def test_a_person_sees_what_they_answered_by_link_and_takes_their_name_away(
    session: Session, app: Flask, lupita: Contact, code: str
) -> None:
    answer_all(session, begun(session, code).id, {"consent": "yes", "age": "34"})
    survey_links.finish(session, survey_links.door(session, code).link)
    with app.test_request_context():
        sheet = person_keeping.export(session, lupita.id)[0]
        assert len(contact_interviews.deeds(session, lupita.id, 10, None)) == 1
    assert any("34" in row for row in sheet.rows)
    person_keeping.erase(session, Gone(ids=(lupita.id,), phones=(), names={}))
    assert session.scalars(select(SurveyLink.contact_id)).all() == [None]
    assert session.scalars(select(SurveyLink.interview_id)).all() == [None]


def test_what_was_begun_by_link_goes_on_when_a_machine_calls(
    session: Session, survey: Survey, new_call: Callable[..., UUID]
) -> None:
    call_id = new_call()
    call = session.get_one(Call, call_id)
    contact = session.get_one(Contact, call.attempt.contact_id)
    interview = begun(session, code_of(session, survey.id, contact))
    answer_all(session, interview.id, {"consent": "yes", "age": "34"})
    subject = Subject(call_id, survey.id, SPONSOR, "http://convoca.test/aviso", "out", call.queue_id, contact.id)
    made = material.of_call(session, subject)
    assert made is not None
    assert (made.number, made.is_begun) == (interview.id, False)
    state = agi.begin(made.setting).state
    asked = engine.next_question(made.setting.items, state.answers, made.setting.seed, "es", "agi")
    assert asked is not None
    assert asked.name == "intro"
    opened = interviews.open_for_call(session, call_id, None, face="agi", number=made.number)
    assert (opened.id, opened.face, opened.call_id) == (interview.id, "agi", call_id)
    answers = interviews.standing_of(session, opened.id).answers
    assert answers["age"] == "34"
