from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from callcenter import calls
from callcenter.base.clock import real_now
from callcenter.calls import Event
from callcenter.ledger import call_states
from callcenter.ledger.call_ledger import Call
from callcenter.queueing import pacing_history
from callcenter.queueing.pacing_history import Heard, Totals
from tests.callcenter import cast

pytestmark = pytest.mark.usefixtures("carrier")
TIMES = ("placed_at", "ringing_at", "answered_at", "connected_at", "handed_out_at", "hung_up_at", "ended_at")
ZERO = datetime(2027, 5, 10, 16, tzinfo=UTC)


def heard(state: str = "ended", outcome: str | None = None, direction: str = "out", **at: float) -> Heard:
    """A call whose times are seconds after ZERO."""
    times = {name: ZERO + timedelta(seconds=seconds) for name, seconds in at.items()}
    none = dict.fromkeys(TIMES)
    return Heard(call_id=uuid4(), queue_id=1, state=state, direction=direction, outcome=outcome, **none | times)


def told(call: Heard) -> list[tuple[str, float]]:
    assert [at for _, _, at in call.rows()] == sorted(at for _, _, at in call.rows())
    return [(kind, seconds) for kind, seconds, _ in call.rows()]


def test_a_conversation_is_heard_as_an_answer_a_talk_and_a_write_up() -> None:
    call = heard(placed_at=0, ringing_at=1, answered_at=9, connected_at=9, hung_up_at=100, ended_at=115,
                 outcome="completed")  # fmt: skip
    assert told(call) == [("answered", 8), ("talk", 91), ("wrap", 15)]


def test_what_is_to_come_is_added_at_the_end() -> None:
    assert told(heard("ringing", placed_at=0, ringing_at=1)) == []
    assert told(heard("answered", placed_at=0, answered_at=9)) == [("answered", 9)]
    assert told(heard("connected", placed_at=0, answered_at=9, connected_at=10)) == [("answered", 9)]
    in_wrap_up = heard("wrap_up", placed_at=0, answered_at=9, connected_at=10, hung_up_at=70)
    assert told(in_wrap_up) == [("answered", 9), ("talk", 60)]


def test_the_operators_part_ends_when_the_citizen_is_handed_to_somebody_outside() -> None:
    call = heard("wrap_up", placed_at=0, answered_at=9, connected_at=9, handed_out_at=40)
    assert told(call) == [("answered", 9), ("talk", 31)]


def test_whoever_found_nobody_was_answered_first() -> None:
    call = heard(placed_at=0, answered_at=9, hung_up_at=11, ended_at=11, outcome="abandoned")
    assert told(call) == [("answered", 9), ("abandoned", 2)]


@pytest.mark.parametrize(("outcome", "kind"), [
    ("no_answer", "not_answered"), ("busy", "not_answered"), ("machine", "not_answered"), ("given_up", "given_up"),
])  # fmt: skip
def test_a_phone_that_nobody_picked_up_is_heard_with_how_long_it_rang(outcome: str, kind: str) -> None:
    assert told(heard(placed_at=0, ringing_at=2, hung_up_at=20, ended_at=21, outcome=outcome)) == [(kind, 18)]


@pytest.mark.parametrize("outcome", ["not_placed", "refused_by_gate", "lost", "canceled"])
def test_a_call_that_tells_nothing_of_people_is_not_heard(outcome: str) -> None:
    assert told(heard(placed_at=0, ended_at=3, outcome=outcome)) == []


def test_who_rings_us_takes_an_operators_time_and_tells_nothing_of_answers() -> None:
    call = heard(direction="in", answered_at=0, connected_at=5, hung_up_at=35, ended_at=40, outcome="completed")
    assert told(call) == [("talk", 30), ("wrap", 5)]


def test_every_end_without_an_operators_word_is_known_here_or_tells_nothing() -> None:
    untold = {"not_placed", "refused_by_gate", "lost", "canceled"}
    ends = {call_states.outcome(event) for event in call_states.MOVES["ringing"] if event != "answered"}
    assert ends - set(pacing_history.RANG) - untold - {"abandoned", "ringing"} == set()


def test_the_ledger_tells_the_same_live_and_afterwards(session: Session) -> None:
    queue, olga = cast.queue(session, *[cast.person(session) for _ in range(3)]), cast.operator(session)
    talk = cast.connected(session, queue)
    rings = cast.rung(session, queue)
    assert {call.call_id for call in pacing_history.under_way(session)} == {talk, rings}
    calls.record_event(session, rings, Event("no_answer", "status"))
    calls.dispose(session, talk, olga.id, "completed")
    assert pacing_history.under_way(session) == []
    past = pacing_history.of_queue(session, queue.id)
    assert sorted(kind for kind, _, _ in pacing_history.rows(past)) == ["answered", "not_answered", "talk", "wrap"]
    assert set(pacing_history.of_calls(session, [talk, rings])) == set(past)
    assert pacing_history.totals(session, queue.id) == Totals(2, 1, 0, 0)


def test_a_slow_campaign_remembers_its_last_calls_however_old_and_a_quick_one_its_last_hour(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = cast.queue(session, *[cast.person(session) for _ in range(4)])
    ids = [cast.rung(session, queue) for _ in range(4)]
    for age, call_id in enumerate(ids):
        session.execute(update(Call).where(Call.id == call_id).values(placed_at=real_now() - timedelta(hours=age * 2)))

    def remembered(least: int) -> list[UUID]:
        monkeypatch.setattr(pacing_history, "LEAST", least)
        return [call.call_id for call in pacing_history.of_queue(session, queue.id)]

    assert remembered(1) == ids[:1]
    assert remembered(3) == ids[:3]
    assert remembered(9) == ids
    monkeypatch.setattr(pacing_history, "MOST", 2)
    assert remembered(9) == ids[:2]
