"""What every carrier promises: the same calls, the same ledger, over a real Asterisk and over Twilio's protocol."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from callcenter import calls, carriers, jobs
from callcenter.base.clock import real_now
from callcenter.base.db import Sessions
from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from callcenter.carriers import Trace
from callcenter.ledger import call_acts, call_states
from callcenter.ledger.call_ledger import CallEvent
from tests.telephone.sides import AsteriskSide, Side, twilio_side


@pytest.fixture(params=["asterisk", "twilio"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    """The house over one carrier and over the other."""
    if request.param == "asterisk":
        yield AsteriskSide(request.getfixturevalue("house"))
        return
    sessions: Sessions = request.getfixturevalue("committed")
    settings: Settings = request.getfixturevalue("settings")
    with twilio_side(sessions, settings) as side:
        yield side


@pytest.mark.parametrize(
    ("does", "outcome", "counts"),
    [("busy", "busy", 1), ("nobody", "invalid_number", 1), ("no_line", "not_placed", 0)],
)
def test_each_way_not_to_be_reached_is_one_outcome_and_our_own_faults_cost_nobody_a_try(
    side: Side, does: str, outcome: str, counts: int
) -> None:
    call_id = side.call(does)
    assert side.outcome(call_id) == outcome
    assert side.tries(call_id) == counts


def test_a_telephone_that_nobody_answers_rings_as_long_as_we_say(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_states, "RING_SECONDS", 1)
    call_id = side.call("silent")
    assert side.outcome(call_id) == "no_answer"
    assert side.ledger(call_id).answered_at is None


def test_who_answers_is_with_an_operator_until_one_of_them_ends_it(side: Side) -> None:
    operator_id = side.operator()
    call_id = side.call("answers")
    side.until(lambda: side.state(call_id) == "connected", "the citizen is with the operator")
    call, seat = side.ledger(call_id), side.seat(operator_id)
    assert (call.operator_id, seat.call_id, seat.state) == (operator_id, call_id, "in_call")
    assert side.is_up(call_id)
    side.leave(call_id)
    side.until(lambda: side.state(call_id) == "wrap_up", "the citizen's end is told")
    call = side.ledger(call_id)
    assert all((call.placed_at, call.ringing_at, call.answered_at, call.connected_at, call.hung_up_at))
    assert side.seat(operator_id).has_room


def test_an_operators_word_ends_the_line_too_and_leaves_them_in_their_room(side: Side) -> None:
    operator_id = side.operator()
    call_id = side.call("answers")
    side.until(lambda: side.state(call_id) == "connected", "the citizen is with the operator")
    with side.sessions() as session:
        calls.dispose(session, call_id, operator_id, "completed")
        session.commit()
    side.until(lambda: not side.is_up(call_id), "the line is down")
    seat = side.seat(operator_id)
    assert (seat.state, seat.call_id, seat.has_room) == ("available", None, True)
    assert side.ledger(call_id).attempt.outcome == "completed"


def test_two_operators_each_have_one_of_two_citizens(side: Side) -> None:
    both = {side.operator(), side.operator()}
    ids = [side.call("answers"), side.call("answers")]
    side.until(lambda: all(side.state(each) == "connected" for each in ids), "both are connected")
    assert {side.ledger(each).operator_id for each in ids} == both


def test_who_finds_nobody_waits_two_seconds_and_is_abandoned(side: Side) -> None:
    call_id = side.call("answers")
    side.until(lambda: side.state(call_id) == "answered", "the citizen waits")
    assert side.outcome(call_id) == "abandoned"
    side.until(lambda: not side.is_up(call_id), "the apology is over", seconds=30)
    assert side.ledger(call_id).connected_at is None


def test_who_waits_is_with_the_first_who_frees(side: Side) -> None:
    operator_id = side.operator(free=False)
    call_id = side.call("answers")
    side.until(lambda: side.state(call_id) == "answered", "the citizen waits")
    side.free(operator_id)
    side.until(lambda: side.state(call_id) == "connected", "the operator takes them")
    assert side.ledger(call_id).operator_id == operator_id


def test_a_call_taken_down_by_us_while_it_rings_gives_the_try_back(side: Side) -> None:
    call_id = side.call("silent")
    side.until(lambda: side.state(call_id) == "ringing", "it rings")
    jobs.hang_up(str(call_id))
    assert side.outcome(call_id) == "canceled"
    assert side.tries(call_id) == 0
    side.carrier.hang_up(side.ledger(call_id).carrier_ref or "")  # once more does no harm


def test_a_machine_ends_the_call_where_the_campaign_wants_it_and_a_person_is_kept(side: Side) -> None:
    assert carriers.can("detect_machines")
    operator_id = side.operator()
    machine = side.call("machine", machine_detection="on")
    assert side.outcome(machine) == "machine"
    side.until(lambda: not side.is_up(machine), "the line is down")
    side.free(operator_id)
    person = side.call("person", machine_detection="on")
    side.until(lambda: side.state(person) == "connected", "the person is with the operator", seconds=20)
    assert side.ledger(person).operator_id == operator_id


def test_a_machine_is_only_noted_where_the_judgement_is_tried_out(side: Side) -> None:
    call_id = side.call("machine", machine_detection="shadow")
    assert side.outcome(call_id) == "abandoned"
    kinds = select(CallEvent.kind).where(CallEvent.call_id == call_id)

    def judged() -> bool:
        with side.sessions() as session:
            return "judged" in session.scalars(kinds).all()

    side.until(judged, "the judgement is kept")


def test_a_citizen_on_hold_is_on_the_line_and_comes_back(side: Side) -> None:
    operator_id = side.operator()
    call_id = side.call("answers")
    side.until(lambda: side.state(call_id) == "connected", "the citizen is with the operator")
    for is_held in (True, False):
        with side.sessions() as session:
            call_acts.hold(session, call_id, operator_id, on=is_held)
            session.commit()
        side.until(partial(_is_settled, side, call_id, is_held), "the citizen is led")
        assert side.is_up(call_id)
        assert side.seat(operator_id).has_room
    side.leave(call_id)
    side.until(lambda: side.state(call_id) == "wrap_up", "their end is told")


def test_the_carrier_is_asked_what_became_of_a_call(side: Side) -> None:
    call_id = side.call("silent")
    side.until(lambda: side.state(call_id) == "ringing", "it rings")
    call = side.ledger(call_id)
    trace = Trace(call.id, call.carrier_ref, call.attempt.phone, call.caller_id, call.attempt.created_at)
    known = side.carrier.find(trace)
    assert known is not None
    assert known.event in ("ringing", "placed")
    stranger = Trace(uuid4(), None, "+525512349999", call.caller_id, real_now())
    side.until(lambda: _is_unknown(side, stranger), "the carrier never had it")
    jobs.hang_up(str(call_id))


def _is_unknown(side: Side, trace: Trace) -> bool:
    try:
        return side.carrier.find(trace) is None
    except ProviderError as error:
        if error.code != "just_back":  # a switch that was reached only this moment says nothing yet
            raise
        return False


def _is_settled(side: Side, call_id: UUID, is_held: bool) -> bool:
    call = side.ledger(call_id)
    return (call.held_at is not None) is is_held and call.wanted_room is None
