"""Which trunk a call takes: prefixes, order, cost, caller IDs, room, and what is said when there is none."""

from datetime import timedelta
from threading import Barrier, Thread
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, carriers, jobs, queues, trunks
from callcenter.attempts import Attempt
from callcenter.base import clock, db
from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError
from callcenter.calls import Event
from callcenter.carriers import BadNumber, Dial, Route
from callcenter.ledger.call_ledger import Call
from callcenter.queueing import queue_entries
from callcenter.queues import CallQueue
from callcenter.telephony import trunk_numbers
from tests.callcenter import cast
from tests.callcenter.trunk_cast import MEXICO_CITY, XALAPA, switch, trunk

PHONE = "+525598760001"


def chosen(session: Session, phone: str = PHONE, caller_id: str = MEXICO_CITY) -> Route:
    session.commit()  # each choice in a transaction of its own
    return trunks.choose(session, phone, caller_id, 1)


def code_of(session: Session, phone: str = PHONE, caller_id: str = MEXICO_CITY) -> tuple[str, bool]:
    with pytest.raises(ProviderError) as refused:
        chosen(session, phone, caller_id)
    return refused.value.code, refused.value.permanent


def occupy(session: Session, trunk_id: int, state: str = "ringing") -> UUID:
    """A call of somebody's that holds a line of the trunk."""
    queue = cast.queue(session, cast.person(session), carrier="asterisk")
    call_id = cast.rung(session, queue)
    call = cast.call(session, call_id)
    call.trunk_id, call.state = trunk_id, state
    call.placed_at = real_now() - timedelta(minutes=1)
    session.flush()
    return call_id


def test_the_longest_prefix_wins_then_the_order_then_the_price(session: Session) -> None:
    cheap = trunk(session, {"52": "0.10"}, position=5)
    city = trunk(session, {"52": "0.10", "5255": "0.90"}, position=90)
    assert chosen(session).trunk == city.id
    other = trunk(session, {"52": "0.05"}, position=5)
    assert chosen(session, "+522281110000").trunk == other.id
    cheap.position = 1
    session.flush()
    assert chosen(session, "+522281110000").trunk == cheap.id


def test_a_full_trunk_leaves_the_call_to_the_next_one(session: Session) -> None:
    first, second = trunk(session, position=1, channels=1), trunk(session, position=2)
    assert chosen(session).trunk == first.id
    occupy(session, first.id)
    assert chosen(session).trunk == second.id


def test_what_is_full_or_rests_is_said_and_passes(session: Session) -> None:
    only = trunk(session, channels=1)
    occupy(session, only.id)
    assert code_of(session) == ("trunks_full", False)
    only.resting_until = real_now() + timedelta(seconds=30)
    session.flush()
    assert code_of(session) == ("trunks_resting", False)
    assert trunks.why_none(session) == "trunks_resting"
    assert {"trunks_full", "trunks_resting", "trunks_not_registered", "switch_away", "no_trunk"} <= set(queues.WHY_IDLE)


def test_no_trunk_and_no_caller_id_stop_the_campaign(session: Session) -> None:
    assert code_of(session) == ("no_trunk", True)
    trunk(session)
    assert code_of(session, caller_id="+525599999999") == ("no_caller_id", True)
    trunk(session, is_enabled=False, numbers={"+525599999999": []})
    assert code_of(session, caller_id="+525599999999") == ("no_caller_id", True)


def test_a_number_that_no_trunk_serves_waits(session: Session) -> None:
    trunk(session, {"5233": "0.2"})
    assert code_of(session) == ("no_route", False)
    trunk(session, {"52": "0.2"}, number_format="national")
    assert code_of(session, "+12125550100") == ("no_route", False)


@pytest.mark.parametrize("phone", ["55CALLME01", "+52555O111111", "", "+52 5512345678", "+525512345678\r\nX: y"])
def test_a_number_with_letters_goes_through_no_trunk(session: Session, phone: str) -> None:
    trunk(session)
    with pytest.raises(BadNumber):
        chosen(session, phone)


