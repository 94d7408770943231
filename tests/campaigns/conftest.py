"""What the tests of campaigns stand on: invented people in the drill's calendar, and a campaign to write to them."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base import clock
from callcenter.base.settings import Settings
from campaigns.dispatch import message_planning
from campaigns.mailings import message_campaigns
from campaigns.mailings.message_campaigns import MessageCampaign, MessagePlan
from campaigns.segments import Segment
from campaigns.texts import link_addresses
from tests.campaigns.cast import LUPITA, MARIO, ROSA, Campaign, Cast, person


@pytest.fixture
def cast(session: Session, settings: Settings) -> Cast:
    suppressions.configure(settings.suppression_key)
    link_addresses.configure(settings)
    clock.start_drill(session)
    people = Cast(
        person("Guadalupe Ramos", LUPITA, neighborhood="Centro"),
        person("Alberto Ramos", LUPITA, neighborhood="Centro"),
        person("Mario Cruz", MARIO),
        person("Rosa Pérez", ROSA, line_kind="landline", neighborhood="Centro"),
    )
    session.add_all([people.lupita, people.beto, people.mario, people.rosa])
    session.flush()
    return people


@pytest.fixture
def campaign(session: Session) -> Campaign:
    """Makes a campaign to everybody, planned and running."""

    def make(text: str = "Hola {given_names}. BAJA para no recibir", **plan: Any) -> MessageCampaign:
        segment = Segment(name="Everybody", rule={"all": []})
        session.add(segment)
        session.flush()
        decided = {"purpose": "survey", "sender": "+525512340001", "carrier": "simulated", **plan}
        made = message_campaigns.create(session, MessagePlan("Greeting", segment.id, text=text, **decided), None)
        message_campaigns.launch(session, made.id, None)
        message_planning.write_for_segment(session, made.id)
        message_campaigns.resume(session, made.id, None)
        session.commit()
        return made

    return make
