from datetime import timedelta
from threading import Barrier, Thread
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter import calls, operators
from callcenter.base.auth import User
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Sessions
from callcenter.base.errors import NotFound
from callcenter.calls import Event
from callcenter.seats import operator_rooms, operator_snapshot, operator_sweep
from tests.callcenter import cast


def ringing_calls(sessions: Sessions, number: int) -> list[UUID]:
    with sessions() as session:
        queue = cast.queue(session, *[cast.person(session) for _ in range(number)])
        made = [cast.rung(session, queue) for _ in range(number)]
        session.commit()
        return made


def answer_at_once(sessions: Sessions, call_ids: list[UUID]) -> list[int | None]:
    """Each call is answered on a connection of its own at the same moment."""
    start = Barrier(len(call_ids))
    taken: list[int | None] = [None] * len(call_ids)

    def answered(place: int) -> None:
        with sessions() as session:
            start.wait(5)
            taken[place] = calls.answer(session, call_ids[place], Event("answered", "a"))
            session.commit()

    threads = [Thread(target=answered, args=(place,)) for place in range(len(call_ids))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return taken


def test_two_first_requests_of_a_page_share_one_working_place(committed: Sessions) -> None:
    with committed() as session:
        user = User(username="nueva", full_name="Nueva Prueba", password="!", fs_uniquifier="nueva")
        session.add(user)
        session.commit()
        user_id = user.id
    start, found = Barrier(2), list[int]()

    def ask() -> None:
        with committed() as session:
            start.wait(5)
            found.append(operators.of_user(session, user_id).id)
            session.commit()

    threads = [Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(found) == 2
    assert len(set(found)) == 1


@pytest.mark.parametrize("free", [0, 1, 2])
def test_calls_answered_at_the_same_moment_never_share_an_operator(committed: Sessions, free: int) -> None:
    with committed() as session:
        expected = sorted(cast.operator(session, f"op{n}").id for n in range(free))
        session.commit()
    taken = answer_at_once(committed, ringing_calls(committed, 2))
    assert sorted(operator for operator in taken if operator is not None) == expected


def test_one_call_answered_twice_at_once_takes_one_operator(committed: Sessions) -> None:
    with committed() as session:
        for name in ("olga", "pedro"):
            cast.operator(session, name)
        session.commit()
    (call_id,) = ringing_calls(committed, 1)
    first, second = answer_at_once(committed, [call_id, call_id])
    assert first == second
    assert first is not None
    with committed() as session:
        assert session.scalar(text("SELECT count(*) FROM operators WHERE state = 'in_call'")) == 1


def test_a_heartbeat_being_written_does_not_hide_a_free_operator(committed: Sessions) -> None:
    with committed() as session:
        olga = cast.operator(session)
        session.commit()
    (call_id,) = ringing_calls(committed, 1)
    with committed() as heartbeat:
        heartbeat.execute(text("UPDATE operators SET last_seen_at = now() WHERE id = :id"), {"id": olga.id})
        taken: list[int | None] = []
        thread = Thread(target=lambda: taken.extend(answer_at_once(committed, [call_id])))
        thread.start()
        thread.join(0.2)
        heartbeat.commit()
        thread.join(10)
    assert taken == [olga.id]


@pytest.mark.parametrize(
    "change",
    [{"room_opened_at": None}, {"state": "paused"}, {"last_seen_at": real_now() - timedelta(minutes=1)}],
)
def test_only_who_is_there_with_an_open_room_is_offered_a_call(session: Session, change: dict[str, object]) -> None:
    olga = cast.operator(session)
    for name, value in change.items():
        setattr(olga, name, value)
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    assert calls.answer(session, call_id, Event("answered", "a")) is None


def test_an_operator_with_queues_of_their_own_serves_no_other(session: Session) -> None:
    olga = cast.operator(session)
    own, other = cast.queue(session, cast.person(session)), cast.queue(session, cast.person(session))
    session.execute(operators.operator_queues.insert().values(operator_id=olga.id, queue_id=own.id))
    assert calls.answer(session, cast.rung(session, other), Event("answered", "a")) is None
    assert calls.answer(session, cast.rung(session, own), Event("answered", "a")) == olga.id


def test_a_pause_or_a_leave_asked_for_in_a_call_comes_after_it(session: Session) -> None:
    olga = cast.operator(session)
    queue = cast.queue(session, cast.person(session), cast.person(session))
    first = cast.connected(session, queue)
    operators.pause(session, olga.id, "lunch")
    assert cast.seat(session, olga.id).state == "in_call"
    calls.record_event(session, first, Event("hung_up", "h"))
    calls.dispose(session, first, olga.id, "completed")
    assert (cast.seat(session, olga.id).state, cast.seat(session, olga.id).pause_reason) == ("paused", "lunch")
    operators.go_available(session, olga.id)
    second = cast.connected(session, queue)
    operators.leave(session, olga.id)
    calls.record_event(session, second, Event("hung_up", "h"))
    calls.dispose(session, second, olga.id, "completed")
    seat = cast.seat(session, olga.id)
    assert (seat.state, seat.leave_after_call, seat.room_ref) == ("offline", False, None)


def test_who_goes_silent_is_paused_after_ten_seconds_and_off_after_two_minutes(session: Session) -> None:
    olga = cast.operator(session)
    olga.last_seen_at = real_now() - timedelta(seconds=11)
    session.flush()
    operator_sweep.sweep(session)
    assert (cast.seat(session, olga.id).state, cast.seat(session, olga.id).pause_reason) == ("paused", "gone")
    cast.seat(session, olga.id).last_seen_at = real_now() - timedelta(minutes=3)
    operator_sweep.sweep(session)
    assert cast.seat(session, olga.id).state == "offline"
    assert cast.last_change(session, olga.id) == ("offline", "silent")


def test_who_was_logged_off_by_the_house_reads_why_and_who_left_does_not(session: Session, app: Flask) -> None:
    olga = cast.operator(session)
    with app.test_request_context(headers={"Accept-Language": "en"}):
        operators.leave(session, olga.id)
        by_herself = operator_snapshot.snapshot(session, olga.id)["operator"]["left"]
        operators.pause(session, olga.id, "starting")
        cast.seat(session, olga.id).last_seen_at = real_now() - timedelta(minutes=3)
        operator_sweep.sweep(session)
        left = operator_snapshot.snapshot(session, olga.id)["operator"]["left"]
    assert by_herself is None
    assert left["reason"] == "The page was silent for two minutes"


def test_a_pause_asked_for_again_goes_on_and_another_reason_begins_anew(session: Session) -> None:
    olga = cast.operator(session)
    operators.pause(session, olga.id, "break")
    began = real_now() - timedelta(minutes=7)
    cast.seat(session, olga.id).state_since = began
    operators.pause(session, olga.id, "break")
    assert cast.seat(session, olga.id).state_since == began
    operators.pause(session, olga.id, "meal")
    assert cast.seat(session, olga.id).state_since > began


def test_a_call_in_progress_is_kept_while_the_page_is_away(session: Session) -> None:
    olga = cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    cast.seat(session, olga.id).last_seen_at = real_now() - timedelta(minutes=5)
    operator_sweep.sweep(session)
    assert (cast.seat(session, olga.id).state, cast.seat(session, olga.id).call_id) == ("in_call", call_id)


def test_a_lost_room_is_asked_for_again_and_news_of_an_older_leg_change_nothing(session: Session) -> None:
    olga = cast.operator(session)
    operator_rooms.lost(session, olga.id, "CA-of-yesterday")
    assert cast.seat(session, olga.id).has_room
    session.info.pop("outbox")
    operator_rooms.lost(session, olga.id, f"CA-room-{olga.id}")
    assert not cast.seat(session, olga.id).has_room
    assert "callcenter.jobs.open_room" in [getattr(item, "function", "") for item in session.info["outbox"]]
    assert cast.seat(session, olga.id).state == "available"


def test_a_room_that_cannot_be_opened_pauses_with_the_reason(session: Session) -> None:
    olga = cast.operator(session)
    operator_rooms.lost(session, olga.id, f"CA-room-{olga.id}", reopen=False)
    assert (cast.seat(session, olga.id).state, cast.seat(session, olga.id).pause_reason) == ("paused", "room_lost")


def test_an_operator_who_is_none_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        operators.pause(session, 0, "lunch")


def test_the_snapshot_shows_the_call_the_person_and_the_day_as_the_contract_lays_it_down(
    session: Session, app: Flask
) -> None:
    olga, rosa = cast.operator(session), cast.person(session, "Rosa Luna", age=44, sex="M", section_number=2120)
    queue = cast.queue(session, rosa, script_text="Buenas tardes")
    call_id = cast.connected(session, queue)
    with app.test_request_context():
        shown = operator_snapshot.snapshot(session, olga.id)
        calls.record_event(session, call_id, Event("hung_up", "h"))
        calls.dispose(session, call_id, olga.id, "completed")
        after = operator_snapshot.snapshot(session, olga.id)
    assert shown["operator"]["state"] == "in_call"
    call = shown["call"]
    assert (call["id"], call["state"], call["attempt_number"]) == (str(call_id), "connected", 1)
    assert call["contact"]["name"] == "Rosa Luna"
    assert rosa.phone not in str(shown)
    assert call["contact"]["phone"].endswith(rosa.phone[-4:])
    assert (call["queue"]["script_text"], call["script"], call["script_url"]) == ("Buenas tardes", "operator", None)
    assert [shown["undo"], after["call"]] == [None, None]
    assert (after["undo"]["call_id"], after["undo"]["label"]) == (str(call_id), after["dispositions"][0]["label"])
    assert (after["operator"]["calls_today"], after["operator"]["state"]) == (1, "available")
    assert [q["id"] for q in after["queues"]] == [queue.id]
    assert after["simulated"] is True


def test_an_operator_sees_their_next_promised_callback(session: Session, app: Flask) -> None:
    olga = cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, cast.person(session, "Rosa Luna")))
    at = campaign_now(session) + timedelta(hours=1)
    calls.dispose(session, call_id, olga.id, "callback", callback_at=at, callback_mine=True)
    with app.test_request_context():
        shown = operator_snapshot.snapshot(session, olga.id)
    assert shown["next_callback"] == {"at": at.isoformat(), "name": "Rosa Luna"}
