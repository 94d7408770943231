"""`{survey_link}` in a campaign: each person's own address, counted before it is made, and none without a survey."""

import re

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import InvalidInput
from callcenter.base.settings import Settings
from campaigns import wording
from campaigns.correspondence import survey_invitations
from campaigns.dispatch import message_claims as claims
from campaigns.dispatch import message_texts
from campaigns.figures import message_responses, message_why_steps
from campaigns.mailings.message_step_forms import WordingForm
from campaigns.mailings.message_steps import form_of
from campaigns.texts import wording_rules
from campaigns.texts.clicks import MessageClick
from surveys import questionnaire
from surveys.fieldwork import link_codes
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.questionnaire import Survey
from tests.campaigns.cast import Campaign, Cast, message_of, states
from tests.surveys.survey_forms import SAMPLE

pytestmark = pytest.mark.usefixtures("app")
TEXT = "Hola {given_names}, conteste aqui: {survey_link} BAJA para no recibir"


@pytest.fixture
def survey(session: Session, settings: Settings) -> Survey:
    link_codes.configure(settings)
    return questionnaire.create_survey(session, "Ola liga", SAMPLE.name, SAMPLE.read_bytes())


def test_each_person_gets_the_link_that_is_theirs(
    session: Session, cast: Cast, campaign: Campaign, survey: Survey
) -> None:
    made = campaign(TEXT, survey_id=survey.id, on_behalf_of="Encuestas del Sur")
    letters = claims.claim(session, made.id, 10)
    assert len(letters) == 2
    links = {link.id: link for link in session.scalars(select(SurveyLink))}
    for letter in letters:
        address = re.search(r"http://convoca\.test/e/(\w{16})", letter.body)
        assert address is not None
        link = links[link_codes.read(address[1]) or 0]
        assert (link.survey_id, link.on_behalf_of) == (survey.id, "Encuestas del Sur")
        assert link.source == f"message-campaign/{made.id}"
    assert len({link.contact_id for link in links.values()}) == len(links) == 2


def test_who_began_the_survey_by_their_link_opened_the_link_of_the_message(
    session: Session, cast: Cast, campaign: Campaign, survey: Survey
) -> None:
    made = campaign(TEXT, survey_id=survey.id)
    claims.claim(session, made.id, 10)
    assert message_responses.by_wording(session, made) == {}
    link = session.scalars(select(SurveyLink).where(SurveyLink.contact_id == cast.lupita.id)).one()
    link.opened_at = real_now()
    message = message_of(session, cast.lupita)
    message.sent_at = real_now()
    session.add(MessageClick(contact_id=cast.lupita.id, message_id=message.id, at=campaign_now(session)))
    session.flush()
    assert [came.clicked for came in message_responses.by_wording(session, made).values()] == [1]
    assert [step.code for step in message_why_steps.of(session, made, message)][-2:] == ["click", "survey"]


def test_a_text_is_counted_with_an_address_as_long_as_the_real_one(
    session: Session, cast: Cast, campaign: Campaign, survey: Survey
) -> None:
    made = campaign(TEXT, survey_id=survey.id)
    shown = message_texts.shown(session, made.id, TEXT).replace("{given_names}", "Mario")
    bodies = [letter.body for letter in claims.claim(session, made.id, 10) if "Mario" in letter.body]
    assert [len(body) for body in bodies] == [len(shown)]


def test_a_survey_that_was_closed_before_it_left_reaches_nobody(
    session: Session, cast: Cast, campaign: Campaign, survey: Survey
) -> None:
    made = campaign(TEXT, survey_id=survey.id)
    questionnaire.set_state(session, survey.id, "closed")
    session.flush()
    assert claims.claim(session, made.id, 10) == []
    assert {refusal for state, refusal in states(session).values() if refusal != "landline"} >= {"survey_closed"}
    assert session.scalars(select(SurveyLink)).all() == []


def test_a_link_without_a_survey_is_a_fault_of_the_wording(session: Session, cast: Cast, campaign: Campaign) -> None:
    with pytest.raises(InvalidInput):
        campaign(TEXT)
    assert [fault.code for fault in survey_invitations.fault(TEXT, None)] == ["survey_link_without_survey"]
    assert survey_invitations.fault(TEXT, 3) == []
    assert survey_invitations.fault("Hola", None) == []


def test_the_wizard_asks_for_the_survey_and_offers_those_that_are_not_closed(
    session: Session, app: Flask, cast: Cast, survey: Survey
) -> None:
    draft = {"text": TEXT, "survey_id": "", "on_behalf_of": "", "purpose": "survey", "channel": "sms"}
    with app.test_request_context():
        form = form_of(session, draft, "wording")
        assert isinstance(form, WordingForm)
        assert not form.validate()
        assert "{survey_link}" in " ".join(form.text.errors)
        chosen = form_of(session, draft | {"survey_id": str(survey.id)}, "wording")
        assert chosen.validate(), chosen.errors
        questionnaire.set_state(session, survey.id, "closed")
        session.flush()
        assert not form_of(session, draft | {"survey_id": str(survey.id)}, "wording").validate()


def test_elsewhere_the_field_stays_unknown() -> None:
    assert wording_rules.faults(TEXT, "", purpose="survey") == []
    assert [fault.code for fault in wording.check(TEXT)] == ["unknown_field"]
