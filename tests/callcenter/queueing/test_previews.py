"""Looking before calling: who is shown to whom, and what becomes of both."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from callcenter import calls, operators, queues
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.calls import Event
from callcenter.ledger.call_floor import read
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator
from callcenter.queueing import people_to_call, previews, queue_entries, queue_rules
from callcenter.queueing.previews import Preview
from callcenter.queueing.queue_rules import Rules
from callcenter.queues import CallQueue, QueueEntry
from callcenter.seats import operator_rooms, operator_snapshot, operator_sweep
from tests.callcenter import cast


@pytest.fixture
def olga(session: Session) -> Operator:
    return cast.operator(session)


@pytest.fixture
def of(session: Session) -> CallQueue:
    people = [cast.person(session, name) for name in ("Ana Pérez", "Beto Luna", "Carla Ruiz")]
    return cast.queue(session, *people, mode="preview")


def shown(session: Session, of: CallQueue, olga: Operator) -> Preview:
    assert previews.show_next(session, of) == 1
    found = previews.open_of(session, olga.id)
    assert found is not None
    return found


def entry(session: Session, of: Preview) -> QueueEntry:
    session.flush()
    return session.get_one(QueueEntry, of.entry_id, populate_existing=True)


def seat(session: Session, olga: Operator) -> tuple[str, str | None]:
    now = cast.seat(session, olga.id)
    return now.state, now.pause_reason


def test_the_next_person_is_put_before_each_operator_who_is_free_once(session: Session, of: CallQueue) -> None:
    both = [cast.operator(session, name) for name in ("olga", "omar")]
    assert previews.show_next(session, of) == 2
    assert previews.show_next(session, of) == 0
    looks = [previews.open_of(session, each.id) for each in both]
    assert len({look.entry_id for look in looks if look}) == 2
    assert [seat(session, each)[0] for each in both] == ["preview", "preview"]
    assert read(session).free == []


def test_the_screen_shows_the_person_with_a_masked_phone_and_no_call(
    session: Session, of: CallQueue, olga: Operator, app: Flask
) -> None:
    look = shown(session, of, olga)
    with app.test_request_context():
        state = operator_snapshot.snapshot(session, olga.id)
    assert state["call"] is None
    card = state["preview"]
    assert (card["id"], card["call_id"], card["attempt_number"]) == (look.id, None, 1)
    assert card["contact"]["name"] == "Ana Pérez"
    assert "•" in card["contact"]["phone"]


def test_a_call_is_the_operators_from_its_planning_to_the_talk(session: Session, of: CallQueue, olga: Operator) -> None:
    look = shown(session, of, olga)
    cast.operator(session, "omar")  # who has nothing to do with it
    call_id = previews.call(session, look.id, olga.id)
    assert read(session).of_queue(of.id).ringing == ()  # nobody else need be kept for it
    assert session.info["outbox"][-1].args == ([str(call_id)],)
    calls.record_event(session, call_id, Event("claimed", "claimed"))
    calls.record_event(session, call_id, Event("placed", "placed", ref="CA1"))
    assert calls.answer(session, call_id, Event("answered", "answered")) == olga.id
    assert seat(session, olga) == ("in_call", None)
    calls.record_event(session, call_id, Event("hung_up", "hung_up"))
    assert seat(session, olga)[0] == "wrap_up"


def test_who_does_not_answer_leaves_the_operator_free_and_is_told(
    session: Session, of: CallQueue, olga: Operator, app: Flask
) -> None:
    look = shown(session, of, olga)
    call_id = previews.call(session, look.id, olga.id)
    calls.record_event(session, call_id, Event("claimed", "claimed"))
    calls.record_event(session, call_id, Event("no_answer", "no_answer"))
    assert seat(session, olga) == ("available", None)
    with app.test_request_context():
        assert operator_snapshot.snapshot(session, olga.id)["preview_end"]["call_id"] == str(call_id)
    assert entry(session, look).state == "waiting"


def test_the_talk_goes_to_somebody_else_when_the_callers_line_is_gone(
    session: Session, of: CallQueue, olga: Operator
) -> None:
    look = shown(session, of, olga)
    call_id = previews.call(session, look.id, olga.id)
    calls.record_event(session, call_id, Event("claimed", "claimed"))
    calls.record_event(session, call_id, Event("ringing", "ringing"))
    operator_rooms.lost(session, olga.id, f"CA-room-{olga.id}")
    omar = cast.operator(session, "omar")
    assert calls.answer(session, call_id, Event("answered", "answered")) == omar.id
    assert cast.seat(session, olga.id).call_id is None


def test_who_is_skipped_comes_back_later_and_not_for_ever(session: Session, of: CallQueue, olga: Operator) -> None:
    with pytest.raises(InvalidInput):
        previews.skip(session, shown(session, of, olga).id, olga.id, "because")
    first = previews.open_of(session, olga.id)
    assert first is not None
    for turn in range(previews.MOST_SKIPS):
        look = previews.open_of(session, olga.id) or previews.take(session, olga.id, first.entry_id)
        previews.skip(session, look.id, olga.id, "wrong_time")
        assert seat(session, olga) == ("available", None)
        row = entry(session, first)
        if turn + 1 < previews.MOST_SKIPS:
            assert (row.state, row.reason) == ("waiting", "skipped")
            assert row.not_before is not None
            assert row.not_before > campaign_now(session) + timedelta(minutes=59)
            row.is_callback, row.callback_operator_id = True, olga.id  # so that she may pick them herself
            session.flush()
    assert (row.state, row.reason) == ("done", "skipped")


def test_a_campaign_says_how_long_a_look_lasts_and_a_skip_rests(
    session: Session, of: CallQueue, olga: Operator
) -> None:
    queue_rules.set_rules(session, of.id, Rules(look_seconds=300, skip_minutes=10), None)
    look = shown(session, of, olga)
    assert look.until - look.shown_at == timedelta(minutes=5)
    previews.skip(session, look.id, olga.id, "wrong_time")
    row = entry(session, look)
    assert row.not_before is not None
    assert timedelta(minutes=9) < row.not_before - campaign_now(session) <= timedelta(minutes=10)


def test_a_look_that_lasts_too_long_gives_the_person_back_and_pauses(
    session: Session, of: CallQueue, olga: Operator
) -> None:
    look = shown(session, of, olga)
    previews.sweep(session)
    assert seat(session, olga)[0] == "preview"
    look.until = real_now() - timedelta(seconds=1)
    session.flush()
    previews.sweep(session)
    assert seat(session, olga) == ("paused", "looked_long")
    assert (entry(session, look).state, look.result) == ("waiting", "expired")
    with pytest.raises(Refused):
        previews.call(session, look.id, olga.id)


def test_who_pauses_leaves_or_goes_silent_gives_the_person_back(
    session: Session, of: CallQueue, olga: Operator
) -> None:
    first = shown(session, of, olga)
    operators.pause(session, olga.id, "break")
    previews.sweep(session)
    assert (entry(session, first).state, seat(session, olga)) == ("waiting", ("paused", "break"))
    operators.go_available(session, olga.id)
    second = shown(session, of, olga)
    cast.seat(session, olga.id).last_seen_at = real_now() - timedelta(seconds=30)
    session.flush()
    operator_sweep.sweep(session)
    previews.sweep(session)
    assert (entry(session, second).state, seat(session, olga)) == ("waiting", ("paused", "gone"))


def test_a_campaign_that_pauses_takes_its_people_back(session: Session, of: CallQueue, olga: Operator) -> None:
    look = shown(session, of, olga)
    queues.set_state(session, of.id, "paused", "lunch", None)
    with pytest.raises(Refused):
        previews.call(session, look.id, olga.id)
    assert (entry(session, look).state, seat(session, olga)) == ("waiting", ("available", None))


def test_a_look_of_somebody_else_is_not_ones_own(session: Session, of: CallQueue, olga: Operator) -> None:
    look = shown(session, of, olga)
    omar = cast.operator(session, "omar")
    with pytest.raises(NotFound):
        previews.call(session, look.id, omar.id)
    with pytest.raises(NotFound):
        previews.skip(session, look.id, omar.id, "known")


def test_an_operator_picks_from_the_lists_that_are_dialled_by_hand_and_their_promises(
    session: Session, of: CallQueue, olga: Operator
) -> None:
    by_hand = cast.queue(session, cast.person(session, "Diana Solís"), mode="manual", name="A mano")
    (promised,) = queues.claim(session, of.id, 1)
    queue_entries.promise_callback(session, promised.id, campaign_now(session) + timedelta(hours=2), olga.id)
    found = people_to_call.people(session, olga.id)
    assert [(one.queue, one.due_at is not None) for one in found] == [(of.name, True), ("A mano", False)]
    assert [one.name for one in people_to_call.people(session, olga.id, "diana")] == ["Diana Solís"]
    assert people_to_call.people(session, olga.id, "nadie") == []
    look = previews.take(session, olga.id, found[1].entry_id)
    assert (look.queue_id, seat(session, olga)[0]) == (by_hand.id, "preview")
    omar = cast.operator(session, "omar")
    with pytest.raises(Refused):  # Olga has her
        previews.take(session, omar.id, found[1].entry_id)
    with pytest.raises(NotFound):  # promised by another
        previews.take(session, omar.id, found[0].entry_id)
    with pytest.raises(Refused):  # she looks at somebody
        previews.take(session, olga.id, found[0].entry_id)


def test_the_call_of_a_look_counts_for_the_operator(session: Session, of: CallQueue, olga: Operator) -> None:
    call_id = previews.call(session, shown(session, of, olga).id, olga.id)
    assert session.get_one(Call, call_id).operator_id == olga.id
    previews.stop_call(session, call_id, olga.id)
    assert session.info["outbox"][-1].function == "callcenter.jobs.hang_up"
    with pytest.raises(NotFound):
        previews.stop_call(session, call_id, cast.operator(session, "omar").id)
