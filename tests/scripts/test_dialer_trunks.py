"""What the dialer says when the trunks, and nothing else, keep it from dialling; and that it never dials past them."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from callcenter import carriers, trunks
from callcenter.base.clock import real_now
from callcenter.ledger.call_ledger import Call
from callcenter.queues import CallQueue
from tests.callcenter import cast
from tests.callcenter.test_trunks import Switchboard
from tests.callcenter.trunk_cast import switch, trunk
from tests.scripts.test_dialer import planned, turn, why


@pytest.fixture
def queue(session: Session) -> Iterator[CallQueue]:
    """Eight people wait, and four operators in their rooms."""
    made = cast.queue(session, *[cast.person(session) for _ in range(8)], carrier="asterisk")
    carriers.use({"simulated": cast.FakeCarrier()})  # their rooms open without a browser
    for name in ("olga", "pedro", "rosa", "juan"):
        cast.operator(session, name)
    carriers.use({"asterisk": Switchboard()})
    yield made
    carriers.use({})


def test_without_a_trunk_in_use_it_says_so(session: Session, queue: CallQueue) -> None:
    trunk(session, is_enabled=False)
    turn(session)
    assert (planned(session, queue), why(session, queue)) == (0, "no_trunk")


def test_it_plans_no_more_calls_than_the_trunks_have_room_for(session: Session, queue: CallQueue) -> None:
    trunk(session, channels=1)
    trunk(session, channels=1)
    turn(session)
    assert planned(session, queue) == 2
    turn(session)
    assert (planned(session, queue), why(session, queue)) == (2, "trunks_full")


def test_it_begins_no_more_calls_a_second_than_the_trunk_takes(session: Session, queue: CallQueue) -> None:
    line = trunk(session, channels=30, calls_per_second=3)
    turn(session)
    assert planned(session, queue) == 3
    for call in session.query(Call):
        call.trunk_id, call.state, call.placed_at = line.id, "ringing", real_now()
    turn(session)
    assert planned(session, queue) == 3
    session.query(Call).update({Call.placed_at: real_now() - timedelta(seconds=2)})
    turn(session)
    assert planned(session, queue) == 4  # one operator is left


def test_a_resting_trunk_an_unregistered_one_and_a_silent_switch_are_told_apart(
    session: Session, queue: CallQueue
) -> None:
    line = trunk(session, resting_until=real_now() + timedelta(seconds=30), faults=3)
    turn(session)
    assert (planned(session, queue), why(session, queue)) == (0, "trunks_resting")
    line.resting_until, line.faults, line.registers = None, 0, True
    turn(session)
    assert (planned(session, queue), why(session, queue)) == (0, "trunks_not_registered")
    trunks.heard(session, line.id, True)
    switch(session, is_heard=False)
    turn(session)
    assert (planned(session, queue), why(session, queue)) == (0, "switch_away")


def test_after_a_rest_one_call_tries_the_way_back(session: Session, queue: CallQueue) -> None:
    trunk(session, channels=30, faults=3, rest_seconds=30, resting_until=real_now() - timedelta(seconds=1))
    turn(session)
    turn(session)
    assert planned(session, queue) == 1
