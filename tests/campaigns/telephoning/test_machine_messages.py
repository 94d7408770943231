"""Messages on answering machines and recordings, chosen where the carrier itself detects, records and speaks."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import carriers
from campaigns.calling import CallCampaign
from campaigns.segments import Segment
from campaigns.telephoning import draft_plans
from tests.callcenter.cast import FakeCarrier
from tests.campaigns import wizard
from tests.campaigns.cast import Cast
from tests.conftest import ClientAs

TEXT = "Le llamamos de parte de Estudio Prueba. Volveremos a llamarle."


@pytest.fixture
def strategist(app: Flask, client_as: ClientAs) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    client = client_as("strategist")
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def form(session: Session, cast: Cast) -> dict[str, Any]:
    segment = Segment(name="Centro", rule={"all": []})
    session.add(segment)
    session.commit()
    return {
        "name": "Encuesta", "segment_id": str(segment.id), "purpose": "survey", "script": "operator",
        "script_text": "Buenos días", "on_behalf_of": "Estudio Prueba", "caller_id": "+525512340000",
        "privacy_notice_url": "https://example.org/aviso", "team": "3", "hours_a_day": "6", "hour_price": "80",
        "machine_detection": "on", "voicemail_text": f"  {TEXT} ", "recording": "notice",
        "recording_notice": "Esta llamada será grabada.",
    }  # fmt: skip


def made(session: Session) -> CallCampaign:
    return session.scalars(select(CallCampaign).order_by(CallCampaign.id.desc())).all()[0]


def test_what_machines_hear_and_whether_calls_are_recorded_is_chosen_with_twilio_too(
    session: Session, strategist: FlaskClient, form: dict[str, Any]
) -> None:
    draft_id = wizard.begin(strategist)
    page = wizard.page(strategist, draft_id, "pace")
    assert "nobody waits in silence" in page
    assert 'name="voicemail_text"' in page
    assert 'name="recording"' in wizard.page(strategist, draft_id, "caller")
    wizard.write(strategist, draft_id, form)
    assert TEXT in wizard.page(strategist, draft_id, "review")
    assert wizard.start(strategist, draft_id).status_code == 302
    queue = made(session).queue
    assert (queue.machine_detection, queue.voicemail_text, queue.recording) == ("on", TEXT, "notice")
    assert draft_plans.written_of(session, made(session))["voicemail_text"] == TEXT


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"machine_detection": "off"}, "A message needs the detection of machines"),
        ({"machine_detection": "shadow"}, "A message needs the detection of machines"),
        ({"voicemail_text": "Volveremos a llamar."}, "on whose behalf you call: Estudio Prueba"),
        ({"voicemail_text": "x" * 501}, "500"),
    ],
)
def test_a_message_that_may_not_be_left_is_told_beside_its_field(
    session: Session, strategist: FlaskClient, form: dict[str, Any], changed: dict[str, str], told: str
) -> None:
    draft_id = wizard.begin(strategist)
    wizard.write(strategist, draft_id, form | changed)
    answer = wizard.next_of(strategist, draft_id, "pace", form | changed)
    assert told in answer.text
    assert (form | changed)["voicemail_text"].strip() in answer.text  # nothing typed is lost
    assert wizard.start(strategist, draft_id).status_code == 422


def test_an_asterisk_leaves_no_messages(app: Flask, session: Session, strategist: FlaskClient) -> None:
    carriers.use({"asterisk": FakeCarrier()})
    try:
        page = wizard.page(strategist, wizard.begin(strategist), "pace")
    finally:
        carriers.use({})
    assert 'name="voicemail_text"' not in page
    assert "waits 1.9 s in silence" in page
