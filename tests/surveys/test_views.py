"""The pages of surveys, seen with the eyes of each role."""

import io
from collections.abc import Callable
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.base.auth import User
from callcenter.calls import Call
from surveys import interviews, questionnaire, responses
from surveys.interviews import Interview
from surveys.questionnaire import Survey
from tests.surveys.survey_forms import SAMPLE, workbook

ClientAs = Callable[[str], FlaskClient]
JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def _english_without_tokens(app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)  # type: ignore[attr-defined]
    responses.forget()


@pytest.fixture
def own_call(session: Session, people: dict[str, User], new_call: Callable[..., UUID]) -> UUID:
    """A call that the cast's operator is in."""
    call_id = new_call()
    place = operators.of_user(session, people["operator"].id)
    session.get_one(Call, call_id).operator_id = place.id
    session.commit()
    return call_id


def test_an_operator_is_asked_question_by_question_and_every_answer_is_saved(
    session: Session, client_as: ClientAs, own_call: UUID
) -> None:
    client = client_as("operator")
    page = client.get(f"/surveys/calls/{own_call}").get_data(as_text=True)
    assert "le llama Olga Díaz Prueba de parte de Instituto Inventado" in page
    state = client.get(f"/surveys/calls/{own_call}", headers=JSON).get_json()
    for item, value in (("intro", ""), ("consent", "yes"), ("age", "34"), ("sex", "M"), ("registered", "yes")):
        assert state["question"]["name"] == item
        state = client.post(
            state["answers_url"], json={"item": item, "value": value, "key": item}, headers=JSON
        ).get_json()
    assert state["question"]["name"] == "likely"
    assert state["back"] == "registered"
    assert state["saved_at"]
    answers = interviews.standing_of(session, UUID(state["interview"])).answers
    assert answers["age"] == "34"


def test_the_page_prints_number_keys_and_keeps_refusals_apart(client_as: ClientAs, own_call: UUID) -> None:
    client = client_as("operator")
    state = client.get(f"/surveys/calls/{own_call}", headers=JSON).get_json()
    for item, value in (("consent", "yes"), ("registered", "yes")):
        client.post(state["answers_url"], json={"item": item, "value": value}, headers=JSON)
    page = client.get(f"/surveys/calls/{own_call}?item=vote").get_data(as_text=True)
    ordinary, _line, apart = page.partition("options-apart")
    assert ordinary.count('class="btn btn-outline-primary option"') == 8
    assert 'data-key="1"' in ordinary
    assert apart.index('value="dk" data-key="9"') < apart.index('value="refused" data-key="0"')
    asked = client.get(f"/surveys/calls/{own_call}?item=vote", headers=JSON).get_json()["question"]
    assert [choice["key"] for choice in asked["choices"]] == list("1234567890")


def test_an_answer_sent_twice_is_one_and_a_fault_stands_beside_its_question(
    session: Session, client_as: ClientAs, own_call: UUID
) -> None:
    client = client_as("operator")
    url = client.get(f"/surveys/calls/{own_call}", headers=JSON).get_json()["answers_url"]
    for _again in range(2):
        assert client.post(url, data={"item": "consent", "value": "yes", "key": "k"}).status_code == 200
    interview = session.scalars(select(Interview).where(Interview.call_id == own_call)).one()
    assert len(interviews.trail(session, interview.id)) == 1
    refused = client.post(url, data={"item": "age", "value": "12", "key": "k2"})
    assert refused.status_code == 200
    assert "Solo personas de 18 años o más." in refused.get_data(as_text=True)
    told = client.post(url, json={"item": "age", "value": "12"}, headers=JSON)
    assert told.status_code == 422
    assert client.post(url, json=["x"], headers=JSON).status_code == 422


def test_nobody_sees_the_interview_of_another_operators_call(
    session: Session, client_as: ClientAs, new_call: Callable[..., UUID], rosa: User
) -> None:
    call_id = new_call()
    interview = interviews.open_for_call(session, call_id, rosa.id)
    session.commit()
    for role in ("operator", "supervisor"):
        client = client_as(role)
        assert client.get(f"/surveys/calls/{call_id}").status_code == 404
        assert client.get(f"/surveys/interviews/{interview.id}").status_code == 404
        answered = client.post(f"/surveys/interviews/{interview.id}/answers", data={"item": "consent", "value": "no"})
        assert answered.status_code == 404
    assert interviews.trail(session, interview.id) == []


def test_a_pollster_uploads_a_form_and_sees_its_faults_by_cell(session: Session, client_as: ClientAs) -> None:
    client = client_as("pollster")
    broken = workbook([["type", "name", "label", "relevant"], ["text", "q", "Q", "${nobody} = 1"]])
    answer = client.post("/surveys/", data={"name": "Ola", "file": (io.BytesIO(broken), "ola.xlsx")})
    assert answer.status_code == 422
    assert "survey!D2" in answer.get_data(as_text=True)
    assert session.scalar(select(Survey.id)) is None
    answer = client.post("/surveys/", data={"name": "Ola", "file": (io.BytesIO(SAMPLE.read_bytes()), SAMPLE.name)})
    assert answer.status_code == 302
    page = client.get(answer.headers["Location"]).get_data(as_text=True)
    assert "Ola" in page
    assert client.post("/surveys/", data={"name": "Ola"}).status_code == 422


