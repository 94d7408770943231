import time
from datetime import timedelta

from sqlalchemy.orm import Session

from callcenter import call_floor, operators
from callcenter.base.clock import real_now
from callcenter.call_floor import Floor
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


def test_fifty_queues_with_two_hundred_operators_are_looked_at_within_a_tick() -> None:
    floor = Floor(real_now(), free=list(range(200)), states=dict.fromkeys(range(200), ("available", 1.0)))
    floor.queues_of = {o: {o % 50, (o + 1) % 50} for o in range(200)}
    for queue_id in range(50):
        floor.placed(queue_id, 4)
    start = time.perf_counter()
    seen = [floor.of_queue(queue_id) for queue_id in range(50)]
    assert time.perf_counter() - start < 0.1
    assert all(view.idle == 8 for view in seen)
