from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import calls, operators, queues, suppressions
from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.calls import CallEvent, Event
from callcenter.ledger.call_scripts import CallScript, _kinds, register
from callcenter.ledger.call_states import MOVES, STATES, move, outcome
from callcenter.queueing import queue_entries
from tests.callcenter import cast

CARRIER_ENDS = ("hung_up", "busy", "no_answer", "failed", "invalid_number", "canceled")


def run(events: Sequence[str], state: str = "placing") -> tuple[str, str | None]:
    """State and outcome after the events, as the table moves them; each kind is one event however often it comes."""
    result, seen = None, set()
    for event in events:
        if event not in seen:
            seen.add(event)
            after = move(state, event)
            if after == "ended" and state != "ended":
                result = outcome(event)
            state = after or state
    return state, result


@given(st.sampled_from(CARRIER_ENDS), st.permutations(["placed", "unknown", "ringing"]), st.data())
def test_an_end_with_its_lead_up_in_any_order_and_any_number_closes_the_call_the_same_way(
    end: str, lead: list[str], data: st.DataObject
) -> None:
    heard = data.draw(st.permutations([*lead, end] * 2))
    assert run(heard) == ("ended", outcome(end))


@given(st.data())
def test_answer_and_hang_up_without_an_operator_is_abandoned_in_every_order(data: st.DataObject) -> None:
    heard = data.draw(st.permutations(["placed", "ringing", "answered", "hung_up", "ringing", "answered"]))
    assert run(heard) == ("ended", "abandoned")


@given(st.lists(st.sampled_from(sorted({kind for moves in MOVES.values() for kind in moves} - {"undone"}))))
def test_nothing_but_an_undo_leads_out_of_the_end(events: list[str]) -> None:
    assert run(events, "ended")[0] == "ended"


def test_the_table_leads_only_to_states_there_are_and_the_end_is_reached_from_each() -> None:
    assert {after for moves in MOVES.values() for after in moves.values()} <= set(STATES)
    reach = {"ended"}
    for _ in STATES:
        reach |= {state for state, moves in MOVES.items() if reach & set(moves.values())}
    assert reach == set(STATES)


def test_a_planned_call_is_in_the_ledger_with_a_deadline_before_anybody_dials(session: Session) -> None:
    queue = cast.queue(session, cast.person(session))
    call = cast.call(session, cast.planned(session, queue))
    assert (call.state, call.attempt.closed_at, call.script) == ("planned", None, "operator")
    assert real_now() < call.attempt.deadline_at < real_now() + timedelta(minutes=1)
    assert cast.entry(session, call.id).state == "calling"


def test_two_open_calls_to_one_phone_cannot_be_planned(session: Session) -> None:
    mother = cast.person(session, "Rosa Luna", phone="+529221112233")
    son = cast.person(session, "Luis Luna", phone="+529221112233")
    first, second = cast.queue(session, mother), cast.queue(session, son)
    claimed = queues.claim(session, second.id, 1)  # before the other call exists
    assert len(calls.plan(session, first, queues.claim(session, first.id, 1))) == 1
    assert calls.plan(session, second, claimed) == []
    assert claimed[0].state == "waiting"


def test_an_event_told_twice_is_kept_once_and_changes_nothing_the_second_time(session: Session) -> None:
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    busy = Event("busy", "status:CA1:busy", {"SipResponseCode": "486"})
    assert calls.record_event(session, call_id, busy) is True
    before = cast.entry(session, call_id).not_before
    assert calls.record_event(session, call_id, busy) is False
    kept = select(func.count()).select_from(CallEvent).where(CallEvent.call_id == call_id, CallEvent.kind == "busy")
    assert session.scalar(kept) == 1
    assert cast.entry(session, call_id).not_before == before
    assert cast.call(session, call_id).cause == {"event": "busy", "SipResponseCode": "486"}


def test_a_busy_line_is_tried_again_after_the_queues_own_pause(session: Session) -> None:
    call_id = cast.rung(session, cast.queue(session, cast.person(session), rules={"retries": {"busy": {"minutes": 5}}}))
    calls.record_event(session, call_id, Event("busy", "b"))
    entry, call = cast.entry(session, call_id), cast.call(session, call_id)
    assert (call.state, call.attempt.outcome, entry.state, entry.attempts) == ("ended", "busy", "waiting", 1)
    assert entry.not_before is not None
    assert timedelta(minutes=4) < entry.not_before - campaign_now(session) <= timedelta(minutes=5)


