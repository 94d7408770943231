"""Asking a survey from the inbox: the person's link in an answer, or the questions right there."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from campaigns.correspondence import survey_chats
from campaigns.correspondence.conversations import Conversation
from campaigns.correspondence.survey_chats import SurveyChat
from campaigns.messages import Message
from surveys import questionnaire
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.questionnaire import Survey
from tests.campaigns.cast import MARIO, Cast
from tests.campaigns.correspondents import conversation, heard
from tests.surveys.survey_forms import SAMPLE

Enter = Callable[[str], FlaskClient]


@pytest.fixture
def client(app: Flask, client_as: Enter) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    return client_as("supervisor")


@pytest.fixture
def survey(session: Session) -> Survey:
    return questionnaire.create_survey(session, "Ola bandeja", SAMPLE.name, SAMPLE.read_bytes())


@pytest.fixture
def mario(session: Session, cast: Cast, survey: Survey) -> Conversation:
    found = conversation(session, heard(session, MARIO, "¿Me mandan la liga?"))
    session.commit()
    return found


def act(found: Conversation, name: str = "survey") -> str:
    return f"/campaigns/inbox/conversations/{found.id}/{name}"


def test_the_link_stands_in_the_answer_for_a_person_to_send(
    session: Session, client: FlaskClient, mario: Conversation, survey: Survey
) -> None:
    page = client.post(act(mario), data={"survey": survey.id, "way": "link"})
    assert page.status_code == 200
    assert "http://convoca.test/e/" in page.text
    assert session.scalars(select(Message).where(Message.turn > 0)).all() == []
    link = session.scalars(select(SurveyLink)).one()
    assert (link.contact_id, link.source) == (mario.contact_id, f"conversation/{mario.id}")


def test_the_first_question_leaves_at_once_and_can_be_stopped(
    session: Session, client: FlaskClient, mario: Conversation, survey: Survey
) -> None:
    assert client.post(act(mario), data={"survey": survey.id, "way": "chat"}).status_code == 302
    (message,) = session.scalars(select(Message).where(Message.turn > 0))
    assert (message.body or "").startswith("¿Acepta participar?")
    page = client.get(act(mario, "").rstrip("/")).text
    assert "survey/stop" in page
    assert client.post(act(mario, "survey/stop")).status_code == 302
    session.expire_all()
    assert session.scalars(select(SurveyChat.state)).one() == survey_chats.LEFT


def test_what_cannot_be_asked_says_why_beside_the_choice(
    session: Session, client: FlaskClient, mario: Conversation, survey: Survey
) -> None:
    questionnaire.set_state(session, survey.id, "closed")
    questionnaire.create_survey(session, "Otra", SAMPLE.name, SAMPLE.read_bytes())  # so that there is one to choose
    session.commit()
    for way in ("link", "chat"):
        page = client.post(act(mario), data={"survey": survey.id, "way": way})
        assert page.status_code == 422
        assert 'id="survey-fault"' in page.text
    assert client.post(act(mario), data={"survey": 999_999, "way": "chat"}).status_code == 422
