"""Trying a questionnaire in the page: by keys, and as a draft."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from surveys.forms import drafts, sheet_edits
from surveys.questionnaire import Survey

ClientAs = Callable[[str], FlaskClient]


@pytest.fixture(autouse=True)
def _without_tokens(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)


def press(client: FlaskClient, address: str, page: str, *keys: str) -> str:
    kept = re.findall(r'name="kept" value="([^"]*)"', page)[0]
    return client.post(address, data={"kept": unescape(kept), "press": list(keys)}).text


def test_an_operator_tries_a_recorded_survey_by_clicking_its_keys(
    session: Session, survey: Survey, client_as: ClientAs
) -> None:
    session.commit()
    client, address = client_as("operator"), f"/surveys/{survey.id}/try/keys?language=es"
    page = client.get(address).text
    assert "de parte de [sponsor]" in page
    page = press(client, address, page, "", "-")
    asked = re.findall(r"Para comenzar, oprima (\d)", page)[0]
    for key in (asked, "-", "1"):
        page = press(client, address, page, key)
    assert "¿Cuántos años cumplidos tiene?" in page
    page = press(client, address, page, "34#")
    assert "<dd>34</dd>" in page
    assert "de parte de [sponsor]" in client.post(address, data={"kept": "[1", "restart": "1"}).text


def test_a_draft_is_tried_by_who_builds_it_and_by_nobody_else(
    session: Session, survey: Survey, client_as: ClientAs, rosa: User
) -> None:
    def reword(source: dict[str, Any]) -> None:
        sheet_edits.put(source, 2, {"label::Español (es)": "Hola desde el borrador"})

    drafts.change(session, survey.id, 0, reword, rosa.id)
    session.commit()
    for role, seen in (("pollster", True), ("operator", False)):
        page = client_as(role).get(f"/surveys/{survey.id}/try?draft=1&language=es").text
        assert ("Hola desde el borrador" in page) is seen