def test_a_trunk_that_must_register_is_not_used_before_it_is(session: Session) -> None:
    line = trunk(session, registers=True)
    assert code_of(session) == ("trunks_not_registered", False)
    trunks.heard(session, line.id, True, "Registered")
    assert chosen(session).trunk == line.id
    trunks.answers(session, line.id, False, "Unreachable")
    assert code_of(session) == ("trunks_not_registered", False)
    assert trunks.lines(session) == 0


def test_a_switch_that_is_not_heard_of_carries_no_call(session: Session) -> None:
    switch(session, is_heard=False)
    trunk(session)
    assert code_of(session) == ("switch_away", False)


@pytest.mark.parametrize(
    ("number_format", "prefix", "number", "shows"),
    [
        ("plus", "", "+525598760001", "+525512340000"),
        ("digits", "", "525598760001", "525512340000"),
        ("national", "", "5598760001", "5512340000"),
        ("prefixed", "9", "95598760001", "5512340000"),
    ],
)
def test_each_trunk_gets_numbers_as_it_wants_them(
    session: Session, number_format: str, prefix: str, number: str, shows: str
) -> None:
    line = trunk(session, number_format=number_format, number_prefix=prefix)
    route = chosen(session)
    assert (route.number, route.shows, route.caller_id) == (number, shows, MEXICO_CITY)
    assert (route.switch, route.trunk, route.simulated) == ("local", line.id, True)


def test_a_local_caller_id_is_the_one_of_the_persons_area(session: Session) -> None:
    trunk(session, numbers={MEXICO_CITY: ["55", "56"], XALAPA: ["228"]})
    assert chosen(session, "+522285550000", "local").caller_id == XALAPA
    assert chosen(session, "+525698760001", "local").caller_id == MEXICO_CITY
    assert chosen(session, "+523398760001", "local").caller_id == MEXICO_CITY  # no number of Guadalajara: the main one


def test_calls_a_second_are_counted_of_the_last_second_also_when_they_are_over(session: Session) -> None:
    line = trunk(session, channels=50, calls_per_second=2)
    first, second = occupy(session, line.id), occupy(session, line.id, "ended")
    for call_id in (first, second):
        cast.call(session, call_id).placed_at = real_now()
    session.flush()
    assert code_of(session) == ("trunks_full", False)
    cast.call(session, first).placed_at = real_now() - timedelta(seconds=2)
    session.flush()
    assert chosen(session).trunk == line.id


def test_lines_are_those_under_way_and_the_room_that_is_left(session: Session) -> None:
    line = trunk(session, channels=3)
    assert trunks.lines(session) == 3
    occupy(session, line.id)
    assert trunks.lines(session) == 3  # one under way, two free
    queue = cast.queue(session, cast.person(session), carrier="asterisk")
    cast.planned(session, queue)
    assert trunks.lines(session) == 3  # a planned call will need one of the two
    assert trunks.calls_now(session, line.id) == 1
    wrapping = occupy(session, line.id, "wrap_up")
    assert trunks.calls_now(session, line.id) == 1
    assert cast.call(session, wrapping).trunk_id == line.id


class Switchboard(cast.FakeCarrier):
    """An Asterisk that takes every call, with the product's own choice of trunks."""

    def lines(self, session: Session) -> int:
        return trunks.lines(session)

    def route(self, session: Session, phone: str, caller_id: str, queue_id: int) -> Route:
        return trunks.choose(session, phone, caller_id, queue_id)


@pytest.fixture
def board() -> Switchboard:
    fake = Switchboard()
    carriers.use({"asterisk": fake})
    return fake


def _ready(session: Session, **columns: object) -> tuple[CallQueue, UUID]:
    queue = cast.queue(session, cast.person(session), carrier="asterisk", **columns)
    return queue, cast.planned(session, queue)


@pytest.fixture(autouse=True)
def _no_carrier_stays() -> object:
    yield
    carriers.use({})


def test_the_ledger_knows_the_trunk_and_the_number_that_was_shown(session: Session, board: Switchboard) -> None:
    clock.start_drill(session)  # a weekday in calling hours, whenever the test runs
    line = trunk(session, numbers={MEXICO_CITY: [], "+529225550000": ["922"]})
    _queue, call_id = _ready(session, caller_id="local", purpose="citizen_care")
    session.commit()
    jobs.place_calls([str(call_id)])
    call = cast.call(session, call_id)
    assert (call.trunk_id, call.caller_id) == (line.id, "+529225550000"), call.attempt.outcome
    (dial,) = board.dialled
    assert isinstance(dial, Dial)
    assert dial.route is not None
    assert dial.route.trunk == line.id