def test_a_late_ringing_after_the_end_is_kept_and_moves_nothing(session: Session) -> None:
    call_id = cast.planned(session, cast.queue(session, cast.person(session)))
    calls.record_event(session, call_id, Event("claimed", "claimed"))
    calls.record_event(session, call_id, Event("no_answer", "n", ref="CA7"))
    assert calls.record_event(session, call_id, Event("ringing", "r")) is False
    call = cast.call(session, call_id)
    assert (call.state, call.carrier_ref) == ("ended", "CA7")
    assert call.ringing_at is not None


def test_an_answered_call_goes_to_who_has_waited_longest(session: Session) -> None:
    queue = cast.queue(session, cast.person(session))
    first, second = cast.operator(session, "olga"), cast.operator(session, "pedro")
    second.state_since = real_now() - timedelta(minutes=3)
    call_id = cast.rung(session, queue)
    assert calls.answer(session, call_id, Event("answered", "a")) == second.id
    assert calls.answer(session, call_id, Event("answered", "a")) == second.id
    assert (cast.seat(session, second.id).state, cast.seat(session, first.id).state) == ("in_call", "available")
    assert cast.call(session, call_id).state == "connected"


def test_an_answered_call_that_no_operator_takes_is_abandoned_and_left_alone_for_three_days(session: Session) -> None:
    call_id = cast.abandoned(session, cast.queue(session, cast.person(session)))
    entry = cast.entry(session, call_id)
    assert cast.call(session, call_id).attempt.outcome == "abandoned"
    assert entry.not_before is not None
    assert entry.not_before - campaign_now(session) > timedelta(hours=71)


def test_a_citizen_who_hangs_up_leaves_the_operator_in_wrap_up_with_the_call(session: Session) -> None:
    olga = cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    calls.record_event(session, call_id, Event("hung_up", "h"))
    assert (cast.call(session, call_id).state, cast.seat(session, olga.id).state) == ("wrap_up", "wrap_up")
    assert cast.seat(session, olga.id).call_id == call_id


def test_an_outcome_ends_the_call_frees_the_operator_and_tells_the_script(session: Session) -> None:
    heard = []
    register("probe", CallScript("x", ended=lambda s, c: heard.append(c), suggested=lambda s, c: None))
    try:
        olga = cast.operator(session)
        call_id = cast.connected(session, cast.queue(session, cast.person(session), script="probe/1"))
        calls.record_event(session, call_id, Event("hung_up", "h"))
        calls.dispose(session, call_id, olga.id, "completed", note="muy amable")
        calls.dispose(session, call_id, olga.id, "completed")
    finally:
        del _kinds["probe"]
    call, entry = cast.call(session, call_id), cast.entry(session, call_id)
    assert heard == [call_id]
    assert (call.state, call.disposition, call.attempt.outcome, call.note) == (
        "ended",
        "completed",
        "completed",
        "muy amable",
    )
    assert (entry.state, entry.reason, entry.attempts) == ("done", "completed", 1)
    assert cast.seat(session, olga.id).state == "available"


def test_an_outcome_while_talking_hangs_up_and_no_new_citizen_joins_until_the_old_one_is_gone(session: Session) -> None:
    olga = cast.operator(session)
    queue = cast.queue(session, cast.person(session), cast.person(session))
    call_id = cast.connected(session, queue)
    calls.dispose(session, call_id, olga.id, "refused")
    assert "callcenter.jobs.hang_up" in [item.function for item in session.info["outbox"] if hasattr(item, "function")]
    second = cast.rung(session, queue)
    session.begin_nested()
    assert operators.offer(session, second) is None
    calls.record_event(session, call_id, Event("hung_up", "h"))
    assert operators.offer(session, second) is not None


