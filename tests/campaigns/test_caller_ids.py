"""Which numbers a campaign may show, and whom its trunks lead to."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter import carriers
from callcenter.base.settings import Settings
from campaigns import labels
from campaigns.segments import Segment
from tests.callcenter.cast import FakeCarrier
from tests.callcenter.trunk_cast import MEXICO_CITY, XALAPA, trunk
from tests.campaigns import wizard
from tests.conftest import ClientAs


@pytest.fixture
def strategist(app: Flask, client_as: ClientAs, settings: Settings, session: Session) -> Iterator[FlaskClient]:
    """Where Asterisk is the carrier, in English."""
    app.config["SETTINGS"] = replace(settings, carrier="asterisk")
    carriers.use({"asterisk": FakeCarrier()})
    session.add(Segment(name="Todas", rule={"all": []}))
    session.commit()
    client = client_as("strategist")
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    yield client
    carriers.use({})


def test_without_a_trunk_the_form_says_who_adds_one(strategist: FlaskClient) -> None:
    assert "takes a trunk into use under Telephony" in wizard.page(strategist, wizard.begin(strategist), "caller")


def test_a_campaign_shows_a_number_that_some_trunk_may_show(session: Session, strategist: FlaskClient) -> None:
    trunk(session, numbers={MEXICO_CITY: ["55"]})
    trunk(session, numbers={"+529998887777": []}, is_enabled=False)
    session.commit()
    page = wizard.page(strategist, wizard.begin(strategist), "caller")
    assert f'value="{MEXICO_CITY}"' in page
    assert "+529998887777" not in page
    assert 'value="local"' not in page  # one number is nobody's local choice


def test_with_several_numbers_each_person_may_see_the_one_of_their_area(
    session: Session, strategist: FlaskClient
) -> None:
    trunk(session, numbers={MEXICO_CITY: ["55"], XALAPA: ["228"]})
    session.commit()
    page = wizard.page(strategist, wizard.begin(strategist), "caller")
    assert 'value="local"' in page
    assert "number of each person&#39;s own area" in page or "number of each person's own area" in page
    assert labels.caller_id(XALAPA) == XALAPA
