"""How operators hear and speak: which telephone is rung, and that it is theirs."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter import carriers, jobs, operators, suppressions
from callcenter.base.audit import AuditEntry
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.operators import Operator
from callcenter.seats import operator_lines, operator_rooms, operator_sweep
from callcenter.seats.operator_lines import OperatorLine
from callcenter.telephony.line_quality import Measured
from tests.callcenter import cast
from tests.callcenter.cast import FakeCarrier
from tests.queued import run_jobs

HOME = "922 111 0001"


@pytest.fixture
def carrier(app: Flask) -> Iterator[FakeCarrier]:
    """The simulated one, after the application has named its own."""
    fake = FakeCarrier()
    carriers.use({"simulated": fake})
    yield fake
    carriers.use({})


@pytest.fixture
def twilio(carrier: FakeCarrier) -> FakeCarrier:
    """The carrier is Twilio itself: pages register there."""
    carriers.use({"twilio": carrier})
    return carrier


@pytest.fixture
def olga(session: Session, app: Flask) -> Operator:
    made = cast.operator(session, free=False)
    operators.pause(session, made.id, "starting")
    session.commit()
    return made


def confirmed(session: Session, olga: Operator) -> None:
    operator_lines.set_phone(session, olga.id, HOME, olga.user_id)
    assert operator_lines.check(session, olga.id, operator_lines.begin_check(session, olga.id)) == "right"


def test_a_page_is_rung_at_a_simulated_carrier_at_once_and_at_twilio_when_it_is_registered(
    session: Session, carrier: FakeCarrier, olga: Operator
) -> None:
    assert operator_lines.address(session, olga.id) == f"client:op-{olga.id}"
    carriers.use({"twilio": carrier})
    assert operator_lines.address(session, olga.id) is None
    operator_lines.registered(session, olga.id, is_there=True)
    assert operator_lines.address(session, olga.id) == f"client:op-{olga.id}"
    operator_lines.registered(session, olga.id, is_there=False)
    assert operator_lines.address(session, olga.id) is None


def test_a_registered_page_is_rung_even_while_we_believe_its_line_open(
    session: Session, twilio: FakeCarrier, olga: Operator
) -> None:
    operator_rooms.opened(session, olga.id, "CA-before-the-reload")
    operator_lines.registered(session, olga.id, is_there=True)
    session.commit()
    run_jobs()
    assert twilio.rooms == [olga.id]


def test_a_telephone_is_rung_only_when_the_code_of_the_screen_was_pressed_on_it(
    session: Session, carrier: FakeCarrier, olga: Operator
) -> None:
    operator_lines.set_phone(session, olga.id, HOME, olga.user_id)
    with pytest.raises(Refused, match="Confirm your telephone first"):
        operator_lines.choose(session, olga.id, "ring", olga.user_id)
    code = operator_lines.begin_check(session, olga.id)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert operator_lines.check(session, olga.id, wrong) == "wrong"
    assert operator_lines.check(session, olga.id, code) == "right"
    assert operator_lines.check(session, olga.id, code) == "right"  # told twice
    assert operator_lines.choose(session, olga.id, "ring", olga.user_id)
    assert operator_lines.address(session, olga.id) == "+529221110001"


def test_three_wrong_codes_or_ten_minutes_end_a_check(session: Session, carrier: FakeCarrier, olga: Operator) -> None:
    operator_lines.set_phone(session, olga.id, HOME, olga.user_id)
    code = operator_lines.begin_check(session, olga.id)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert [operator_lines.check(session, olga.id, wrong) for _ in range(3)] == ["wrong", "wrong", "over"]
    assert operator_lines.check(session, olga.id, code) == "over"
    code = operator_lines.begin_check(session, olga.id)
    session.execute(update(OperatorLine).values(check_until=real_now() - timedelta(seconds=1)))
    assert operator_lines.check(session, olga.id, code) == "over"
    assert not operator_lines.is_checking(session, olga.id)


def test_another_telephone_must_be_confirmed_anew(session: Session, carrier: FakeCarrier, olga: Operator) -> None:
    confirmed(session, olga)
    operator_lines.choose(session, olga.id, "ring", olga.user_id)
    operator_lines.set_phone(session, olga.id, "922 111 0002", olga.user_id)
    assert operator_lines.way(session, olga.id) == "browser"
    assert operator_lines.of(session, olga.id).verified_at is None


@pytest.mark.parametrize("given", ["", "hola", "922 111", "922 111 0001 ext 4", "+1 956 555 0123"])
def test_what_is_no_telephone_is_refused_in_words(
    session: Session, carrier: FakeCarrier, olga: Operator, given: str
) -> None:
    with pytest.raises(InvalidInput, match="ten digits"):
        operator_lines.set_phone(session, olga.id, given, olga.user_id)


def test_a_suppressed_telephone_is_rung_for_nothing(session: Session, carrier: FakeCarrier, olga: Operator) -> None:
    suppressions.add(session, "+529221110001", reason="call", source="test", at=real_now())
    with pytest.raises(InvalidInput, match="suppression list"):
        operator_lines.set_phone(session, olga.id, HOME, olga.user_id)


def test_nobody_is_rung_without_end_to_confirm_a_telephone(
    session: Session, carrier: FakeCarrier, olga: Operator
) -> None:
    operator_lines.set_phone(session, olga.id, HOME, olga.user_id)
    for _ in range(operator_lines.CHECKS):
        operator_lines.begin_check(session, olga.id)
    omar = cast.operator(session, "omar", free=False)
    operator_lines.set_phone(session, omar.id, HOME, omar.user_id)
    for each in (olga, omar):
        with pytest.raises(Refused, match="quarter of an hour"):
            operator_lines.begin_check(session, each.id)


def test_the_trail_shows_the_telephone_masked(session: Session, carrier: FakeCarrier, olga: Operator) -> None:
    confirmed(session, olga)
    operator_lines.choose(session, olga.id, "ring", olga.user_id)
    kept = session.execute(select(AuditEntry.action, AuditEntry.detail).order_by(AuditEntry.id)).all()
    assert [row[0] for row in kept] == ["operator_lines.phone", "operator_lines.checked", "operator_lines.choose"]
    assert "9221110001" not in str(kept)


def test_who_hangs_their_telephone_up_rests_and_is_rung_again_only_while_a_citizen_waits(
    session: Session, carrier: FakeCarrier, olga: Operator
) -> None:
    confirmed(session, olga)
    operator_lines.choose(session, olga.id, "ring", olga.user_id)
    operator_rooms.opened(session, olga.id, "CA-1")
    operators.go_available(session, olga.id)
    operator_rooms.lost(session, olga.id, "CA-1")
    session.commit()
    run_jobs()
    assert (cast.seat(session, olga.id).state, olga.pause_reason) == ("paused", "room_lost")
    assert carrier.rooms == []
    operator_rooms.opened(session, olga.id, "CA-2")
    operators.go_available(session, olga.id)
    cast.connected(session, cast.queue(session, cast.person(session)))
    operator_rooms.lost(session, olga.id, "CA-2")
    session.commit()
    run_jobs()
    assert carrier.rooms == [olga.id]


def test_without_an_open_line_nobody_who_telephones_is_available(
    session: Session, carrier: FakeCarrier, olga: Operator
) -> None:
    operator_lines.choose(session, olga.id, "dial_in", olga.user_id)
    with pytest.raises(Refused, match="not open yet"):
        operators.go_available(session, olga.id)
    jobs.open_room(olga.id, again=True)
    assert carrier.rooms == []  # they call us
    operator_rooms.dialled_in(session, olga.id, "CA-in")
    operators.go_available(session, olga.id)
    assert cast.seat(session, olga.id).state == "available"


def test_whoever_dials_in_while_off_is_connected_in_a_pause(session: Session, carrier: FakeCarrier) -> None:
    olga = cast.operator(session, free=False)
    operator_rooms.dialled_in(session, olga.id, "CA-in")
    assert (olga.state, olga.pause_reason, olga.room_ref) == ("paused", "starting", "CA-in")
    assert operator_rooms.at_leg(session, "CA-in") == olga.id
    assert operator_rooms.at_leg(session, "") is None


def test_a_telephone_that_rings_is_not_rung_a_second_time(
    session: Session, carrier: FakeCarrier, olga: Operator
) -> None:
    confirmed(session, olga)
    operator_lines.choose(session, olga.id, "ring", olga.user_id)
    assert operator_rooms.ask(session, olga.id)
    olga.room_asked_at = real_now() - timedelta(seconds=30)
    session.flush()
    assert not operator_rooms.ask(session, olga.id)
    olga.room_asked_at = real_now() - timedelta(seconds=50)
    session.flush()
    assert operator_rooms.ask(session, olga.id)


def test_a_citizen_whose_operator_lost_their_line_for_ten_seconds_hears_the_apology(
    session: Session, carrier: FakeCarrier, olga: Operator
) -> None:
    operator_rooms.opened(session, olga.id, "CA-1")
    operators.go_available(session, olga.id)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    operator_rooms.lost(session, olga.id, "CA-1")
    session.commit()
    assert sweep_jobs(session) == {"callcenter.jobs.open_room"}
    olga.room_lost_at = real_now() - timedelta(seconds=11)
    session.commit()
    assert "callcenter.telephony.softphone_jobs.let_go" in sweep_jobs(session)
    assert carrier.moved[-1] == (f"CA{call_id.hex}", "goodbye")


def test_a_line_that_is_open_again_leaves_the_citizen_in_peace(
    session: Session, carrier: FakeCarrier, olga: Operator
) -> None:
    operator_rooms.opened(session, olga.id, "CA-1")
    operators.go_available(session, olga.id)
    cast.connected(session, cast.queue(session, cast.person(session)))
    operator_rooms.lost(session, olga.id, "CA-1")
    operator_rooms.opened(session, olga.id, "CA-2")
    session.commit()
    run_jobs()
    assert sweep_jobs(session) == set()


def sweep_jobs(session: Session) -> set[str]:
    operator_sweep.sweep(session)
    session.commit()
    return set(run_jobs())


def test_an_old_ring_told_again_opens_nothing_and_ends_nothing(
    session: Session, carrier: FakeCarrier, olga: Operator
) -> None:
    assert operator_rooms.ask(session, olga.id)
    old = operator_lines.mark(olga.room_asked_at)
    assert operator_rooms.opened(session, olga.id, "CA-1", mark=old)
    assert operator_rooms.opened(session, olga.id, "CA-1", mark=old)  # told twice
    operator_rooms.lost(session, olga.id, "CA-1", mark=old)
    assert not operator_rooms.opened(session, olga.id, "CA-1", mark=old)
    assert operator_rooms.ask(session, olga.id)
    operator_rooms.lost(session, olga.id, "CA-1", reopen=False, mark=old)
    assert (olga.state, olga.pause_reason) == ("paused", "starting")
    assert olga.room_asked_at is not None


def test_the_end_of_the_leg_before_a_reload_leaves_the_new_ring_alone(
    session: Session, carrier: FakeCarrier, olga: Operator
) -> None:
    operator_rooms.ask(session, olga.id)
    first = operator_lines.mark(olga.room_asked_at)
    operator_rooms.opened(session, olga.id, "CA-1", mark=first)
    operator_rooms.ask(session, olga.id, again=True)
    second = operator_lines.mark(olga.room_asked_at)
    operator_rooms.lost(session, olga.id, "CA-1", mark=first)
    assert operator_rooms.opened(session, olga.id, "CA-2", mark=second)
    assert olga.room_ref == "CA-2"


def test_another_way_closes_the_leg_that_is_up_but_never_in_a_call(
    session: Session, carrier: FakeCarrier, olga: Operator
) -> None:
    operator_rooms.opened(session, olga.id, "CA-1")
    operators.go_available(session, olga.id)
    operator_rooms.renew(session, olga.id)
    session.commit()
    run_jobs()
    assert carrier.hung_up == ["CA-1"]
    assert (olga.state, olga.pause_reason) == ("paused", "room_lost")
    operator_rooms.opened(session, olga.id, "CA-2")
    operators.go_available(session, olga.id)
    cast.connected(session, cast.queue(session, cast.person(session)))
    with pytest.raises(Refused, match="after it"):
        operator_rooms.renew(session, olga.id)


def test_the_card_tells_of_the_page_and_of_nothing_else(session: Session, twilio: FakeCarrier, olga: Operator) -> None:
    assert operator_lines.card(session, olga.id) == {"registered": False, "quality": None, "fault": None}
    operator_lines.registered(session, olga.id, is_there=True)
    operator_lines.measured(session, olga.id, Measured(0.2, 10.0, 80.0))
    assert operator_lines.card(session, olga.id) == {"registered": True, "quality": "poor", "fault": None}
    operator_lines.choose(session, olga.id, "dial_in", olga.user_id)
    assert operator_lines.card(session, olga.id) is None


def test_a_page_that_is_reloaded_keeps_its_state_and_one_that_stays_away_is_paused(
    session: Session, twilio: FakeCarrier, olga: Operator
) -> None:
    operator_lines.registered(session, olga.id, is_there=True)
    operator_rooms.ask(session, olga.id)
    mark = operator_lines.mark(olga.room_asked_at)
    operator_rooms.opened(session, olga.id, "CA-1", mark=mark)
    operators.go_available(session, olga.id)
    operator_rooms.lost(session, olga.id, "CA-1", reopen=True, mark=mark)
    assert operator_rooms.ask(session, olga.id)  # rung at once, while the page is not there
    mark = operator_lines.mark(olga.room_asked_at)
    operator_rooms.lost(session, olga.id, "CA-2", reopen=False, mark=mark)
    assert olga.state == "available"
    assert operator_lines.address(session, olga.id) is None
    operator_lines.registered(session, olga.id, is_there=True)
    session.commit()
    twilio.rooms.clear()
    run_jobs()
    assert olga.id in twilio.rooms
    operator_rooms.opened(session, olga.id, "CA-3", mark=operator_lines.mark(cast.seat(session, olga.id).room_asked_at))
    assert (olga.state, olga.room_lost_at) == ("available", None)
    operator_rooms.lost(session, olga.id, "CA-3")
    olga.room_lost_at = real_now() - timedelta(seconds=11)
    session.commit()
    sweep_jobs(session)
    assert (cast.seat(session, olga.id).state, olga.pause_reason) == ("paused", "room_lost")


def test_whose_shift_ends_has_no_page_to_be_rung_until_it_says_so_again(
    session: Session, twilio: FakeCarrier, olga: Operator
) -> None:
    operator_lines.registered(session, olga.id, is_there=True)
    operators.leave(session, olga.id)
    assert operator_lines.address(session, olga.id) is None
