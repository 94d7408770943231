"""The synthetic interviews of the benches: whole, and such that the bench measures what it says."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from callcenter.base import db
from callcenter.base.auth import User
from scripts.bench import result_pages, survey_load
from surveys import responses
from surveys.weighting import weighing


@pytest.fixture
def somebody(committed: db.Sessions) -> db.Sessions:
    """Who signs the recipe of weights."""
    with committed() as session:
        for name in ("bench", "second"):
            session.add(User(username=name, full_name="Bea Banco Prueba", password="!", fs_uniquifier=name))
        session.commit()
    return committed


def test_a_filled_survey_is_read_whole_and_its_weights_fit(somebody: db.Sessions, engine: Engine) -> None:
    survey = survey_load.fill(engine, 400, seed=1)
    with somebody() as session:
        found = responses.read(session, survey)
        weighed = weighing.weigh(session, found)
    assert found.frame.height == 400
    assert found.frame["vote"].null_count() == 0
    assert len(found.frame["o_vote"][0]) == 10
    assert found.frame["d_age_band"].null_count() == 0
    assert weighed.faults == {}
    assert weighed.weights is not None


def test_answers_arrive_by_the_rules(somebody: db.Sessions, engine: Engine) -> None:
    survey = survey_load.fill(engine, 30, seed=1)
    with somebody() as session:
        before = _votes(session, survey)
    saved = survey_load.arrive(survey, seconds=0.01, a_second=1_000, seed=1)
    with somebody() as session:
        assert saved == 5
        assert _votes(session, survey) == before + 1


def _votes(session: Session, survey: int) -> int:
    found = responses.read(session, survey)
    return found.frame["vote"].drop_nulls().len()


def test_every_question_but_the_open_one_has_its_table() -> None:
    (figure,) = result_pages.measure_tables(3_000, seed=1)
    assert (figure.name, figure.target) == ("tables_1m_s", 6)
