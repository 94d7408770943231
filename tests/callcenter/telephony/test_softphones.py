"""Accounts of browsers: one a log-in, known to the switch while it lives; news of who is there; grace."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, carriers, jobs, operators, switches
from callcenter.base import sealed
from callcenter.base.clock import real_now
from callcenter.base.errors import NotFound, ProviderError, Refused
from callcenter.operators import Operator
from callcenter.seats import operator_rooms, operator_sweep
from callcenter.telephony import softphone_jobs, softphones
from callcenter.telephony.line_quality import Measured
from callcenter.telephony.softphones import Softphone
from tests.callcenter import cast
from tests.callcenter.cast import FakeCarrier

A, B = "sip:abc@one.invalid;transport=ws", "sip:def@two.invalid;transport=ws"
LATE = timedelta(seconds=11)


class Switchboard(FakeCarrier):
    """Knows which accounts are open at which switch, and with which secret."""

    def __init__(self) -> None:
        super().__init__()
        self.accounts: dict[tuple[str, str], str] = {}
        self.moved: list[tuple[str, str]] = []

    def open_account(self, switch: str, name: str, secret: str) -> None:
        if self.fails:
            raise self.fails
        self.accounts[switch, name] = secret

    def close_account(self, switch: str, name: str) -> None:
        if self.fails:
            raise self.fails
        self.accounts.pop((switch, name), None)

    def move(self, ref: str, room: str) -> None:
        self.moved.append((ref, room))


@pytest.fixture
def board(app: Flask) -> Iterator[Switchboard]:
    fake = Switchboard()
    carriers.use({"asterisk": fake})
    sealed.configure("secret-of-the-tests")
    yield fake
    carriers.use({})


@pytest.fixture
def olga(session: Session, board: Switchboard) -> Operator:
    """Connected and in a pause, at the switch `norte`."""
    switch(session, "norte")
    made = cast.operator(session, "olga", free=False)
    operators.pause(session, made.id, "starting")
    session.commit()
    return made


def switch(session: Session, name: str) -> None:
    switches.register(session, name, host="127.0.0.1", ami_port=5038, ws_url=f"wss://{name}.invalid/ws", secrets={})
    switches.named(session, name).seen_at = real_now()
    session.flush()


def name_of(operator: Operator) -> str:
    return f"op-{operator.id}"


def row(session: Session, name: str) -> Softphone:
    session.flush()
    found = session.get(Softphone, name, populate_existing=True)
    assert found is not None
    return found


def work(session: Session, *, seen: list[str] | None = None) -> None:
    """Commit, and do the softphones' jobs that were left for a worker."""
    waiting = [item for item in session.info.get("outbox", []) if hasattr(item, "function")]
    session.commit()
    for job in waiting:
        module, _, function = job.function.rpartition(".")
        if module == "callcenter.telephony.softphone_jobs":
            getattr(softphone_jobs, function)(*job.args)
        if seen is not None:
            seen.append(function)
    session.expire_all()


def asked_jobs(session: Session) -> list[tuple[str, tuple[Any, ...]]]:
    return [(item.function, item.args) for item in session.info.get("outbox", []) if hasattr(item, "function")]


def test_a_log_in_gives_the_page_what_the_switch_will_know(
    session: Session, board: Switchboard, olga: Operator
) -> None:
    given = softphones.log_in(session, name_of(olga), olga.user_id)
    work(session)
    assert board.accounts == {("norte", name_of(olga)): given.password}
    assert (given.uri, given.ws_url) == (f"sip:{name_of(olga)}@{softphones.REALM}", "wss://norte.invalid/ws")
    assert row(session, name_of(olga)).opened_at is not None


def test_the_secret_is_sealed_in_the_database_and_shown_in_no_log(
    session: Session, board: Switchboard, olga: Operator
) -> None:
    given = softphones.log_in(session, name_of(olga), olga.user_id)
    assert given.password not in row(session, name_of(olga)).secret_sealed
    assert given.password not in repr(given)
    order = softphones.order(session, name_of(olga), 1)
    assert order is not None
    assert given.password not in repr(order)


def test_a_new_log_in_replaces_the_old_secret(session: Session, board: Switchboard, olga: Operator) -> None:
    first = softphones.log_in(session, name_of(olga), olga.user_id)
    work(session)
    second = softphones.log_in(session, name_of(olga), olga.user_id)
    work(session)
    assert first.password != second.password
    assert board.accounts == {("norte", name_of(olga)): second.password}


