"""Calls to our numbers: whose answer they are, what the menu says, and what becomes of the choice."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from callcenter import calls, operators, suppressions
from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.calls import Event
from callcenter.contacts import Contact
from callcenter.ledger import call_card, inbound
from callcenter.ledger.call_ledger import CallEvent
from callcenter.queueing import queue_entries
from callcenter.queues import CallQueue
from callcenter.sound import voice_messages
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
    return inbound.arrived(session, f"local/{uuid4()}", number, "5512340000")


def test_who_rings_back_reaches_the_campaign_that_called_them(session: Session, of: CallQueue, ana: Contact) -> None:
    _missed(session, of)
    cast.queue(session, carrier="asterisk", name="Otra")
    call_id = _rings_back(session)
    assert call_id is not None
    call = cast.call(session, call_id)
    assert (call.direction, call.state, call.queue_id, call.attempt.contact_id) == ("in", "answered", of.id, ana.id)
    menu = inbound.menu(session, call_id)
    assert (menu.on_behalf_of, menu.purpose, menu.has_called) == ("Casa Encuestadora", "survey", True)


def _wait_longer(session: Session, call_id: UUID, seconds: int) -> None:
    session.execute(
        update(CallEvent)
        .where(CallEvent.call_id == call_id, CallEvent.key == "waits")
        .values(at=real_now() - timedelta(seconds=seconds))
    )


def test_the_same_arrival_twice_is_one_call(session: Session, of: CallQueue) -> None:
    _missed(session, of)
    first = inbound.arrived(session, "local/abc", "5555000199", "5512340000")
    assert inbound.arrived(session, "local/abc", "5555000199", "5512340000") == first


def test_an_unknown_caller_reaches_the_campaign_of_the_number_they_rang(session: Session, of: CallQueue) -> None:
    newer = cast.queue(session, carrier="asterisk", caller_id="+525599990000")
    call_id = inbound.arrived(session, "local/x", "8112345678", "55 9999 0000")
    assert call_id is not None
    assert cast.call(session, call_id).queue_id == newer.id
    assert cast.call(session, call_id).attempt.contact_id is None


@pytest.mark.parametrize(
    "number",
    ["", "anonymous", "Restricted", "+266696687", "+7378742833", "+86282452253", "12", "5555\r\nAction: Hangup"],
)
def test_who_hides_their_number_hears_whose_it_is_that_they_rang_and_cannot_be_kept_from_calling_it(
    session: Session, of: CallQueue, number: str
) -> None:
    call_id = _rings_back(session, number)
    assert call_id is not None
    menu = inbound.menu(session, call_id)
    assert (menu.is_withheld, menu.has_called, menu.on_behalf_of) == (True, False, "Casa Encuestadora")
    assert inbound.choose(session, call_id, "opt_out") == "goodbye"
    assert cast.call(session, call_id).attempt.outcome == "inbound_informed"
    assert session.scalar(select(func.count()).select_from(suppressions.Suppression)) == 0


def test_two_who_hide_their_numbers_ring_at_the_same_time(session: Session, of: CallQueue) -> None:
    assert None not in (_rings_back(session, "anonymous"), _rings_back(session, "anonymous"))


def test_somebody_from_abroad_is_known_by_their_number(session: Session, of: CallQueue) -> None:
    call_id = _rings_back(session, "+19565550123")
    assert call_id is not None
    assert cast.call(session, call_id).attempt.phone == "+19565550123"
    assert inbound.choose(session, call_id, "opt_out") == "goodbye"
    assert suppressions.find(session, "+19565550123") is not None


def test_a_number_of_a_campaign_that_is_over_still_says_whose_it_was(session: Session, of: CallQueue) -> None:
    of.state, of.caller_id = "finished", "+525512340000"
    call_id = _rings_back(session, "8112345678")
    assert call_id is not None
    assert inbound.menu(session, call_id).on_behalf_of == "Casa Encuestadora"


def test_where_nobody_calls_anybody_there_is_nothing_to_say(session: Session) -> None:
    assert _rings_back(session) is None
    assert inbound.why_not(session, "5555000199") == "no_campaign"


def test_who_rings_us_while_we_ring_them_is_reached_by_ours(session: Session, of: CallQueue) -> None:
    cast.rung(session, of)
    assert _rings_back(session) is None
    assert inbound.why_not(session, "5555000199") == "in_call"


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


def test_the_operators_card_says_that_it_is_they_who_rang(session: Session, of: CallQueue, app: Flask) -> None:
    switchboard_cast.operator(session, "olga")
    _missed(session, of)
    back = _rings_back(session)
    assert back is not None
    inbound.choose(session, back, "operator")
    with app.test_request_context():
        card = call_card.card(session, cast.call(session, back))
    assert (card["direction"], card["contact"]["name"], card["state"]) == ("in", "Ana Pérez", "connected")


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


def test_while_somebody_is_at_work_they_wait_a_minute_at_most(session: Session, of: CallQueue) -> None:
    olga = switchboard_cast.operator(session, "olga", free=False)
    operators.enter(session, olga, "wrap_up")
    missed = _missed(session, of)
    back = _rings_back(session)
    assert back is not None
    assert [inbound.choose(session, back, "operator") for _look in range(3)] == ["wait"] * 3
    operators.enter(session, olga, "available")
    assert inbound.choose(session, back, "operator") == f"op-{olga.id}"
    assert cast.entry(session, missed).is_callback is False


def test_who_has_waited_a_minute_is_called_back_and_may_leave_a_message_besides(
    session: Session, of: CallQueue
) -> None:
    operators.enter(session, switchboard_cast.operator(session, "olga", free=False), "in_call")
    missed = _missed(session, of)
    back = _rings_back(session)
    assert back is not None
    assert inbound.choose(session, back, "operator") == "wait"
    _wait_longer(session, back, seconds=61)
    assert inbound.choose(session, back, "operator") == "callback"
    assert inbound.choose(session, back, "operator") == "callback"  # asked again
    assert cast.entry(session, missed).is_callback
    assert inbound.choose(session, back, "message") == "message"
    assert voice_messages.of_call(session, back).state == "asked"
    assert cast.call(session, back).attempt.outcome == "inbound_missed"


def test_who_hangs_up_while_they_wait_is_called_back(session: Session, of: CallQueue) -> None:
    operators.enter(session, switchboard_cast.operator(session, "olga", free=False), "in_call")
    missed = _missed(session, of)
    back = _rings_back(session)
    assert back is not None
    inbound.choose(session, back, "operator")
    inbound.left(session, back, Event("hung_up", "bye"))
    inbound.left(session, back, Event("hung_up", "bye"))
    assert cast.entry(session, missed).is_callback
    assert cast.call(session, back).attempt.outcome == "inbound_missed"


def test_nobody_of_whom_we_have_no_list_is_promised_a_call(session: Session, of: CallQueue) -> None:
    back = _rings_back(session, "8112345678")
    assert back is not None
    assert inbound.choose(session, back, "operator") == "nobody"
    assert inbound.choose(session, back, "operator") == "nobody"


def test_a_message_that_is_asked_for_twice_is_one(session: Session, of: CallQueue) -> None:
    _missed(session, of)
    back = _rings_back(session)
    assert back is not None
    assert inbound.choose(session, back, "message") == "message"
    first = voice_messages.of_call(session, back).id
    assert inbound.choose(session, back, "message") == "message"
    assert voice_messages.of_call(session, back).id == first
    assert cast.call(session, back).attempt.outcome == "inbound_message"


@pytest.mark.parametrize(("hour", "is_open"), [(8, False), (9, True), (19, True), (20, False), (23, False)])
def test_operators_are_offered_in_the_hours_of_the_house_only(
    session: Session, of: CallQueue, monkeypatch: pytest.MonkeyPatch, hour: int, is_open: bool
) -> None:
    back = _rings_back(session)
    assert back is not None
    then = datetime(2027, 3, 10, hour, 30, tzinfo=ZONE)  # a Wednesday
    monkeypatch.setattr(inbound, "campaign_now", lambda _session: then)
    assert inbound.menu(session, back).is_open is is_open


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
