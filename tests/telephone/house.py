"""Our side of the wire for the tests with a real Asterisk: ledger, carrier and listener."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from callcenter import calls, carriers, jobs, queues, suppressions, switches
from callcenter.base import clock, sealed
from callcenter.base.clock import real_now
from callcenter.base.db import Sessions
from callcenter.carriers.asterisk import actions
from callcenter.carriers.asterisk.switchboard import AsteriskCarrier
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator
from callcenter.telephony.trunk_book import Trunk, TrunkNumber, TrunkPrefix
from scripts.asterisk import Instance
from scripts.daemon import Daemon
from scripts.simulated_telephones import Network
from scripts.switch import Listener
from tests.callcenter import cast
from tests.telephone.manager import until

CALLER = "+525512340000"


@dataclass
class House:
    """Our side of the wire: the ledger's sessions, the carrier, and the listener in a thread of its own."""

    sessions: Sessions
    carrier: AsteriskCarrier
    listener: Listener
    network: Network
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10, 100)))

    def call(self, digits: str, **columns: object) -> UUID:
        """Place a call to somebody whose telephone behaves as the last two digits say."""
        with self.sessions() as session:
            person = cast.person(session, phone=f"+52551234{next(self.numbers)}{digits}")
            queue = cast.queue(session, person, carrier="asterisk", caller_id=CALLER, **columns)
            (call_id,) = calls.plan(session, queue, queues.claim(session, queue.id, 1))
            session.commit()
        jobs.place_calls([str(call_id)])
        return call_id

    def ledger(self, call_id: UUID) -> Call:
        with self.sessions() as session:
            return cast.call(session, call_id)

    def operator(self, *, free: bool = True) -> int:
        """An operator whose leg is a telephone of the network, standing in their room."""
        with self.sessions() as session:
            operator = cast.operator(session, free=False)
            operator.state = "paused"
            session.commit()
        room = f"op-{operator.id}"
        self.carrier.ask("local", actions.dial(
            UUID(int=0), 1, f"+52559999{next(self.numbers)}99", "", seconds=5, to=("operator", "room"),
            variables={"CONVOCA_ROOM": room}, channel_id=f"{room}-0a0b0c0d",
        ))  # fmt: skip
        until(lambda: self.seat(operator.id).has_room)
        if free:
            self.free(operator.id)
        return operator.id

    def free(self, operator_id: int) -> None:
        with self.sessions() as session:
            row = session.get_one(Operator, operator_id)
            row.state, row.last_seen_at, row.state_since = "available", real_now(), real_now()
            session.commit()

    def seat(self, operator_id: int) -> Operator:
        with self.sessions() as session:
            return cast.seat(session, operator_id)

    @contextmanager
    def deaf(self) -> Iterator[None]:
        """The listener hears nothing, and then everything anew."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self.listener, "_connected", self.listener.close)  # closes, and says that there is none
            until(lambda: self.listener._client is None)
            yield


def register(session: Session, switch: Instance, network: Network) -> None:
    clock.start_drill(session)  # a weekday in calling hours: the tests run at night, too
    switches.register(
        session, "local", host=switch.host, ami_port=switch.ports.ami, ws_url=switch.ws_url, secrets=switch.secrets,
        folder=str(switch.spool),
    )  # fmt: skip
    row = switches.named(session, "local")
    session.add(
        Trunk(
            id=1, name="Prueba", switch_id=row.id, host="127.0.0.1", port=network.port, transport="udp",
            registers=False, asks_alive=False, number_format="plus", channels=100, calls_per_second=100,
            simulated=True, is_enabled=True,
            changed_at=real_now(), written_at=real_now(), prefixes=[TrunkPrefix(prefix="", cost=0)],
            numbers=[TrunkNumber(number=CALLER, area_codes=[], position=0)],
        )
    )  # fmt: skip


@contextmanager
def our_side(sessions: Sessions, switch: Instance, network: Network) -> Iterator[House]:
    """The listener of this switch in a thread, and the product's one carrier."""
    sealed.configure("secret-of-the-tests")
    suppressions.configure(b"suppression-of-the-tests")
    with sessions() as session:
        register(session, switch, network)
        session.commit()
    carrier, listener = AsteriskCarrier(), Listener("local", writers=3)
    carriers.use({"asterisk": carrier})
    daemon = Daemon("switch:local", listener.turn, listener.wait)
    listener.stopping = daemon.stopping

    def run() -> None:
        while not daemon.stopping.is_set():
            daemon.step()
            listener.wait(0.1, daemon.stopping)
        listener.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        until(lambda: _is_heard(sessions))
        yield House(sessions, carrier, listener, network)
    finally:
        daemon.stopping.set()
        thread.join(10)
        carrier.ask("local", {"Action": "Hangup", "Channel": "/^.*$/"})
        carrier.close()
        carriers.use({})


def _is_heard(sessions: Sessions) -> bool:
    with sessions() as session:
        return switches.any_heard(session)
