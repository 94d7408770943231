"""The builder as a pollster uses it, and as nobody else may."""

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.calls import Call
from surveys import interviews, questionnaire
from surveys.forms import builder_forms, drafts, sheet_edits
from surveys.forms.items import read_items
from surveys.forms.sheets import workbook_of
from surveys.forms.xlsform import read_workbook
from surveys.questionnaire import Survey
from tests.surveys.forms.test_builder_forms import VOTE, posted
from tests.surveys.survey_forms import workbook

ClientAs = Callable[[str], FlaskClient]
INTRO, CONSENT, AGE = 2, 3, 4


@pytest.fixture(autouse=True)
def _without_tokens(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)


@pytest.fixture
def pollster(session: Session, survey: Survey, client_as: ClientAs) -> FlaskClient:
    session.commit()
    client = client_as("pollster")
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def question(session: Session, survey: Survey, place: int) -> dict[str, Any]:
    """What a browser sends of the form at a place."""
    opened = drafts.opened(session, survey.id)
    form = posted(builder_forms.shown(opened.source, place))
    return {key: value for key, value in form.items() if key != "randomize" or value} | {"edition": opened.edition}


def names(session: Session, survey: Survey) -> list[str]:
    return [line[1] for line in drafts.opened(session, survey.id).source["survey"]["lines"]]


def test_the_page_shows_the_questions_their_conditions_and_their_faces(pollster: FlaskClient, survey: Survey) -> None:
    page = pollster.get(f"/surveys/{survey.id}/builder?place={VOTE}").text
    assert "the answer to “Do you hold a valid voter card" in page
    assert "Nothing is wrong with this questionnaire." in page
    assert "Ana Robles, Blue Party: press" in page
    assert "As in version 1" in page


def test_a_changed_question_is_a_draft_until_it_is_taken_into_use(
    session: Session, pollster: FlaskClient, survey: Survey
) -> None:
    form = question(session, survey, AGE) | {"label:es": "¿Qué edad tiene?"}
    answer = pollster.post(f"/surveys/{survey.id}/builder/{AGE}", data=form)
    assert answer.headers["Location"].endswith(f"/surveys/{survey.id}/builder?place={AGE}")
    assert "Draft with changes" in pollster.get(answer.headers["Location"]).text
    assert "¿Cuántos años" in str(questionnaire.current(session, survey.id).items)
    assert pollster.post(f"/surveys/{survey.id}/builder/use").status_code == 302
    session.expire_all()
    version = questionnaire.current(session, survey.id)
    assert (version.version, version.items["items"][AGE]["label"]["es"]) == (1, "¿Qué edad tiene?")
    assert not drafts.opened(session, survey.id).is_changed
    assert "survey.replace_form" in session.scalars(select(AuditEntry.action)).all()


