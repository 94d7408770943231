"""Who has picked up and waits: the longest wait goes first, one operator takes one, and two seconds are the end."""

import time
from threading import Event as Flag
from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, operators
from callcenter.base.clock import real_now
from callcenter.base.db import Sessions
from callcenter.calls import Event
from callcenter.ledger import call_floor, waiting_calls
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.call_states import WAITS
from callcenter.operators import Operator
from callcenter.queues import CallQueue
from tests.callcenter import cast

ANSWERED = Event("answered", "answer")


def people_and_queue(session: Session, number: int) -> CallQueue:
    return cast.queue(session, *[cast.person(session) for _ in range(number)])


def ask(session: Session, call_id: UUID) -> int | None:
    return calls.answer(session, call_id, ANSWERED)


def test_who_waits_is_asked_for_again_when_an_operator_of_their_queue_is_free(session: Session) -> None:
    call_id = cast.waiting(session, people_and_queue(session, 1))
    elsewhere = people_and_queue(session, 1)
    assert waiting_calls.ready(session, [call_id]) == []
    pedro = cast.operator(session)
    session.execute(operators.operator_queues.insert().values(operator_id=pedro.id, queue_id=elsewhere.id))
    assert waiting_calls.ready(session, [call_id]) == []
    olga = cast.operator(session)
    assert waiting_calls.ready(session, [call_id]) == [call_id]
    assert ask(session, call_id) == olga.id
    assert waiting_calls.ready(session, [call_id]) == [call_id]  # it waits no more, which its keeper wants to know


def test_who_picked_up_first_is_served_first_and_no_newcomer_passes(session: Session) -> None:
    queue = people_and_queue(session, 3)
    first, second, newcomer = cast.waiting(session, queue), cast.waiting(session, queue), cast.rung(session, queue)
    cast.patient(session, first, 1.5)
    cast.patient(session, second, 1)
    olga = cast.operator(session)
    assert ask(session, newcomer) is None
    assert ask(session, second) is None
    assert waiting_calls.ready(session, [second, newcomer, first]) == [first, second, newcomer]
    assert ask(session, first) == olga.id


def test_somebody_whom_this_operator_cannot_serve_holds_nobody_up(session: Session) -> None:
    own, other = people_and_queue(session, 1), people_and_queue(session, 1)
    cast.patient(session, cast.waiting(session, other), 1)
    olga = cast.operator(session)
    session.execute(operators.operator_queues.insert().values(operator_id=olga.id, queue_id=own.id))
    assert ask(session, cast.rung(session, own)) == olga.id


def test_somebody_on_a_switch_that_this_room_is_not_on_holds_nobody_up(session: Session) -> None:
    queue = people_and_queue(session, 2)
    far, near = cast.waiting(session, queue), cast.rung(session, queue)
    for call_id, switch in ((far, "north"), (near, "local")):
        cast.call(session, call_id).carrier_ref = f"{switch}/{call_id}"
    olga = cast.operator(session)
    olga.room_ref = f"local/op-{olga.id}-1"
    session.flush()
    assert ask(session, near) == olga.id


def test_somebody_whose_time_is_over_holds_nobody_up(session: Session) -> None:
    queue = people_and_queue(session, 2)
    cast.patient(session, cast.waiting(session, queue), WAITS.total_seconds())
    olga = cast.operator(session)
    assert ask(session, cast.rung(session, queue)) == olga.id


def test_after_two_seconds_it_is_too_late_also_for_an_operator_who_is_free(session: Session) -> None:
    call_id = cast.waiting(session, people_and_queue(session, 1))
    cast.operator(session)
    cast.patient(session, call_id, 2)
    assert waiting_calls.ready(session, [call_id]) == [call_id]
    assert ask(session, call_id) is None
    assert cast.call(session, call_id).attempt.outcome == "abandoned"


@pytest.mark.parametrize("end", ["hung_up", "failed", "lost", "abandoned"])
def test_whoever_goes_before_an_operator_came_was_abandoned(session: Session, end: str) -> None:
    call_id = cast.waiting(session, people_and_queue(session, 1))
    calls.record_event(session, call_id, Event(end, end))
    call, entry = cast.call(session, call_id), cast.entry(session, call_id)
    assert (call.attempt.outcome, entry.reason, entry.attempts) == ("abandoned", "abandoned", 1)


def test_pacing_sees_who_waits_and_not_who_rings_us(session: Session) -> None:
    queue = people_and_queue(session, 2)
    cast.waiting(session, queue)
    inbound = cast.waiting(session, queue)
    cast.call(session, inbound).direction = "in"
    cast.operator(session)
    session.flush()
    floor = call_floor.read(session)
    seen = floor.of_queue(queue.id)
    assert (seen.waiting, seen.ringing, len(floor.rings)) == (1, (), 2)


