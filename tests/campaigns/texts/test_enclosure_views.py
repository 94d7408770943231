"""Choosing what goes with a campaign's text, and what keeps it here until that is chosen."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.errors import Refused
from campaigns.channels.content import Content
from campaigns.mailings import message_approvals, message_campaigns
from campaigns.mailings.message_campaigns import MessageCampaign, MessagePlan
from campaigns.segments import Segment
from campaigns.texts import enclosures, message_templates
from tests.base.conftest import post
from tests.campaigns.cast import Cast
from tests.conftest import ClientAs

BODY = "Hola {{1}}, le escribe Encuestas del Golfo. Responda BAJA para no recibir más."
TEMPLATE = Content("HX" + "1" * 32, "aviso", "es_MX", "twilio/text", BODY, {"1": "vecina"}, state="approved")


@pytest.fixture
def draft(session: Session, cast: Cast, people: dict[str, User]) -> Any:
    """Makes a draft of a campaign by that channel."""

    def make(channel: str, **plan: Any) -> MessageCampaign:
        segment = Segment(name="Everybody", rule={"all": []})
        session.add(segment)
        session.flush()
        given = {"text": "Hola. Encuestas del Golfo. BAJA", "sender": "+525512340001", "purpose": "survey", **plan}
        made = message_campaigns.create(
            session, MessagePlan("Aviso", segment.id, carrier="simulated", on_behalf_of="Encuestas del Golfo",
                                 channel=channel, **given), people["strategist"].id,
        )  # fmt: skip
        session.commit()
        return made

    return make


def test_a_template_that_is_chosen_becomes_the_text(session: Session, draft: Any, client_as: ClientAs) -> None:
    message_templates.keep(session, "simulated", [TEMPLATE])
    [template] = message_templates.every(session, "simulated")
    campaign = draft("whatsapp")
    address = f"/campaigns/messages/{campaign.id}/enclosed"
    browser = client_as("strategist")
    assert browser.get(address).status_code == 200
    form = {"template_id": str(template.id), "variable-1": "{given_names|vecina}"}
    assert post(browser, address, form, page=address).status_code == 302
    session.refresh(campaign)
    assert campaign.text == BODY.replace("{{1}}", "{given_names|vecina}")
    assert enclosures.missing(session, campaign.id, "whatsapp", {"A": campaign.text}) == []
    assert "aviso" in browser.get(f"/campaigns/messages/{campaign.id}").text


def test_what_is_missing_is_said_where_it_is_and_nothing_typed_is_lost(
    session: Session, draft: Any, client_as: ClientAs
) -> None:
    campaign = draft("email")
    address = f"/campaigns/messages/{campaign.id}/enclosed"
    page = post(client_as("strategist"), address, {"title": "{salary}, su opinión"}, page=address)
    assert page.status_code == 422
    assert "{salary}, su opinión" in page.text
    assert 'id="title-fault"' in page.text


@pytest.mark.parametrize("channel", ["whatsapp", "email"])
def test_without_what_its_channel_needs_a_campaign_does_not_leave(
    session: Session, draft: Any, people: dict[str, User], channel: str
) -> None:
    campaign = draft(channel)
    with pytest.raises(Refused) as error:
        message_campaigns.launch(session, campaign.id, people["strategist"].id)
    assert error.value.code == "enclosed"


def test_another_template_asks_for_another_approval(session: Session, draft: Any) -> None:
    campaign = draft("email")
    before = message_approvals.version(session, campaign)
    enclosures.keep(session, campaign.id, "A", enclosures.Enclosed(title="Su opinión"), None)
    assert message_approvals.version(session, campaign) != before


def test_a_campaign_that_is_being_sent_is_not_changed(
    session: Session, draft: Any, people: dict[str, User], client_as: ClientAs
) -> None:
    campaign = draft("telegram")
    address = f"/campaigns/messages/{campaign.id}/enclosed"
    campaign.state = "running"
    session.commit()
    assert post(client_as("strategist"), address, {}, page=address).status_code == 409
