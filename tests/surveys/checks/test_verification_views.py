"""The pages of call-backs: the plan, and the script in the console."""

from collections.abc import Callable
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.base.auth import User
from callcenter.calls import Call
from callcenter.ledger.call_scripts import script_for
from surveys.checks.verification_tables import Verification, VerificationPlan
from surveys.interviews import Interview
from surveys.questionnaire import Survey
from tests.surveys import quality_cast
from tests.surveys.quality_cast import person, rung_again

ClientAs = Callable[[str], FlaskClient]


@pytest.fixture(autouse=True)
def _without_tokens(app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)  # type: ignore[attr-defined]


@pytest.fixture
def survey(session: Session) -> Survey:
    return quality_cast.survey_of(session)


@pytest.fixture
def one(session: Session, survey: Survey, new_call: Callable[..., UUID]) -> Interview:
    made = quality_cast.ended(session, new_call(), person(session, "Carla Prueba").id, {})
    session.commit()
    return made


@pytest.fixture
def call_id(
    session: Session, survey: Survey, one: Interview, people: dict[str, User], client_as: ClientAs
) -> UUID:  # fmt: skip
    """The cast's operator rings the person again."""
    client = client_as("supervisor")
    page = f"/surveys/{survey.id}/verification"
    client.post(page, data={"percent": "100", "items": ["age"]})
    place = operators.of_user(session, people["operator"].id)
    client.post(f"{page}/queue", data={"act": "start", "crew": str(place.id)})
    made = rung_again(session, one, session.get_one(VerificationPlan, survey.id))
    session.get_one(Call, made).operator_id = place.id
    session.commit()
    return made


def test_the_console_asks_again_without_what_was_answered(
    session: Session, one: Interview, call_id: UUID, client_as: ClientAs
) -> None:
    client = client_as("operator")
    page = client.get(f"/surveys/verifications/calls/{call_id}").get_data(as_text=True)
    assert "Olga Díaz Prueba" in page
    assert "Instituto Inventado" in page
    assert 'name="item.age"' in page
    assert 'value="40"' not in page
    client.post(f"/surveys/verifications/calls/{call_id}", data={"remembers": "yes", "item.age": "40"})
    assert session.get_one(Verification, one.id, populate_existing=True).outcome == "confirmed"
    again = client.get(f"/surveys/verifications/calls/{call_id}").get_data(as_text=True)
    assert 'value="40"' in again, "what the verifier wrote stands when the page is opened again"


def test_a_fault_stands_beside_its_question_and_nothing_is_lost(call_id: UUID, client_as: ClientAs) -> None:
    page = client_as("operator").post(
        f"/surveys/verifications/calls/{call_id}", data={"remembers": "yes", "item.age": "cuarenta"}
    )
    text = page.get_data(as_text=True)
    assert "is-invalid" in text
    assert 'value="cuarenta"' in text
    assert 'value="yes" required checked' in text


def test_the_call_of_somebody_else_is_not_shown(call_id: UUID, client_as: ClientAs) -> None:
    assert client_as("supervisor").get(f"/surveys/verifications/calls/{call_id}").status_code == 404


def test_the_console_knows_the_script(app: object, survey: Survey) -> None:
    script = script_for(f"verification/{survey.id}")
    assert script is not None
    assert script.endpoint == "surveys.verify_call"


def test_the_page_shows_the_plan_the_crew_and_what_was_found(
    session: Session, survey: Survey, call_id: UUID, client_as: ClientAs
) -> None:
    client_as("operator").post(f"/surveys/verifications/calls/{call_id}", data={"remembers": "no"})
    page = client_as("pollster").get(f"/surveys/{survey.id}/verification").get_data(as_text=True)
    assert page.count("Carla Prueba") >= 2
    assert "Olga Díaz Prueba" in page


def test_a_page_without_faults_shows_none(survey: Survey, one: Interview, client_as: ClientAs) -> None:
    page = client_as("pollster").get(f"/surveys/{survey.id}/verification").get_data(as_text=True)
    assert "invalid-feedback" not in page


def test_a_plan_with_a_fault_comes_back_as_it_was_written(survey: Survey, one: Interview, client_as: ClientAs) -> None:
    answer = client_as("pollster").post(f"/surveys/{survey.id}/verification", data={"percent": "300", "items": ["age"]})
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert 'value="300"' in page
    assert 'value="age" checked' in page


def test_calls_need_a_plan_and_somebody_who_verifies(survey: Survey, one: Interview, client_as: ClientAs) -> None:
    client, page = client_as("pollster"), f"/surveys/{survey.id}/verification"
    assert client.post(f"{page}/queue", data={"act": "start"}).status_code == 404
    client.post(page, data={"percent": "50"})
    assert client.post(f"{page}/queue", data={"act": "start"}).status_code == 422
    assert client_as("strategist").get(page).status_code == 403
