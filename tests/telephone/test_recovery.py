"""An Asterisk that is killed with calls live, and comes back."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import pytest
from sqlalchemy import select

from callcenter import calls, jobs, queues, switches
from callcenter.base.db import Sessions
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator
from scripts import asterisk
from scripts.asterisk import instance as instances
from scripts.simulated_telephones import Network
from tests.callcenter import cast
from tests.telephone.house import CALLER, House, our_side
from tests.telephone.manager import entered, open_trunk, until


@dataclass
class Mortal:
    """An Asterisk that may be killed and started again."""

    prepared: instances.Prepared
    process: "Popen[bytes]"

    def die(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def rise(self) -> None:
        self.process = instances.start(self.prepared)
        instances.await_boot(self.prepared.instance, self.process)


@pytest.fixture
def mortal(telephone_folder: Path, network: Network) -> Iterator[Mortal]:
    prepared = asterisk.prepare(telephone_folder / "mortal")
    mortal = Mortal(prepared, instances.start(prepared))
    try:
        instances.await_boot(prepared.instance, mortal.process)
        with entered(prepared.instance, "worker") as worker:
            open_trunk(worker, "trunk-1", network.port)
        yield mortal
    finally:
        instances.stop(mortal.process)
        prepared.claim.release()


def place(house: House, digits: str, number: int) -> None:
    with house.sessions() as session:
        people = [cast.person(session, phone=f"+5255{n:02}77{n:02}{digits}") for n in range(number)]
        queue = cast.queue(session, *people, carrier="asterisk", caller_id=CALLER, name=digits)
        planned = calls.plan(session, queue, queues.claim(session, queue.id, number))
        session.commit()
    jobs.place_calls([str(call_id) for call_id in planned])


def states(house: House) -> Counter[str]:
    with house.sessions() as session:
        return Counter(session.scalars(select(Call.state)))


def test_every_call_is_closed_with_a_reason_every_room_is_asked_for_anew_and_nobody_is_dialled_twice(
    committed: Sessions,
    mortal: Mortal,
    network: Network,
) -> None:
    first = len(network.calls)
    with our_side(committed, mortal.prepared.instance, network) as house:
        seats = [house.operator() for _ in range(5)]
        place(house, "99", 5)
        until(lambda: states(house)["connected"] == 5, seconds=20)
        place(house, "05", 25)
        until(lambda: states(house)["ringing"] == 25, seconds=20)
        mortal.die()
        mortal.rise()
        back = time.monotonic()
        until(lambda: states(house)["wrap_up"] == 5 and states(house)["ended"] == 25, seconds=60)
        until(lambda: not any(house.seat(seat).has_room for seat in seats), seconds=15)
        assert time.monotonic() - back < 60
        with committed() as session:
            for call in session.scalars(select(Call)):
                assert call.cause is not None
                assert (call.cause["event"], call.cause["why"]) == ("lost", "switch_restarted")
            assert switches.any_heard(session)
            assert set(session.scalars(select(Operator.state))) == {"wrap_up"}
        jobs.sweep_calls()
        dialled = Counter(call.number for call in network.calls[first:])
        assert set(dialled.values()) == {1}
        assert len(dialled) == 35
