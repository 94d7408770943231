"""While the call lives: what the operator says, what the switch is told, and what may go wrong between the two."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from callcenter import calls, carriers, recordings
from callcenter.base import outbox
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.sound import recording_files, recording_jobs
from callcenter.sound.recording_ledger import STATES, Recording
from tests.callcenter import recording_cast as the
from tests.callcenter.recording_cast import AWAY, GONE, REFUSED, UNKNOWN, FakeSwitchboard, begun, hang_up, row, talk


@pytest.fixture
def board(app: Flask, session: Session, tmp_path: Path) -> Iterator[FakeSwitchboard]:
    fake = FakeSwitchboard()
    carriers.use({"asterisk": fake})
    the.switch(session, tmp_path)
    session.commit()
    yield fake
    carriers.use({})


def follow(session: Session, of: the.Talk) -> Recording:
    """What the worker does with the job that an act left."""
    session.commit()
    recording_jobs.follow(str(row(session, of).id))
    return row(session, of)


def test_a_row_stands_before_the_switch_hears_of_a_recording(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session)
    made = begun(session, called)
    assert (made.state, made.wanted, made.in_spool, made.switch) == ("asked", "on", False, "local")
    assert board.acts == []
    assert outbox.redis().llen("rq:queue:urgent") > 0
    assert follow(session, called).state == "recording"
    assert board.told == [(f"local/{called.id}", str(made.id), "start")]


def test_the_id_of_a_recording_is_not_the_calls(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session)
    assert begun(session, called).id != called.id


@pytest.mark.parametrize("mode", ["off", "notice", "ask"])
def test_a_queue_decides_whether_its_calls_are_recorded(session: Session, board: FakeSwitchboard, mode: str) -> None:
    called = talk(session, mode)
    made = recordings.begin(session, called.id)
    assert (made is not None) is (mode != "off")
    assert (recordings.card(session, called.call) is not None) is (mode != "off")


def test_where_the_carrier_cannot_record_nothing_is(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session)
    carriers.use({"another": board})
    assert recordings.begin(session, called.id) is None


def test_a_recorded_survey_is_not_recorded_as_a_whole(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session)
    called.call.operator_id = None  # nobody of ours talks
    session.flush()
    assert recordings.begin(session, called.id) is None


def test_beginning_twice_is_beginning_once(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session)
    made = begun(session, called)
    assert recordings.begin(session, called.id) is None
    assert row(session, called).id == made.id


def test_where_the_citizen_must_say_yes_nothing_is_recorded_before(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session, "ask")
    made = begun(session, called)
    assert made.needs_consent
    assert follow(session, called).state == "asked"
    assert board.acts == []
    recordings.act(session, called.id, called.seat.id, "yes")
    made = follow(session, called)
    assert (made.state, made.answer, made.answer_by) == ("recording", "yes", called.seat.id)
    assert made.answered_at is not None
    assert made.notice_at <= made.answered_at
    assert not made.needs_consent


def test_who_was_not_asked_is_not_recorded(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session, "ask")
    begun(session, called)
    with pytest.raises(Refused) as refusal:
        recordings.act(session, called.id, called.seat.id, "pause")
    assert refusal.value.code == "recording_unasked"
    hang_up(session, called)
    assert (row(session, called).state, row(session, called).fault) == ("lost", "no_answer")


def test_a_pause_counts_once_the_switch_has_done_it(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session)
    begun(session, called)
    follow(session, called)
    recordings.act(session, called.id, called.seat.id, "pause")
    shown = recordings.card(session, called.call)
    assert shown is not None
    assert (shown["state"], shown["wanted"]) == ("recording", "pause")
    assert follow(session, called).state == "paused"
    recordings.act(session, called.id, called.seat.id, "resume")
    assert follow(session, called).state == "recording"
    assert board.acts == ["start", "pause", "resume"]


def test_a_quick_pause_and_resume_leave_it_recording(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session)
    begun(session, called)
    follow(session, called)
    recordings.act(session, called.id, called.seat.id, "pause")
    recordings.act(session, called.id, called.seat.id, "resume")
    assert follow(session, called).state == "recording"
    assert board.acts == ["start"]


def test_a_pause_wished_while_the_switch_starts_follows_at_once(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session)
    begun(session, called)

    def wish() -> None:
        recordings.act(session, called.id, called.seat.id, "pause")
        session.commit()
        recording_jobs.follow(str(row(session, called).id))  # a second worker leaves it to the first

    board.before = [wish]
    assert follow(session, called).state == "paused"
    assert board.acts == ["start", "pause"]


def test_a_refusal_stops_the_recording_and_its_sound_goes(
    session: Session, board: FakeSwitchboard, tmp_path: Path
) -> None:
    called = talk(session)
    begun(session, called)
    made = follow(session, called)
    raw = the.spoken(tmp_path, made)
    recordings.act(session, called.id, called.seat.id, "no")
    made = follow(session, called)
    assert (made.state, made.answer, made.deletion) == ("refused", "no", "refused")
    assert board.acts == ["start", "stop"]
    session.commit()
    recording_jobs.tend(str(made.id))
    assert not raw.exists()
    made = row(session, called)
    assert (made.in_spool, made.next_at, made.answer) == (False, None, "no")
    with pytest.raises(Refused):
        recordings.act(session, called.id, called.seat.id, "yes")


def test_a_refusal_before_the_start_tells_the_switch_nothing(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session, "ask")
    begun(session, called)
    recordings.act(session, called.id, called.seat.id, "no")
    assert follow(session, called).state == "refused"
    hang_up(session, called)
    assert (row(session, called).state, board.acts) == ("refused", [])


def test_a_refusal_in_the_last_word_of_the_call_deletes_it(
    session: Session, board: FakeSwitchboard, tmp_path: Path
) -> None:
    called = talk(session)
    begun(session, called)
    made = follow(session, called)
    raw = the.spoken(tmp_path, made)
    hang_up(session, called)
    assert row(session, called).state == "ended"
    recordings.act(session, called.id, called.seat.id, "no")
    session.commit()
    recording_jobs.tend(str(made.id))
    assert row(session, called).state == "refused"
    assert not raw.exists()


def test_a_refusal_whose_stop_the_switch_did_not_take_is_kept_at_the_hang_up(
    session: Session, board: FakeSwitchboard
) -> None:
    called = talk(session)
    begun(session, called)
    follow(session, called)
    board.fails = AWAY
    recordings.act(session, called.id, called.seat.id, "no")
    assert follow(session, called).state == "recording"
    hang_up(session, called)
    assert row(session, called).state == "refused"


def test_a_switch_that_is_away_is_asked_again(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session)
    begun(session, called)
    board.fails = AWAY
    made = follow(session, called)
    assert (made.state, made.fault, made.in_spool) == ("asked", "switch_away", False)
    assert made.next_at is not None
    board.fails = None
    made = follow(session, called)
    assert (made.state, made.fault, board.acts) == ("recording", None, ["start", "start"])


def test_a_start_whose_answer_is_lost_is_never_repeated(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session)
    begun(session, called)
    board.fails = UNKNOWN
    assert follow(session, called).state == "recording"
    assert follow(session, called).in_spool
    assert board.acts == ["start"]


def test_a_worker_that_dies_after_telling_leaves_no_second_start(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session)
    made = begun(session, called)
    assert recordings.take(session, made.id) is not None
    session.commit()  # and the worker dies here
    assert recordings.take(session, made.id) is None, "another one leaves it alone while the first may be at it"
    made.leased_until = real_now() - timedelta(seconds=1)
    made = follow(session, called)
    assert (made.state, board.acts) == ("recording", [])


def test_a_pause_that_the_switch_refuses_is_said_and_tried_again(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session)
    begun(session, called)
    follow(session, called)
    board.fails = REFUSED
    recordings.act(session, called.id, called.seat.id, "pause")
    made = follow(session, called)
    assert (made.state, made.fault) == ("recording", "switch_refused")
    assert made.next_at is not None


def test_a_start_that_the_switch_refuses_is_not_recorded_and_the_call_goes_on(
    session: Session, board: FakeSwitchboard
) -> None:
    called = talk(session)
    begun(session, called)
    board.fails = REFUSED
    made = follow(session, called)
    assert (made.state, made.fault) == ("lost", "switch_refused")
    session.refresh(called.call)
    assert called.call.state == "connected"


@pytest.mark.parametrize(("before", "after"), [([], "lost"), (["start"], "ended")])
def test_a_leg_that_is_gone_ends_the_recording(
    session: Session, board: FakeSwitchboard, before: list[str], after: str
) -> None:
    called = talk(session)
    begun(session, called)
    if before:
        follow(session, called)
        recordings.act(session, called.id, called.seat.id, "pause")
    board.fails = GONE
    assert follow(session, called).state == after


def test_a_hang_up_that_nobody_told_us_of_is_found_by_the_sweep(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session)
    begun(session, called)
    follow(session, called)
    recordings.sweep(session)
    assert row(session, called).state == "recording"
    calls.record_event(session, called.id, calls.Event("hung_up", "x"))
    recordings.sweep(session)
    assert row(session, called).state == "ended"


def test_a_job_that_redis_forgot_is_asked_for_again_and_goes_where_it_belongs(
    session: Session, board: FakeSwitchboard
) -> None:
    called = talk(session)
    made = begun(session, called)
    for state, queue in (("asked", "urgent"), ("ended", "bulk")):
        outbox.redis().flushall()
        made.state, made.next_at = state, real_now() - timedelta(seconds=1)
        session.flush()
        recordings.sweep(session)
        session.commit()
        assert outbox.redis().llen(f"rq:queue:{queue}") == 1
        recordings.sweep(session)
        session.commit()
        assert outbox.redis().llen(f"rq:queue:{queue}") == 1, "not again before its time"


def test_with_too_little_space_nothing_is_recorded_and_the_call_goes_on(
    session: Session, board: FakeSwitchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = talk(session)
    little = recording_files.Space(free=5, left=10)
    monkeypatch.setattr(recording_files, "space", lambda: little)
    made = begun(session, called)
    assert (made.state, made.fault, made.wanted) == ("lost", "no_space", "off")
    follow(session, called)
    assert board.acts == []
    shown = recordings.card(session, called.call)
    assert shown is not None
    assert "disk" in shown["fault"]
    session.refresh(called.call)
    assert called.call.state == "connected"


def test_with_too_little_space_where_the_switch_writes_it_is_not_told_to_start(
    session: Session, board: FakeSwitchboard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = talk(session)
    begun(session, called)
    monkeypatch.setattr(recording_files, "is_short", lambda spool: spool == str(tmp_path))
    made = follow(session, called)
    assert (made.state, made.fault, board.acts) == ("lost", "no_space", [])


@pytest.mark.parametrize("before", ["recording", "paused"])
def test_a_citizen_who_is_handed_to_somebody_outside_is_no_longer_recorded(
    session: Session, board: FakeSwitchboard, before: str
) -> None:
    called = talk(session)
    begun(session, called)
    follow(session, called)
    if before == "paused":
        recordings.act(session, called.id, called.seat.id, "pause")
        follow(session, called)
    recordings.handed_out(session, called.id)
    with pytest.raises(Refused):
        recordings.act(session, called.id, called.seat.id, "resume")
    made = follow(session, called)
    assert (made.state, board.acts[-1], made.deletion) == ("ended", "stop", None)
    recordings.act(session, called.id, called.seat.id, "no")
    assert follow(session, called).state == "refused"


@pytest.mark.parametrize("what", ["", "start", "delete", "sí"])
def test_an_act_that_there_is_not_is_refused_in_words(session: Session, board: FakeSwitchboard, what: str) -> None:
    called = talk(session)
    begun(session, called)
    with pytest.raises(InvalidInput):
        recordings.act(session, called.id, called.seat.id, what)


def test_nobody_touches_the_recording_of_another_operators_call(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session)
    begun(session, called)
    with pytest.raises(NotFound):
        recordings.act(session, called.id, called.seat.id + 1, "pause")


def test_a_call_that_is_not_recorded_says_so(session: Session, board: FakeSwitchboard) -> None:
    called = talk(session, "off")
    with pytest.raises(Refused) as refusal:
        recordings.act(session, called.id, called.seat.id, "pause")
    assert refusal.value.code == "not_recorded"


STEPS = st.lists(
    st.sampled_from(
        ["yes", "no", "pause", "resume", "work", "sweep", "hang_up", "hand_out", "away", "unknown", "refused", "back"]
    ),
    max_size=14,
)


@given(steps=STEPS, mode=st.sampled_from(["notice", "ask"]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_a_refusal_holds_nothing_starts_twice_and_the_end_is_final(
    session: Session, board: FakeSwitchboard, steps: list[str], mode: str
) -> None:
    board.told.clear()
    board.fails = None
    called = talk(session, mode)
    begun(session, called)
    for step in steps:
        _do(session, board, called, step)
    board.fails = None
    if called.call.hung_up_at is None:
        hang_up(session, called)
    _do(session, board, called, "work")
    made = row(session, called)
    assert made.state in STATES
    assert made.state not in ("asked", "recording", "paused")
    started = [act for act in board.acts if act == "start"]
    assert made.answer != "no" or made.state in ("refused", "lost")
    if mode == "ask" and made.answered_at is None:
        assert started == []
    if made.state == "ended":
        assert started
        assert made.next_at is not None
    session.refresh(called.call)
    calls.dispose(session, called.id, called.seat.id, "completed")
    session.commit()


def _do(session: Session, board: FakeSwitchboard, called: the.Talk, step: str) -> None:
    failures: dict[str, Any] = {"away": AWAY, "unknown": UNKNOWN, "refused": REFUSED, "back": None}
    if step in failures:
        board.fails = failures[step]
    elif step == "work":
        follow(session, called)
    elif step == "sweep":
        recordings.sweep(session)
        session.commit()
    elif step == "hang_up":
        hang_up(session, called)
    elif step == "hand_out":
        recordings.handed_out(session, called.id)
        session.commit()
    else:
        try:
            recordings.act(session, called.id, called.seat.id, step)
        except Refused:
            session.rollback()
        session.commit()