def test_going_offline_ends_the_account(session: Session, board: Switchboard, olga: Operator) -> None:
    softphones.log_in(session, name_of(olga), olga.user_id)
    work(session)
    operators.leave(session, olga.id)
    work(session)
    assert board.accounts == {}
    assert session.get(Softphone, name_of(olga)) is None


def test_who_is_away_for_long_loses_the_account_too(session: Session, board: Switchboard, olga: Operator) -> None:
    softphones.log_in(session, name_of(olga), olga.user_id)
    work(session)
    olga.last_seen_at = real_now() - timedelta(minutes=3)
    session.flush()
    operator_sweep.sweep(session)
    work(session)
    assert board.accounts == {}


@pytest.mark.parametrize("order", list(permutations(("log_in", "open", "log_out", "close"))))
def test_jobs_in_any_order_leave_the_switch_as_the_last_word_says(
    session: Session, board: Switchboard, olga: Operator, order: tuple[str, ...]
) -> None:
    """`open` and `close` are late jobs of the first secret; the sweep is asked until nothing is left to do."""
    name = name_of(olga)
    softphones.log_in(session, name, olga.user_id)
    session.commit()
    last: str | None = None
    for act in order:
        if act == "log_in":
            last = softphones.log_in(session, name, olga.user_id).password
        elif act == "log_out":
            softphones.log_out(session, name)
            last = None
        elif act == "open":
            softphone_jobs.open_account(name, 1)
        else:
            softphone_jobs.close_account("norte", name, 1)
        work(session)
    assert board.accounts == ({("norte", name): last} if last else {})


def test_a_close_that_overtakes_a_new_log_in_is_mended(session: Session, board: Switchboard, olga: Operator) -> None:
    """The close was on its way to the switch when the operator came back."""
    name = name_of(olga)
    softphones.log_in(session, name, olga.user_id)
    work(session)
    softphones.log_out(session, name)
    session.commit()
    given = softphones.log_in(session, name, olga.user_id)
    work(session)
    board.close_account("norte", name)  # lands only now
    softphones.closed(session, name, 1, "norte")
    work(session)
    assert board.accounts == {("norte", name): given.password}


def test_an_opening_that_lands_after_the_log_out_is_undone(
    session: Session, board: Switchboard, olga: Operator
) -> None:
    name = name_of(olga)
    softphones.log_in(session, name, olga.user_id)
    order = softphones.order(session, name, 1)
    assert order is not None
    softphones.log_out(session, name)
    work(session)
    board.open_account(order.switch, name, order.secret)  # lands only now
    softphones.opened(session, name, 1, order.switch)
    work(session)
    assert board.accounts == {}


def test_a_switch_that_does_not_answer_is_said_and_asked_again(
    session: Session, board: Switchboard, olga: Operator
) -> None:
    name = name_of(olga)
    board.fails = ProviderError("away", code="unreachable")
    softphones.log_in(session, name, olga.user_id)
    work(session)
    assert softphones.card(session, olga.id)["fault"] == "unreachable"
    board.fails = None
    row(session, name).asked_at = real_now() - timedelta(seconds=6)
    softphones.sweep(session)
    work(session)
    assert list(board.accounts) == [("norte", name)]
    assert softphones.card(session, olga.id)["fault"] is None


def test_the_sweep_ends_what_nobody_logged_out(session: Session, board: Switchboard, olga: Operator) -> None:
    softphones.log_in(session, "sup-9", olga.user_id)
    work(session)
    row(session, "sup-9").asked_at = real_now() - timedelta(hours=17)
    softphones.sweep(session)
    work(session)
    assert board.accounts == {}


def test_the_sweep_ends_the_account_of_who_was_disabled(session: Session, board: Switchboard, olga: Operator) -> None:
    softphones.log_in(session, "sup-9", olga.user_id)
    work(session)
    softphones.sweep(session)
    work(session)
    assert len(board.accounts) == 1
    olga.user.active = False
    session.flush()
    softphones.sweep(session)
    work(session)
    assert board.accounts == {}


def test_the_sweep_closes_what_lost_its_job(session: Session, board: Switchboard, olga: Operator) -> None:
    softphones.log_in(session, "sup-9", olga.user_id)
    work(session)
    softphones.log_out(session, "sup-9")
    session.info.pop("outbox")  # Redis was away
    row(session, "sup-9").closing_at = real_now() - timedelta(seconds=6)
    softphones.sweep(session)
    work(session)
    assert board.accounts == {}


