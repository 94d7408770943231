"""Who sends: our numbers, short codes, names and WhatsApp senders, the services that pool them, and their queues."""

import asyncio
import hashlib
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.simulated_carrier.options import NUMBERS, Options
from scripts.simulated_carrier.texts import WHATSAPP, Text

SERVICE = "MG" + "5" * 32
FIRST = (*NUMBERS, "26262", "CONVOCA", WHATSAPP + NUMBERS[-1])
STATES = ("active", "blocked", "unregistered")
QUALITIES = ("HIGH", "MEDIUM", "LOW")  # https://www.twilio.com/docs/whatsapp/api/senders
_SHORT_CODE = re.compile(r"[1-9]\d{4,5}")
_PHONE = re.compile(r"\+[1-9]\d{7,14}")
# https://www.twilio.com/docs/glossary/what-alphanumeric-sender-id
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")


def kind(address: str) -> str | None:
    """phone | short_code | name | whatsapp; None when it is no sender's address at all."""
    if address.startswith(WHATSAPP):
        return "whatsapp" if _PHONE.fullmatch(address.removeprefix(WHATSAPP)) else None
    kinds = {"phone": _PHONE, "short_code": _SHORT_CODE, "name": _NAME}
    return next((name for name, form in kinds.items() if form.fullmatch(address)), None)


@dataclass
class Sender:
    """`parts_per_second` and `people_a_day`: None as the options say. What waits leaves at that speed, in order."""

    address: str
    options: Options = field(repr=False)
    parts_per_second: float | None = None
    people_a_day: float | None = None
    state: str = "active"
    quality: str = "HIGH"
    waiting: deque[Text] = field(default_factory=deque, repr=False)
    parts_waiting: int = 0
    _free_at: float = 0.0  # of the monotonic clock: when the next one may leave
    _pump: asyncio.TimerHandle | None = None

    @property
    def rate(self) -> float:
        return self.options.parts_per_second if self.parts_per_second is None else self.parts_per_second

    @property
    def is_full(self) -> bool:
        """Is the queue as long as the carrier keeps one?"""
        return self.rate > 0 and self.parts_waiting / self.rate >= self.options.queue_seconds

    def put(self, text: Text, leave: Callable[[Text], None]) -> None:
        """`leave(text)` is called when it is its turn: in the next round of the loop when nothing waits."""
        self.waiting.append(text)
        self.parts_waiting += text.parts
        if self._pump is None:
            self._wait(leave)

    def _wait(self, leave: Callable[[Text], None]) -> None:
        delay = max(self._free_at - time.monotonic(), 0) if self.rate > 0 else 0
        # Never longer than that: the rate may be changed while people wait.
        self._pump = asyncio.get_running_loop().call_later(min(delay, 0.2), self._let_go, leave)

    def _let_go(self, leave: Callable[[Text], None]) -> None:
        self._pump = None
        now, rate = time.monotonic(), self.rate
        while self.waiting and (rate <= 0 or self._free_at <= now):
            text = self.waiting.popleft()
            needs = text.parts
            self.parts_waiting -= needs
            if rate > 0:
                # A timer comes up to a few milliseconds late: that is made up for, an idle second is not.
                self._free_at = max(self._free_at, now - 0.05) + needs / rate
            leave(text)
        if self.waiting:
            self._wait(leave)

    def close(self) -> None:
        if self._pump is not None:
            self._pump.cancel()


@dataclass
class Service:
    """A Messaging Service: a pool of which one sender, always the same, writes to one person."""

    sid: str
    name: str
    senders: list[str] = field(default_factory=list)
    inbound_url: str | None = None
    status_callback: str | None = None

    def choose(self, person: str) -> str | None:
        """The sender that sticks to `person`; None when the pool has none for their channel."""
        is_whatsapp = person.startswith(WHATSAPP)
        pool = [sender for sender in self.senders if sender.startswith(WHATSAPP) == is_whatsapp]
        if not pool:
            return None
        return pool[int.from_bytes(hashlib.blake2b(person.encode(), digest_size=4).digest()) % len(pool)]


class Senders:
    def __init__(self, options: Options) -> None:
        self._options = options
        self.known = {address: Sender(address, options) for address in FIRST}
        self.services = {SERVICE: Service(SERVICE, "Convoca", list(NUMBERS))}

    def add(self, address: str) -> Sender:
        """The sender of that address, new when it was unknown."""
        return self.known.setdefault(address, Sender(address, self._options))

    def services_of(self, address: str) -> list[Service]:
        return [service for service in self.services.values() if address in service.senders]

    @property
    def waiting(self) -> int:
        return sum(len(sender.waiting) for sender in self.known.values())

    def close(self) -> None:
        for sender in self.known.values():
            sender.close()
