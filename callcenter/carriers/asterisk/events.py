"""What an Asterisk says, in our words: one packet, one piece of news, or none that concerns us. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from callcenter.carriers.asterisk.packets import Packet

RINGING, UP = "5", "6"  # ChannelState
_SIP = re.compile(r"\b([1-6][0-9]{2})\b")
_TRUNK = re.compile(r"PJSIP/trunk-([0-9]+)-")
_CONTACT_IS = {"Reachable": True, "NonQualified": True, "Created": True, "Updated": True,
               "Unreachable": False, "Removed": False}  # fmt: skip


@dataclass(frozen=True)
class Leg:
    """Whose a channel is, by its unique id. `kind`: ours (`uuid`: a call, an invited leg, a test), operator (`number`:
    whose), supervisor, or foreign: somebody calls us, or it is half of something."""

    id: str
    kind: str
    uuid: UUID | None = None
    number: int | None = None

    @classmethod
    def read(cls, unique_id: str) -> "Leg":
        prefix, _, rest = unique_id.partition("-")
        number = rest.partition("-")[0]
        if prefix in ("op", "sup") and number.isdecimal():
            return cls(unique_id, "operator" if prefix == "op" else "supervisor", number=int(number))
        try:
            uuid = UUID(unique_id)
        except ValueError:
            return cls(unique_id, "foreign")
        return cls(unique_id, "ours", uuid=uuid) if str(uuid) == unique_id else cls(unique_id, "foreign")


@dataclass(frozen=True)
class Ringing:
    leg: Leg


@dataclass(frozen=True)
class Up:
    """The channel was answered; a citizen's dialplan has not begun yet, see Answered."""

    leg: Leg


@dataclass(frozen=True)
class Answered:
    """The citizen stands in our dialplan and can be moved."""

    leg: Leg


@dataclass(frozen=True)
class Abandoned:
    """Nobody moved the citizen in time: they hear the apology now, and the call ends by itself."""

    leg: Leg


@dataclass(frozen=True)
class Judged:
    """Man or machine. `status`: HUMAN | MACHINE | NOTSURE | HANGUP; `cause`: raw; `ms`: how long it took."""

    leg: Leg
    status: str
    cause: str
    ms: int | None


@dataclass(frozen=True)
class Refused:
    """An order to call came to nothing. `reason`: see causes.BY_REASON. `has_leg`: there was a channel."""

    leg: Leg
    reason: int | None
    has_leg: bool


@dataclass(frozen=True)
class Ended:
    """The channel is gone. `trunk`: the id of the trunk that it went through. `raw`: the line's own words."""

    leg: Leg
    q850: int | None
    sip_code: int | None
    trunk: int | None
    raw: dict[str, Any]


@dataclass(frozen=True)
class Said:
    """What the line said at the end of an answered call, just before Ended."""

    leg: Leg
    raw: dict[str, Any]


@dataclass(frozen=True)
class Entered:
    leg: Leg
    room: str


@dataclass(frozen=True)
class Left:
    leg: Leg
    room: str


@dataclass(frozen=True)
class Arrived:
    """Somebody calls one of our numbers."""

    leg: Leg
    caller: str
    called: str


@dataclass(frozen=True)
class Browser:
    """A browser's account (`op-7`, `sup-3`) has a contact, or has none any more. `contact`: its address."""

    name: str
    is_there: bool
    contact: str


@dataclass(frozen=True)
class TrunkContact:
    trunk: int
    is_there: bool
    detail: str


@dataclass(frozen=True)
class Registration:
    """Our registration with a carrier. `username` and `domain`: URIs."""

    username: str
    domain: str
    is_registered: bool
    detail: str


@dataclass(frozen=True)
class Booted:
    """Asterisk is ready; `seconds` since it started."""

    seconds: int


LegNews = Ringing | Up | Refused | Ended | Said | Left
News = LegNews | Answered | Abandoned | Judged | Entered | Arrived | Browser | TrunkContact | Registration | Booted


def read(packet: Packet) -> News | None:
    """The news in one event; None when it is none of ours, or says too little."""
    reader = _READERS.get(packet.event)
    return reader(packet) if reader else None


