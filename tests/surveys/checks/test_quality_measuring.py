"""Interviews are measured once they have ended, and again when they were taken up anew."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.auth import User
from callcenter.base.clock import real_now
from surveys import interviews
from surveys.checks import quality_measuring
from surveys.checks.quality_tables import InterviewSignal
from surveys.fieldwork.recorded_calls import Keystrokes
from surveys.interviews import Interview
from surveys.questionnaire import Survey
from tests import queued
from tests.surveys import quality_cast

NewCall = Callable[..., UUID]


@pytest.fixture
def survey(session: Session) -> Survey:
    return quality_cast.survey_of(session)


def signal(session: Session, interview: Interview) -> InterviewSignal | None:
    return session.get(InterviewSignal, interview.id, populate_existing=True)


def test_an_ended_interview_is_measured(session: Session, new_call: NewCall, rosa: User) -> None:
    one = quality_cast.ended(session, new_call(), rosa.id, {"vote": ("azul", 1.0)})
    assert quality_measuring.measure_batch(session) == 1
    found = signal(session, one)
    assert found is not None
    assert (found.seconds, found.asked, found.fast, found.dk) == (41.0, 7, ["vote"], ["op_verde"])


def test_one_that_goes_on_and_one_that_is_void_are_not(session: Session, new_call: NewCall, rosa: User) -> None:
    interviews.open_for_call(session, new_call(), rosa.id)
    quality_cast.ended(session, new_call(), rosa.id, dict.fromkeys(quality_cast.CALM))
    assert quality_measuring.measure_batch(session) == 0


def test_measuring_twice_changes_nothing(session: Session, new_call: NewCall, rosa: User) -> None:
    quality_cast.ended(session, new_call(), rosa.id, {})
    assert [quality_measuring.measure_batch(session) for _time in range(2)] == [1, 0]


def test_an_interview_that_was_taken_up_again_is_measured_anew(session: Session, new_call: NewCall, rosa: User) -> None:
    call_id = new_call()
    one = quality_cast.ended(session, call_id, rosa.id, {"why": None})
    quality_measuring.measure_batch(session)
    interviews.reopen_call(session, call_id)
    interviews.record_answer(session, one.id, "why", "Por el agua", 20.0)
    interviews.close_call(session, call_id)
    assert quality_measuring.measure_batch(session) == 1
    found = signal(session, one)
    assert found is not None
    assert (found.asked, found.seconds) == (7, 59.0)


def test_an_answer_that_was_changed_counts_as_it_holds(session: Session, new_call: NewCall, rosa: User) -> None:
    call_id = new_call()
    one = interviews.open_for_call(session, call_id, rosa.id)
    for value in ("dk", "azul"):
        interviews.record_answer(session, one.id, "vote", value, 9.0)
    interviews.close_call(session, call_id)
    quality_measuring.measure_batch(session)
    found = signal(session, one)
    assert found is not None
    assert (found.dk, found.seconds) == ([], 9.0)


def test_by_telephone_keys_time_runs_from_the_prompt_to_the_key(session: Session, new_call: NewCall) -> None:
    call_id = new_call()
    one = interviews.open_for_call(session, call_id, None, face="agi")
    interviews.record_answer(session, one.id, "vote", "azul")
    for after, is_answer in ((900, False), (-4000, True)):
        session.add(Keystrokes(interview_id=one.id, item="vote", keys="1", offered={}, prompt_ms=5000, after_ms=after,
                               is_answer=is_answer))  # fmt: skip
    interviews.close_call(session, call_id)
    session.flush()
    quality_measuring.measure_batch(session)
    found = signal(session, one)
    assert found is not None
    assert (found.seconds, found.fast) == (1.0, ["vote"])


def test_a_worker_measures_what_ended(session: Session, new_call: NewCall, rosa: User) -> None:
    quality_cast.ended(session, new_call(), rosa.id, {})
    quality_measuring.tend(session)
    session.commit()
    assert "surveys.checks.quality_jobs.measure" in queued.run_jobs()
    assert len(session.scalars(select(InterviewSignal)).all()) == 1
    quality_measuring.tend(session)
    session.commit()
    assert queued.run_jobs() == []


def test_what_ended_late_is_found_by_the_whole_look(session: Session, new_call: NewCall, rosa: User) -> None:
    quality_cast.ended(session, new_call(), rosa.id, {})
    quality_measuring.measure_batch(session)
    old = real_now() - timedelta(days=9)
    quality_cast.ended(session, new_call(), rosa.id, {}, ended_at=old)
    assert quality_measuring.measure_batch(session, real_now() - quality_measuring.LATE) == 0
    quality_measuring.tend_all(session)
    session.commit()
    assert "surveys.checks.quality_jobs.measure" in queued.run_jobs()
    assert len(session.scalars(select(InterviewSignal)).all()) == 2