def test_a_full_trunk_gives_the_try_back_and_the_person_comes_again_soon(session: Session, board: Switchboard) -> None:
    line = trunk(session, channels=1)
    occupy(session, line.id)
    queue, call_id = _ready(session, rules={"most_attempts": 1})
    session.commit()
    jobs.place_calls([str(call_id)])
    call, entry = cast.call(session, call_id), cast.entry(session, call_id)
    assert (call.state, call.attempt.outcome, call.trunk_id) == ("ended", "not_placed", None)
    assert (entry.state, entry.reason, entry.attempts) == ("waiting", "trunks_full", 0)
    assert entry.not_before is not None
    assert entry.not_before < real_now() + timedelta(minutes=2)
    assert queues.get(session, queue.id).state == "running"
    assert board.dialled == []


def test_without_any_trunk_the_queue_pauses_with_the_reason(session: Session, board: Switchboard) -> None:
    queue, call_id = _ready(session)
    session.commit()
    jobs.place_calls([str(call_id)])
    found = queues.get(session, queue.id)
    assert (found.state, found.state_reason) == ("paused", "carrier:no_trunk")
    assert queue_entries.tries(session, cast.call(session, call_id).entry_id) == 0


def test_whom_calls_reach_is_the_carriers_and_the_trunks_matter(session: Session) -> None:
    assert trunks.reach_invented(session, "simulated")
    assert not trunks.reach_invented(session, "twilio")
    assert not trunks.reach_invented(session, "asterisk")  # with no trunk in use nobody is reached
    line = trunk(session)
    assert trunks.reach_invented(session, "asterisk")
    line.simulated = False
    session.flush()
    assert not trunks.reach_invented(session, "asterisk")


def test_two_who_choose_at_once_never_take_the_last_line_twice(committed: db.Sessions) -> None:
    with committed() as session:
        line = trunk(session, channels=1)
        queue = cast.queue(session, cast.person(session), cast.person(session), carrier="asterisk")
        ids = [cast.planned(session, queue), cast.planned(session, queue)]
        for call_id in ids:
            calls.record_event(session, call_id, Event("claimed", "claimed"))
        line_id = line.id
        session.commit()
    both, taken, refused = Barrier(2), [], []

    def take(call_id: UUID) -> None:
        with committed() as own:
            call = calls.locked(own, call_id)
            both.wait()
            try:
                call.trunk_id = trunks.choose(own, PHONE, MEXICO_CITY, 1).trunk
                own.commit()
                taken.append(call_id)
            except ProviderError as error:
                refused.append(error.code)

    threads = [Thread(target=take, args=(call_id,)) for call_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (len(taken), refused) == (1, ["trunks_full"])
    with committed() as session:
        assert session.scalars(select(Call.id).where(Call.trunk_id == line_id)).all() == taken
        assert session.scalar(select(Attempt.id).where(Attempt.id == taken[0])) == taken[0]


@given(st.text(max_size=40))
def test_a_host_is_one_line_without_spaces(text: str) -> None:
    if trunk_numbers.is_host(text):
        assert text.isascii()
        assert not set(text) & set(" \t\r\n;[]()/@:\"'")


@given(st.text(max_size=90))
def test_a_password_never_ends_a_line_or_begins_a_comment(text: str) -> None:
    if trunk_numbers.is_secret(text):
        assert text.isascii()
        assert text.isprintable()
        assert not set(text) & set(" ;\\\r\n")
        assert not text.startswith(">")


@given(st.from_regex(r"\+52[1-9]\d{9}", fullmatch=True))
def test_every_format_of_a_mexican_number_keeps_its_ten_digits(number: str) -> None:
    digits = trunk_numbers.national(number)
    assert digits is not None
    for number_format in ("plus", "digits", "national", "prefixed"):
        written = trunk_numbers.written(number, number_format, "9")
        assert written is not None
        assert written.endswith(digits)
    assert digits.startswith(trunk_numbers.area_code(number) or "-")
