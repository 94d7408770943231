"""What a switch says and what the ledger makes of it: in any order, twice, or never."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls
from callcenter.base.clock import real_now
from callcenter.calls import Event
from callcenter.carriers.asterisk import events
from callcenter.carriers.asterisk.actions import Action
from callcenter.carriers.asterisk.events import Leg, News
from callcenter.ledger.call_ledger import CallEvent
from callcenter.operators import Operator
from callcenter.telephony import switch_news
from tests.callcenter import cast
from tests.callcenter.trunk_cast import trunk

HERE = "local"


def placed(session: Session, **columns: object) -> UUID:
    """A call that the switch has taken."""
    call_id = cast.planned(session, cast.queue(session, cast.person(session), carrier="asterisk", **columns))
    calls.record_event(session, call_id, Event("claimed", "claimed"))
    calls.record_event(session, call_id, Event("placed", "placed", ref=f"{HERE}/{call_id}"))
    return call_id


def waiting(session: Session, switch: str = HERE) -> Operator:
    """A free operator whose room is on this switch."""
    operator = cast.operator(session, free=False)
    operator.state, operator.room_ref = "available", f"{switch}/op-{operator.id}-0a0b0c0d"
    operator.room_opened_at = operator.last_seen_at = operator.state_since = real_now()
    session.flush()
    return operator


def leg(call_id: UUID) -> Leg:
    return Leg.read(str(call_id))


def ended(call_id: UUID, q850: int = 16, sip: int | None = None) -> News:
    return events.Ended(leg(call_id), q850, sip, 1, {"Cause": str(q850)} | ({"TechCause": str(sip)} if sip else {}))


def say(session: Session, *news: News) -> list[Action]:
    wanted: list[Action] = []
    for one in news:
        wanted += switch_news.take(session, HERE, one)
    session.flush()
    return wanted


def rooms(wanted: Sequence[Action]) -> list[str]:
    """Where somebody is moved to: a room, or an extension that is none."""
    told = [dict(action) for action in wanted]
    return [str(a.get("Value") or a["Exten"]) for a in told if a["Action"] != "Redirect" or a["Exten"] != "room"]


def outcome(session: Session, call_id: UUID) -> str | None:
    return cast.call(session, call_id).attempt.outcome


def test_an_answered_citizen_goes_into_the_room_of_who_has_waited_longest(session: Session) -> None:
    first, second = waiting(session), waiting(session)
    first.state_since = real_now() - timedelta(minutes=3)
    call_id = placed(session)
    wanted = say(session, events.Ringing(leg(call_id)), events.Up(leg(call_id)), events.Answered(leg(call_id)))
    assert rooms(wanted) == [f"op-{first.id}"]
    call = cast.call(session, call_id)
    assert (call.state, call.operator_id) == ("connected", first.id)
    assert (cast.seat(session, second.id).state, call.carrier_ref) == ("available", f"{HERE}/{call_id}")


def test_an_answer_told_twice_moves_the_same_citizen_into_the_same_room(session: Session) -> None:
    operator = waiting(session)
    waiting(session)
    call_id = placed(session)
    for _ in range(2):
        assert rooms(say(session, events.Answered(leg(call_id)))) == [f"op-{operator.id}"]


def test_a_room_on_another_switch_is_out_of_reach(session: Session) -> None:
    waiting(session, switch="north")
    call_id = placed(session)
    assert say(session, events.Answered(leg(call_id))) == []
    assert cast.call(session, call_id).state == "answered"


def test_who_waits_goes_to_the_first_who_frees_and_the_same_answer_said_again_moves_them(session: Session) -> None:
    call_id = placed(session)
    assert say(session, events.Answered(leg(call_id))) == []
    operator = waiting(session)
    assert rooms(say(session, events.Answered(leg(call_id)))) == [f"op-{operator.id}"]


@pytest.mark.parametrize("heard", [True, False])
def test_whom_nobody_moved_in_time_is_abandoned_whether_or_not_their_answer_was_heard(
    session: Session, heard: bool
) -> None:
    call_id = placed(session)
    told = [events.Answered(leg(call_id))] if heard else []
    assert say(session, *told, events.Abandoned(leg(call_id)), ended(call_id, 16)) == []
    assert (outcome(session, call_id), cast.entry(session, call_id).reason) == ("abandoned", "abandoned")


def test_whom_an_operator_took_at_the_last_moment_is_moved_out_of_the_apology(session: Session) -> None:
    operator, call_id = waiting(session), placed(session)
    say(session, events.Answered(leg(call_id)))
    assert rooms(say(session, events.Abandoned(leg(call_id)))) == [f"op-{operator.id}"]
    assert cast.call(session, call_id).state == "connected"


def test_an_apology_to_somebody_who_called_us_closes_no_call(session: Session) -> None:
    assert say(session, events.Abandoned(Leg.read("asterisk-1.9"))) == []


def test_who_answers_a_call_that_is_over_in_our_books_is_hung_up(session: Session) -> None:
    waiting(session)
    call_id = placed(session)
    calls.record_event(session, call_id, Event("canceled", "hang_up"))
    (wanted,) = say(session, events.Answered(leg(call_id)))
    assert wanted["Action"] == "Hangup"


def test_a_recording_takes_the_call_and_a_hang_up_leaves_it_open_for_its_word(session: Session) -> None:
    call_id = placed(session, answered_by="recording")
    assert rooms(say(session, events.Answered(leg(call_id)))) == ["recording"]
    say(session, ended(call_id, 0))
    call = cast.call(session, call_id)
    assert (call.state, call.operator_id, call.attempt.closed_at) == ("wrap_up", None, None)
    calls.finish_unattended(session, call_id, "partial")
    calls.finish_unattended(session, call_id, "completed")  # too late: the word is said
    assert (outcome(session, call_id), cast.entry(session, call_id).state) == ("partial", "done")


@pytest.mark.parametrize(("mode", "status", "is_over"), [
    ("on", "MACHINE", True), ("on", "NOTSURE", False), ("on", "HUMAN", False), ("on", "HANGUP", False),
    ("on", "", False), ("shadow", "MACHINE", False),
])  # fmt: skip
def test_only_a_clear_machine_is_one_and_only_where_it_is_wanted(
    session: Session, mode: str, status: str, is_over: bool
) -> None:
    call_id = placed(session, machine_detection=mode)
    wanted = say(session, events.Ringing(leg(call_id)), events.Judged(leg(call_id), status, "LONGGREETING", 2020))
    assert [action["Action"] for action in wanted] == (["Hangup"] if is_over else [])
    assert outcome(session, call_id) == ("machine" if is_over else None)
    kept = session.scalars(select(CallEvent.payload).where(CallEvent.kind == "judged")).one()
    assert kept == {"status": status, "cause": "LONGGREETING", "ms": 2020}


def test_a_fault_of_our_trunk_gives_the_try_back_and_is_the_trunks_alarm(session: Session) -> None:
    line = trunk(session)
    call_id = placed(session)
    cast.call(session, call_id).trunk_id = line.id
    say(session, events.Ringing(leg(call_id)), ended(call_id, 21, 403))
    call = cast.call(session, call_id)
    assert call.cause == {"event": "not_placed", "code": "trunk_fault", "Cause": "21", "TechCause": "403"}
    assert (outcome(session, call_id), cast.entry(session, call_id).attempts, line.faults) == ("not_placed", 0, 1)
    say(session, ended(call_id, 21, 403))
    assert line.faults == 1


def test_a_call_for_which_not_even_a_channel_came_to_be_is_our_trunks_fault(session: Session) -> None:
    line = trunk(session)
    call_id = placed(session)
    cast.call(session, call_id).trunk_id = line.id
    for _ in range(2):
        say(session, events.Refused(leg(call_id), 0, has_leg=False))
    assert (outcome(session, call_id), line.faults) == ("not_placed", 1)


def refused(call_id: UUID, reason: int) -> News:
    return events.Refused(leg(call_id), reason, has_leg=True)


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(
    ("cause", "reason", "rang_for", "expected"),
    [
        (0, 3, 25, "no_answer"), (0, 0, 25, "no_answer"), (0, 0, 2, "failed"), (0, 5, 2, "busy"),
        (16, 1, 2, "failed"), (17, 0, 2, "busy"), (19, 3, 25, "no_answer"), (0, 8, 1, "not_placed"),
    ],
)  # fmt: skip
def test_a_cause_that_says_nothing_is_decided_by_asterisks_reason_and_our_own_timer(
    session: Session, cause: int, reason: int, rang_for: int, expected: str, swapped: bool
) -> None:
    call_id = placed(session)
    cast.call(session, call_id).placed_at = real_now() - timedelta(seconds=rang_for)
    told = [ended(call_id, cause), refused(call_id, reason)]
    say(session, events.Ringing(leg(call_id)), *(reversed(told) if swapped else told))
    assert outcome(session, call_id) == expected


def test_a_call_that_we_took_down_is_canceled_whatever_the_line_says(session: Session) -> None:
    call_id = placed(session)
    calls.record_event(session, call_id, Event("hang_up_asked", "hang_up_asked"))
    say(session, ended(call_id, 16), refused(call_id, 1))
    assert outcome(session, call_id) == "canceled"


def test_the_lines_own_words_are_kept_although_ours_came_first(session: Session) -> None:
    operator = waiting(session)
    call_id = placed(session)
    say(session, events.Answered(leg(call_id)))
    calls.record_event(session, call_id, Event("hung_up", "hang_up"))
    say(session, ended(call_id, 16))
    assert cast.call(session, call_id).cause == {"event": "hung_up", "Cause": "16"}
    assert cast.seat(session, operator.id).state == "wrap_up"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_order_and_however_often_a_call_ends_once_and_nobody_is_left_hanging(
    session: Session, data: st.DataObject
) -> None:
    """The story of a call, its news shuffled, doubled and with gaps."""
    with session.begin_nested() as story:
        operator = waiting(session)
        call_id = placed(session)
        news: list[News] = [
            events.Ringing(leg(call_id)), events.Up(leg(call_id)), events.Answered(leg(call_id)), ended(call_id, 16),
            events.Abandoned(leg(call_id)),
            refused(call_id, 3), events.Said(leg(call_id), {"TechCause": "200"}),
        ]  # fmt: skip
        told = data.draw(st.lists(st.sampled_from(news), max_size=10))
        say(session, *told)
        first = cast.call(session, call_id)
        state, closed, who = first.state, first.attempt.closed_at, first.operator_id
        say(session, *told)  # all of it once more
        again = cast.call(session, call_id)
        assert (again.attempt.closed_at, again.operator_id) == (closed, who)
        if state != "ringing":  # a later answer may still come of a ringing call, never of one that ended
            assert again.state == state
        seat = cast.seat(session, operator.id)
        assert (seat.call_id is not None) is (again.state in ("connected", "wrap_up"))
        story.rollback()
    session.expire_all()


def test_an_operators_leg_opens_and_loses_their_room_and_an_older_one_is_closed(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator = cast.operator(session, free=False)
    operator.state = "paused"
    old, new = (Leg.read(f"op-{operator.id}-{n}") for n in ("00000001", "00000002"))
    room = f"op-{operator.id}"
    say(session, events.Entered(old, room), events.Entered(new, room))
    assert cast.seat(session, operator.id).room_ref == f"{HERE}/{new.id}"
    assert ("callcenter.jobs.close_room", (f"{HERE}/{old.id}",)) in jobs_of(session)
    say(session, events.Left(old, room), events.Ended(old, 16, None, None, {}))
    assert cast.seat(session, operator.id).has_room
    say(session, events.Left(new, room))
    assert not cast.seat(session, operator.id).has_room
    count = len(jobs_of(session))
    say(session, events.Ended(new, 16, None, None, {}))  # the same said once more asks for nothing more
    assert len(jobs_of(session)) == count


def test_the_leg_of_somebody_who_does_not_work_here_is_hung_up(session: Session) -> None:
    stranger = Leg.read("op-999999-00000001")
    (wanted,) = say(session, events.Entered(stranger, "op-999999"))
    assert wanted["Action"] == "Hangup"
    say(session, events.Ended(stranger, 16, None, None, {}), events.Refused(stranger, 0, has_leg=False))


def test_news_of_channels_that_are_nobodys_change_nothing(session: Session) -> None:
    for stranger in (Leg.read("asterisk-1.1"), Leg.read("6f1d0f4e-1111-4222-8333-444455556666"), Leg.read("sup-9-1")):
        told: list[News] = [
            events.Ringing(stranger), events.Up(stranger), events.Answered(stranger), events.Said(stranger, {}),
            events.Judged(stranger, "MACHINE", "", 1), events.Refused(stranger, 0, True), events.Left(stranger, "op-1"),
            events.Entered(stranger, "op-1"), events.Ended(stranger, 16, None, None, {}),
        ]  # fmt: skip
        assert say(session, *told) == []


def test_a_hang_up_of_an_inbound_call_is_found_by_its_reference(session: Session) -> None:
    operator = waiting(session)
    call_id = placed(session)
    say(session, events.Answered(leg(call_id)))
    call = cast.call(session, call_id)
    call.direction, call.carrier_ref = "in", f"{HERE}/asterisk-1.7"
    say(session, events.Ended(Leg.read("asterisk-1.7"), 16, None, 1, {"Cause": "16"}))
    assert (cast.call(session, call_id).state, cast.seat(session, operator.id).state) == ("wrap_up", "wrap_up")


def test_who_calls_a_number_that_belongs_to_no_campaign_hears_the_apology(session: Session) -> None:
    wanted = say(session, events.Arrived(Leg.read("asterisk-1.8"), "5512345678", "5500000000"))
    assert rooms(wanted) == ["goodbye"]


def jobs_of(session: Session) -> list[tuple[str, tuple[object, ...]]]:
    return [(job.function, job.args) for job in session.info.get("outbox", []) if hasattr(job, "function")]
