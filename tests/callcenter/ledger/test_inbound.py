"""Calls to our numbers: whose answer they are, what the menu says, and what becomes of the choice."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from callcenter import calls, suppressions
from callcenter.base.clock import campaign_now, real_now
from callcenter.calls import Event
from callcenter.contacts import Contact
from callcenter.ledger import inbound
from callcenter.queueing import queue_entries
from callcenter.queues import CallQueue
from tests.callcenter import cast, switchboard_cast
from tests.callcenter.switchboard_cast import FakeSwitchboard


@pytest.fixture(autouse=True)
def board() -> Iterator[FakeSwitchboard]:
    with switchboard_cast.switchboard() as fake:
        yield fake


@pytest.fixture
def ana(session: Session) -> Contact:
    return cast.person(session, "Ana Pérez", "+525555000199")


@pytest.fixture
def of(session: Session, ana: Contact) -> CallQueue:
    return cast.queue(session, ana, carrier="asterisk", name="Sondeo de noviembre")


def _missed(session: Session, of: CallQueue) -> UUID:
    """A call of ours that nobody took."""
    call_id = cast.rung(session, of)
    calls.record_event(session, call_id, Event("no_answer", "no_answer"))
    return call_id


def _rings_back(session: Session, number: str = "5555000199") -> UUID | None:
    return inbound.arrived(session, "local", f"local/{uuid4()}", number, "5512340000")


def test_who_rings_back_reaches_the_campaign_that_called_them(session: Session, of: CallQueue, ana: Contact) -> None:
    _missed(session, of)
    cast.queue(session, carrier="asterisk", name="Otra")
    call_id = _rings_back(session)
    assert call_id is not None
    call = cast.call(session, call_id)
    assert (call.direction, call.state, call.queue_id, call.attempt.contact_id) == ("in", "answered", of.id, ana.id)
    assert inbound.menu(session, call_id).on_behalf_of == "Casa Encuestadora"


def test_the_same_arrival_twice_is_one_call(session: Session, of: CallQueue) -> None:
    _missed(session, of)
    first = inbound.arrived(session, "local", "local/abc", "5555000199", "5512340000")
    assert inbound.arrived(session, "local", "local/abc", "5555000199", "5512340000") == first


def test_an_unknown_caller_reaches_the_campaign_of_the_number_they_rang(session: Session, of: CallQueue) -> None:
    newer = cast.queue(session, carrier="asterisk", caller_id="+525599990000")
    call_id = inbound.arrived(session, "local", "local/x", "8112345678", "55 9999 0000")
    assert call_id is not None
    assert cast.call(session, call_id).queue_id == newer.id
    assert cast.call(session, call_id).attempt.contact_id is None


@pytest.mark.parametrize("number", ["", "anonymous", "12", "5555\r\nAction: Hangup"])
def test_a_caller_without_a_number_gets_no_call(session: Session, of: CallQueue, number: str) -> None:
    assert inbound.arrived(session, "local", "local/x", number, "5512340000") is None


def test_who_rings_us_while_we_ring_them_is_reached_by_ours(session: Session, of: CallQueue) -> None:
    cast.rung(session, of)
    assert _rings_back(session) is None


def test_the_operator_who_spoke_with_them_comes_first(session: Session, of: CallQueue) -> None:
    olga = switchboard_cast.operator(session, "olga")
    call_id = switchboard_cast.talking(session, of)
    calls.record_event(session, call_id, Event("hung_up", "bye"))
    calls.dispose(session, call_id, olga.id, "partial")
    waiting = switchboard_cast.operator(session, "omar")
    waiting.state_since = real_now() - timedelta(hours=1)
    session.flush()
    back = _rings_back(session)
    assert back is not None
    assert inbound.choose(session, back, "operator") == f"op-{olga.id}"
    assert inbound.choose(session, back, "operator") == f"op-{olga.id}"  # asked again
    assert cast.seat(session, olga.id).call_id == back


def test_when_nobody_is_free_they_are_called_back(session: Session, of: CallQueue) -> None:
    missed = _missed(session, of)
    back = _rings_back(session)
    assert back is not None
    assert inbound.choose(session, back, "operator") == "callback"
    entry = cast.entry(session, missed)
    assert (entry.state, entry.is_callback) == ("waiting", True)
    assert entry.not_before is not None
    assert entry.not_before > campaign_now(session)
    assert cast.call(session, back).attempt.outcome == "inbound_missed"


def test_who_asks_for_it_is_never_called_again(session: Session, of: CallQueue) -> None:
    _missed(session, of)
    back = _rings_back(session)
    assert back is not None
    assert inbound.choose(session, back, "opt_out") == "goodbye"
    assert suppressions.find(session, "+525555000199") is not None
    assert cast.call(session, back).attempt.outcome == "inbound_opted_out"


def test_who_hangs_up_in_the_menu_has_heard_it_and_no_try_of_ours_is_counted(session: Session, of: CallQueue) -> None:
    missed = _missed(session, of)
    before = queue_entries.remember(session, cast.call(session, missed).entry_id)
    back = _rings_back(session)
    assert back is not None
    calls.record_event(session, back, Event("hung_up", "bye"))
    assert cast.call(session, back).attempt.outcome == "inbound_informed"
    assert queue_entries.remember(session, cast.call(session, missed).entry_id) == before


def test_a_choice_that_is_none_is_a_fault_of_ours(session: Session, of: CallQueue) -> None:
    _missed(session, of)
    back = _rings_back(session)
    assert back is not None
    with pytest.raises(ValueError, match="none of"):
        inbound.choose(session, back, "dance")
