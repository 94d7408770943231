"""Links of two people who are one: the kept person's stay, the others follow, and all of it comes apart again."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.people import merge_moves, merges
from surveys import person_moves, questionnaire
from surveys.fieldwork.link_ledger import SurveyLink
from surveys.questionnaire import Survey
from tests.surveys.link_cast import code_of, person
from tests.surveys.survey_forms import SAMPLE

pytestmark = pytest.mark.usefixtures("app")


def owners(session: Session) -> dict[int, int | None]:
    """link → its person"""
    session.expire_all()
    return {row.id: row.contact_id for row in session.execute(select(SurveyLink.id, SurveyLink.contact_id))}


def test_links_follow_a_merge_and_come_back(session: Session, survey: Survey) -> None:
    merge_moves.compose()
    person_moves.compose()
    other = questionnaire.create_survey(session, "Ola 2", SAMPLE.name, SAMPLE.read_bytes())
    kept, removed = person(session, "Lupita Prueba"), person(session, "Guadalupe Prueba")
    for survey_id, whose in ((survey.id, kept), (survey.id, removed), (other.id, removed)):
        code_of(session, survey_id, whose)
    before = owners(session)
    made = merges.merge(session, kept.id, removed.id, user_id=None)
    assert sorted(owners(session).values(), key=str) == [kept.id, kept.id, None]
    merges.undo(session, made.id, None)
    assert owners(session) == before
