"""Whether the calls of a campaign are recorded, and what people are told about it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import carriers
from callcenter.base.settings import Settings
from callcenter.sound.recording_ledger import RecordingNotice
from campaigns.calling import CallCampaign
from campaigns.segments import Segment
from tests.callcenter.cast import FakeCarrier
from tests.callcenter.trunk_cast import MEXICO_CITY, trunk
from tests.campaigns import wizard
from tests.conftest import ClientAs

NOTICE = "Esta llamada será grabada para cuidar su calidad."


@pytest.fixture
def strategist(app: Flask, client_as: ClientAs) -> Iterator[FlaskClient]:
    app.config["WTF_CSRF_ENABLED"] = False
    yield client_as("strategist")
    carriers.use({})


@pytest.fixture
def form(app: Flask, session: Session, settings: Settings) -> dict[str, str]:
    """A campaign where Asterisk is the carrier."""
    app.config["SETTINGS"] = replace(settings, carrier="asterisk")
    carriers.use({"asterisk": FakeCarrier()})
    segment = Segment(name="Todas", rule={"all": []})
    session.add(segment)
    trunk(session, numbers={MEXICO_CITY: ["55"]})
    session.commit()
    return {
        "name": "Encuesta", "segment_id": str(segment.id), "purpose": "survey", "script": "operator",
        "script_text": "Buenos días", "on_behalf_of": "Estudio Prueba", "caller_id": MEXICO_CITY,
        "privacy_notice_url": "https://example.org/aviso", "answered_by": "operator", "machine_detection": "off",
        "recording": "off", "recording_notice": NOTICE,
    }  # fmt: skip


def made(session: Session) -> CallCampaign:
    return session.scalars(select(CallCampaign).order_by(CallCampaign.id.desc())).first()  # type: ignore[return-value]


def test_calls_are_not_recorded_unless_somebody_says_so(
    strategist: FlaskClient, form: dict[str, str], session: Session
) -> None:
    del form["recording"], form["recording_notice"]
    answer = wizard.make(strategist, form)
    assert answer.status_code == 302, answer.text
    assert (made(session).queue.recording, made(session).queue.recording_notice_id) == ("off", None)


@pytest.mark.parametrize("mode", ["notice", "ask"])
def test_each_wording_of_the_notice_is_kept_once(
    strategist: FlaskClient, form: dict[str, str], session: Session, mode: str
) -> None:
    notices = []
    for wording in (NOTICE, f"  {NOTICE} ", "Otra."):
        answer = wizard.make(strategist, form | {"recording": mode, "recording_notice": wording})
        assert answer.status_code == 302, answer.text
        assert made(session).queue.recording == mode
        notices.append(made(session).queue.recording_notice_id)
    assert notices[0] == notices[1] != notices[2]
    assert session.scalar(select(func.count()).select_from(RecordingNotice)) == 2
    assert session.get_one(RecordingNotice, notices[0]).text == NOTICE


@pytest.mark.parametrize("wording", ["", "   ", "x" * 501])
def test_a_recording_without_words_or_with_too_many_is_refused_and_nothing_typed_is_lost(
    strategist: FlaskClient, form: dict[str, str], wording: str
) -> None:
    draft_id, wanted = wizard.begin(strategist), form | {"recording": "ask", "recording_notice": wording}
    wizard.write(strategist, draft_id, wanted)
    answer = wizard.next_of(strategist, draft_id, "caller", wanted)
    assert "recording_notice-fault" in answer.text
    assert wording in answer.text
    assert wizard.start(strategist, draft_id).status_code == 422
    assert "Estudio Prueba" in wizard.page(strategist, draft_id, "goal")


def test_where_the_carrier_cannot_record_nobody_is_offered_it(
    strategist: FlaskClient, form: dict[str, str], app: Flask, settings: Settings
) -> None:
    app.config["SETTINGS"] = settings
    carriers.use({"another": FakeCarrier()})
    wanted = form | {"recording": "notice", "caller_id": "+525512340000"}
    draft_id = wizard.begin(strategist)
    wizard.write(strategist, draft_id, wanted)
    assert wizard.start(strategist, draft_id).status_code == 422
    assert 'name="recording"' not in wizard.page(strategist, draft_id, "caller")
