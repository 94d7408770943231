"""A calling campaign that a recorded survey answers: chosen on the form, checked before it starts."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import carriers
from callcenter.base.errors import Refused
from callcenter.base.settings import Settings
from campaigns import calling
from campaigns.calling import CallCampaign, CallPlan
from campaigns.segments import Segment
from surveys import questionnaire
from surveys.questionnaire import Survey
from surveys.voice import speech
from tests.callcenter.cast import FakeCarrier
from tests.callcenter.trunk_cast import MEXICO_CITY, trunk
from tests.campaigns import wizard
from tests.surveys.pictures.picture_cast import ballot
from tests.surveys.survey_forms import SAMPLE, workbook

MUTE = [["type", "name", "label::Náhuatl (nah)"], ["integer", "age", "¿Xihuitl?"]]


@pytest.fixture
def strategist(app: Flask, client_as: Callable[[str], FlaskClient], tmp_path: Path) -> Iterator[FlaskClient]:
    """On an installation with a telephone switch of its own."""
    app.config["WTF_CSRF_ENABLED"] = False
    speech.configure(tmp_path / "speech")
    client = client_as("strategist")
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    yield client
    carriers.use({})


@pytest.fixture
def survey(session: Session) -> Survey:
    made = questionnaire.create_survey(session, "Ola 1", SAMPLE.name, SAMPLE.read_bytes())
    session.commit()
    return made


@pytest.fixture
def form(app: Flask, session: Session, settings: Settings, survey: Survey) -> dict[str, str]:
    """A campaign where Asterisk is the carrier."""
    app.config["SETTINGS"] = replace(settings, carrier="asterisk")
    carriers.use({"asterisk": FakeCarrier()})
    segment = Segment(name="Todas", rule={"all": []})
    session.add(segment)
    trunk(session, numbers={MEXICO_CITY: ["55"]})
    session.commit()
    return {
        "name": "Ola grabada", "segment_id": str(segment.id), "purpose": "survey", "script": f"survey/{survey.id}",
        "on_behalf_of": "Instituto Inventado", "caller_id": MEXICO_CITY, "recording": "off",
        "privacy_notice_url": "https://example.org/aviso", "answered_by": "recording", "sessions": "20",
        "machine_detection": "shadow",
    }  # fmt: skip


def made(session: Session) -> CallCampaign:
    return session.scalars(select(CallCampaign).order_by(CallCampaign.id.desc())).all()[0]


def test_a_recorded_survey_is_chosen_with_its_sessions_and_the_price_of_machine_detection(
    session: Session, strategist: FlaskClient, form: dict[str, str]
) -> None:
    draft_id = wizard.begin(strategist)
    assert "waits 1.9 s in silence" in wizard.page(strategist, draft_id, "pace")
    wizard.write(strategist, draft_id, form)
    page = wizard.page(strategist, draft_id, "script")
    assert "What the recorded survey says" in page
    assert "The question why (text) cannot be asked by telephone keys" in page
    assert wizard.start(strategist, draft_id).status_code == 302
    queue = made(session).queue
    assert (queue.answered_by, queue.sessions, queue.machine_detection) == ("recording", 20, "shadow")


@pytest.mark.parametrize(
    ("step", "changed", "told"),
    [
        ("script", {"script": "operator", "script_text": "Hola"}, "a machine reads no text of our own"),
        ("pace", {"sessions": "0"}, "from 1 to 1000"),
        ("pace", {"sessions": "veinte"}, "Not a valid integer"),
    ],
)
def test_what_a_recorded_survey_cannot_be_is_said_beside_its_field(
    session: Session, strategist: FlaskClient, form: dict[str, str], step: str, changed: dict[str, str], told: str
) -> None:
    draft_id = wizard.begin(strategist)
    wizard.write(strategist, draft_id, form | changed)
    assert wizard.start(strategist, draft_id).status_code == 422
    answer = wizard.next_of(strategist, draft_id, step, form | changed)
    assert told in answer.text
    assert session.scalars(select(CallCampaign)).all() == []


def test_a_carrier_that_asks_for_each_step_holds_recorded_surveys_too(
    session: Session, strategist: FlaskClient, form: dict[str, str]
) -> None:
    carriers.use({"simulated": FakeCarrier()})
    draft_id = wizard.begin(strategist)
    assert 'name="answered_by"' in wizard.page(strategist, draft_id, "goal")
    assert "holds no recorded surveys" not in wizard.next_of(strategist, draft_id, "goal", form).text


def test_without_a_carrier_there_is_no_recorded_survey(strategist: FlaskClient, form: dict[str, str]) -> None:
    carriers.use({})
    draft_id = wizard.begin(strategist)
    assert 'name="answered_by"' not in wizard.page(strategist, draft_id, "goal")
    assert "holds no recorded surveys" in wizard.next_of(strategist, draft_id, "goal", form).text


def test_nobody_is_called_to_hear_silence(session: Session, strategist: FlaskClient, form: dict[str, str]) -> None:
    mute = questionnaire.create_survey(session, "Náhuatl", "nah.xlsx", workbook(MUTE))
    session.commit()
    draft_id = wizard.begin(strategist)
    wizard.write(strategist, draft_id, form | {"script": f"survey/{mute.id}"})
    page = wizard.page(strategist, draft_id, "script")
    assert "Must be mended:" in page
    assert "system/identify" in page
    assert wizard.start(strategist, draft_id).status_code == 422
    assert session.scalars(select(CallCampaign)).all() == []


def test_a_campaign_that_was_made_before_its_survey_went_mute_is_not_launched(
    session: Session, strategist: FlaskClient, form: dict[str, str]
) -> None:
    mute = questionnaire.create_survey(session, "Náhuatl", "nah.xlsx", workbook(MUTE))
    plan = CallPlan(form["name"], int(form["segment_id"]), "survey", f"survey/{mute.id}", "asterisk", MEXICO_CITY,
                    form["on_behalf_of"], form["privacy_notice_url"], answered_by="recording")  # fmt: skip
    draft = calling.create(session, plan, None)
    with pytest.raises(Refused, match="no recording"):
        calling.launch(session, draft.id, None)


def test_pictures_that_operators_would_not_see_are_named_before_the_launch_and_hold_nobody_up(
    session: Session, strategist: FlaskClient, form: dict[str, str]
) -> None:
    drawn = questionnaire.create_survey(session, "Boleta", "boleta.xlsx", ballot())
    draft_id = wizard.begin(strategist)
    wizard.write(strategist, draft_id, form | {"script": f"survey/{drawn.id}", "answered_by": "operators"})
    assert "not uploaded: boleta.png, azul.png" in wizard.page(strategist, draft_id, "script")
    plan = CallPlan(form["name"], int(form["segment_id"]), "survey", f"survey/{drawn.id}", "asterisk", MEXICO_CITY,
                    form["on_behalf_of"], form["privacy_notice_url"])  # fmt: skip
    draft = calling.create(session, plan, None)
    session.commit()
    assert "not uploaded: boleta.png" in strategist.get(f"/campaigns/calls/{draft.id}").text
    recorded = calling.create(session, replace(plan, answered_by="recording"), None)
    assert calling.missing_pictures(session, recorded) == ""
