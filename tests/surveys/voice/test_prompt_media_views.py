"""Uploading at once what a form names."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from surveys import questionnaire
from surveys.questionnaire import Survey
from surveys.voice import prompts, speech
from tests.surveys.survey_forms import workbook
from tests.surveys.voice.test_prompt_media import CHOICES, SURVEY
from tests.surveys.voice.test_prompts import hum


@pytest.fixture
def pollster(
    app: Any, client_as: Callable[[str], FlaskClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> FlaskClient:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    speech.configure(tmp_path / "speech")
    client = client_as("pollster")
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


@pytest.fixture
def named(session: Session) -> Survey:
    """A survey whose form names sound files."""
    survey = questionnaire.create_survey(session, "Con sonidos", "s.xlsx", workbook(SURVEY, CHOICES))
    session.commit()
    return survey


def upload(client: FlaskClient, survey: Survey, *files: tuple[str, bytes]) -> str:
    data = {"language": "es", "files": [(io.BytesIO(content), name) for name, content in files]}
    return client.post(f"/surveys/{survey.id}/prompts/files", data=data, follow_redirects=True).text


def test_files_go_where_their_names_say(session: Session, pollster: FlaskClient, named: Survey) -> None:
    assert "not uploaded yet" in pollster.get(f"/surveys/{named.id}/prompts").text
    page = upload(
        pollster,
        named,
        ("HOLA.wav", hum().wav),
        ("q.wav", hum().wav),
        ("nadie.wav", hum().wav),
        ("si.wav", b"no sound"),
    )
    assert "3 sentences have their recording." in page
    assert "nadie.wav: the form names no such file" in page
    assert "si.wav:" in page
    kept = prompts.kept(session, named.id, "es").sounds
    assert set(kept) == {"item/intro", "item/q.1", "item/q.2"}


def test_nothing_chosen_is_said(pollster: FlaskClient, named: Survey) -> None:
    assert "Choose the sound files first." in upload(pollster, named)
