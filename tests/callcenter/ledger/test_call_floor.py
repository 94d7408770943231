import time
from datetime import timedelta

from sqlalchemy.orm import Session

from callcenter import calls, operators
from callcenter.base.clock import real_now
from callcenter.calls import Event
from callcenter.ledger import call_floor
from callcenter.ledger.call_floor import Floor
from callcenter.operators import Operator
from callcenter.queues import CallQueue
from tests.callcenter import cast


def test_a_ring_of_another_queue_counts_only_where_it_may_take_the_same_operator(session: Session) -> None:
    olga, pedro = cast.operator(session, "olga"), cast.operator(session, "pedro")
    first, second = cast.queue(session, cast.person(session)), cast.queue(session, cast.person(session))
    for operator, queue in ((olga, first), (pedro, second)):
        session.execute(operators.operator_queues.insert().values(operator_id=operator.id, queue_id=queue.id))
    cast.rung(session, second)
    floor = call_floor.read(session)
    assert (floor.of_queue(first.id).idle, len(floor.of_queue(first.id).ringing)) == (1, 0)
    assert (floor.of_queue(second.id).idle, len(floor.of_queue(second.id).ringing)) == (1, 1)
    cast.operator(session, "julia")  # serves every queue: now both compete
    assert len(call_floor.read(session).of_queue(first.id).ringing) == 1


def test_talks_and_wrap_ups_are_seen_with_their_seconds(session: Session) -> None:
    olga = cast.operator(session)
    queue = cast.queue(session, cast.person(session))
    cast.connected(session, queue)
    cast.seat(session, olga.id).state_since = real_now() - timedelta(seconds=30)
    session.flush()
    floor = call_floor.read(session)
    (talk,) = floor.of_queue(queue.id).talking
    assert 30 <= talk < 60
    assert (floor.talking, floor.of_queue(queue.id).idle) == (1, 0)


def serve(session: Session, operator: Operator, *served: CallQueue) -> None:
    for queue in served:
        session.execute(operators.operator_queues.insert().values(operator_id=operator.id, queue_id=queue.id))


def test_campaigns_that_meet_only_at_somebody_busy_leave_to_each_other_what_their_own_free_operators_can_take(
    session: Session,
) -> None:
    first, second = (
        cast.queue(session, cast.person(session)),
        cast.queue(session, *[cast.person(session) for _ in "123"]),
    )
    both, own = cast.operator(session, "olga"), cast.operator(session, "pedro")
    serve(session, both, first, second)
    cast.connected(session, first)  # olga, who has waited longest, talks
    serve(session, own, second)
    for _ in range(3):
        cast.rung(session, second)
    assert len(call_floor.read(session).of_queue(first.id).ringing) == 2  # pedro can take one of the three
    assert len(call_floor.read(session).of_queue(second.id).ringing) == 3


def test_phones_that_rang_longest_come_first_and_answered_ones_wait(session: Session) -> None:
    queue = cast.queue(session, *[cast.person(session) for _ in range(3)])
    young, old, answered = (cast.rung(session, queue) for _ in range(3))
    for call_id, seconds in ((young, 2), (old, 12), (answered, 9)):
        cast.call(session, call_id).ringing_at = real_now() - timedelta(seconds=seconds)
    calls.record_event(session, answered, Event("answered", "answer"))
    seen = call_floor.read(session).of_queue(queue.id)
    assert [round(seconds) for seconds in seen.ringing] == [12, 2]
    assert seen.waiting == 1


def test_who_rings_us_and_who_is_told_that_nobody_comes_hold_a_line_and_wait_for_nobody(session: Session) -> None:
    queue = cast.queue(session, cast.person(session), cast.person(session))
    late, inward = cast.rung(session, queue), cast.rung(session, queue)
    for call_id in (late, inward):
        calls.record_event(session, call_id, Event("answered", "answer"))
    cast.call(session, late).answered_at = real_now() - timedelta(seconds=4)
    cast.call(session, inward).direction = "in"
    session.flush()
    floor = call_floor.read(session)
    assert (floor.of_queue(queue.id).waiting, floor.of_queue(queue.id).ringing, floor.lines_held) == (0, (), 2)


def test_fifty_queues_with_two_hundred_operators_are_looked_at_within_a_tick() -> None:
    floor = Floor(real_now(), free=list(range(200)), states=dict.fromkeys(range(200), ("available", 1.0)))
    floor.queues_of = {o: {o % 50, (o + 1) % 50} for o in range(200)}
    for queue_id in range(50):
        floor.placed(queue_id, 4)
    start = time.perf_counter()
    seen = [floor.of_queue(queue_id) for queue_id in range(50)]
    assert time.perf_counter() - start < 0.1
    assert all(view.idle == 8 for view in seen)
