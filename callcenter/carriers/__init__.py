"""Carriers: who puts our calls through. One small protocol; the composition root says which there are.

An operator is a room: they hold one permanent leg in a conference of their own, and an answered citizen joins it.
Rooms have names: `op-<operator id>` is an operator's own, `meet-<uuid>` one for a transfer.
A reference names a leg for good; with several Asterisks it is `<switch>/<channel's unique id>`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, cast
from uuid import UUID

from sqlalchemy.orm import Session

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings


@dataclass(frozen=True)
class Route:
    """The way that a call takes. `simulated`: it leads to invented people, and to nobody else. Of Asterisk only:
    `switch`, `trunk` (its id), and `number` and `shows`, the number called and the caller ID as this trunk writes them.
    """

    caller_id: str
    simulated: bool
    switch: str | None = None
    trunk: int | None = None
    number: str = ""
    shows: str = ""


@dataclass(frozen=True)
class Dial:
    """What a carrier needs to call somebody. `call_id` travels with the call; `ring_seconds` until it gives up.

    `answered_by`: operator | recording. `machine_detection`: off | on | shadow (queues.CallQueue). `apology`: the name
    of the sentence for whom no operator can take (callcenter.ledger.apologies); '' for the one that names nobody.
    `leaves_message`: a machine is to be listened to until its tone (callcenter.ledger.voicemails). `is_followed`: does
    anybody keep what becomes of it?"""

    call_id: UUID
    phone: str
    caller_id: str
    ring_seconds: int
    route: Route | None = None
    answered_by: str = "operator"
    machine_detection: str = "off"
    apology: str = ""
    leaves_message: bool = False
    is_followed: bool = True


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
    """What a carrier knows of a call. `event`: one of the carrier's events of ledger.call_states; `cause`: raw."""

    ref: str
    event: str
    cause: dict[str, Any] = field(default_factory=dict)


# What can be done in a call, by carrier. hold, keys, transfer: callcenter.ledger.call_acts; consult: another operator
# may be asked before a transfer; leave_messages: on answering machines, after the tone; listen:
# callcenter.supervision; phone_leg: an operator may work by telephone;
# browser_leg: by Twilio's own library in the page, which a simulated carrier has no sound for.
_ASTERISK = frozenset(
    {"hold", "keys", "transfer", "consult", "listen", "record", "detect_machines", "recorded_surveys"}
)  # fmt: skip
_TWILIO = frozenset(
    {"record", "detect_machines", "leave_messages", "hold", "keys", "transfer", "listen", "phone_leg",
     "recorded_surveys"}
)  # fmt: skip
CAN = {"asterisk": _ASTERISK, "twilio": _TWILIO | {"browser_leg"}, "simulated": _TWILIO}


class Carrier(Protocol):
    """Every method may raise ProviderError (`permanent`, `unknown`, or neither: safe to repeat). None keeps a
    transaction open, none repeats by itself, each ends within its time-out."""

    def lines(self, session: Session) -> int:
        """How many calls it carries at once."""

    def calls_per_second(self) -> int | None:
        """How many calls may begin in a second over all campaigns; None where nothing but its lines limits them."""

    def route(self, session: Session, phone: str, caller_id: str, queue_id: int) -> Route:
        """The way to this phone now; reads only our own database. Raises ProviderError: `permanent` when there is no
        way for any number, else there is none at this moment (every trunk is full or rests)."""

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


@dataclass(frozen=True)
class Ear:
    """A supervisor at an operator's line, as a carrier is asked for them. `id`: of the listening; `account`: `sup-<user
    id>`, the page that is rung; `operator_ref`: the leg that is listened to, in `room`; `mode`: listen | coach (the
    operator hears them, the citizen does not) | join (both do). `ref`: of their own leg, where it is known."""

    id: int
    account: str
    operator_ref: str
    room: str
    mode: str
    ref: str | None = None