def test_an_operator_goes_to_the_switch_with_the_fewest_and_stays(
    session: Session, board: Switchboard, olga: Operator
) -> None:
    switch(session, "sur")
    others = [cast.operator(session, free=False) for _ in range(3)]
    for other in others:
        softphones.log_in(session, name_of(other), other.user_id)
    homes = [softphones.home(session, name_of(other)) for other in others]
    assert sorted(homes) == ["norte", "norte", "sur"]
    softphones.log_in(session, name_of(others[0]), others[0].user_id)
    assert softphones.home(session, name_of(others[0])) == homes[0]


def test_a_silent_switch_is_left_for_one_that_is_heard_of(session: Session, board: Switchboard, olga: Operator) -> None:
    softphones.log_in(session, name_of(olga), olga.user_id)
    work(session)
    switch(session, "sur")
    switches.named(session, "norte").seen_at = real_now() - timedelta(minutes=1)
    softphones.log_in(session, name_of(olga), olga.user_id)
    work(session)
    assert list(board.accounts) == [("sur", name_of(olga))]


def test_without_any_switch_the_log_in_is_refused_in_words(session: Session, board: Switchboard) -> None:
    operator = cast.operator(session, free=False)
    with pytest.raises(Refused) as refused:
        softphones.log_in(session, name_of(operator), operator.user_id)
    assert refused.value.code == "no_switch"


def test_an_unknown_account_has_no_home(session: Session, board: Switchboard) -> None:
    with pytest.raises(NotFound):
        softphones.home(session, "op-1")


def test_a_browser_that_registers_is_rung_at_once(session: Session, board: Switchboard, olga: Operator) -> None:
    softphones.log_in(session, name_of(olga), olga.user_id)
    session.commit()
    jobs.open_room(olga.id)
    assert board.rooms == []  # nobody is there to be rung yet
    softphones.registered(session, name_of(olga), True, A)
    assert ("callcenter.jobs.open_room", (olga.id, True)) in asked_jobs(session)
    session.commit()
    jobs.open_room(olga.id, True)
    assert board.rooms == [olga.id]


def test_the_same_registration_again_rings_nobody(session: Session, board: Switchboard, olga: Operator) -> None:
    softphones.log_in(session, name_of(olga), olga.user_id)
    softphones.registered(session, name_of(olga), True, A)
    session.commit()
    softphones.registered(session, name_of(olga), True, A)
    assert asked_jobs(session) == []


def test_a_reload_is_rung_again_though_the_old_leg_is_up(session: Session, board: Switchboard, olga: Operator) -> None:
    softphones.log_in(session, name_of(olga), olga.user_id)
    softphones.registered(session, name_of(olga), True, A)
    operator_rooms.opened(session, olga.id, "norte/leg-1")
    session.commit()
    softphones.registered(session, name_of(olga), True, B)
    assert ("callcenter.jobs.open_room", (olga.id, True)) in asked_jobs(session)
    softphones.registered(session, name_of(olga), False, A)  # the old page's address, late
    assert softphones.is_there(session, name_of(olga))
    session.commit()
    jobs.open_room(olga.id, True)
    assert board.rooms == [olga.id]
    operator_rooms.opened(session, olga.id, "norte/leg-2")
    assert ("callcenter.jobs.close_room", ("norte/leg-1",)) in asked_jobs(session)


@pytest.mark.parametrize("state", ["paused", "in_call", "wrap_up"])
def test_a_ring_that_did_not_arrive_is_repeated_in_every_state(
    session: Session, board: Switchboard, olga: Operator, state: str
) -> None:
    softphones.log_in(session, name_of(olga), olga.user_id)
    softphones.registered(session, name_of(olga), True, A)
    session.commit()
    cast.seat(session, olga.id).state = state
    session.flush()
    operator_sweep.sweep(session)
    assert ("callcenter.jobs.open_room", (olga.id,)) in asked_jobs(session)
    softphones.registered(session, name_of(olga), False, A)
    session.commit()
    operator_sweep.sweep(session)
    assert asked_jobs(session) == []


def free_at_phone(session: Session, olga: Operator) -> None:
    softphones.log_in(session, name_of(olga), olga.user_id)
    softphones.registered(session, name_of(olga), True, A)
    operator_rooms.opened(session, olga.id, "norte/leg-1")
    operators.go_available(session, olga.id)
    session.commit()


