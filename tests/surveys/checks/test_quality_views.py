"""The page of quality, and who may see it."""

from collections.abc import Callable
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry
from surveys.checks import quality_measuring
from surveys.questionnaire import Survey
from tests.surveys import quality_cast
from tests.surveys.quality_cast import person

ClientAs = Callable[[str], FlaskClient]
NewCall = Callable[..., UUID]


@pytest.fixture
def survey(session: Session) -> Survey:
    return quality_cast.survey_of(session)


@pytest.fixture
def measured(session: Session, survey: Survey, new_call: NewCall) -> Survey:
    for name in ("Carla Prueba", "Dora Prueba"):
        who = person(session, name).id
        for _number in range(10):
            hurried = dict.fromkeys(("op_azul", "op_rojo", "op_verde"), ("good", 0.4))
            quality_cast.ended(session, new_call(), who, hurried if name.startswith("Carla") else {})
    quality_measuring.measure_batch(session)
    session.commit()
    return survey


def test_the_page_names_who_stands_out_and_which_interviews_are_remarkable(
    measured: Survey, client_as: ClientAs
) -> None:
    page = client_as("supervisor").get(f"/surveys/{measured.id}/quality?interviewer=0").get_data(as_text=True)
    assert "Carla Prueba" in page
    assert "stands out" in page or "sobresale" in page
    assert page.count("op_verde") == 1


def test_remarkable_interviews_are_shown_by_interviewer(
    session: Session, measured: Survey, client_as: ClientAs
) -> None:
    client = client_as("pollster")
    everybody = client.get(f"/surveys/{measured.id}/quality").get_data(as_text=True)
    found = everybody.partition('id="noticed"')[2]
    assert found.count("Carla Prueba") == 10
    assert "Dora Prueba" not in found


def test_a_survey_without_interviews_says_so(survey: Survey, session: Session, client_as: ClientAs) -> None:
    session.commit()
    answer = client_as("administrator").get(f"/surveys/{survey.id}/quality")
    assert answer.status_code == 200
    assert "empty-state" in answer.get_data(as_text=True)


def test_the_table_leaves_the_vote_out_and_is_on_record(
    session: Session, measured: Survey, client_as: ClientAs
) -> None:
    text = client_as("supervisor").get(f"/surveys/{measured.id}/quality.csv").get_data(as_text=True)
    lines = text.strip().splitlines()
    assert len(lines) == 3
    assert lines[0].count(",") == 21
    assert session.scalars(select(AuditEntry).where(AuditEntry.action == "quality.export")).one()


@pytest.mark.parametrize(("role", "status"), [
    ("administrator", 200), ("supervisor", 200), ("pollster", 200), ("strategist", 403), ("operator", 403),
    ("data_clerk", 403),
])  # fmt: skip
def test_quality_is_for_who_looks_after_interviews(
    measured: Survey, client_as: ClientAs, role: str, status: int
) -> None:
    assert client_as(role).get(f"/surveys/{measured.id}/quality").status_code == status


def test_a_survey_that_is_none_is_not_found(client_as: ClientAs) -> None:
    assert client_as("supervisor").get("/surveys/999999/quality").status_code == 404
    assert client_as("supervisor").get("/surveys/999999/quality.csv").status_code == 404