def test_a_frozen_version_stays_and_the_draft_becomes_the_next(
    session: Session, pollster: FlaskClient, survey: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    interview = interviews.open_for_call(session, new_call(), rosa.id)
    interviews.record_answer(session, interview.id, "consent", "yes")
    session.commit()
    pollster.post(f"/surveys/{survey.id}/builder/{AGE}", data=question(session, survey, AGE) | {"name": "edad"})
    pollster.post(f"/surveys/{survey.id}/builder/use")
    session.expire_all()
    assert questionnaire.current(session, survey.id).version == 2
    page = pollster.get(f"/surveys/{survey.id}/versions").text
    assert "do not add them up" not in pollster.get(f"/surveys/{survey.id}/versions?old=2&new=2").text
    assert ">edad<" in page
    assert ">age<" in page


def test_a_fault_is_kept_told_and_keeps_the_draft_from_use(
    session: Session, pollster: FlaskClient, survey: Survey
) -> None:
    form = question(session, survey, AGE) | {"relevant": "${nobody} = 1"}
    page = pollster.post(f"/surveys/{survey.id}/builder/{AGE}", data=form, follow_redirects=True).text
    assert "1 fault keeps this draft from use" in page
    assert "survey!G6" in page
    told = pollster.post(f"/surveys/{survey.id}/builder/use", follow_redirects=True).text
    assert "nobody" in told
    assert questionnaire.current(session, survey.id).items["items"][AGE]["relevant"] == ["${consent} = 'yes'"]


def test_questions_are_added_moved_and_removed(session: Session, pollster: FlaskClient, survey: Survey) -> None:
    base = f"/surveys/{survey.id}/builder"
    pollster.post(f"{base}/add", data={"edition": 0, "place": AGE, "kind": "select_one"})
    assert names(session, survey)[AGE] == "q1"
    pollster.post(f"{base}/{AGE}/move", data={"edition": 1, "was": "q1", "to": "up"})
    assert names(session, survey)[CONSENT : AGE + 1] == ["q1", "consent"]
    pollster.post(f"{base}/{CONSENT}/remove", data={"edition": 2, "was": "q1"})
    assert names(session, survey) == names_of_sample(survey, session)
    assert pollster.post(f"{base}/add", data={"edition": 3, "place": 0, "kind": "geopoint"}).status_code == 422


def names_of_sample(survey: Survey, session: Session) -> list[str]:
    return [item["name"] for item in questionnaire.current(session, survey.id).items["items"]]


def test_a_group_comes_with_its_end(session: Session, pollster: FlaskClient, survey: Survey) -> None:
    pollster.post(f"/surveys/{survey.id}/builder/add", data={"edition": 0, "place": 1, "kind": "begin_repeat"})
    lines = drafts.opened(session, survey.id).source["survey"]["lines"]
    assert [line[0] for line in lines[1:3]] == ["begin_repeat", "end_repeat"]


@pytest.mark.parametrize("htmx", [False, True])
def test_who_comes_too_late_loses_nothing(session: Session, pollster: FlaskClient, survey: Survey, htmx: bool) -> None:
    late = question(session, survey, AGE) | {"label:es": "Lo que yo escribí"}
    pollster.post(f"/surveys/{survey.id}/builder/{AGE}", data=question(session, survey, AGE) | {"label:es": "Otra"})
    headers = {"HX-Request": "true"} if htmx else {}
    answer = pollster.post(f"/surveys/{survey.id}/builder/{AGE}", data=late, headers=headers)
    assert answer.status_code == (200 if htmx else 409)
    assert "Somebody else has changed this questionnaire" in answer.text
    assert ">Lo que yo escribí</textarea>" in answer.text
    again = late | {"edition": int(re.findall(r'name="edition" value="(\d+)"', answer.text)[0])}
    assert pollster.post(f"/surveys/{survey.id}/builder/{AGE}", data=again).status_code == 302


def test_what_was_typed_for_a_question_that_is_gone_is_shown(
    session: Session, pollster: FlaskClient, survey: Survey
) -> None:
    late = question(session, survey, AGE) | {"label:es": "Lo que yo escribí"}
    pollster.post(f"/surveys/{survey.id}/builder/{AGE}/remove", data={"edition": 0, "was": "age"})
    answer = pollster.post(f"/surveys/{survey.id}/builder/{AGE}", data=late | {"edition": 1})
    assert answer.status_code == 409
    assert "This is what you had written" in answer.text
    assert "Lo que yo escribí" in answer.text
    assert names(session, survey)[AGE] == "sex"


def test_a_preview_shows_what_is_typed_and_keeps_nothing(
    session: Session, pollster: FlaskClient, survey: Survey
) -> None:
    form = question(session, survey, AGE) | {"label:es": "¿Y cuántos años?"}
    page = pollster.post(f"/surveys/{survey.id}/builder/{AGE}/preview", data=form).text
    assert page.count("¿Y cuántos años?") == 3
    assert not drafts.opened(session, survey.id).is_changed


def test_settings_name_other_questions(session: Session, pollster: FlaskClient, survey: Survey) -> None:
    form = {"edition": 0, "place": 1, "form_title": "Otra", "vote_question": "second", "likely_question": ""}
    assert pollster.post(f"/surveys/{survey.id}/builder/settings", data=form).status_code == 302
    settings = sheet_edits.settings(drafts.opened(session, survey.id).source)
    assert (settings["form_title"], settings["vote_question"], settings["likely_question"]) == ("Otra", "second", "")


@pytest.mark.parametrize(("name", "told"), [("Náhuatl", "with its code"), ("Inglés (en)", "already")])
def test_a_language_is_added_once_and_with_its_code(
    session: Session, pollster: FlaskClient, survey: Survey, name: str, told: str
) -> None:
    base = f"/surveys/{survey.id}/builder"
    assert told in pollster.post(f"{base}/languages", data={"edition": 0, "place": AGE, "language": name}).text
    pollster.post(f"{base}/languages", data={"edition": 0, "place": AGE, "language": "Náhuatl (nah)"})
    assert "(nah)" in pollster.get(f"{base}?place={AGE}").text
    assert drafts.opened(session, survey.id).edition == 1


def test_a_survey_begins_without_a_file(session: Session, pollster: FlaskClient) -> None:
    answer = pollster.post("/surveys/new", data={"name": "Ola sin archivo"})
    assert "/builder" in answer.headers["Location"]
    page = pollster.get(answer.headers["Location"]).text
    assert "Ola sin archivo" in page
    assert "Nothing is wrong" in page or "It can be used" in page
    assert "Write the name" in pollster.post("/surveys/new", data={"name": " "}, follow_redirects=True).text


def test_the_draft_goes_out_as_a_workbook_and_comes_in_again(
    session: Session, pollster: FlaskClient, survey: Survey
) -> None:
    pollster.post(f"/surveys/{survey.id}/builder/{AGE}", data=question(session, survey, AGE) | {"label:es": "¿Edad?"})
    answer = pollster.get(f"/surveys/{survey.id}/builder.xlsx")
    assert "Ola-1.xlsx" in answer.headers["Content-Disposition"]
    items = read_items(read_workbook(answer.data))
    assert items == read_items(workbook_of(drafts.opened(session, survey.id).source))
    assert items["items"][AGE]["label"]["es"] == "¿Edad?"


def test_every_version_goes_out_as_a_workbook(session: Session, pollster: FlaskClient, survey: Survey) -> None:
    answer = pollster.get(f"/surveys/{survey.id}/versions/1.xlsx")
    assert read_items(read_workbook(answer.data)) == questionnaire.current(session, survey.id).items
    assert pollster.get(f"/surveys/{survey.id}/versions/9.xlsx").status_code == 404
    assert pollster.get(f"/surveys/{survey.id}/versions?old=x&new=1").status_code == 404


def test_what_the_draft_would_change_is_told(session: Session, pollster: FlaskClient, survey: Survey) -> None:
    pollster.post(f"/surveys/{survey.id}/builder/{AGE}", data=question(session, survey, AGE) | {"label:es": "¿Edad?"})
    page = pollster.get(f"/surveys/{survey.id}/versions?new=draft").text
    assert "¿Cuántos años cumplidos tiene?" in page
    assert "¿Edad?" in page
    pollster.post(f"/surveys/{survey.id}/builder/{AGE}", data=question(session, survey, AGE) | {"relevant": "("})
    assert "The draft has faults" in pollster.get(f"/surveys/{survey.id}/versions?new=draft").text


def test_a_draft_can_be_thrown_away(session: Session, pollster: FlaskClient, survey: Survey) -> None:
    pollster.post(f"/surveys/{survey.id}/builder/{AGE}", data=question(session, survey, AGE) | {"label:es": "¿Edad?"})
    pollster.post(f"/surveys/{survey.id}/builder/discard")
    assert not drafts.opened(session, survey.id).is_changed


def test_a_page_of_two_thousand_questions_opens(session: Session, pollster: FlaskClient, survey: Survey) -> None:
    version = questionnaire.current(session, survey.id)
    source = drafts.source_of(version)
    width = len(source["survey"]["headings"])
    rows = [["note", f"n{number}", f"Texto {number}", *[""] * (width - 3)] for number in range(2000)]
    version.source = {**source, "survey": {**source["survey"], "lines": [*source["survey"]["lines"], *rows]}}
    session.commit()
    assert "n1999" in pollster.get(f"/surveys/{survey.id}/builder?place=2010").text


def test_an_operator_builds_nothing(client_as: ClientAs, survey: Survey, session: Session) -> None:
    session.commit()
    assert client_as("operator").get(f"/surveys/{survey.id}/builder").status_code == 403
    assert client_as("strategist").post(f"/surveys/{survey.id}/builder/use").status_code == 403
    assert client_as("strategist").get(f"/surveys/{survey.id}/versions").status_code == 200


def test_an_answer_to_a_question_of_an_earlier_form_leads_to_the_one_to_ask_now(
    session: Session, survey: Survey, client_as: ClientAs, people: dict[str, User], new_call: Callable[..., UUID]
) -> None:
    call_id = new_call()
    session.get_one(Call, call_id).operator_id = operators.of_user(session, people["operator"].id).id
    session.commit()
    client = client_as("operator")
    url = client.get(f"/surveys/calls/{call_id}", headers={"Accept": "application/json"}).get_json()["answers_url"]
    other = workbook([["type", "name", "label"], ["text", "other", "Otra pregunta"]])
    questionnaire.replace_form(session, survey.id, questionnaire.read_form("b.xlsx", other))
    session.commit()
    answer = client.post(url, data={"item": "consent", "value": "yes", "key": "k"})
    assert answer.status_code == 200
    assert "Otra pregunta" in answer.text
    assert 'id="fault"' in answer.text
