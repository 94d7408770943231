"""The cast of the call tests: invented people, operators and queues, and a carrier that does as it is told."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, operators, queues
from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.calls import Call, Event
from callcenter.carriers import Dial, Known, Route, Trace
from callcenter.contacts import Contact
from callcenter.operators import Operator
from callcenter.queues import CallQueue, QueueEntry
from callcenter.seats import operator_rooms
from callcenter.seats.operator_log import OperatorChange

_numbers = count(1)


def person(session: Session, name: str = "Ana Pérez", phone: str | None = None, **columns: Any) -> Contact:
    number = next(_numbers)
    contact = Contact(
        name=name, given_names=name.partition(" ")[0], name_key=f"{name.lower()} {number}",
        phone=phone or f"+5292255{number:05}",
        source="test", consent="opted_in", invented=True, state=30, municipality="Minatitlán", **columns,
    )  # fmt: skip
    session.add(contact)
    session.flush()
    return contact


def queue(session: Session, *people: Contact, **columns: Any) -> CallQueue:
    """A running survey queue of the simulated carrier with these people waiting in it."""
    wanted = {"name": "Sondeo", "purpose": "survey", "carrier": "simulated", "caller_id": "+525512340000",
              "on_behalf_of": "Casa Encuestadora", "privacy_notice_url": "https://example.org/aviso",
              "state": "running"} | columns  # fmt: skip
    made = CallQueue(**wanted)
    session.add(made)
    session.flush()
    if people:
        queues.fill(session, made.id, select(Contact.id).where(Contact.id.in_([p.id for p in people])))
    return made


def operator(session: Session, name: str = "olga", *, free: bool = True) -> Operator:
    """An operator at their page; `free`: waiting in an open room."""
    user = User(username=f"{name}{next(_numbers)}", full_name=name.title(), password="x", fs_uniquifier=uuid4().hex)
    session.add(user)
    session.flush()
    made = operators.of_user(session, user.id)
    operators.seen(session, made.id)
    session.refresh(made)
    if free:
        operators.go_available(session, made.id)
        operator_rooms.opened(session, made.id, f"CA-room-{made.id}")
    session.flush()
    return made


def planned(session: Session, of: CallQueue) -> UUID:
    """The next call of the queue, in the ledger and not placed."""
    (call_id,) = calls.plan(session, of, queues.claim(session, of.id, 1))
    return call_id


def rung(session: Session, of: CallQueue) -> UUID:
    """The next call of the queue, placed and ringing."""
    call_id = planned(session, of)
    calls.record_event(session, call_id, Event("claimed", "claimed"))
    calls.record_event(session, call_id, Event("placed", "placed", ref=f"CA{call_id.hex}"))
    calls.record_event(session, call_id, Event("ringing", "ringing"))
    return call_id


def connected(session: Session, of: CallQueue) -> UUID:
    """The next call of the queue, talking with whoever was free."""
    call_id = rung(session, of)
    assert calls.answer(session, call_id, Event("answered", "answer")) is not None
    return call_id


def waiting(session: Session, of: CallQueue) -> UUID:
    """The next call of the queue, answered while nobody is free."""
    call_id = rung(session, of)
    assert calls.answer(session, call_id, Event("answered", "answer")) is None
    return call_id


def abandoned(session: Session, of: CallQueue) -> UUID:
    """The next call of the queue, answered, and in two seconds nobody came."""
    call_id = waiting(session, of)
    patient(session, call_id, 2)
    assert calls.answer(session, call_id, Event("answered", "answer")) is None
    return call_id


def patient(session: Session, call_id: UUID, seconds: float) -> None:
    """Let the citizen have waited for so long."""
    found = call(session, call_id)
    found.answered_at = real_now() - timedelta(seconds=seconds)
    session.flush()


def call(session: Session, call_id: UUID) -> Call:
    session.flush()
    found = session.get(Call, call_id, populate_existing=True)
    assert found is not None
    return found


def entry(session: Session, call_id: UUID) -> QueueEntry:
    found = session.get(QueueEntry, call(session, call_id).entry_id, populate_existing=True)
    assert found is not None
    return found


def seat(session: Session, operator_id: int) -> Operator:
    session.flush()
    found = session.get(Operator, operator_id, populate_existing=True)
    assert found is not None
    return found


def last_change(session: Session, operator_id: int) -> tuple[str, str | None]:
    """The newest row of the operator's log: state and reason."""
    session.flush()
    own = select(OperatorChange).where(OperatorChange.operator_id == operator_id).order_by(OperatorChange.id.desc())
    newest = session.scalars(own.limit(1)).one()
    return newest.state, newest.reason


def age(session: Session, call_id: UUID) -> None:
    """Let the call's deadline pass."""
    session.flush()
    attempt = session.get(Attempt, call_id)
    assert attempt is not None
    attempt.deadline_at = datetime.fromtimestamp(0, real_now().tzinfo)
    session.commit()


@dataclass
class FakeCarrier:
    """Takes every call unless `fails` says otherwise; `known` answers `find`."""

    simulated: bool = True
    free_lines: int = 100
    a_second: int | None = None
    no_route: Exception | None = None
    fails: Exception | None = None
    fails_for: dict[str, Exception] = field(default_factory=dict)  # by phone
    fails_after: Exception | None = None  # the call is taken, and then this
    known: Known | None = None
    dialled: list[Dial] = field(default_factory=list)
    hung_up: list[str] = field(default_factory=list)
    rooms: list[int] = field(default_factory=list)
    asked: list[Trace] = field(default_factory=list)
    open_refs: set[str] = field(default_factory=set)
    moved: list[tuple[str, str]] = field(default_factory=list)
    messages: list[tuple[str, UUID]] = field(default_factory=list)  # legs that are taken to their campaign's message

    def lines(self, session: Session) -> int:
        return self.free_lines

    def calls_per_second(self) -> int | None:
        return self.a_second

    def route(self, session: Session, phone: str, caller_id: str, queue_id: int) -> Route:
        if self.no_route:
            raise self.no_route
        return Route(caller_id, self.simulated)

    def place(self, dial: Dial) -> str:
        fault = self.fails or self.fails_for.get(dial.phone)
        if fault:
            raise fault
        self.dialled.append(dial)
        if self.fails_after:
            raise self.fails_after
        return f"CA{dial.call_id.hex}"

    def hang_up(self, ref: str) -> None:
        if self.fails:
            raise self.fails
        self.hung_up.append(ref)

    def find(self, trace: Trace) -> Known | None:
        if self.fails:
            raise self.fails
        self.asked.append(trace)
        return self.known

    def open_room(self, operator_id: int) -> str:
        if self.fails:
            raise self.fails
        self.rooms.append(operator_id)
        return f"CA-room-{operator_id}"

    def is_room_open(self, ref: str) -> bool:
        return ref in self.open_refs

    def leave_message(self, ref: str, call_id: UUID) -> None:
        if self.fails:
            raise self.fails
        self.messages.append((ref, call_id))

    def close_room(self, ref: str) -> None:
        self.hung_up.append(ref)

    def move(self, ref: str, room: str) -> None:
        self.moved.append((ref, room))
