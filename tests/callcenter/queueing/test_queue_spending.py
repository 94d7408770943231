from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, queues
from callcenter.base.clock import real_now
from callcenter.calls import Event
from callcenter.queueing import queue_spending
from callcenter.queueing.queue_spending import QueueDay, Spent
from callcenter.queues import CallQueue
from tests.callcenter import cast
from tests.callcenter.trunk_cast import trunk

PRICED = {"minute_price": "1.50"}


def talked(session: Session, queue: CallQueue, seconds: int) -> UUID:
    """A call of the queue that was answered and lasted so long."""
    cast.operator(session)
    call_id = cast.connected(session, queue)
    calls.record_event(session, call_id, Event("hung_up", "h"))
    call = cast.call(session, call_id)
    call.answered_at = real_now() - timedelta(seconds=seconds + 60)
    call.hung_up_at = call.answered_at + timedelta(seconds=seconds)
    session.flush()
    return call_id


def test_each_started_minute_of_an_answered_call_costs_the_price_of_the_queue(session: Session) -> None:
    queue = cast.queue(session, *[cast.person(session) for _ in range(3)], rules=PRICED | {"spend_limit": "100"})
    talked(session, queue, 61)
    talked(session, queue, 59)
    calls.record_event(session, cast.rung(session, queue), Event("no_answer", "n"))
    queue_spending.sweep(session)
    assert queue_spending.so_far(session, queue.id) == Spent(Decimal("4.50"), Decimal("4.50"))
    row = session.scalars(select(QueueDay)).one()
    assert (row.answered, row.minutes) == (2, 3)
    queue_spending.sweep(session)
    assert queue_spending.so_far(session, queue.id).total == Decimal("4.50")


def test_the_trunks_own_price_for_the_longest_prefix_goes_before_the_queues(session: Session) -> None:
    line = trunk(session, prefixes={"52": "0.30", "52922": "0.90", "": "7"})
    queue = cast.queue(session, cast.person(session), rules=PRICED)
    cast.call(session, talked(session, queue, 30)).trunk_id = line.id
    session.flush()
    queue_spending.sweep_all(session)
    assert queue_spending.so_far(session, queue.id).total == Decimal("0.90")


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({}, None),
        ({"spend_limit": "3.01"}, None),
        ({"spend_limit": "3"}, "spend_limit"),
        ({"spend_day_limit": "2"}, "spend_day_limit"),
        ({"spend_limit": "0"}, "spend_limit"),
    ],
)
def test_a_queue_that_has_spent_its_limit_says_so(session: Session, rules: dict[str, str], why: str | None) -> None:
    queue = cast.queue(session, cast.person(session), rules=PRICED | rules)
    talked(session, queue, 90)
    queue_spending.sweep_all(session)
    assert queue_spending.stop(session, queue) == why
    assert why is None or why in queues.WHY_IDLE


def test_a_day_that_is_over_counts_for_the_whole_and_not_for_today(session: Session) -> None:
    queue = cast.queue(session, cast.person(session), rules=PRICED | {"spend_day_limit": "5", "spend_limit": "100"})
    session.add(QueueDay(queue_id=queue.id, day=real_now().date() - timedelta(days=3), answered=9, minutes=9,
                         spent=Decimal(50)))  # fmt: skip
    talked(session, queue, 30)
    queue_spending.sweep(session)
    assert queue_spending.so_far(session, queue.id) == Spent(Decimal("1.5"), Decimal("51.5"))
    assert queue_spending.stop(session, queue) is None
