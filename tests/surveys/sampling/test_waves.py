"""Waves of a survey, and the mark that an interview carries of its sample."""

from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.errors import InvalidInput, NotFound, Refused
from surveys import interviews, samples
from surveys.questionnaire import Survey
from surveys.sampling import sample_marks, waves
from surveys.sampling.waves import Given
from tests.callcenter.cast import person
from tests.surveys import sample_cast as cast

DAY = timedelta(days=1)


def today(session: Session) -> date:
    return campaign_now(session).astimezone(ZONE).date()


def test_an_interview_belongs_to_the_wave_in_whose_days_it_begins(
    session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    now = today(session)
    waves.save(session, survey.id, Given("1", "First", now - 9 * DAY, now - DAY), None)
    assert interviews.open_for_call(session, new_call(), rosa.id).wave is None
    waves.save(session, survey.id, Given("2", "Second", now, None), None)
    waves.save(session, survey.id, Given("3", "Third", now + DAY, None), None)
    assert interviews.open_for_call(session, new_call(), rosa.id).wave == "2"


def test_of_waves_that_overlap_the_later_one_holds(session: Session, survey: Survey) -> None:
    now = today(session)
    waves.save(session, survey.id, Given("late", "", now, None), None)
    waves.save(session, survey.id, Given("early", "", now - DAY, None), None)
    assert waves.now(session, survey.id) == "late"
    assert [wave.code for wave in waves.listed(session, survey.id)] == ["early", "late"]


def test_a_wave_of_the_same_code_is_changed(session: Session, survey: Survey) -> None:
    first = date(2027, 5, 1)
    waves.save(session, survey.id, Given("1", "First", first, None), None)
    waves.save(session, survey.id, Given("1", "May", first, first + DAY, "Other wording"), None)
    (wave,) = waves.listed(session, survey.id)
    assert (wave.label, wave.closes_on, wave.break_reason) == ("May", first + DAY, "Other wording")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (Given("", "x", date(2027, 5, 1)), "code"),
        (Given("a b", "x", date(2027, 5, 1)), "code"),
        (Given("a" * 21, "x", date(2027, 5, 1)), "code"),
        (Given("1", "x", date(2027, 5, 2), date(2027, 5, 1)), "closes_on"),
    ],
)
def test_a_wave_that_cannot_be_is_refused_with_a_sentence(
    session: Session, survey: Survey, given: Given, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        waves.save(session, survey.id, given, None)
    assert list(caught.value.faults) == [field]
    assert waves.listed(session, survey.id) == []


def test_a_wave_with_interviews_stays_and_an_empty_one_goes(session: Session, survey: Survey) -> None:
    for code in ("1", "2"):
        waves.save(session, survey.id, Given(code, code, date(2027, 5, 1)), None)
    cast.interview(session, survey.id, "complete", wave="1")
    with pytest.raises(Refused):
        waves.remove(session, survey.id, "1", None)
    waves.remove(session, survey.id, "2", None)
    assert [wave.code for wave in waves.listed(session, survey.id)] == ["1"]
    with pytest.raises(NotFound):
        waves.remove(session, survey.id, "2", None)


def test_an_interview_carries_the_case_stratum_and_weight_of_its_sample(
    session: Session, survey: Survey, new_call: Callable[..., UUID], rosa: User
) -> None:
    call_id = new_call(sex="M")
    others = [new_call(sex="H") for _number in range(3)]
    waves.save(session, survey.id, Given("panel", "x", date(2020, 1, 1), date(2020, 1, 2)), None)
    for each in (call_id, *others):
        cast.interview(session, survey.id, "complete", wave="panel", call_id=each)
    made = cast.drawn(session, survey.id, "panel", "panel", size=2, replicates=1, strata=("sex",), allocation="equal")
    before = {one.name: one.base_weight for one in samples.strata(session, made.id)}
    assert before == {"H": pytest.approx(1.5), "M": pytest.approx(0.5)}
    who = session.get_one(Attempt, call_id).contact_id
    assert sample_marks.of_person(session, survey.id, who).case_id is None  # not released yet
    samples.release(session, made.id, 1, None)
    mark = sample_marks.of_person(session, survey.id, who)
    assert mark.stratum == "M"
    assert mark.base_weight == pytest.approx(0.5)
    assert mark.case_id is not None


def test_somebody_whom_no_sample_has_weighs_one(session: Session, survey: Survey) -> None:
    mark = sample_marks.of_person(session, survey.id, person(session).id)
    assert mark.columns() == {"wave": None, "stratum": None, "base_weight": 1.0, "case_id": None}
    assert sample_marks.of_person(session, survey.id, None) == mark
