"""Carriers: who puts our calls through. One small protocol; the composition root says which there are.

An operator is a room: they hold one permanent leg in a conference of their own, and an answered citizen joins it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings


@dataclass(frozen=True)
class Dial:
    """What a carrier needs to call somebody. `call_id` travels with the call; `ring_seconds` until it gives up."""

    call_id: UUID
    phone: str
    caller_id: str
    ring_seconds: int


@dataclass(frozen=True)
class Trace:
    """What we know of a call when we ask its carrier: the reference, or else whom we called since when."""

    call_id: UUID
    ref: str | None
    phone: str
    caller_id: str
    since: datetime


@dataclass(frozen=True)
class Known:
    """What a carrier knows of a call. `event`: one of the carrier's events of callcenter.call_states; `cause`: raw."""

    ref: str
    event: str
    cause: dict[str, Any] = field(default_factory=dict)


class Carrier(Protocol):
    """Every method may raise ProviderError (`permanent`, `unknown`, or neither: safe to repeat). None keeps a
    transaction open, none repeats by itself, each ends within its time-out."""

    @property
    def simulated(self) -> bool:
        """May invented people be called through it, and nobody else?"""

    @property
    def lines(self) -> int:
        """How many calls it carries at once."""

    def place(self, dial: Dial) -> str:
        """Call; returns the carrier's reference as soon as it has accepted."""

    def hang_up(self, ref: str) -> None:
        """End the call; harmless when it has ended."""

    def find(self, trace: Trace) -> Known | None:
        """What became of a call; None when the carrier never had it."""

    def open_room(self, operator_id: int) -> str:
        """Ring the operator's page for their permanent leg; returns its reference."""

    def is_room_open(self, ref: str) -> bool:
        """Is the operator's leg still up?"""

    def close_room(self, ref: str) -> None:
        """End the operator's leg; harmless when it has ended."""


class BadNumber(ProviderError):
    """The carrier says that this number cannot be called; asking again gives the same answer."""

    def __init__(self, sentence: str, *, code: str) -> None:
        super().__init__(sentence, code=code, permanent=True)


class NoCarrier(LookupError):
    """There is no carrier of this name here; the message names those there are."""


_makers: dict[str, Callable[[], Carrier]] = {}
_carriers: dict[str, Carrier] = {}


def configure(settings: Settings) -> None:
    """Say which carriers this process has. Drill and real carrier exclude each other: there is one at a time."""

    def make() -> Carrier:
        from callcenter.carriers.twilio import TwilioCarrier  # a heavy import, only where calls are made

        return TwilioCarrier(settings.twilio, public_url=settings.public_url, simulated=settings.is_drill)

    _carriers.clear()
    _makers.clear()
    _makers[settings.carrier] = make


def use(carriers: Mapping[str, Carrier]) -> None:
    """Make these the carriers of this process (tests give their own)."""
    _makers.clear()
    _carriers.clear()
    _carriers.update(carriers)


def carrier(name: str) -> Carrier:
    """The carrier of this name, connected on first use and kept. Raises NoCarrier."""
    if name in _makers and name not in _carriers:
        _carriers[name] = _makers[name]()
    if name not in _carriers:
        known = ", ".join({*_makers, *_carriers}) or "none (carriers.configure was not called)"
        raise NoCarrier(f"There is no carrier {name!r} on this installation; there is: {known}.")
    return _carriers[name]


def the_carrier() -> Carrier:
    """The carrier that holds the operators' rooms. Raises NoCarrier."""
    return carrier(next(iter(_makers or _carriers), "any"))
