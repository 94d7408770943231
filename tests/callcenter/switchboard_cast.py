"""A carrier with a switchboard that writes down what it is asked, for tests of what happens in a call."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.orm import Session

from callcenter import calls, carriers, operators
from callcenter.base.errors import ProviderError
from callcenter.calls import Event
from callcenter.carriers import Dial, Ear
from callcenter.operators import Operator
from callcenter.queues import CallQueue
from callcenter.seats import operator_rooms
from tests.callcenter import cast
from tests.callcenter.cast import FakeCarrier


@dataclass
class FakeSwitchboard(FakeCarrier):
    """`asked` lists every act as a tuple; `gone` are legs that have ended."""

    acts: list[tuple[str, ...]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    def move(self, ref: str, room: str) -> None:
        self._do(ref, "move", ref, room)

    def invite(self, dial: Dial, room: str) -> str:
        if self.fails:
            raise self.fails
        self.acts.append(("invite", dial.phone, room))
        return f"local/{dial.call_id}"

    def link(self, switch: str, room: str, other: str, leg_id: UUID) -> str:
        self.acts.append(("link", switch, room, other))
        return f"{switch}/{leg_id}"

    def send_keys(self, ref: str, keys: str, room: str) -> None:
        self._do(ref, "keys", ref, keys)

    def record(self, ref: str, name: str, act: str) -> None:
        self._do(ref, "record", ref, name, act)

    def listen(self, ear: Ear) -> str:
        self._do(ear.operator_ref, "listen", ear.ref or "", ear.operator_ref, ear.mode)
        return ear.ref or ""

    def set_listening(self, ear: Ear) -> None:
        act = ("move", ear.ref or "", ear.room) if ear.mode == "join" else ("set_listening", ear.ref or "", ear.mode)
        self._do(ear.ref or "", *act)

    def open_account(self, switch: str, name: str, secret: str) -> None:
        self.acts.append(("open_account", switch, name))

    def close_account(self, switch: str, name: str) -> None:
        self.acts.append(("close_account", switch, name))

    def _do(self, ref: str, *act: str) -> None:
        if ref in self.gone:
            raise ProviderError("This leg has ended.", code="gone")
        self.acts.append(act)


@contextmanager
def switchboard() -> Iterator[FakeSwitchboard]:
    """The process's carrier `asterisk`, which does as it is told."""
    fake = FakeSwitchboard()
    carriers.use({"asterisk": fake})
    yield fake
    carriers.use({})


def operator(session: Session, name: str, *, free: bool = True) -> Operator:
    """An operator in an open room of the switch `local`."""
    return _seat(session, cast.operator(session, name, free=False), free=free)


def seated(session: Session, user_id: int) -> Operator:
    """This user at work: free, in an open room of the switch `local`."""
    made = operators.of_user(session, user_id)
    operators.seen(session, made.id)
    return _seat(session, made, free=True)


def _seat(session: Session, made: Operator, *, free: bool) -> Operator:
    operators.pause(session, made.id, "starting")
    operator_rooms.opened(session, made.id, f"local/room-{made.id}")
    if free:
        operators.go_available(session, made.id)
    session.flush()
    return made


def talking(session: Session, of: CallQueue) -> UUID:
    """The next call of the queue, connected to whoever was free, on the switch `local`."""
    call_id = cast.planned(session, of)
    calls.record_event(session, call_id, Event("claimed", "claimed"))
    calls.record_event(session, call_id, Event("placed", "placed", ref=f"local/{call_id}"))
    assert calls.answer(session, call_id, Event("answered", "answer")) is not None
    session.commit()
    return call_id
