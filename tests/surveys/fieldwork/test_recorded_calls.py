"""Calls of recorded surveys: what is an interview, how each is closed, and what an interruption leaves."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.base.clock import real_now
from callcenter.calls import Call, Event, record_event
from callcenter.consent import Consent
from callcenter.queues import CallQueue
from surveys import interviews, views
from surveys.fieldwork import recorded_calls
from surveys.fieldwork.recorded_calls import Keystrokes, RecordedCall
from surveys.interviews import Interview
from surveys.questionnaire import Survey
from tests.surveys.recorded_cast import recorded_call, switch

NewCall = Callable[..., UUID]


@pytest.fixture(autouse=True)
def composed() -> None:
    views.compose()
    suppressions.configure(b"suppression-of-the-tests")


@pytest.fixture
def call_id(session: Session, new_call: NewCall) -> UUID:
    made = recorded_call(session, new_call)
    recorded_calls.begin(session, made, "local")
    return made


def enter(session: Session, call_id: UUID) -> Interview:
    number = uuid4()
    recorded_calls.enter_interview(session, call_id, number)
    found = session.get_one(Interview, number)
    assert found.seed == interviews.seed_of(number)
    return found


def test_a_call_is_no_interview_before_its_challenge_was_met(session: Session, call_id: UUID) -> None:
    assert interviews.of_call(session, call_id) is None
    interview = enter(session, call_id)
    assert (interview.face, interview.interviewer_id) == ("agi", None)
    assert interview.hidden["operator_name"] == "un sistema automático"


def test_the_subject_says_what_is_asked_for_whom(session: Session, call_id: UUID, survey: Survey) -> None:
    found = recorded_calls.subject(session, "local", str(call_id))
    assert found is not None
    assert (found.survey_id, found.sponsor, found.notice, found.direction) == (
        survey.id, "Instituto Inventado", "http://convoca.test/aviso", "out",
    )  # fmt: skip
    session.get_one(Call, call_id).state = "ended"
    session.flush()
    assert recorded_calls.subject(session, "local", str(call_id)) is None


@pytest.mark.parametrize(("code", "state"), [("completed", "ended"), ("no_reply", "ended"), ("partial", "ended")])
def test_the_last_word_closes_call_and_interview_once(session: Session, call_id: UUID, code: str, state: str) -> None:
    enter(session, call_id)
    assert recorded_calls.finish(session, call_id, code)
    assert not recorded_calls.finish(session, call_id, "refused")
    call = session.get_one(Call, call_id)
    assert (call.state, call.disposition, call.attempt.outcome) == (state, code, code)
    assert interviews.of_call(session, call_id).state == "void"  # type: ignore[union-attr]  # nothing was answered


def test_never_again_by_key_is_kept_with_its_proof(session: Session, call_id: UUID) -> None:
    phone = session.get_one(Call, call_id).attempt.phone
    recorded_calls.opt_out(session, call_id)
    assert suppressions.find(session, phone) is not None
    proof = session.scalars(select(Consent.proof).where(Consent.kind == "opted_out")).one()
    assert proof == f"call/{call_id}"


def test_what_was_interrupted_is_found_and_what_is_over_is_not(session: Session, call_id: UUID) -> None:
    assert recorded_calls.interrupted(session, "local") == [str(call_id)]
    assert recorded_calls.interrupted(session, "other") == []
    recorded_calls.finish(session, call_id, "refused")
    assert recorded_calls.interrupted(session, "local") == []


def test_a_call_that_never_began_is_found_too(session: Session, new_call: NewCall) -> None:
    made = recorded_call(session, new_call)
    assert recorded_calls.interrupted(session, "local") == [str(made)]


def test_a_call_whose_program_died_is_closed_with_what_its_answers_deserve(session: Session, call_id: UUID) -> None:
    interview = enter(session, call_id)
    for item, value in {"consent": "yes", "age": "34"}.items():
        interviews.record_answer(session, interview.id, item, value)
    record_event(session, call_id, Event("hung_up", "h"))
    assert recorded_calls.sweep(session) == 0  # its program may still have a word
    session.get_one(Call, call_id).hung_up_at = real_now() - timedelta(seconds=9)
    session.flush()
    assert recorded_calls.sweep(session) == 1
    assert (session.get_one(Call, call_id).disposition, interview.state) == ("partial", "partial")


def test_a_call_that_others_ended_closes_its_interview(session: Session, call_id: UUID) -> None:
    interview = enter(session, call_id)
    interviews.record_answer(session, interview.id, "consent", "yes")
    interviews.record_answer(session, interview.id, "age", "34")
    call = session.get_one(Call, call_id)
    call.state, call.ended_at = "ended", real_now() - timedelta(seconds=9)
    session.flush()
    assert recorded_calls.sweep(session) == 1
    assert interview.state == "partial"


def test_keys_stand_with_how_long_they_took(session: Session, call_id: UUID) -> None:
    interview = enter(session, call_id)
    strokes = Keystrokes(interview_id=interview.id, item="vote", keys="2", offered={"1": "rojo", "2": "azul"},
                         prompt_ms=9000, after_ms=-1200, is_answer=True, at=real_now())  # fmt: skip
    recorded_calls.keep_keys(session, call_id, strokes)
    kept = session.scalars(select(Keystrokes)).one()
    assert (kept.offered[kept.keys], kept.after_ms) == ("azul", -1200)


def test_sessions_count_only_where_a_program_holds_them(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_calls, "CARRIED", ())
    assert recorded_calls.capacity(session) is None
    made = switch(session)
    recorded_calls.say_alive(session, "local")
    session.refresh(made)
    assert recorded_calls.capacity(session) == 60
    made.is_enabled = False
    session.flush()
    assert recorded_calls.capacity(session) is None


def test_a_recorded_call_is_taken_up_again_where_it_was(session: Session, call_id: UUID) -> None:
    enter(session, call_id)
    again = recorded_calls.begin(session, call_id, "local")
    assert again.interview_id is not None
    assert session.scalars(select(RecordedCall)).all() == [again]
    assert session.scalars(select(CallQueue.answered_by)).all() == ["recording"]
