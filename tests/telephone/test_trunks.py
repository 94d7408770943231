"""Trunks on a real Asterisk, from what an administrator enters to what the other side answers."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import carriers, queues, trunks
from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError
from callcenter.carriers.asterisk import trunk_files
from callcenter.carriers.asterisk.actions import Action
from callcenter.carriers.asterisk.client import Answer
from callcenter.telephony import trunk_book, trunk_edit, trunk_jobs, trunk_tests, trunk_words
from callcenter.telephony.trunk_book import Trunk
from callcenter.telephony.trunk_tests import TrunkTest
from scripts import simulated_telephones
from scripts.asterisk import Instance
from scripts.simulated_telephones import Network
from tests.callcenter import cast
from tests.callcenter.trunk_cast import MEXICO_CITY, plan
from tests.telephone.house import House
from tests.telephone.manager import until

_ids = count(1000)
PASSWORD = "clave,1=#"
ACCOUNT = {"username": "cuenta1", "password": PASSWORD, "registers": True}


@pytest.fixture
def provider() -> Iterator[Network]:
    """The exchange of a provider of its own, that a test may turn against us."""
    with simulated_telephones.running() as network:
        yield network


def entered(house: House, network: Network, **fields: Any) -> int:
    """A trunk as an administrator enters it, in use; the trunk of the fixture is not."""
    wanted = {"host": "127.0.0.1", "port": str(network.port), "username": "", "password": "", "registers": False,
              "asks_alive": False, "simulated": True} | fields  # fmt: skip
    with house.sessions() as session:
        for old in trunk_book.every(session):
            old.is_enabled = False
        session.execute(select(func.setval("trunks_id_seq", next(_ids))))  # the Asterisk outlives the database's rows
        line = trunk_edit.save(session, plan(session, **wanted), None)
        trunk_edit.enable(session, line.id, None, on=True)
        session.commit()
    trunk_jobs.write(line.id)
    return line.id


def of(house: House, trunk_id: int) -> Trunk:
    with house.sessions() as session:
        return trunk_book.find(session, trunk_id)


def seen(house: House, trunk_id: int, true: Callable[[Trunk], bool]) -> Callable[[], bool]:
    """Look at the switch, as the clock does, and then at the trunk."""

    def look() -> bool:
        assert trunk_jobs.look("local") is None
        return true(of(house, trunk_id))

    return look


def words(trunk: Trunk) -> str:
    return trunk_words.state(trunk).words


def tried(house: House, trunk_id: int, number: str) -> TrunkTest:
    """A test of the trunk, followed to its end."""
    with house.sessions() as session:
        test = trunk_tests.begin(session, trunk_id, number, None)
        session.commit()
    trunk_jobs.try_out(test.id)

    def state() -> TrunkTest:
        with house.sessions() as session:
            return trunk_tests.find(session, test.id)

    until(lambda: not state().is_open, seconds=25)
    return state()


def chosen(session: Session) -> UUID | int | None:
    return trunks.choose(session, "+525512340099", MEXICO_CITY, 1).trunk


def test_a_trunk_is_entered_tried_out_and_heard(house: House, provider: Network) -> None:
    trunk_id = entered(house, provider)
    with house.sessions() as session:
        trunk_edit.enable(session, trunk_id, None, on=False)  # it is tried out before it is used
        session.commit()
    trunk_jobs.write(trunk_id)
    assert of(house, trunk_id).is_written
    test = tried(house, trunk_id, "55 1234 0099")
    assert (test.result, test.number) == ("played", None)
    call = provider.last_call()
    assert call is not None
    assert call.number == "+525512340099"
    assert len(call.heard.began) >= 2  # the sentence, and then the tone
    assert 440 in call.heard.tones


@pytest.mark.parametrize(
    ("digits", "result", "sip_code", "says"),
    [("10", "trunk_fault", 403, "does not let us call"), ("02", "invalid_number", 404, "no such number"),
     ("01", "busy", 486, "The trunk works"), ("09", "trunk_fault", 503, "no line free")],
)  # fmt: skip
def test_a_trial_says_what_answered(
    house: House, provider: Network, digits: str, result: str, sip_code: int, says: str
) -> None:  # fmt: skip
    test = tried(house, entered(house, provider), f"55 1234 00{digits}")
    assert (test.result, test.sip_code) == (result, sip_code)
    found = trunk_words.result(test)
    assert says in f"{found.words} {found.advice}"


def test_numbers_reach_the_provider_as_it_wants_them(house: House, provider: Network) -> None:
    trunk_id = entered(house, provider, number_format="prefixed", number_prefix="9")
    tried(house, trunk_id, "55 1234 0001")
    call = provider.last_call()
    assert call is not None
    assert call.number == "95512340001"
    assert "<sip:5512340000@" in call.caller


def test_a_trunk_registers_and_a_wrong_password_is_said(
    house: House, provider: Network
) -> None:  # fmt: skip
    provider.password = PASSWORD
    trunk_id = entered(house, provider, **ACCOUNT)
    until(seen(house, trunk_id, lambda trunk: trunk.registered is True))
    (contact,) = provider.registered.values()
    assert f"sip:{MEXICO_CITY}@" in contact  # calls to us come in by our number
    with house.sessions() as session:
        assert chosen(session) == trunk_id
        trunk_edit.save(session, plan(session, **ACCOUNT | {"password": "otra"}, host="127.0.0.1",
                                      port=str(provider.port), asks_alive=False, simulated=True), None,
                        trunk_id=trunk_id)  # fmt: skip
        session.commit()
    trunk_jobs.write(trunk_id)
    until(seen(house, trunk_id, lambda trunk: trunk.registered is False))
    assert "user and password" in trunk_words.state(of(house, trunk_id)).advice
    with house.sessions() as session, pytest.raises(ProviderError) as refused:
        chosen(session)
    assert refused.value.code == "trunks_not_registered"


def test_a_provider_that_is_not_there_is_noticed(house: House, provider: Network) -> None:
    with simulated_telephones.running() as gone:
        port = gone.port
    trunk_id = entered(house, provider, port=str(port), asks_alive=True)
    until(seen(house, trunk_id, lambda trunk: trunk.reachable is False), seconds=40)
    with house.sessions() as session:
        assert trunks.lines(session) == 0


def test_a_trunk_that_answers_403_to_all_rests_after_three_and_pauses_the_queue(
    house: House, provider: Network
) -> None:  # fmt: skip
    provider.refuse = 403
    trunk_id = entered(house, provider)
    ids = [house.call("99") for _ in range(3)]
    until(lambda: all(house.ledger(call_id).state == "ended" for call_id in ids))
    until(lambda: of(house, trunk_id).is_resting)
    resting = of(house, trunk_id)
    assert (resting.faults, resting.last_fault, resting.rest_seconds) == (3, "sip 403", 30)
    with house.sessions() as session:
        for call_id in ids:
            call = house.ledger(call_id)
            assert call.attempt.outcome == "not_placed"
            assert cast.entry(session, call_id).attempts == 0  # our alarm, not the person's answer
            queue = queues.get(session, call.queue_id)
            assert (queue.state, queue.state_reason) == ("paused", "carrier:trunks_refused")
        assert trunks.why_none(session) == "trunks_resting"


def test_a_deleted_trunk_is_forgotten_by_its_switch(
    house: House, provider: Network, switch: Instance
) -> None:  # fmt: skip
    trunk_id = entered(house, provider)

    def known() -> set[int]:
        return trunk_files.known(lambda action: house.carrier.ask("local", action))

    assert trunk_id in known()
    with house.sessions() as session:
        trunk_edit.enable(session, trunk_id, None, on=False)
        trunk_edit.remove(session, trunk_id, None)
        session.commit()
    trunk_jobs.forget("local", trunk_id)
    assert trunk_id not in known()
    trunk_jobs.forget("local", trunk_id)  # harmless when repeated


def test_what_a_switch_lost_is_written_again(house: House, provider: Network) -> None:
    trunk_id = entered(house, provider)

    def ask(action: Action) -> Answer:
        return house.carrier.ask("local", action)

    trunk_files.remove(ask, trunk_id)  # somebody put an old folder back
    trunk_jobs.look("local")
    assert not of(house, trunk_id).is_written
    trunk_jobs.write(trunk_id)
    assert of(house, trunk_id).is_written
    assert trunk_id in trunk_files.known(ask)


def test_a_switch_that_does_not_answer_is_said_in_words_and_told_again(
    house: House, provider: Network, switch: Instance
) -> None:  # fmt: skip
    trunk_id = entered(house, provider)

    def moved_to(port: int) -> None:
        with house.sessions() as session:
            line = trunk_book.find(session, trunk_id)
            line.switch.ami_port, line.changed_at = port, real_now()
            session.commit()
        house.carrier.close()  # the next use looks for the door anew

    moved_to(provider.port)  # nobody listens there over TCP
    trunk_jobs.write(trunk_id)
    assert words(of(house, trunk_id)) == "The switch does not know it"
    assert of(house, trunk_id).write_fault == "unreachable"
    moved_to(switch.ports.ami)
    trunk_jobs.write(trunk_id)
    assert of(house, trunk_id).is_written
    assert carriers.has_switchboard()
