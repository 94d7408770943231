"""The ledger and a switch after a time in which nobody listened."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from callcenter import calls, operators, switches
from callcenter.base.clock import real_now
from callcenter.calls import Event
from callcenter.carriers.asterisk.events import Leg
from callcenter.carriers.asterisk.packets import Packet
from callcenter.ledger import transfer_targets
from callcenter.ledger.call_legs import CallLeg
from callcenter.supervision.supervision import Listening
from callcenter.telephony import switch_reconcile
from callcenter.telephony.switch_reconcile import Channel
from tests.callcenter import cast
from tests.callcenter.telephony.test_switch_news import HERE, jobs_of, leg, placed, rooms, waiting
from tests.callcenter.trunk_cast import switch

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def here(session: Session) -> None:
    switch(session, HERE)


def long_ago(session: Session, call_id: UUID, state: str = "ringing") -> None:
    call = cast.call(session, call_id)
    call.state, call.placed_at = state, real_now() - timedelta(minutes=1)
    session.flush()


def channel(
    of: Leg, *, up: bool = True, exten: str = "wait", context: str = "citizen", app: str = "", age: int = 9
) -> Channel:
    return Channel(of, up, context, exten, app, age)


def missing(session: Session, *present: str) -> tuple[list[UUID], bool]:
    return switch_reconcile.missing(session, HERE, present, real_now())


def test_calls_that_the_switch_has_no_more_are_found_and_those_of_other_switches_left_alone(session: Session) -> None:
    gone, there, elsewhere = placed(session), placed(session), placed(session)
    cast.call(session, elsewhere).carrier_ref = f"north/{elsewhere}"
    for call_id in (gone, there, elsewhere):
        long_ago(session, call_id)
    assert missing(session, str(there)) == ([gone], False)


def test_a_call_placed_this_moment_is_too_young_to_be_missed(session: Session) -> None:
    placed(session)
    assert missing(session) == ([], True)


def test_a_citizen_who_may_still_be_in_a_room_is_missed_after_the_operators_word_too(session: Session) -> None:
    operator, call_id = waiting(session), placed(session)
    assert calls.answer(session, call_id, Event("answered", "a")) == operator.id
    calls.dispose(session, call_id, operator.id, "completed")
    call = cast.call(session, call_id)
    call.placed_at = call.answered_at = real_now() - timedelta(minutes=1)
    session.flush()
    assert missing(session) == ([call_id], False)
    switch_reconcile.close(session, HERE, call_id)
    assert cast.call(session, call_id).hung_up_at is not None
    assert missing(session) == ([], False)


@pytest.mark.parametrize(("restarted", "why"), [(True, "switch_restarted"), (False, "unheard")])
@pytest.mark.parametrize("state", ["placing", "unknown", "ringing"])
def test_a_call_that_is_gone_is_closed_with_the_reason_and_gives_the_try_back(
    session: Session, state: str, restarted: bool, why: str
) -> None:
    call_id = placed(session)
    long_ago(session, call_id, state)
    switches.heard(session, HERE, booted_at=real_now() - timedelta(seconds=5 if restarted else 500))
    switch_reconcile.close(session, HERE, call_id)
    call = cast.call(session, call_id)
    assert (call.attempt.outcome, call.cause) == ("lost", {"event": "lost", "why": why})
    assert cast.entry(session, call_id).attempts == 0


def test_an_answered_call_that_is_gone_was_abandoned_however_it_went(session: Session) -> None:
    call_id = placed(session)
    long_ago(session, call_id, "answered")
    assert switch_reconcile.may_have_waited(session, [call_id]) == []
    switch_reconcile.close(session, HERE, call_id)
    assert cast.call(session, call_id).attempt.outcome == "abandoned"


def test_an_operator_whose_citizen_is_gone_writes_the_call_up(session: Session) -> None:
    operator, call_id = waiting(session), placed(session)
    calls.answer(session, call_id, Event("answered", "a"))
    switch_reconcile.close(session, HERE, call_id)
    assert (cast.call(session, call_id).state, cast.seat(session, operator.id).state) == ("wrap_up", "wrap_up")


def test_whoever_picked_up_unheard_is_connected_now(session: Session) -> None:
    operator, call_id = waiting(session), placed(session)
    for _ in range(2):  # or the order to move them was lost
        wanted = switch_reconcile.meet(session, HERE, channel(leg(call_id)))
        assert rooms(wanted) == [f"op-{operator.id}"]


def test_who_rings_or_stands_in_a_room_is_left_there(session: Session) -> None:
    waiting(session)
    call_id = placed(session)
    assert switch_reconcile.meet(session, HERE, channel(leg(call_id), up=False)) == []
    assert switch_reconcile.meet(session, HERE, channel(leg(call_id), exten="room")) == []


def test_legs_that_the_ledger_does_not_know_or_has_closed_are_hung_up(session: Session) -> None:
    over = placed(session)
    calls.record_event(session, over, Event("canceled", "hang_up"))
    strangers = [
        channel(leg(over)), channel(leg(uuid4())), channel(Leg.read("op-999999-1")),
        channel(Leg.read("a-1.2"), context="from-trunk"),
    ]  # fmt: skip
    for stranger in strangers:
        (wanted,) = switch_reconcile.meet(session, HERE, stranger)
        assert (wanted["Action"], wanted["Channel"]) == ("Hangup", stranger.leg.id)
    spared = [channel(Leg.read("a-1.2"), age=2), channel(Leg.read("a-1.3"), context="supervisor"),
              channel(leg(uuid4()), exten="recording")]  # fmt: skip
    assert [switch_reconcile.meet(session, HERE, one) for one in spared] == [[], [], []]


def test_an_operators_leg_that_stands_in_its_room_is_their_room_and_one_of_somebody_offline_goes(
    session: Session,
) -> None:
    operator = cast.operator(session, free=False)
    there = channel(Leg.read(f"op-{operator.id}-00000001"), context="operator", exten="room", app="ConfBridge")
    operator.state = "paused"
    assert switch_reconcile.meet(session, HERE, there) == []
    assert cast.seat(session, operator.id).room_ref == f"{HERE}/{there.leg.id}"
    operators.leave(session, operator.id)
    (wanted,) = switch_reconcile.meet(session, HERE, there)
    assert wanted["Action"] == "Hangup"


def test_a_room_whose_leg_is_gone_is_opened_again_and_the_others_stay(session: Session) -> None:
    gone, there, elsewhere = waiting(session), waiting(session), waiting(session, switch="north")
    switch_reconcile.forget_rooms(session, HERE, {f"op-{there.id}-0a0b0c0d"}, real_now())
    assert [cast.seat(session, operator.id).has_room for operator in (gone, there, elsewhere)] == [False, True, True]
    assert ("callcenter.jobs.open_room", (gone.id,)) in jobs_of(session)


def test_a_leg_ordered_while_the_switch_was_asked_is_not_taken_for_gone_and_one_that_was_up_is(
    session: Session,
) -> None:
    operator, call_id = waiting(session), placed(session)
    asked_at = real_now()
    target = transfer_targets.TransferTarget(name="Ayuda", phone="+525555550101")
    session.add(target)
    session.flush()
    ordered, up = (
        CallLeg(call_id=call_id, kind="outside", room="meet", target_id=target.id, asked_by=operator.id,
                created_at=asked_at - timedelta(seconds=1))
        for _ in range(2)
    )  # fmt: skip
    session.add_all((ordered, up))
    session.flush()
    ordered.ref, up.ref = f"{HERE}/{ordered.id}", f"{HERE}/{up.id}"
    up.state, up.answered_at = "up", asked_at - timedelta(seconds=1)
    listening = Listening(
        user_id=operator.user_id, operator_id=operator.id, mode="listen", ref=f"{HERE}/sup-1-0000000a"
    )
    session.add(listening)
    session.flush()
    switch_reconcile.forget_rooms(session, HERE, {f"op-{operator.id}-0a0b0c0d"}, asked_at)
    assert (ordered.state, up.state, listening.ended_at) == ("asked", "ended", None)


def test_who_listens_although_the_ledger_says_that_they_have_stopped_is_hung_up(session: Session) -> None:
    operator = waiting(session)
    listening = Listening(
        user_id=operator.user_id, operator_id=operator.id, mode="listen", ref=f"{HERE}/sup-1-0000000a"
    )
    session.add(listening)
    session.flush()
    there = channel(Leg.read("sup-1-0000000a"), context="supervisor", exten="listen", app="ChanSpy")
    assert switch_reconcile.meet(session, HERE, there) == []
    assert listening.heard_at is not None
    listening.ended_at = real_now()
    session.flush()
    (wanted,) = switch_reconcile.meet(session, HERE, there)
    assert (wanted["Action"], wanted["Channel"]) == ("Hangup", "sup-1-0000000a")


def test_an_apology_is_heard_to_its_end(session: Session) -> None:
    call_id = placed(session)
    for _ in range(2):  # it was not heard that they picked up; then it was
        assert switch_reconcile.meet(session, HERE, channel(leg(call_id), exten="goodbye")) == []
        assert cast.call(session, call_id).attempt.outcome == "abandoned"


def test_whoever_waits_is_left_where_they_wait_until_somebody_is_free(session: Session) -> None:
    call_id = placed(session)
    assert switch_reconcile.meet(session, HERE, channel(leg(call_id))) == []
    assert cast.call(session, call_id).state == "answered"


@pytest.mark.parametrize("state", ["placing", "unknown", "ringing"])
def test_who_picked_up_while_nobody_listened_was_abandoned_when_the_switch_has_kept_it(
    session: Session, state: str
) -> None:
    call_id = placed(session)
    long_ago(session, call_id, state)
    assert switch_reconcile.may_have_waited(session, [call_id]) == [call_id]
    switch_reconcile.close(session, HERE, call_id, waited=True)
    call = cast.call(session, call_id)
    assert (call.attempt.outcome, call.cause) == ("abandoned", {"event": "lost", "why": "unheard"})
    assert (call.answered_at is not None, cast.entry(session, call_id).attempts) == (True, 1)


def test_the_answers_of_a_switch_are_read_by_their_names() -> None:
    told = [
        Packet((("Event", "Status"), ("Uniqueid", "op-7-1"), ("ChannelState", "6"), ("Context", "operator"),
                ("Exten", "room"), ("Application", "ConfBridge"), ("Seconds", "12"))),
        Packet((("Event", "StatusComplete"), ("Items", "1"))),
    ]  # fmt: skip
    assert switch_reconcile.channels(told) == {
        "op-7-1": Channel(Leg.read("op-7-1"), True, "operator", "room", "ConfBridge", 12)
    }
    contact = Packet((("Event", "ContactList"), ("Aor", "op-7"), ("Uri", "sip:op-7@x")))
    assert switch_reconcile.contacts([contact]) == {"op-7": "sip:op-7@x"}
