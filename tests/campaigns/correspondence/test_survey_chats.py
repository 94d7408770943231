"""A survey in a chat: who says yes is asked, each answer brings the next question, and no answer is lost or guessed."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base.auth import User
from callcenter.base.errors import Refused
from callcenter.base.settings import Settings
from campaigns import channels
from campaigns.correspondence import survey_chats
from campaigns.correspondence.conversations import Conversation
from campaigns.correspondence.survey_chats import SurveyChat
from campaigns.dispatch import message_claims as claims
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message
from surveys import questionnaire
from surveys.fieldwork import link_codes
from surveys.interviews import Answer, Interview
from surveys.questionnaire import Survey
from tests.campaigns.cast import MARIO, Campaign, Cast
from tests.campaigns.correspondents import conversation, heard
from tests.surveys.survey_forms import SAMPLE, workbook

pytestmark = pytest.mark.usefixtures("app")
ASKED = "Encuestas del Sur: ¿contesta cuatro preguntas? Responda SÍ. BAJA para no recibir"


@pytest.fixture(autouse=True)
def _channels(settings: Settings) -> None:
    channels.configure(settings)
    link_codes.configure(settings)
    survey_chats.compose()


@pytest.fixture
def survey(session: Session) -> Survey:
    return questionnaire.create_survey(session, "Ola chat", SAMPLE.name, SAMPLE.read_bytes())


@pytest.fixture
def sent(session: Session, cast: Cast, campaign: Campaign, survey: Survey) -> MessageCampaign:
    """A campaign that asks for the survey, and has left."""
    made = campaign(ASKED, survey_id=survey.id, on_behalf_of="Encuestas del Sur")
    claims.claim(session, made.id, 10)
    session.commit()
    return made


def texts(session: Session) -> list[str]:
    """What we wrote in conversations, in the order in which we did."""
    rows = session.scalars(select(Message).where(Message.turn > 0).order_by(Message.turn))
    return [row.body or "" for row in rows]


def write(session: Session, *said: str) -> Conversation:
    for text in said:
        found = heard(session, MARIO, text)
        session.flush()
    return conversation(session, found)


def test_a_yes_begins_and_each_answer_brings_the_next_question(session: Session, sent: MessageCampaign) -> None:
    found = write(session, "Sí")
    assert texts(session)[0].startswith("¿Acepta participar?\n1) ")
    assert found.waiting_since is None, "nobody has to answer them"
    write(session, "1", "34", "Mujer")
    assert len(texts(session)) == 4
    interview = session.scalars(select(Interview)).one()
    assert (interview.face, interview.state) == ("sms", "started")
    said = {row.item: row.value for row in session.execute(select(Answer.item, Answer.value))}
    assert said["consent"] == "yes"
    assert said["age"] == "34"


def test_at_the_end_they_are_thanked_and_the_conversation_is_over(session: Session, sent: MessageCampaign) -> None:
    found = write(session, "si", "1", "34", "2", "1", "8", "Rojo", "azul", "1 y 2", "saltar", "Porque sí.")
    assert session.scalars(select(Interview.state)).one() == "complete"
    assert texts(session)[-1] == "Muchas gracias por su tiempo."
    assert (found.state, found.waiting_since) == ("resolved", None)
    assert session.scalars(select(SurveyChat.state)).one() == "done"


def test_who_says_no_to_the_first_question_is_asked_nothing_more(session: Session, sent: MessageCampaign) -> None:
    write(session, "va", "no")
    assert session.scalars(select(Interview.state)).one() == "void"
    assert session.scalars(select(SurveyChat.state)).one() == "done"
    before = len(texts(session))
    found = write(session, "¿Siguen ahí?")
    assert len(texts(session)) == before
    assert found.waiting_since is not None, "that is for a person"


def test_what_is_not_understood_is_asked_again_and_then_left_to_a_person(
    session: Session, sent: MessageCampaign
) -> None:
    found = write(session, "sí", "¿para qué?", "¿quiénes son?")
    assert texts(session)[-1].startswith("No entendimos su respuesta.\n¿Acepta participar?")
    assert found.waiting_since is None
    found = write(session, "no entiendo nada de esto")
    assert session.scalars(select(SurveyChat.state)).one() == "left"
    assert found.waiting_since is not None
    assert texts(session)[-1].startswith("Le contestará una persona")


def test_an_answer_outside_of_what_is_allowed_says_why(session: Session, sent: MessageCampaign) -> None:
    write(session, "sí", "1", "7")
    assert "¿Cuántos años" in texts(session)[-1]
    assert session.scalars(select(Answer).where(Answer.item == "age")).all() == []


def test_one_may_go_back(session: Session, sent: MessageCampaign) -> None:
    write(session, "sí", "1", "34", "atrás")
    assert "¿Cuántos años" in texts(session)[-1]
    write(session, "35")
    held = select(Answer.value).where(Answer.item == "age", Answer.superseded_at.is_(None))
    assert session.scalars(held).one() == "35"


def test_an_opt_out_ends_it_whatever_was_asked(session: Session, sent: MessageCampaign) -> None:
    write(session, "sí", "1", "34")
    before = len(texts(session))
    write(session, "BAJA")
    assert suppressions.find(session, MARIO) is not None
    assert session.scalars(select(SurveyChat.state)).one() == "ended"
    assert session.scalars(select(Interview.state)).one() == "partial"
    assert len(texts(session)) == before


def test_a_survey_that_was_closed_meanwhile_says_so(session: Session, sent: MessageCampaign, survey: Survey) -> None:
    write(session, "sí", "1")
    questionnaire.set_state(session, survey.id, "closed")
    session.flush()
    write(session, "34")
    assert texts(session)[-1] == "Esta encuesta ya terminó. Gracias."
    assert session.scalars(select(SurveyChat.state)).one() == "ended"


def test_anything_but_a_yes_waits_for_a_person(session: Session, sent: MessageCampaign) -> None:
    found = write(session, "¿Quién pregunta?")
    assert found.waiting_since is not None
    assert session.scalars(select(SurveyChat)).all() == []


def test_a_yes_to_a_campaign_without_a_survey_is_a_persons_too(
    session: Session, cast: Cast, campaign: Campaign
) -> None:
    claims.claim(session, campaign().id, 10)
    assert write(session, "sí").waiting_since is not None
    assert session.scalars(select(SurveyChat)).all() == []


def test_a_colleague_begins_it_in_a_conversation_once(
    session: Session, cast: Cast, survey: Survey, people: dict[str, User]
) -> None:
    olga = people["operator"].id
    found = conversation(session, heard(session, MARIO, "¿Me pueden preguntar por aquí?"))
    survey_chats.begin(session, found, survey.id, olga)
    assert texts(session)[0].startswith("¿Acepta participar?")
    with pytest.raises(Refused) as refusal:
        survey_chats.begin(session, found, survey.id, olga)
    assert refusal.value.code == "asking"
    assert survey_chats.stop(session, found, olga)
    assert not survey_chats.stop(session, found, olga)


def test_who_has_answered_is_not_asked_again(session: Session, sent: MessageCampaign, survey: Survey) -> None:
    found = write(session, "si", "1", "34", "2", "1", "8", "Rojo", "azul", "1 y 2", "saltar", "Porque sí.")
    with pytest.raises(Refused) as refusal:
        survey_chats.begin(session, found, survey.id, None)
    assert refusal.value.code == "used"


def test_somebody_on_no_list_cannot_be_asked(session: Session, cast: Cast, survey: Survey) -> None:
    found = conversation(session, heard(session, "+525588887777", "hola"))
    with pytest.raises(Refused) as refusal:
        survey_chats.begin(session, found, survey.id, None)
    assert refusal.value.code == "unknown_person"


def test_notes_come_before_the_question_that_follows_them(
    session: Session, cast: Cast, people: dict[str, User]
) -> None:
    form = workbook([["type", "name", "label"], ["note", "hello", "Buenas."], ["integer", "age", "¿Edad?"]], None, None)
    survey = questionnaire.create_survey(session, "Corta", "corta.xlsx", form)
    found = conversation(session, heard(session, MARIO, "hola"))
    survey_chats.begin(session, found, survey.id, None)
    assert texts(session)[0].splitlines()[:2] == ["Buenas.", "¿Edad?"]