def test_a_callback_keeps_its_hour_and_its_operator_and_needs_a_time_to_come(session: Session) -> None:
    olga = cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    at = campaign_now(session) + timedelta(hours=2)
    with pytest.raises(InvalidInput, match="Say when"):
        calls.dispose(session, call_id, olga.id, "callback")
    calls.dispose(session, call_id, olga.id, "callback", callback_at=at, callback_mine=True)
    entry = cast.entry(session, call_id)
    assert (entry.state, entry.is_callback, entry.not_before, entry.callback_operator_id) == (
        "waiting",
        True,
        at,
        olga.id,
    )


def test_an_unknown_outcome_and_somebody_elses_call_are_refused_in_words(session: Session) -> None:
    olga = cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    pedro = cast.operator(session, "pedro")
    with pytest.raises(InvalidInput, match="completed"):
        calls.dispose(session, call_id, olga.id, "nonsense")
    with pytest.raises(NotFound):
        calls.dispose(session, call_id, pedro.id, "completed")
    calls.dispose(session, call_id, olga.id, "completed")
    with pytest.raises(Refused):
        calls.dispose(session, call_id, olga.id, "refused")


@pytest.mark.parametrize("code", ["completed", "voicemail", "do_not_call", "callback", "wrong_number"])
def test_undo_puts_everything_back(session: Session, code: str) -> None:
    olga, rosa = cast.operator(session), cast.person(session, "Rosa Luna")
    other = cast.queue(session, rosa)
    call_id = cast.connected(session, cast.queue(session, rosa))
    calls.record_event(session, call_id, Event("hung_up", "h"))
    before = queue_entries.remember(session, cast.call(session, call_id).entry_id)
    at = campaign_now(session) + timedelta(hours=1) if code == "callback" else None
    calls.dispose(session, call_id, olga.id, code, callback_at=at)
    calls.undo_disposition(session, call_id, olga.id)
    call, seat = cast.call(session, call_id), cast.seat(session, olga.id)
    assert (call.state, call.disposition, call.attempt.closed_at, call.attempt.outcome) == ("wrap_up", None, None, None)
    assert (seat.state, seat.call_id) == ("wrap_up", call_id)
    assert queue_entries.remember(session, call.entry_id) == before
    session.refresh(rosa)
    assert rosa.consent == "opted_in" if code != "do_not_call" else rosa.consent in ("opted_in", "unknown")
    assert suppressions.find(session, rosa.phone) is None
    assert queues.progress(session, other.id)["waiting"] == 1
    calls.dispose(session, call_id, olga.id, "refused")
    assert cast.call(session, call_id).disposition == "refused"


def test_undo_is_refused_after_ten_seconds_and_while_in_another_call(session: Session) -> None:
    olga = cast.operator(session)
    queue = cast.queue(session, cast.person(session), cast.person(session))
    call_id = cast.connected(session, queue)
    calls.record_event(session, call_id, Event("hung_up", "h"))
    calls.dispose(session, call_id, olga.id, "completed")
    second = cast.connected(session, queue)
    with pytest.raises(Refused, match="another call"):
        calls.undo_disposition(session, call_id, olga.id)
    calls.record_event(session, second, Event("hung_up", "h"))
    calls.dispose(session, second, olga.id, "completed")
    cast.call(session, second).disposition_at = real_now() - timedelta(seconds=11)
    session.flush()
    with pytest.raises(Refused, match="ten seconds"):
        calls.undo_disposition(session, second, olga.id)


def test_a_difficult_call_pauses_the_operator_after_it(session: Session) -> None:
    olga = cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    calls.mark_difficult(session, call_id, olga.id)
    assert cast.seat(session, olga.id).state == "in_call"
    calls.record_event(session, call_id, Event("hung_up", "h"))
    calls.dispose(session, call_id, olga.id, "refused")
    seat = cast.seat(session, olga.id)
    assert (seat.state, seat.pause_reason) == ("paused", "difficult_call")


def test_an_event_of_a_call_that_is_not_ours_is_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        calls.record_event(session, uuid4(), Event("busy", "b"))


def test_closed_means_with_an_outcome_in_the_database_itself(session: Session) -> None:
    call_id = cast.planned(session, cast.queue(session, cast.person(session)))
    attempt = session.get_one(Attempt, call_id)
    attempt.closed_at = datetime.now(real_now().tzinfo)
    with pytest.raises(Exception, match="closed_with_outcome"):
        session.flush()
