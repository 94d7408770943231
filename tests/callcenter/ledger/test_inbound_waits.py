"""Who rang us and waits for an operator: counted by pacing at once, first in line after a while, passed over never."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from callcenter import calls, operators
from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.calls import Event
from callcenter.contacts import Contact
from callcenter.ledger import call_floor, inbound, inbound_waits, waiting_calls
from callcenter.ledger.call_ledger import CallEvent
from callcenter.operators import Operator
from callcenter.queueing import previews
from callcenter.queues import CallQueue
from tests.callcenter import cast, switchboard_cast
from tests.callcenter.switchboard_cast import FakeSwitchboard

LONG = inbound_waits.FIRST_AFTER.total_seconds() + 1


@pytest.fixture(autouse=True)
def board() -> Iterator[FakeSwitchboard]:
    with switchboard_cast.switchboard() as fake:
        yield fake


@pytest.fixture
def busy(session: Session) -> Operator:
    """Somebody at work, so that waiting makes sense."""
    olga = switchboard_cast.operator(session, "olga", free=False)
    operators.enter(session, olga, "in_call")
    return olga


def of(session: Session, people: int, **columns: object) -> CallQueue:
    listed: list[Contact] = [cast.person(session) for _ in range(people)]
    return cast.queue(session, *listed, carrier="asterisk", **columns)


def rings_us(session: Session, seconds: float, switch: str = "local") -> UUID:
    """Somebody who asked for an operator so long ago, and is still there. They belong to the newest campaign."""
    call_id = inbound.arrived(session, f"{switch}/{uuid4()}", f"81{uuid4().int % 10**8:08}", "5512340000")
    assert call_id is not None
    assert inbound.choose(session, call_id, "operator") == "wait"
    began = real_now() - timedelta(seconds=seconds)
    session.execute(
        update(CallEvent).where(CallEvent.call_id == call_id, CallEvent.key == inbound_waits.WAITS).values(at=began)
    )
    return call_id


def picks_up(session: Session, queue: CallQueue) -> UUID:
    """Somebody who has picked up, and for whom nobody is free yet."""
    call_id = cast.rung(session, queue)
    cast.call(session, call_id).carrier_ref = f"local/{call_id}"
    ask(session, call_id)
    return call_id


def ask(session: Session, call_id: UUID) -> int | None:
    return calls.answer(session, call_id, Event("answered", "answer"))


def test_who_rang_us_and_has_waited_long_goes_before_who_picks_up(session: Session, busy: Operator) -> None:
    queue = of(session, 1)
    back, out = rings_us(session, LONG), picks_up(session, queue)
    pedro = switchboard_cast.operator(session, "pedro")
    assert waiting_calls.ready(session, [out]) == []
    assert ask(session, out) is None
    assert inbound.choose(session, back, "operator") == f"op-{pedro.id}"
    julia = switchboard_cast.operator(session, "julia")
    assert waiting_calls.ready(session, [out]) == [out]
    assert ask(session, out) == julia.id


def test_who_picked_up_goes_first_while_who_rang_us_has_time(session: Session, busy: Operator) -> None:
    queue = of(session, 1)
    back, out = rings_us(session, LONG - 2), picks_up(session, queue)
    pedro = switchboard_cast.operator(session, "pedro")
    assert inbound.choose(session, back, "operator") == "wait"
    assert ask(session, out) == pedro.id


def test_one_who_rang_us_keeps_one_operator_and_not_all(session: Session, busy: Operator) -> None:
    queue = of(session, 2)
    rings_us(session, LONG)
    first, second = picks_up(session, queue), picks_up(session, queue)
    for name in ("pedro", "julia"):
        switchboard_cast.operator(session, name)
    assert ask(session, first) is not None
    assert ask(session, second) is None


def test_nobody_keeps_an_operator_whom_they_cannot_reach_or_after_they_have_gone(
    session: Session, busy: Operator
) -> None:
    queue = of(session, 2)
    rings_us(session, LONG, switch="north")
    gone = rings_us(session, LONG)
    left = real_now() + inbound_waits.MENU - inbound_waits.HEARD
    session.execute(update(Attempt).where(Attempt.id == gone).values(deadline_at=left))
    out = picks_up(session, queue)
    pedro = switchboard_cast.operator(session, "pedro")
    assert ask(session, out) == pedro.id


def test_who_rang_us_first_goes_first(session: Session, busy: Operator) -> None:
    of(session, 1)
    early, late = rings_us(session, 20), rings_us(session, 10)
    pedro = switchboard_cast.operator(session, "pedro")
    assert inbound.choose(session, late, "operator") == "wait"
    assert inbound.choose(session, early, "operator") == f"op-{pedro.id}"


def test_pacing_counts_who_rang_us_and_asked_for_an_operator_from_the_first_moment(
    session: Session, busy: Operator
) -> None:
    queue = of(session, 1)
    back = rings_us(session, 0)
    menu = inbound.arrived(session, f"local/{uuid4()}", "8111112222", "5512340000")
    assert menu is not None  # hears the menu, and has chosen nothing
    floor = call_floor.read(session)
    assert (floor.of_queue(queue.id).waiting, floor.lines_held) == (1, 3)
    inbound.choose(session, back, "none")
    assert call_floor.read(session).of_queue(queue.id).waiting == 0


def test_nobody_is_shown_a_person_to_look_at_while_somebody_waits_for_them(session: Session, busy: Operator) -> None:
    queue = of(session, 1, mode="preview")
    back = rings_us(session, 0)
    pedro = switchboard_cast.operator(session, "pedro")
    assert previews.show_next(session, queue) == 0
    assert inbound.choose(session, back, "operator") == f"op-{pedro.id}"
    switchboard_cast.operator(session, "julia")
    assert previews.show_next(session, queue) == 1