def test_within_the_grace_nothing_is_hung_up_and_no_call_is_offered(
    session: Session, board: Switchboard, olga: Operator
) -> None:
    free_at_phone(session, olga)
    softphones.registered(session, name_of(olga), False, A)
    operator_sweep.sweep(session)
    seat = cast.seat(session, olga.id)
    assert (seat.state, seat.room_ref) == ("available", "norte/leg-1")
    assert session.scalar(select(Operator.id).where(operators.is_free(real_now()))) is None
    softphones.registered(session, name_of(olga), True, A)
    assert session.scalar(select(Operator.id).where(operators.is_free(real_now()))) == olga.id


def test_after_the_grace_the_operator_counts_as_gone(session: Session, board: Switchboard, olga: Operator) -> None:
    free_at_phone(session, olga)
    softphones.registered(session, name_of(olga), False)
    row(session, name_of(olga)).gone_at = real_now() - LATE
    session.flush()
    operator_sweep.sweep(session)
    seat = cast.seat(session, olga.id)
    assert (seat.state, seat.pause_reason) == ("paused", "gone")


def in_call(session: Session, olga: Operator) -> str:
    free_at_phone(session, olga)
    call_id = cast.planned(session, cast.queue(session, cast.person(session)))
    calls.record_event(session, call_id, calls.Event("claimed", "claimed"))
    calls.record_event(session, call_id, calls.Event("placed", "placed", ref=f"norte/{call_id}"))
    assert calls.answer(session, call_id, calls.Event("answered", "answer")) is not None
    session.commit()
    return str(call_id)


def test_a_call_goes_on_while_the_leg_lives_however_long_the_socket_is_down(
    session: Session, board: Switchboard, olga: Operator
) -> None:
    in_call(session, olga)
    softphones.registered(session, name_of(olga), False)
    row(session, name_of(olga)).gone_at = real_now() - timedelta(minutes=5)
    session.flush()
    operator_sweep.sweep(session)
    work(session)
    assert board.moved == []
    assert cast.seat(session, olga.id).state == "in_call"


def test_whose_operator_is_gone_for_good_hears_the_apology(
    session: Session, board: Switchboard, olga: Operator
) -> None:
    call_id = in_call(session, olga)
    softphones.registered(session, name_of(olga), False)
    operator_rooms.lost(session, olga.id, "norte/leg-1")  # ten seconds without a packet
    operator_sweep.sweep(session)
    work(session)
    assert board.moved == []  # the page may yet come back
    row(session, name_of(olga)).gone_at = real_now() - LATE
    session.flush()
    operator_sweep.sweep(session)
    work(session)
    assert board.moved == [(f"norte/{call_id}", "goodbye")]
    operator_sweep.sweep(session)
    work(session)
    assert len(board.moved) == 1, "the apology began anew"


def test_what_a_switch_says_anew_is_believed(session: Session, board: Switchboard, olga: Operator) -> None:
    nadia = cast.operator(session, free=False)
    for operator in (olga, nadia):
        softphones.log_in(session, name_of(operator), operator.user_id)
    softphones.registered(session, name_of(olga), True, A)
    softphones.reconcile(session, "norte", {name_of(nadia): B})
    assert not softphones.is_there(session, name_of(olga))
    assert softphones.is_there(session, name_of(nadia))


def test_news_of_nobody_do_no_harm(session: Session, board: Switchboard) -> None:
    softphones.registered(session, "op-999", True, A)
    softphones.registered(session, "trunk-1", False)
    softphones.log_out(session, "op-999")
    softphone_jobs.open_account("op-999", 1)
    softphone_jobs.close_account("norte", "op-999", 1)


def test_available_is_refused_in_words_while_the_line_is_not_open(
    session: Session, board: Switchboard, olga: Operator
) -> None:
    with pytest.raises(Refused) as refused:
        operators.go_available(session, olga.id)
    assert refused.value.code == "no_room"


def test_a_line_turned_poor_is_told_once(session: Session, board: Switchboard, olga: Operator) -> None:
    free_at_phone(session, olga)
    told: Callable[[], int] = lambda: sum(hasattr(item, "topic") for item in session.info.pop("outbox", []))  # noqa: E731
    softphones.measured(session, name_of(olga), Measured(0.0, 4.0, 30.0))
    assert told() > 0
    softphones.measured(session, name_of(olga), Measured(0.01, 4.0, 30.0))
    assert told() == 0
    softphones.measured(session, name_of(olga), Measured(0.2, 4.0, 30.0))
    assert told() > 0
    assert softphones.card(session, olga.id)["quality"] == "poor"


def test_figures_of_an_account_that_is_gone_are_refused(session: Session, board: Switchboard) -> None:
    with pytest.raises(NotFound):
        softphones.measured(session, "op-999", Measured(0.0, None, None))
