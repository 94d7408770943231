"""The message to whom an operator was not there for: off at first, and once to each."""

from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.settings import Settings
from callcenter.contacts import Contact
from campaigns import channels
from campaigns.calling import CallCampaign
from campaigns.dispatch import message_sweep
from campaigns.mailings import message_campaigns as campaigns
from campaigns.messages import Message
from campaigns.segments import Segment
from campaigns.telephoning import apology_messages
from campaigns.telephoning.apology_messages import Apology
from tests.callcenter import cast
from tests.conftest import ClientAs

SORRY = Apology("Le llamamos y no pudimos atenderle. Disculpe.", "+525512340001")


@pytest.fixture(autouse=True)
def _composed(settings: Settings) -> None:
    apology_messages.compose()


@pytest.fixture
def ana(session: Session) -> Contact:
    return cast.person(session, "Ana Pérez", line_kind="mobile")


@pytest.fixture
def campaign(session: Session, settings: Settings, ana: Contact) -> CallCampaign:
    channels.configure(settings)
    landline = cast.person(session, "Rosa Luna", line_kind="landline")
    queue = cast.queue(session, ana, landline)
    segment = Segment(name="Todas", rule={"all": []})
    made = CallCampaign(name="Ola 1", segment=segment, segment_version=1, queue=queue, frozen_at=datetime.now(UTC))
    session.add(made)
    session.commit()
    return made


def written(session: Session) -> list[tuple[int | None, str]]:
    session.flush()
    return [(row.contact_id, row.state) for row in session.scalars(select(Message).order_by(Message.contact_id))]


def test_nobody_is_written_to_unless_the_campaign_wants_it(session: Session, campaign: CallCampaign) -> None:
    cast.abandoned(session, campaign.queue)
    assert (written(session), apology_messages.of(session, campaign.queue_id)) == ([], None)


def test_who_found_nobody_is_written_to_once_and_a_landline_never(
    session: Session, campaign: CallCampaign, ana: Contact
) -> None:
    apology_messages.set_message(session, campaign.queue_id, SORRY, None)
    assert apology_messages.of(session, campaign.queue_id) == SORRY
    call_id = cast.abandoned(session, campaign.queue)
    cast.abandoned(session, campaign.queue)
    apology_messages.add(session, call_id)
    assert written(session) == [(ana.id, "planned")]


def test_with_nobody_left_to_write_to_it_stays_open_for_the_next(session: Session, campaign: CallCampaign) -> None:
    apology_messages.set_message(session, campaign.queue_id, SORRY, None)
    message_id = apology_messages.message_campaign_id(session, campaign.queue_id)
    assert message_id is not None
    assert not message_sweep.finish(session, message_id)
    assert campaigns.find(session, message_id).state == "running"


def test_turned_off_nobody_more_is_written_to_and_each_change_is_in_the_audit(
    session: Session, campaign: CallCampaign
) -> None:
    queue_id = campaign.queue_id
    apology_messages.set_message(session, queue_id, SORRY, None)
    first = apology_messages.message_campaign_id(session, queue_id)
    apology_messages.set_message(session, queue_id, SORRY, None)
    assert apology_messages.message_campaign_id(session, queue_id) == first
    apology_messages.set_message(session, queue_id, Apology("Otro texto.", SORRY.sender), None)
    apology_messages.set_message(session, queue_id, None, None)
    cast.abandoned(session, campaign.queue)
    assert (written(session), apology_messages.of(session, queue_id)) == ([], None)
    kept = select(AuditEntry.detail).where(AuditEntry.action == "queues.set_apology").order_by(AuditEntry.id)
    assert [entry["is_on"] for entry in session.scalars(kept)] == [True, True, False]


def test_a_queue_that_is_no_campaigns_and_a_text_that_cannot_be_sent_are_refused(
    session: Session, campaign: CallCampaign
) -> None:
    with pytest.raises(NotFound):
        apology_messages.set_message(session, cast.queue(session).id, SORRY, None)
    for wrong in (Apology("Hola {nadie}", SORRY.sender), Apology(SORRY.text, " ")):
        with pytest.raises(InvalidInput):
            apology_messages.set_message(session, campaign.queue_id, wrong, None)


def test_the_page_says_what_is_heard_and_turns_the_message_on_and_off(
    session: Session, campaign: CallCampaign, client_as: ClientAs
) -> None:
    client: FlaskClient = client_as("strategist")
    client.application.config["WTF_CSRF_ENABLED"] = False
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    path = f"/campaigns/calls/{campaign.id}/apology"
    page = client.get(path).text
    assert "de parte de Casa Encuestadora" in page
    assert "Off: nobody is written to." in page
    assert client.post(path, data={"text": "Hola {nadie}"}).status_code == 422
    assert client.post(path, data={"text": SORRY.text}).status_code == 302
    assert "On: 0 people" in client.get(path).text
    assert client.post(path, data={"off": "1"}).status_code == 302
    assert apology_messages.of(session, campaign.queue_id) is None


def test_a_supervisor_reads_the_page_and_changes_nothing(campaign: CallCampaign, client_as: ClientAs) -> None:
    client = client_as("supervisor")
    path = f"/campaigns/calls/{campaign.id}/apology"
    assert "<textarea" not in client.get(path).text
    assert client.post(path, data={"off": "1"}).status_code in (400, 403)
