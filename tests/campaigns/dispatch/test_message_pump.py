"""The pump: many in flight, each once, in its turn; what must not leave is given back."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Self
from uuid import UUID, uuid4

import pytest

from callcenter.base.errors import ProviderError
from campaigns.channels import Letter as ChannelLetter
from campaigns.channels import Receipt
from campaigns.dispatch import message_pump
from campaigns.dispatch.message_claims import Outgoing
from campaigns.dispatch.message_pump import Letter, Pump, Sent

ACCEPTED = "accepted"


def outgoing(number: int, *, campaign_id: int = 1, sender_id: int = 1, leaves_in: float = 0.0) -> Letter:
    at = monotonic() + leaves_in
    return Letter("sms", Outgoing(uuid4(), f"+52922111{number:04}", "26262", "Hola", 1, datetime.now(UTC),
                                  campaign_id=campaign_id, sender_id=sender_id, leaves_at=at))  # fmt: skip


class Wire:
    """A channel that answers what it is told to; keeps the order and the moment of what it was given."""

    parts_per_second = 1000.0

    def __init__(self, answer: object = None, seconds: float = 0.0) -> None:
        self.answer, self.seconds = answer, seconds
        self.got: list[tuple[UUID, float]] = []
        self.most, self._now = 0, 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def send(self, letter: ChannelLetter) -> Receipt:
        self.got.append((letter.id, monotonic()))
        self._now += 1
        self.most = max(self.most, self._now)
        await asyncio.sleep(self.seconds)
        self._now -= 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return Receipt("queued", ACCEPTED, f"SM{letter.id.hex}")


class Book:
    """A ledger of letters that wait, and of what was told."""

    def __init__(self, letters: Sequence[Letter]) -> None:
        self.waiting = list(letters)
        self.sent: list[Sent] = []
        self.back: list[Letter] = []
        self.stopped: set[int] = set()
        self.lock = threading.Lock()

    def claim(self, limit: int) -> Sequence[Letter]:
        with self.lock:
            taken, self.waiting = self.waiting[:limit], self.waiting[limit:]
            return [one for one in taken if one.message.campaign_id not in self.stopped]

    def is_done(self) -> bool:
        return not self.waiting

    def record(self, sent: Sequence[Sent]) -> None:
        self.sent += sent

    def give_back(self, letters: Sequence[Letter]) -> None:
        self.back += letters

    def halted(self, campaign_ids: set[int]) -> set[int]:
        return campaign_ids & self.stopped


def run(book: Book, wire: Wire, seconds: float = 30.0, stops: frozenset[str] = frozenset()) -> None:
    asyncio.run(Pump(book, lambda _name: wire, stops.__contains__).run(seconds))  # type: ignore[arg-type,return-value]  # it only sends


def test_every_letter_leaves_once_and_every_answer_is_written() -> None:
    book, wire = Book([outgoing(number) for number in range(700)]), Wire(seconds=0.002)
    asked = {one.message.id for one in book.waiting}
    run(book, wire)
    assert sorted(one for one, _ in wire.got) == sorted(asked)
    assert {one.letter.message.id for one in book.sent} == asked
    assert 1 < wire.most <= message_pump.IN_FLIGHT


def test_a_letter_waits_for_its_turn_at_the_sender() -> None:
    book, wire = Book([outgoing(0), outgoing(1, leaves_in=0.3)]), Wire()
    begun = monotonic()
    run(book, wire)
    assert wire.got[-1][1] - begun >= 0.3
    assert wire.got[0][1] - begun < 0.3


def test_what_is_in_hand_when_the_campaign_is_paused_is_given_back() -> None:
    letters = [outgoing(number, leaves_in=number * 0.05) for number in range(60)]
    other = [outgoing(100 + number, campaign_id=2, leaves_in=number * 0.05) for number in range(20)]
    book, wire = Book([*letters, *other]), Wire()
    timer = threading.Timer(0.5, book.stopped.add, (1,))
    timer.start()
    run(book, wire)
    sent = {one.letter.message.id for one in book.sent}
    back = {one.message.id for one in book.back}
    assert back
    assert sent | back == {one.message.id for one in [*letters, *other]}
    assert not sent & back
    assert {one.message.campaign_id for one in book.back} == {1}


def test_an_error_of_the_account_lets_nothing_more_of_the_campaign_leave() -> None:
    refused = ProviderError("revoked", code="20003", permanent=True)
    book, wire = Book([outgoing(number) for number in range(1000)]), Wire(refused, seconds=0.02)
    run(book, wire, stops=frozenset({"20003"}))
    assert len(wire.got) <= 3 * message_pump.IN_FLIGHT  # those in flight, never the whole list
    assert len(book.sent) + len(book.back) == 1000


def test_a_sender_that_is_asked_to_wait_rests_and_others_do_not() -> None:
    busy = [outgoing(number, sender_id=1, leaves_in=number * 0.01) for number in range(50)]
    book, wire = Book(busy), Wire(ProviderError("wait", code="20429"))
    run(book, wire)
    assert len(wire.got) < 50
    assert len(book.back) == 50 - len(wire.got)


def test_a_fault_of_a_channel_leaves_the_message_unknown_not_lost() -> None:
    book, wire = Book([outgoing(1)]), Wire(KeyError("sid"))
    run(book, wire)
    (one,) = book.sent
    assert isinstance(one.result, ProviderError)
    assert one.result.unknown


def test_a_turn_ends_when_its_time_is_up_and_what_is_in_flight_is_waited_for() -> None:
    book, wire = Book([outgoing(number) for number in range(100_000)]), Wire(seconds=0.01)
    run(book, wire, seconds=0.3)
    assert 0 < len(book.sent) < 100_000
    assert len(book.sent) + len(book.back) + len(book.waiting) == 100_000


def test_a_process_that_is_asked_to_end_sends_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    event = threading.Event()
    event.set()
    monkeypatch.setattr("callcenter.base.stopping._asked", event)
    book, wire = Book([outgoing(1)]), Wire()
    run(book, wire)
    assert wire.got == []
