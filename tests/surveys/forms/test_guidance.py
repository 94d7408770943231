"""Guidance is for whoever asks: who answers by themselves never sees or hears it."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from surveys import engine, questionnaire
from surveys.engine import FACES, Look
from surveys.faces import chat
from surveys.forms import builder_forms, form_changes, old_forms
from surveys.forms.items import Items, read_items
from surveys.forms.sheets import workbook_of
from surveys.forms.xlsform import read_workbook
from tests.conftest import ClientAs
from tests.surveys.faces.people import Walk, setting
from tests.surveys.link_cast import code_of, person
from tests.surveys.survey_forms import workbook

WORDS = "No lea esto si es evidente."
FORM = workbook(
    [
        ["type", "name", "label", "hint", "guidance_hint::es", "guidance_hint::en"],
        ["select_one sex", "sex", "¿Usted es?", "Elija una.", WORDS, "Do not read out if clear."],
    ],
    [["list_name", "name", "label"], ["sex", "M", "Mujer"], ["sex", "H", "Hombre"]],
)


@pytest.fixture(scope="module")
def items() -> Items:
    return read_items(read_workbook(FORM))


@pytest.mark.parametrize("face", FACES)
def test_only_an_operator_reads_it(items: Items, face: str) -> None:
    asked = Look(items, {}, 7, language="es", face=face).next_question()
    assert asked is not None
    assert (asked.hint, asked.guidance) == ("Elija una.", WORDS if face == "screen" else "")
    if face != "screen":
        assert WORDS not in chat.say(asked, "es")


def test_a_recording_does_not_say_it(items: Items) -> None:
    walk = Walk(setting(items)).begin_questions()
    assert "¿Usted es?" in walk.text
    assert WORDS not in str(walk.trace)


def test_it_follows_the_language_and_a_form_read_before_has_none(items: Items) -> None:
    asked = engine.question(items, {}, "sex", language="en")
    assert asked is not None
    assert asked.guidance == "Do not read out if clear."
    old = {**items, "items": [{key: value for key, value in items["items"][0].items() if key != "guidance_hint"}]}
    asked = engine.question(old, {}, "sex")
    assert asked is not None
    assert asked.guidance == ""


def test_the_trial_shows_it_and_a_link_does_not(session: Session, client: FlaskClient, client_as: ClientAs) -> None:
    survey = questionnaire.create_survey(session, "Guía", "guia.xlsx", FORM)
    session.commit()
    assert WORDS in client_as("pollster").get(f"/surveys/{survey.id}/try").text
    way = f"/e/{code_of(session, survey.id, person(session))}"
    client.post(f"{way}/begin")
    page = client.get(way).text
    assert "¿Usted es?" in page
    assert "Elija una." in page
    assert WORDS not in page


def test_the_builder_writes_it_a_comparison_shows_it_and_an_old_form_keeps_it() -> None:
    rows = [["type", "name", "label::es", "guidance_hint::es"], ["text", "why", "¿Por qué?", WORDS]]
    source = read_workbook(workbook(rows)).source
    before = read_items(workbook_of(source))
    assert builder_forms.shown(source, 0).texts["guidance_hint"] == {"es": WORDS}
    builder_forms.write(source, 0, {"guidance_hint:es": "Anote lo que oye."})
    after = read_items(workbook_of(source))
    differences = [one for change in form_changes.changes(before, after) for one in change.differences]
    assert [(one.what, one.where, one.after) for one in differences] == [("guidance_hint", "es", "Anote lo que oye.")]
    again = read_items(workbook_of(old_forms.source_of(after)))
    assert again["items"][0]["guidance_hint"] == {"es": "Anote lo que oye."}
