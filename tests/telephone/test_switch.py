"""The listener of a switch, the ledger and a real Asterisk together: calls through invented telephones."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from callcenter import calls, jobs
from callcenter.carriers.asterisk import actions
from callcenter.ledger import call_states
from callcenter.ledger.call_ledger import CallEvent
from callcenter.telephony import trunk_book
from scripts.simulated_telephones import Network
from tests.callcenter import cast
from tests.telephone.house import House
from tests.telephone.manager import until


def is_over(house: House, call_id: UUID) -> Callable[[], bool]:
    return lambda: house.ledger(call_id).state == "ended"


@pytest.mark.parametrize(
    ("digits", "outcome", "cause", "counts"),
    [("01", "busy", "17", 1), ("02", "invalid_number", "1", 1), ("03", "no_answer", "19", 1),
     ("04", "no_answer", "21", 1), ("09", "not_placed", "34", 0), ("10", "not_placed", "21", 0),
     ("11", "invalid_number", "22", 1), ("16", "not_placed", "38", 0)],
)  # fmt: skip
def test_each_failure_of_the_line_becomes_our_outcome_with_the_lines_own_words(
    house: House, digits: str, outcome: str, cause: str, counts: int
) -> None:
    call_id = house.call(digits)
    until(is_over(house, call_id))
    call = house.ledger(call_id)
    assert call.cause is not None
    assert (call.attempt.outcome, call.cause["Cause"]) == (outcome, cause)
    with house.sessions() as session:
        assert cast.entry(session, call_id).attempts == counts
        assert trunk_book.find(session, 1).faults == (0 if counts else 1)


def test_an_answered_citizen_and_the_operator_hear_each_other(house: House, network: Network) -> None:
    operator_id = house.operator()
    call_id = house.call("99")
    until(lambda: house.ledger(call_id).state == "connected")
    call, seat = house.ledger(call_id), house.seat(operator_id)
    assert (call.operator_id, seat.call_id, seat.state) == (operator_id, call_id, "in_call")
    citizen = network.await_call(call.attempt.phone)
    until(lambda: citizen.heard.tones)
    network.hang_up(citizen)
    until(lambda: house.ledger(call_id).state == "wrap_up")
    call = house.ledger(call_id)
    assert call.cause is not None
    assert call.cause["event"] == "hung_up"
    assert call.cause["Cause"] in ("0", "16")  # a citizen's own BYE
    assert all((call.ringing_at, call.answered_at, call.connected_at, call.hung_up_at))
    assert house.seat(operator_id).state == "wrap_up"


def test_who_picks_up_while_nobody_is_free_waits_two_seconds_and_hears_an_apology(
    house: House, network: Network
) -> None:
    call_id = house.call("99")
    until(lambda: house.ledger(call_id).state == "answered")
    until(is_over(house, call_id))
    call = house.ledger(call_id)
    assert (call.attempt.outcome, call.connected_at) == ("abandoned", None)
    citizen = network.await_call(call.attempt.phone)
    until(lambda: citizen.heard.began)
    assert citizen.answered_at is not None
    assert citizen.heard.began[0][0] - citizen.answered_at > 1.9


def test_who_waits_is_with_the_first_operator_who_frees_before_the_two_seconds_are_over(
    house: House, network: Network
) -> None:
    operator_id = house.operator(free=False)
    call_id = house.call("99")
    until(lambda: house.ledger(call_id).state == "answered")
    house.free(operator_id)
    until(lambda: house.ledger(call_id).state == "connected")
    assert house.ledger(call_id).operator_id == operator_id
    citizen = network.await_call(house.ledger(call_id).attempt.phone)
    until(lambda: citizen.heard.tones)


def test_who_picked_up_and_went_while_nobody_listened_was_abandoned(house: House, network: Network) -> None:
    with house.deaf():
        call_id = house.call("99")
        citizen = network.await_call(house.ledger(call_id).attempt.phone)
        until(lambda: citizen.hung_up_by, seconds=20)
        assert house.ledger(call_id).answered_at is None
    until(is_over(house, call_id), seconds=20)
    assert house.ledger(call_id).attempt.outcome == "abandoned"


def test_a_recorded_survey_takes_the_call_without_an_operator_and_its_word_closes_it(
    house: House, network: Network
) -> None:
    call_id = house.call("99", answered_by="recording")
    until(lambda: house.ledger(call_id).state == "connected")
    assert house.ledger(call_id).operator_id is None
    until(lambda: channel(house, call_id)["Exten"] == "recording")
    with house.sessions() as session:
        calls.finish_unattended(session, call_id, "completed")
        session.commit()
    call = house.ledger(call_id)
    assert (call.state, call.attempt.outcome, call.disposition) == ("ended", "completed", "completed")


def test_a_machine_is_hung_up_where_the_queue_wants_it_and_only_noted_where_it_tries_it_out(house: House) -> None:
    on, shadow = house.call("14", machine_detection="on"), house.call("14", machine_detection="shadow")
    until(is_over(house, on), seconds=15)
    until(is_over(house, shadow), seconds=15)
    assert house.ledger(on).attempt.outcome == "machine"
    assert house.ledger(shadow).attempt.outcome == "abandoned"
    for call_id in (on, shadow):
        assert judgement(house, call_id)["status"] == "MACHINE"


def test_a_person_is_a_person_after_the_judgement(house: House) -> None:
    operator_id = house.operator()
    call_id = house.call("15", machine_detection="on")
    until(lambda: house.ledger(call_id).state == "connected", seconds=15)
    assert house.ledger(call_id).operator_id == operator_id


def test_a_telephone_that_nobody_answers_ends_by_our_own_timer(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_states, "RING_SECONDS", 1)
    call_id = house.call("05")
    until(is_over(house, call_id))
    assert house.ledger(call_id).attempt.outcome == "no_answer"


def test_a_call_taken_down_by_us_gives_the_try_back(house: House) -> None:
    call_id = house.call("05")
    until(lambda: house.ledger(call_id).state == "ringing")
    jobs.hang_up(str(call_id))
    until(lambda: kept(house, call_id, "ami:ended") is not None)
    assert house.ledger(call_id).attempt.outcome == "canceled"


def test_a_browsers_account_is_there_at_once_changes_its_secret_and_goes(house: House) -> None:
    def accounts() -> list[str]:
        told = house.carrier.ask("local", {"Action": "GetConfig", "Filename": "pjsip_accounts.conf"}).response
        found, category = [], ""
        for name, value in told.headers:
            category = value if name.startswith("Category") else category
            is_told = value == category or value.startswith("inbound_auth")
            if is_told and category in ("op-71", "sup-72"):  # those of other tests stand there, too
                found.append(value)
        return found

    for secret in ("uno", "dos"):
        house.carrier.open_account("local", "op-71", secret)
        house.carrier.ask("local", {"Action": "PJSIPShowEndpoint", "Endpoint": "op-71"})
    house.carrier.open_account("local", "sup-72", "tres")
    assert accounts() == ["op-71", "inbound_auth/username=op-71", "inbound_auth/password=dos",
                          "sup-72", "inbound_auth/username=sup-72", "inbound_auth/password=tres"]  # fmt: skip
    for _ in range(2):
        house.carrier.close_account("local", "op-71")
    house.carrier.close_account("local", "sup-72")
    assert accounts() == []


def test_two_rooms_are_joined_by_a_line_and_parted_again(house: House) -> None:
    one, other, line = house.operator(), house.operator(), uuid4()
    ref = house.carrier.link("local", f"op-{one}", f"op-{other}", line)

    def members(operator_id: int) -> int:
        asked = {"Action": "ConfbridgeList", "Conference": f"op-{operator_id}"}
        return len(house.carrier.ask("local", asked).events)

    until(lambda: members(one) == members(other) == 2)
    house.carrier.hang_up(ref)
    until(lambda: members(one) == members(other) == 1)


def channel(house: House, call_id: UUID) -> dict[str, str]:
    told = house.carrier.ask("local", actions.status(str(call_id))).events
    return {name: told[0].get(name) for name in ("Context", "Exten")} if told else {}


def kept(house: House, call_id: UUID, key: str) -> dict[str, Any] | None:
    with house.sessions() as session:
        return session.scalar(select(CallEvent.payload).where(CallEvent.call_id == call_id, CallEvent.key == key))


def judgement(house: House, call_id: UUID) -> dict[str, Any]:
    return kept(house, call_id, "ami:judged") or {}
