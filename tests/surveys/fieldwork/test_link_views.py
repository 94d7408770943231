"""The page of a survey's links."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.clock import ZONE, real_now
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.questionnaire import Survey
from tests.surveys.link_cast import code_of, person

ClientAs = Callable[[str], FlaskClient]


@pytest.fixture(autouse=True)
def _without_tokens(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)


def test_before_there_are_links_the_page_says_how_to_give_some(client_as: ClientAs, survey: Survey) -> None:
    assert "{survey_link}" in client_as("pollster").get(f"/surveys/{survey.id}/links").text


def test_a_pollster_sets_until_when_all_of_them_are_good(session: Session, client_as: ClientAs, survey: Survey) -> None:
    code_of(session, survey.id, person(session))
    day = (real_now().astimezone(ZONE) + timedelta(days=40)).date()
    address = f"/surveys/{survey.id}/links/expiry"
    assert client_as("pollster").post(address, data={"until": day.isoformat()}).status_code == 302
    session.expire_all()
    link = session.scalars(select(SurveyLink)).one()
    assert link.expires_at.astimezone(ZONE).date() == day
    assert client_as("strategist").post(address, data={"until": day.isoformat()}).status_code == 403


@pytest.mark.parametrize("typed", ["", "mañana", "2020-01-01", "2999-01-01", "0001-01-01"])
def test_a_day_that_cannot_be_says_so_and_keeps_what_was_typed(
    session: Session, client_as: ClientAs, survey: Survey, typed: str
) -> None:
    code_of(session, survey.id, person(session))
    page = client_as("pollster").post(f"/surveys/{survey.id}/links/expiry", data={"until": typed})
    assert page.status_code == 422
    assert 'id="until-fault"' in page.text
    assert f'value="{typed}"' in page.text