def test_a_keeper_forgets_whose_time_is_over(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    call_id = cast.waiting(session, people_and_queue(session, 1))
    keeper, now = waiting_calls.Waiting(), time.monotonic()
    keeper.add(call_id)
    assert keeper
    cast.operator(session)
    assert keeper.ready(session) == [call_id]
    monkeypatch.setattr(time, "monotonic", lambda: now + WAITS.total_seconds() + 1)
    assert (keeper.ready(session), bool(keeper)) == ([], False)
    keeper.forget(call_id)


def test_one_look_is_for_all_who_wait_on_the_lines_of_a_process(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, real, looks = people_and_queue(session, 2), waiting_calls.ready, list[int]()
    first, second = cast.waiting(session, queue), cast.waiting(session, queue)

    def look(session: Session, call_ids: list[UUID]) -> list[UUID]:
        looks.append(len(call_ids))
        return real(session, call_ids)

    monkeypatch.setattr(waiting_calls, "ready", look)
    monkeypatch.setattr(waiting_calls, "LOOK", 60.0)
    lines = waiting_calls.Lines()
    with lines.held(first), lines.held(second):
        assert not any(lines.is_ready(session, call_id) for call_id in (first, second, first))
        assert looks == [2]
        monkeypatch.setattr(lines, "_next", 0.0)  # the time has come
        cast.operator(session)
        assert all(lines.is_ready(session, call_id) for call_id in (first, second))
    assert lines.is_ready(session, first)  # nobody waits there: its own thread asks what became of it


FREED, WAITING = 4, 8


def test_operators_who_free_at_the_same_moment_take_who_waited_longest_and_no_two_the_same(
    committed: Sessions,
) -> None:
    """Four talks end while eight citizens wait and two keepers look, with heartbeats in between: nobody waits for a
    lock that waits for them."""
    talking, waiting = _a_full_floor(committed)
    over, faults = Flag(), list[BaseException]()

    def guarded(work: object, *given: object) -> Thread:
        def run() -> None:
            try:
                work(*given)  # type: ignore[operator]  # a function of this module
            except BaseException as fault:  # noqa: BLE001 - a thread's fault is the test's
                faults.append(fault)

        return Thread(target=run)

    threads = [guarded(_keep, committed, waiting, over) for _ in range(2)]
    threads += [guarded(_end, committed, call_id, operator_id) for call_id, operator_id in talking]
    threads.append(guarded(_beat, committed, [operator_id for _, operator_id in talking], over))
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and len(_served(committed, waiting)) < FREED:
        time.sleep(0.02)
    over.set()
    for thread in threads:
        thread.join(20)
    assert faults == []
    served = _served(committed, waiting)
    assert set(served) == set(waiting[:FREED])
    assert len(set(served.values())) == FREED


def _a_full_floor(sessions: Sessions) -> tuple[list[tuple[UUID, int]], list[UUID]]:
    with sessions() as session:
        queue = people_and_queue(session, FREED + WAITING)
        staff = [cast.operator(session).id for _ in range(FREED)]
        talking = [cast.connected(session, queue) for _ in staff]
        waiting = [cast.waiting(session, queue) for _ in range(WAITING)]
        for place, call_id in enumerate(waiting):  # in the order of their answers; nobody's time runs out meanwhile
            cast.patient(session, call_id, -60 - place)
        pairs = [(call_id, cast.call(session, call_id).operator_id or 0) for call_id in talking]
        session.commit()
    return pairs, waiting


def _keep(sessions: Sessions, waiting: list[UUID], over: Flag) -> None:
    while not over.wait(waiting_calls.LOOK):
        with sessions() as session:
            ready = waiting_calls.ready(session, waiting)
            session.commit()
            for call_id in ready:
                ask(session, call_id)
                session.commit()


def _end(sessions: Sessions, call_id: UUID, operator_id: int) -> None:
    with sessions() as session:
        calls.record_event(session, call_id, Event("hung_up", "h"))
        session.commit()
        calls.dispose(session, call_id, operator_id, "completed")
        session.commit()


def _beat(sessions: Sessions, staff: list[int], over: Flag) -> None:
    while not over.wait(0.01):
        with sessions() as session:
            for operator_id in staff:
                session.get_one(Operator, operator_id, with_for_update={"of": Operator}).last_seen_at = real_now()
                session.commit()


def _served(sessions: Sessions, waiting: list[UUID]) -> dict[UUID, int]:
    with sessions() as session:
        wanted = select(Call.id, Call.operator_id).where(Call.state == "connected", Call.id.in_(waiting))
        rows = session.execute(wanted).all()
    return {call_id: operator_id for call_id, operator_id in rows if operator_id is not None}


def test_the_wait_is_measured_from_the_answer(session: Session) -> None:
    call_id = cast.waiting(session, people_and_queue(session, 1))
    cast.patient(session, call_id, 1.5)
    answered_at = cast.call(session, call_id).answered_at
    ask(session, call_id)
    calls.record_event(session, call_id, Event("answered", "status:answered"))
    assert cast.call(session, call_id).answered_at == answered_at
