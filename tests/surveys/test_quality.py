"""What a survey's quality page says of interviews, questions and interviewers."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from surveys import quality
from surveys.checks import quality_measuring
from surveys.questionnaire import Survey
from tests.surveys import quality_cast
from tests.surveys.quality_cast import person

NewCall = Callable[..., UUID]
HURRIED = {item: (quality_cast.CALM[item][0], 0.5) for item in ("age", "vote", "op_azul", "op_rojo")}
SAME = dict.fromkeys(("op_azul", "op_rojo", "op_verde"), ("good", 0.5))


@pytest.fixture
def survey(session: Session) -> Survey:
    return quality_cast.survey_of(session)


@pytest.fixture
def team(session: Session, survey: Survey, new_call: NewCall) -> dict[str, int]:
    """Twelve interviews each: Carla hurries and hears one vote, Dora and Elena work calmly."""
    ids = {}
    for name in ("Carla", "Dora", "Elena"):
        ids[name] = person(session, name).id
        for number in range(12):
            vote = "rojo" if number % 2 else "azul"
            calm = {"vote": (vote, 11.0), "op_rojo": ("bad" if number % 3 else "good", 6.0), "op_verde": ("good", 6.0)}
            quality_cast.ended(session, new_call(), ids[name], {**HURRIED, **SAME} if name == "Carla" else calm)
    quality_measuring.measure_batch(session)
    return ids


def test_remarkable_interviews_say_why(session: Session, survey: Survey, team: dict[str, int]) -> None:
    found = quality.recent(session, survey.id)
    assert len(found) == 36
    noticed = quality.noticed(found, team["Carla"])
    assert {flagged for _one, flagged in noticed} == {("short", "hurried", "straight")}
    assert quality.noticed(found, team["Dora"]) == [
        (one, ("straight",)) for one in found if one.interviewer_id == team["Dora"] and one.straight
    ]


def test_an_interview_below_half_of_the_usual_length_is_very_short(
    session: Session, survey: Survey, team: dict[str, int], new_call: NewCall
) -> None:
    quick = {item: (value, seconds / 3) for item, (value, seconds) in quality_cast.CALM.items()}
    one = quality_cast.ended(session, new_call(), team["Dora"], quick)
    quality_measuring.measure_batch(session)
    found = quality.recent(session, survey.id)
    flagged = {one.interview_id: flags for one, flags in quality.noticed(found)}
    assert "short" in flagged[one.id]


def test_without_enough_whole_interviews_no_length_is_usual(
    session: Session, survey: Survey, new_call: NewCall
) -> None:
    who = person(session, "Carla").id
    for _number in range(9):
        quality_cast.ended(session, new_call(), who, {})
    quality_measuring.measure_batch(session)
    assert quality.usual_seconds(quality.recent(session, survey.id)) == {}


def test_who_hardly_answers_is_silent(session: Session, survey: Survey, new_call: NewCall) -> None:
    nothing = {"vote": ("refused", 9.0), "op_azul": ("dk", 9.0), "op_rojo": ("", 9.0)}
    quality_cast.ended(session, new_call(), person(session, "Carla").id, nothing)
    quality_measuring.measure_batch(session)
    assert [flags for _one, flags in quality.noticed(quality.recent(session, survey.id))] == [("silent",)]


def test_questions_are_counted_in_their_order(session: Session, survey: Survey, team: dict[str, int]) -> None:
    found = {one.item: one for one in quality.questions(session, survey.id)}
    assert list(found) == ["consent", "age", "vote", "op_azul", "op_rojo", "op_verde", "why"]
    assert (found["vote"].asked, found["vote"].fast, found["vote"].dk) == (36, 12, 0)
    assert found["consent"].seconds == 4.0


def test_the_interviewer_who_hurries_stands_out_and_comes_first(
    session: Session, survey: Survey, team: dict[str, int]
) -> None:
    people, spread = quality.interviewers(session, survey.id, quality.recent(session, survey.id), vote="vote")
    assert people[0].name == "Carla"
    assert [one.stands_out for one in people] == [True, False, False]
    assert people[0].differences["hurried"].share == 1.0
    assert people[0].differences["vote"].share == 1.0
    assert people[1].differences["vote"].share == 0.5
    assert spread is not None
    assert spread.rho > 0.2


def test_broken_off_interviews_are_an_interviewers_share(session: Session, survey: Survey, new_call: NewCall) -> None:
    for name in ("Carla", "Dora"):
        who = person(session, name).id
        for number in range(10):
            quality_cast.ended(session, new_call(), who, {"why": None} if name == "Carla" and number < 8 else {})
    quality_measuring.measure_batch(session)
    people, _spread = quality.interviewers(session, survey.id, quality.recent(session, survey.id), vote=None)
    assert {one.name: one.differences["partial"].share for one in people} == {"Carla": 0.8, "Dora": 0.0}
    assert {one.name: (one.n, one.complete) for one in people} == {"Carla": (10, 2), "Dora": (10, 10)}


def test_a_survey_of_one_interviewer_compares_nobody(session: Session, survey: Survey, new_call: NewCall) -> None:
    who = person(session, "Carla").id
    for _number in range(11):
        quality_cast.ended(session, new_call(), who, {})
    quality_measuring.measure_batch(session)
    people, spread = quality.interviewers(session, survey.id, quality.recent(session, survey.id), vote="vote")
    assert [dict(one.differences) for one in people] == [{}]
    assert spread is None


def test_what_waits_to_be_measured_is_counted(session: Session, survey: Survey, new_call: NewCall) -> None:
    quality_cast.ended(session, new_call(), person(session, "Carla").id, {})
    assert quality.unmeasured(session, survey.id) == 1
    quality_measuring.measure_batch(session)
    assert quality.unmeasured(session, survey.id) == 0
