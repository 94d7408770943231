"""Uploaded questionnaires are read in a process of their own, which a file cannot use to harm the others."""

import subprocess

import pytest
from flask import Flask
from flask_babel import force_locale

from callcenter.base.errors import InvalidInput
from surveys import questionnaire
from surveys.forms import form_reading
from tests.surveys.survey_forms import SAMPLE, workbook


def test_what_the_child_reads_is_what_we_would_have_read() -> None:
    content = SAMPLE.read_bytes()
    assert form_reading.read_apart(SAMPLE.name, content) == questionnaire.read_form(SAMPLE.name, content)


def test_faults_come_back_in_the_readers_language(app: Flask) -> None:
    broken = workbook([["type", "name", "label"], ["text", "", "Q"]])
    with app.test_request_context(), force_locale("es_MX"), pytest.raises(InvalidInput, match="Hoja") as told:
        form_reading.read_apart("ola.xlsx", broken)
    assert "survey!B2" in told.value.faults


@pytest.mark.parametrize(("limit", "value"), [("MEMORY", 1 << 24), ("SECONDS", 0.01)])
def test_a_form_that_takes_too_much_is_refused_in_words(
    limit: str, value: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(form_reading, limit, value)
    with pytest.raises(InvalidInput, match="more time or memory"):
        form_reading.read_apart(SAMPLE.name, SAMPLE.read_bytes())


def test_the_child_knows_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}

    def run(*_command: object, env: dict[str, str], **_more: object) -> object:
        seen.update(env)
        raise subprocess.TimeoutExpired("form", 1)

    monkeypatch.setenv("CONVOCA_SECRET_KEY", "secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere")
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(InvalidInput):
        form_reading.read_apart(SAMPLE.name, b"")
    assert set(seen) <= {"PATH", "LANG", "LC_ALL"}


def test_two_forms_are_read_at_once_and_the_third_waits_for_its_person(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(form_reading.AT_ONCE.acquire(blocking=False) for _ in range(2))
    try:
        with pytest.raises(InvalidInput, match="Try again in a few seconds"):
            form_reading.read_apart(SAMPLE.name, SAMPLE.read_bytes())
    finally:
        form_reading.AT_ONCE.release(2)
