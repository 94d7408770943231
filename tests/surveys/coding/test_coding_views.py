"""The pages of coding."""

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from surveys.coding import coded_answers
from surveys.interviews import Interview
from surveys.questionnaire import Survey
from tests.surveys import quality_cast

ClientAs = Callable[[str], FlaskClient]
FRAME = {"codes": "1 Seguridad\n2 Agua", "double_percent": "100"}


@pytest.fixture(autouse=True)
def _without_tokens(app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)  # type: ignore[attr-defined]


@pytest.fixture
def survey(session: Session) -> Survey:
    return quality_cast.survey_of(session)


@pytest.fixture
def one(session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User) -> Interview:
    made = quality_cast.ended(session, new_call(), rosa.id, {"why": ("Porque <b>sí</b>", 9.0)})
    session.commit()
    return made


def test_two_people_code_blind_and_a_third_decides(
    session: Session, survey: Survey, one: Interview, client_as: ClientAs
) -> None:
    base = f"/surveys/{survey.id}/coding"
    first, second = client_as("pollster"), client_as("supervisor")
    assert first.post(f"{base}/why/frame", data=FRAME).status_code == 302
    page = first.get(f"{base}/why").get_data(as_text=True)
    assert "Porque &lt;b&gt;sí" in page
    assert "Pablo Soto" in page.partition("<main")[0], "the page keeps its own frame"
    first.post(f"{base}/why", data={"interview": str(one.id), "code": "1"})
    blind = second.get(f"{base}/why").get_data(as_text=True)
    assert "Pablo Soto" not in blind.partition("<main")[2]
    second.post(f"{base}/why", data={"interview": str(one.id), "code": "2"})
    overview = first.get(base).get_data(as_text=True)
    assert f"{base}/why/differences" in overview
    assert "κ" in overview
    differences = client_as("administrator").get(f"{base}/why/differences").get_data(as_text=True)
    assert re.search(r"Pablo Soto Prueba:\s*Seguridad", differences)
    client_as("administrator").post(f"{base}/why/differences", data={"interview": str(one.id), "code": "2"})
    assert coded_answers.codes(session, survey.id, "why") == {one.id: ("2",)}


def test_a_wrong_frame_comes_back_as_it_was_written(survey: Survey, one: Interview, client_as: ClientAs) -> None:
    wrong = {"codes": "1 Seguridad\n1 Agua", "double_percent": "50", "is_multiple": "on"}
    answer = client_as("pollster").post(f"/surveys/{survey.id}/coding/why/frame", data=wrong)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "1 Seguridad\n1 Agua" in page
    assert 'name="is_multiple" checked' in page


def test_an_answer_without_a_code_says_so_and_stays(survey: Survey, one: Interview, client_as: ClientAs) -> None:
    client = client_as("pollster")
    client.post(f"/surveys/{survey.id}/coding/why/frame", data=FRAME)
    answer = client.post(f"/surveys/{survey.id}/coding/why", data={"interview": str(one.id)})
    assert answer.status_code == 422
    assert "Porque &lt;b&gt;sí" in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", ["coding/vote/frame", "coding/vote", "coding/none/differences"])
def test_what_is_no_open_question_is_not_found(survey: Survey, one: Interview, client_as: ClientAs, path: str) -> None:
    assert client_as("pollster").get(f"/surveys/{survey.id}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["why", "why/differences"])
def test_without_codes_the_way_leads_to_writing_them(
    survey: Survey, one: Interview, client_as: ClientAs, path: str
) -> None:
    answer = client_as("pollster").get(f"/surveys/{survey.id}/coding/{path}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/surveys/{survey.id}/coding/why/frame")


def test_nonsense_for_an_interview_is_not_found(survey: Survey, one: Interview, client_as: ClientAs) -> None:
    client = client_as("pollster")
    client.post(f"/surveys/{survey.id}/coding/why/frame", data=FRAME)
    answer = client.post(f"/surveys/{survey.id}/coding/why", data={"interview": "x", "code": "1"})
    assert answer.status_code == 404


def test_operators_do_not_code(survey: Survey, one: Interview, client_as: ClientAs) -> None:
    assert client_as("operator").get(f"/surveys/{survey.id}/coding").status_code == 403