def test_the_web_process_itself_never_reads_an_uploaded_form(
    client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_here(*_file: object) -> None:
        raise AssertionError("read in the web process")

    monkeypatch.setattr("surveys.questionnaire.read_workbook", read_here)
    upload = {"name": "Ola", "file": (io.BytesIO(SAMPLE.read_bytes()), SAMPLE.name)}
    assert client_as("pollster").post("/surveys/", data=upload).status_code == 302


def test_a_trial_records_nothing(session: Session, survey: Survey, client_as: ClientAs) -> None:
    session.commit()
    client = client_as("operator")
    page = client.get(f"/surveys/{survey.id}/try").get_data(as_text=True)
    assert "[operator_name]" in page
    kept = "{}"
    for item, value in (("intro", ""), ("consent", "yes"), ("age", "34")):
        form = {"item": item, "value": value, "kept": kept}
        page = client.post(f"/surveys/{survey.id}/try", data=form, headers={"HX-Request": "true"}).get_data(
            as_text=True
        )
        kept = page.partition('name="kept" value="')[2].partition('"')[0].replace("&#34;", '"')
    assert "Sexo" in page
    back = {"item_wanted": "age", "kept": kept}
    page = client.post(f"/surveys/{survey.id}/try", data=back, headers={"HX-Request": "true"}).get_data(as_text=True)
    assert 'value="34"' in page
    wrong = {"item": "age", "value": "9", "kept": kept}
    page = client.post(f"/surveys/{survey.id}/try", data=wrong, headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "Solo personas de 18" in page
    assert client.post(f"/surveys/{survey.id}/try", data={"kept": "[1]", "item": "x"}).status_code == 200
    assert session.scalar(select(Interview.id)) is None


def test_a_closed_survey_is_opened_again_by_hand(session: Session, survey: Survey, client_as: ClientAs) -> None:
    session.commit()
    client = client_as("administrator")
    client.post(f"/surveys/{survey.id}/state", data={"state": "closed"})
    session.refresh(survey)
    assert survey.state == "closed"
    assert client.post(f"/surveys/{survey.id}/state", data={"state": "gone"}).status_code == 422


def fill(session: Session, new_call: Callable[..., UUID], user_id: int, people: int) -> None:
    votes = ["azul", "rojo", "azul", "verde", "undecided", "azul", "rojo", "refused"]
    for number in range(people):
        interview = interviews.open_for_call(session, new_call(), user_id)
        given = {"consent": "yes", "age": str(20 + number % 60), "sex": "HM"[number % 2], "registered": "yes"}
        for item, value in (given | {"vote": votes[number % len(votes)]}).items():
            interviews.record_answer(session, interview.id, item, value)
    session.commit()


def test_results_are_for_those_who_may_read_them_with_base_margin_and_table(
    session: Session, survey: Survey, client_as: ClientAs, new_call: Callable[..., UUID], rosa: User
) -> None:
    fill(session, new_call, rosa.id, 48)
    url = f"/surveys/{survey.id}/results"
    for role in ("pollster", "strategist", "supervisor", "administrator"):
        assert client_as(role).get(url).status_code == 200
    for role in ("operator", "data_clerk"):
        assert client_as(role).get(url).status_code == 403
    client = client_as("pollster")
    page = client.get(url).get_data(as_text=True)
    assert "Ana Robles, Partido Azul" in page
    assert ">48<" in page
    assert "±14.1" in page
    part = client.get(f"{url}?sex=H", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert part.lstrip().startswith('<div id="results"')
    assert client.get(f"{url}?sex=Q").status_code == 422


def test_pictures_and_files_of_the_results_can_be_taken_along(
    session: Session, survey: Survey, client_as: ClientAs, new_call: Callable[..., UUID], rosa: User
) -> None:
    fill(session, new_call, rosa.id, 16)
    client = client_as("pollster")
    url = f"/surveys/{survey.id}/results"
    for theme in ("light", "dark"):
        picture = client.get(f"{url}/gross.svg?theme={theme}")
        assert (picture.status_code, picture.mimetype) == (200, "image/svg+xml")
    assert client.get(f"{url}/effective.png").data.startswith(b"\x89PNG")
    assert client.get(f"{url}/gross.svg?theme=pink").status_code == 404
    rows = client.get(f"{url}.csv").data.decode("utf-8-sig").splitlines()
    assert len(rows) > 30
    assert client.get(f"{url}.xlsx").data.startswith(b"PK")


def test_the_commands_import_a_form_and_print_the_tally(app: object, session: Session, tmp_path: object) -> None:
    runner = app.test_cli_runner()  # type: ignore[attr-defined]
    made = runner.invoke(args=["surveys", "import", str(SAMPLE), "--name", "Ola 1", "--json"])
    assert made.exit_code == 0, made.output
    survey = session.scalars(select(Survey)).one()
    assert questionnaire.current(session, survey.id).version == 1
    counted = runner.invoke(args=["surveys", "tally", str(survey.id), "--json"])
    assert '"n": 0' in counted.output
    assert runner.invoke(args=["surveys", "tally", "99999"]).exit_code == 2
