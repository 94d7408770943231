"""Hold, keys, consulting and handing over, against a switchboard that writes down what it is asked."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from callcenter import calls, carriers, suppressions
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound, ProviderError, Refused
from callcenter.calls import Event
from callcenter.ledger import call_act_jobs, call_acts, call_legs, leg_news, transfer_targets
from callcenter.ledger.call_acts import Target
from callcenter.operators import Operator
from tests.callcenter import cast, switchboard_cast
from tests.callcenter.switchboard_cast import FakeSwitchboard
from tests.queued import run_jobs


@pytest.fixture
def call_id(session: Session, olga: Operator) -> UUID:
    of = cast.queue(session, cast.person(session), carrier="asterisk")
    found = switchboard_cast.talking(session, of)
    run_jobs()
    return found


@pytest.fixture
def help_line(session: Session, people: dict[str, User]) -> int:
    return transfer_targets.add(session, "Línea de ayuda", "55 5555 0101", people["administrator"].id).id


def test_the_citizen_hears_music_on_hold_and_comes_back(
    session: Session, board: FakeSwitchboard, olga: Operator, call_id: UUID
) -> None:
    call_acts.hold(session, call_id, olga.id, on=True)
    session.commit()
    run_jobs()
    assert board.acts[-1] == ("move", f"local/{call_id}", "hold")
    assert call_legs.card(session, cast.call(session, call_id))["held_at"]
    call_acts.hold(session, call_id, olga.id, on=True)  # twice is once
    call_acts.hold(session, call_id, olga.id, on=False)
    session.commit()
    run_jobs()
    assert board.acts[1:] == [("move", f"local/{call_id}", f"op-{olga.id}")]


def test_only_the_operator_of_the_call_may_act_and_only_while_they_talk(
    session: Session, board: FakeSwitchboard, olga: Operator, call_id: UUID
) -> None:
    other = switchboard_cast.operator(session, "omar")
    with pytest.raises(NotFound):
        call_acts.hold(session, call_id, other.id, on=True)
    calls.record_event(session, call_id, Event("hung_up", "bye"))
    with pytest.raises(Refused, match="not on the line"):
        call_acts.hold(session, call_id, olga.id, on=True)


@pytest.mark.parametrize("keys", ["", "12a", "1" * 21, "1\r\nAction: Hangup"])
def test_keys_that_are_none_are_refused(session: Session, olga: Operator, call_id: UUID, keys: str) -> None:
    with pytest.raises(InvalidInput, match="digits"):
        call_acts.send_keys(session, call_id, olga.id, keys)


def test_keys_go_to_the_citizen_or_to_whom_is_consulted(
    session: Session, board: FakeSwitchboard, olga: Operator, call_id: UUID, help_line: int
) -> None:
    call_acts.send_keys(session, call_id, olga.id, "4#")
    session.commit()
    run_jobs()
    assert board.acts == [("keys", f"local/{call_id}", "4#")]
    leg = call_acts.consult(session, call_id, olga.id, Target("outside", help_line))
    session.commit()
    run_jobs()
    leg_news.heard(session, leg.id, "up")
    call_acts.send_keys(session, call_id, olga.id, "1")
    session.commit()
    run_jobs()
    assert board.acts[-1] == ("keys", f"local/{leg.id}", "1")


def test_an_outside_number_is_consulted_joined_and_left_with_the_citizen(
    session: Session, board: FakeSwitchboard, olga: Operator, call_id: UUID, help_line: int
) -> None:
    leg = call_acts.consult(session, call_id, olga.id, Target("outside", help_line))
    session.commit()
    run_jobs()
    assert ("invite", "+525555550101", f"op-{olga.id}") in board.acts
    assert ("move", f"local/{call_id}", "hold") in board.acts
    with pytest.raises(Refused, match="Nobody else"):
        call_acts.complete(session, call_id, olga.id)
    leg_news.heard(session, leg.id, "up")
    call_acts.join_all(session, call_id, olga.id)
    call_acts.complete(session, call_id, olga.id)
    session.commit()
    run_jobs()
    meeting = f"meet-{call_id}"
    assert ("move", f"local/{leg.id}", meeting) in board.acts
    assert ("move", f"local/{call_id}", meeting) in board.acts
    assert cast.seat(session, olga.id).state == "wrap_up"


def test_the_operator_is_free_after_the_write_up_although_the_citizen_talks_on(
    session: Session, board: FakeSwitchboard, olga: Operator, call_id: UUID, help_line: int
) -> None:
    call_acts.transfer(session, call_id, olga.id, Target("outside", help_line))
    calls.dispose(session, call_id, olga.id, "completed")
    session.commit()
    run_jobs()
    assert f"local/{call_id}" not in board.hung_up
    again = cast.queue(session, cast.person(session), carrier="asterisk")
    second = switchboard_cast.talking(session, again)
    assert cast.call(session, second).operator_id == olga.id
    leg = call_legs.live(session, call_id)
    assert leg is not None
    leg_news.heard(session, leg.id, "up")
    session.commit()
    run_jobs()
    assert ("move", f"local/{call_id}", f"meet-{call_id}") in board.acts
    leg_news.heard(session, leg.id, "ended", {"cause": 16})
    session.commit()
    run_jobs()
    assert board.hung_up == [f"local/{call_id}"]


def test_a_blind_transfer_that_nobody_answers_ends_with_an_apology(
    session: Session, board: FakeSwitchboard, olga: Operator, call_id: UUID, help_line: int
) -> None:
    call_acts.transfer(session, call_id, olga.id, Target("outside", help_line))
    session.commit()
    run_jobs()
    leg = call_legs.live(session, call_id)
    assert leg is not None
    leg_news.heard(session, leg.id, "ended", {"cause": 19})
    leg_news.heard(session, leg.id, "up")  # late: ended is final
    session.commit()
    run_jobs()
    assert board.acts[-1] == ("move", f"local/{call_id}", "goodbye")


def test_a_number_the_carrier_refuses_ends_the_leg_with_its_reason(
    session: Session, board: FakeSwitchboard, olga: Operator, call_id: UUID, help_line: int
) -> None:
    board.fails = ProviderError("no", code="trunks_full")
    leg = call_acts.consult(session, call_id, olga.id, Target("outside", help_line))
    session.commit()
    call_act_jobs.open_leg(str(leg.id))
    shown = call_legs.card(session, cast.call(session, call_id))
    assert shown["leg"] == {"kind": "outside", "state": "ended", "name": "Línea de ayuda", "was_up": False}
    assert shown["held_at"]  # the citizen is where the operator left them, and the page says so


def test_a_colleague_is_consulted_and_takes_the_call(
    session: Session, board: FakeSwitchboard, olga: Operator, call_id: UUID
) -> None:
    omar = switchboard_cast.operator(session, "omar")
    leg = call_acts.consult(session, call_id, olga.id, Target("operator", omar.id))
    assert (cast.seat(session, omar.id).state, cast.seat(session, omar.id).pause_reason) == ("paused", "consulted")
    session.commit()
    run_jobs()
    assert ("link", "local", f"op-{olga.id}", f"op-{omar.id}") in board.acts
    leg_news.heard(session, leg.id, "up")
    call_acts.complete(session, call_id, olga.id)
    session.commit()
    run_jobs()
    assert cast.call(session, call_id).operator_id == omar.id
    assert cast.seat(session, omar.id).state == "in_call"
    assert cast.seat(session, olga.id).state == "available"
    assert ("move", f"local/{call_id}", f"op-{omar.id}") in board.acts
    assert f"local/{leg.id}" in board.hung_up
    calls.dispose(session, call_id, omar.id, "completed")
    assert cast.seat(session, omar.id).state == "available"


def test_a_colleague_who_was_only_asked_is_free_again(
    session: Session, board: FakeSwitchboard, olga: Operator, call_id: UUID
) -> None:
    omar = switchboard_cast.operator(session, "omar")
    leg = call_acts.consult(session, call_id, olga.id, Target("operator", omar.id))
    session.commit()
    run_jobs()
    call_acts.drop_leg(session, call_id, olga.id)
    session.commit()
    run_jobs()
    assert cast.seat(session, omar.id).state == "available"
    assert f"local/{leg.id}" in board.hung_up
    assert board.acts[-1] == ("move", f"local/{call_id}", f"op-{olga.id}")


def test_a_call_goes_to_whoever_waits_in_a_campaign_and_nobody_gets_two(
    session: Session, board: FakeSwitchboard, olga: Operator, call_id: UUID
) -> None:
    queue_id = cast.call(session, call_id).queue_id
    with pytest.raises(Refused, match="Nobody is free"):
        call_acts.transfer(session, call_id, olga.id, Target("queue", queue_id))
    omar = switchboard_cast.operator(session, "omar")
    switchboard_cast.operator(session, "pepe", free=False)
    shown = call_acts.choices(session, call_id, olga.id)
    assert [each["name"] for each in shown["operators"]] == ["Omar"]
    assert [each["id"] for each in shown["queues"]] == [queue_id]
    call_acts.transfer(session, call_id, olga.id, Target("queue", queue_id))
    assert cast.call(session, call_id).operator_id == omar.id
    assert cast.seat(session, olga.id).state == "available"


def test_an_operator_on_another_switch_cannot_take_the_call(
    session: Session, board: FakeSwitchboard, olga: Operator, call_id: UUID
) -> None:
    far = switchboard_cast.operator(session, "lejana")
    far.room_ref = f"other/room-{far.id}"
    session.flush()
    assert call_acts.choices(session, call_id, olga.id)["operators"] == []
    with pytest.raises(Refused, match="Nobody is free"):
        call_acts.transfer(session, call_id, olga.id, Target("operator", far.id))


def test_when_the_citizen_hangs_up_nobody_waits_on_the_other_leg(
    session: Session, board: FakeSwitchboard, olga: Operator, call_id: UUID, help_line: int
) -> None:
    leg = call_acts.consult(session, call_id, olga.id, Target("outside", help_line))
    session.commit()
    run_jobs()
    calls.record_event(session, call_id, Event("hung_up", "bye"))
    leg_news.citizen_left(session, call_id)
    session.commit()
    run_jobs()
    assert board.hung_up == [f"local/{leg.id}"]
    assert call_legs.live(session, call_id) is None


def test_news_of_a_leg_that_is_none_of_ours_changes_nothing(session: Session) -> None:
    assert leg_news.heard(session, uuid4(), "up") is False


def test_only_allowed_numbers_are_called(
    session: Session, board: FakeSwitchboard, olga: Operator, call_id: UUID, help_line: int, people: dict[str, User]
) -> None:
    transfer_targets.turn(session, help_line, on=False, user_id=people["administrator"].id)
    with pytest.raises(NotFound, match="not on the list"):
        call_acts.transfer(session, call_id, olga.id, Target("outside", help_line))
    with pytest.raises(InvalidInput):
        transfer_targets.add(session, "", "55 55", people["administrator"].id)
    with pytest.raises(InvalidInput, match="already"):
        transfer_targets.add(session, "Otra", "+52 55 5555 0101", people["administrator"].id)


def test_a_number_that_wants_no_calls_is_on_no_list_and_not_called_from_one(
    session: Session, board: FakeSwitchboard, olga: Operator, call_id: UUID, help_line: int, people: dict[str, User]
) -> None:
    for phone in ("+525555550101", "+525555550102"):
        suppressions.add(session, phone, reason="public_page", source="test", at=real_now())
    with pytest.raises(InvalidInput, match="suppression list"):
        transfer_targets.add(session, "Otra", "55 5555 0102", people["administrator"].id)
    with pytest.raises(NotFound, match="not on the list"):
        call_acts.transfer(session, call_id, olga.id, Target("outside", help_line))


@pytest.fixture
def no_carrier_after() -> Iterator[None]:
    yield
    carriers.use({})


def test_without_a_carrier_that_can_the_acts_say_so(session: Session, no_carrier_after: None) -> None:
    carriers.use({"any": cast.FakeCarrier()})
    olga = cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    with pytest.raises(Refused, match="no hold, keypad or transfer"):
        call_acts.hold(session, call_id, olga.id, on=True)
    assert call_legs.card(session, cast.call(session, call_id))["can"] is False


@pytest.mark.parametrize("name", ["asterisk", "twilio", "simulated"])
def test_a_citizen_is_held_comes_back_and_is_handed_over_whatever_the_carrier(
    session: Session, no_carrier_after: None, name: str
) -> None:
    board = FakeSwitchboard()
    carriers.use({name: board})
    olga = switchboard_cast.operator(session, "olga")
    call_id = switchboard_cast.talking(session, cast.queue(session, cast.person(session)))
    omar = switchboard_cast.operator(session, "omar")
    for on in (True, False):
        call_acts.hold(session, call_id, olga.id, on=on)
        session.commit()
        run_jobs()
    call_acts.send_keys(session, call_id, olga.id, "12#")
    call_acts.transfer(session, call_id, olga.id, Target("operator", omar.id))
    session.commit()
    run_jobs()
    leg = f"local/{call_id}"
    moves = [act for act in board.acts if act[0] in ("move", "keys")]
    assert moves == [
        ("move", leg, "hold"), ("move", leg, f"op-{olga.id}"), ("keys", leg, "12#"), ("move", leg, f"op-{omar.id}"),
    ]  # fmt: skip
    assert cast.call(session, call_id).operator_id == omar.id


def test_a_colleague_cannot_be_asked_first_where_no_two_rooms_can_be_joined(
    session: Session, no_carrier_after: None
) -> None:
    carriers.use({"twilio": FakeSwitchboard()})
    olga = switchboard_cast.operator(session, "olga")
    call_id = switchboard_cast.talking(session, cast.queue(session, cast.person(session)))
    omar = switchboard_cast.operator(session, "omar")
    with pytest.raises(Refused, match="hand the call over at once"):
        call_acts.consult(session, call_id, olga.id, Target("operator", omar.id))
    assert call_legs.card(session, cast.call(session, call_id))["consults"] is False