class Switchboard(Carrier, Protocol):
    """A carrier whose legs we can lead about ourselves. Same rules; a leg that has ended raises ProviderError with code
    `gone`. Ask `can` first: no carrier does all of this."""

    def move(self, ref: str, room: str) -> None:
        """Put an answered leg into a room, whatever it does now; `hold` is music, `goodbye` the apology and the end,
        `recording` the recorded survey (of Asterisk: scripts.ivr takes it from there)."""

    def invite(self, dial: Dial, room: str) -> str:
        """Call an outside number straight into a room; returns the new leg's reference."""

    def link(self, switch: str, room: str, other: str, leg_id: UUID) -> str:
        """Join two rooms by a line, so that two operators hear each other; returns its reference."""

    def send_keys(self, ref: str, keys: str, room: str) -> None:
        """Play DTMF towards this leg, which is in `room` again then. `keys`: 0-9 * # A-D."""

    def record(self, ref: str, name: str, act: str) -> None:
        """`act`: start | pause | resume | stop the two-channel recording `name` (a UUID) of this leg: left the citizen,
        right everybody else. A pause writes silence."""

    def listen(self, ear: Ear) -> str:
        """Ring a supervisor's page and let it hear the leg of an operator; returns the reference of its leg, which is
        `ear.ref` where the house has named it (on a switch: `<switch>/<account>-<anything>`)."""

    def set_listening(self, ear: Ear) -> None:
        """Bring the leg `ear.ref` into the mode that `ear` says."""

    def open_account(self, switch: str, name: str, secret: str) -> None:
        """Let a browser register as `name` (`op-<id>`, `sup-<id>`) with this secret, from now on and at once."""

    def close_account(self, switch: str, name: str) -> None:
        """The secret counts no more; harmless when there is no such account."""


OF_CALLS, OF_VERBS = "StartCallRecordingAPI", "RecordVerb"  # who asked for a recording: `record` below, or TwiML


@dataclass(frozen=True)
class RemoteSound:
    """A recording that a carrier holds. `status`: the carrier's own word (processing, completed, absent, …)."""

    sid: str
    status: str
    source: str


class Recorder(Carrier, Protocol):
    """A carrier that records calls itself and holds the sound until we have fetched it. Same rules."""

    def record(self, ref: str, name: str, act: str) -> None:
        """As a Switchboard's."""

    def sounds_of(self, ref: str, source: str) -> list[RemoteSound]:
        """What was recorded of a call by `source` (OF_CALLS, OF_VERBS), the newest first."""

    def fetch_sound(self, sid: str, target: Path) -> None:
        """Write a recording to `target` (WAV), which only we may read. Code `not_there`: not yet; `gone`, permanent:
        there is none, and will be none. Raises OSError, too."""

    def remove_sound(self, sid: str) -> None:
        """Delete a recording at the carrier; harmless when there is none."""

    def leave_message(self, ref: str, call_id: UUID) -> None:
        """Take a leg to where it hears its campaign's message; one that has ended is `gone`."""


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
        if settings.carrier == "asterisk":
            from callcenter.carriers.asterisk.switchboard import AsteriskCarrier

            return AsteriskCarrier()
        from callcenter.carriers.twilio.carrier import TwilioCarrier  # a heavy import, only where calls are made

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
    return carrier(the_name())


def the_name() -> str:
    """The name of the carrier that holds the operators' rooms; `any` when there is none."""
    return next(iter(_makers or _carriers), "any")


def can(act: str) -> bool:
    """Can the carrier of this installation do this (a word of `_ASTERISK` or `_TWILIO`)? Asks no carrier."""
    return act in CAN.get(the_name(), frozenset())


def has_switchboard() -> bool:
    """Have we switches of our own here, with trunks and browsers' accounts? Asks no carrier."""
    return the_name() == "asterisk"


def the_switchboard() -> Switchboard:
    """Raises NoCarrier when the carrier of this installation can lead no legs."""
    found = the_carrier()
    if the_name() not in CAN:
        raise NoCarrier(f"The carrier {the_name()!r} has no switchboard.")
    return cast(Switchboard, found)


def the_recorder() -> Recorder:
    """The carrier that holds the sound of calls. Raises NoCarrier where switches of our own do."""
    if not can("leave_messages"):
        raise NoCarrier(f"The carrier {the_name()!r} holds no sound of calls.")
    return cast(Recorder, the_carrier())


def switch_of(ref: str) -> str | None:
    """The switch that a reference names; None where there are none."""
    switch, slash, _ = ref.partition("/")
    return switch if slash else None