def whose(news: News) -> str:
    """What the news are about: a citizen's leg, an operator or supervisor, a trunk, a registration."""
    match news:
        case Browser(name):
            return name
        case TrunkContact(trunk):
            return f"trunk-{trunk}"
        case Registration(username, domain):
            return f"{username} {domain}"
        case Booted():
            return ""
        case _ if news.leg.kind in ("operator", "supervisor"):
            return news.leg.id.rpartition("-")[0]  # whose it is: an older leg of theirs may have ended meanwhile
        case _:
            return news.leg.id


def state_event(packet: Packet) -> str:
    """The event of callcenter.ledger.call_states for a channel that an answer to Status tells of."""
    state = packet.get("ChannelState")
    return "answered" if state == UP else "ringing" if state == RINGING else "placed"


def trunk_of(channel: str) -> int | None:
    """The trunk in a channel's name."""
    found = _TRUNK.match(channel)
    return int(found[1]) if found else None


def sip_code(words: str) -> int | None:
    """The final SIP code in `SIP 486 Busy Here`."""
    found = _SIP.search(words)
    return int(found[1]) if found and int(found[1]) >= 300 else None


def _new_state(packet: Packet) -> News | None:
    leg, state = _leg(packet), packet.get("ChannelState")
    return Ringing(leg) if state == RINGING else Up(leg) if state == UP else None


def _originate_response(packet: Packet) -> News | None:
    if packet.get("Response").lower() == "success":
        return None
    unique_id = packet.get("Uniqueid")
    has_leg = unique_id not in ("", "<null>", "<unknown>")
    return Refused(Leg.read(unique_id if has_leg else packet.action_id), _int(packet.get("Reason")), has_leg)


def _hangup(packet: Packet) -> News | None:
    raw = {name: packet.get(name) for name in ("Cause", "Cause-txt", "TechCause") if packet.get(name)}
    code, trunk = sip_code(packet.get("TechCause")), trunk_of(packet.get("Channel"))
    return Ended(_leg(packet), _int(packet.get("Cause")), code, trunk, raw)


def _user_event(packet: Packet) -> News | None:
    if packet.get("UserEvent") != "Convoca":
        return None
    leg, what = _leg(packet), packet.get("What")
    if what == "answered":
        return Answered(leg)
    if what == "abandoned":
        return Abandoned(leg)
    if what == "amd":
        return Judged(leg, packet.get("Status"), packet.get("Cause"), _int(packet.get("Ms")))
    if what == "inbound":
        return Arrived(leg, packet.get("From"), packet.get("To"))
    if what == "ended":
        return Said(leg, {name: packet.get(name) for name in ("TechCause", "DialStatus") if packet.get(name)})
    return None


def _contact(packet: Packet) -> News | None:
    name, status = packet.get("AOR"), packet.get("ContactStatus")
    if status not in _CONTACT_IS:
        return None
    kind, _, number = name.partition("-")
    if kind == "trunk" and number.isdecimal():
        return TrunkContact(int(number), _CONTACT_IS[status], status) if status.endswith("eachable") else None
    return Browser(name, _CONTACT_IS[status], packet.get("URI")) if kind in ("op", "sup") else None


def _registry(packet: Packet) -> News | None:
    status = packet.get("Status")
    detail = " ".join(word for word in (status, packet.get("Cause")) if word)
    return Registration(packet.get("Username"), packet.get("Domain"), status == "Registered", detail)


def _entered(packet: Packet) -> News | None:
    return Entered(_leg(packet), packet.get("Conference"))


def _left(packet: Packet) -> News | None:
    return Left(_leg(packet), packet.get("Conference"))


def _booted(packet: Packet) -> News | None:
    return Booted(_int(packet.get("Uptime")) or 0)


def _leg(packet: Packet) -> Leg:
    return Leg.read(packet.get("Uniqueid"))


def _int(text: str) -> int | None:
    return int(text) if text.isdecimal() else None


_READERS: dict[str, Callable[[Packet], News | None]] = {
    "Newstate": _new_state,
    "OriginateResponse": _originate_response,
    "Hangup": _hangup,
    "UserEvent": _user_event,
    "ConfbridgeJoin": _entered,
    "ConfbridgeLeave": _left,
    "ContactStatus": _contact,
    "Registry": _registry,
    "FullyBooted": _booted,
}
