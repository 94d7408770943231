"""Open answers of the demonstration: a frame, two coders who mostly agree, and differences that wait for somebody."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from scripts.demo import coding
from scripts.simulated_carrier.citizens import WHY
from surveys import questionnaire
from surveys.checks import verification_figures
from surveys.coding import code_frames, codings
from surveys.coding.coding_tables import CodingDecision


def telephoned(session: Session) -> int:
    """The survey that is asked by telephone: the first."""
    return min(survey.id for survey, _version in questionnaire.listed(session))


def test_most_answers_are_coded_some_by_two_and_differences_wait(demo: Session) -> None:
    frame = code_frames.find(demo, telephoned(demo), coding.ITEM)
    done = codings.progress(demo, frame)
    assert 0 < done.coded < done.answers
    assert 0 < done.coded_twice <= done.double
    (pair,) = codings.agreement(demo, frame)
    assert pair.whole.share == pytest.approx(1 - (done.open + _decided(demo)) / done.coded_twice)


def _decided(session: Session) -> int:
    return len(session.scalars(select(CodingDecision.interview_id)).all())


def test_there_is_a_code_for_everything_that_citizens_say() -> None:
    said = {text for texts in WHY.values() for text in texts}
    assert set(coding.MEANS) == said
    codes = {code for code, _label in coding.CODES}
    assert set(coding.MEANS.values()) | set(coding.DOUBTFUL.values()) <= codes


def test_of_each_interviewer_interviews_are_drawn_to_be_verified(demo: Session) -> None:
    drawn = verification_figures.by_interviewer(demo, telephoned(demo))
    assert len(drawn) > 5
    assert all(one.counts["open"] >= 1 for one in drawn)
