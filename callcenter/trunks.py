"""Choosing a trunk for a call: whose numbers it serves, which caller ID it shows, whether it has room. One place.

`note_result`, `heard`, `answers` and `of_registration` are what the switch tells (telephony.trunk_health)."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.db import kept
from callcenter.base.errors import ProviderError
from callcenter.carriers import BadNumber, Route
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.call_states import DIALLING
from callcenter.telephony import trunk_book, trunk_numbers
from callcenter.telephony.trunk_book import Trunk
from callcenter.telephony.trunk_health import (
    CARRIER,
    answers,
    heard,
    is_our_fault,
    is_usable,
    note_result,
    of_registration,
)
from callcenter.telephony.trunk_numbers import LOCAL

__all__ = [
    "answers",
    "calls_now",
    "choose",
    "heard",
    "is_our_fault",
    "lines",
    "note_result",
    "of_registration",
    "reach_invented",
    "why_none",
]

SECOND = timedelta(seconds=1)
# What may have changed of a trunk since it was read: everything that `is_usable` and `_room` look at.
_ALIVE = ("is_enabled", "registered", "reachable", "faults", "resting_until", "channels", "calls_per_second")


@dataclass(frozen=True)
class Way:
    """One trunk that serves a number: as it wants it, and what it shows. `prefix`: the longest that fits."""

    trunk: Trunk
    prefix: str
    cost: Decimal
    number: str
    shown: str

    @property
    def rank(self) -> tuple[int, int, Decimal, int]:
        """The longest prefix first, then the administrator's order, then the cheaper one."""
        return -len(self.prefix), self.trunk.position, self.cost, self.trunk.id


def choose(session: Session, phone: str, caller_id: str, queue_id: int) -> Route:  # noqa: ARG001  # every queue alike
    """The way to `phone` (E.164) now. The trunk's row stays locked until the caller commits, so that nobody counts its
    calls meanwhile: set `calls.trunk_id` in the same transaction. What it says of the next phones it knows already.

    `caller_id`: E.164, or `local` for the number of the person's own area. Raises BadNumber for what is no number, and
    ProviderError with a code of queues.WHY_IDLE (`no_trunk`, `no_caller_id` are permanent) or `no_route`."""
    if not trunk_numbers.is_e164(phone):
        raise BadNumber("This is no telephone number.", code="bad_number")
    used = _used(session)
    if not used:
        raise ProviderError("No trunk is set up and in use.", code="no_trunk", permanent=True)
    showing = [trunk for trunk in used if _shown(trunk, phone, caller_id)]
    if not showing:
        raise ProviderError("No trunk may show this caller ID.", code="no_caller_id", permanent=True)
    ways = sorted((way for trunk in showing if (way := _way(trunk, phone, caller_id))), key=lambda way: way.rank)
    if not ways:
        raise ProviderError("No trunk serves this number.", code="no_route")
    usable = [way for way in ways if is_usable(way.trunk)]
    if not usable:
        raise ProviderError("No trunk can be used now.", code=_why_unusable([way.trunk for way in ways]))
    for way in usable:
        if _hold(session, way.trunk):
            return _route(way)
    raise ProviderError("Every trunk is full.", code="trunks_full")


def lines(session: Session) -> int:
    """How many calls may be under way at this moment, those that are included (planned ones too)."""
    used = [trunk for trunk in trunk_book.enabled(session) if is_usable(trunk)]
    room = sum(max(0, _room(session, trunk)) for trunk in used)
    dialling = and_(Call.carrier == CARRIER, Call.state.in_(DIALLING))
    talking = and_(Call.carrier == CARRIER, Call.state == "connected")
    counts = select(func.count().filter(or_(dialling, talking)), func.count().filter(_planned()))
    under_way, planned = session.execute(counts.where(Call.state != "ended")).one()
    return int(under_way) + room - int(planned)


def reach_invented(session: Session, carrier: str) -> bool:
    """Do calls of this carrier reach invented people, and nobody else, now?"""
    return carrier == "simulated" or (carrier == CARRIER and trunk_book.lead_to_invented(session))


def why_none(session: Session) -> str:
    """Why no call can be placed now: a code of queues.WHY_IDLE."""
    used = trunk_book.enabled(session)
    if not used:
        return "no_trunk"
    usable = [trunk for trunk in used if is_usable(trunk)]
    if not usable:
        return _why_unusable(used)
    planned = session.scalar(select(func.count()).where(_planned(), Call.state != "ended")) or 0
    channels = sum(max(0, _left(session, trunk)[0]) for trunk in usable)
    return "calls_per_second" if channels > planned else "trunks_full"


def calls_now(session: Session, trunk_id: int) -> int:
    """Calls that hold a line of the trunk."""
    return session.scalar(_held(trunk_id)) or 0


def _held(trunk_id: int) -> Select[int]:
    return select(func.count()).where(Call.trunk_id == trunk_id, Call.state.not_in(("ended", "wrap_up")))


def _used(session: Session) -> list[Trunk]:
    """The trunks in use, read once in a transaction."""
    known = kept(session, "trunks used")
    if "all" not in known:
        known["all"] = trunk_book.enabled(session)
    used: list[Trunk] = known["all"]
    return used


def _hold(session: Session, trunk: Trunk) -> bool:
    """Take a line of a trunk that still has room, and lock the trunk. One that has none is let go of: two who hold one
    each never wait in a ring. Of one that is held, nobody else takes lines."""
    left = kept(session, "trunks held")
    if trunk.id not in left:
        with session.begin_nested() as attempt:
            # Ledger rows may refer to it meanwhile; its prefixes and numbers are as they were a moment ago.
            session.refresh(trunk, _ALIVE, with_for_update={"of": Trunk, "key_share": True})
            room = _room(session, trunk) if is_usable(trunk) else 0
            if room <= 0:
                attempt.rollback()
                return False
        left[trunk.id] = room
    left[trunk.id] -= 1
    return bool(left[trunk.id] >= 0)


def _planned() -> ColumnElement[bool]:
    """The condition of a call that is on no trunk yet."""
    return and_(Call.carrier == CARRIER, Call.state.in_(DIALLING), Call.trunk_id.is_(None))


def _room(session: Session, trunk: Trunk) -> int:
    """How many calls may begin on it at this instant."""
    return min(_left(session, trunk))


def _left(session: Session, trunk: Trunk) -> tuple[int, int]:
    """(channels that nobody holds, calls that may begin within this second)."""
    since = real_now() - SECOND
    lately = or_(Call.placed_at > since, and_(Call.state == "placing", Call.placed_at.is_(None)))
    started = select(func.count()).where(Call.trunk_id == trunk.id, lately)
    counts = select(_held(trunk.id).scalar_subquery(), started.scalar_subquery())
    held, begun = session.execute(counts).one()
    channels = 1 if trunk.is_on_probation else trunk.channels
    return int(channels - held), int(trunk.calls_per_second - begun)


def _why_unusable(used: list[Trunk]) -> str:
    if any(trunk.is_resting for trunk in used):
        return "trunks_resting"
    return "trunks_not_registered" if any(trunk.is_cut_off for trunk in used) else "switch_away"


def _way(trunk: Trunk, phone: str, caller_id: str) -> Way | None:
    costs = {row.prefix: row.cost for row in trunk.prefixes} or {"": Decimal(0)}
    prefix = trunk_numbers.longest_prefix(phone, costs)
    number = trunk_numbers.written(phone, trunk.number_format, trunk.number_prefix)
    shown = _shown(trunk, phone, caller_id)
    if prefix is None or number is None or shown is None:
        return None
    return Way(trunk, prefix, costs[prefix], number, shown)


def _shown(trunk: Trunk, phone: str, caller_id: str) -> str | None:
    """The caller ID that this trunk shows to this phone; None when it may not show the one wanted."""
    numbers = [row.number for row in trunk.numbers]
    if caller_id != LOCAL:
        return caller_id if caller_id in numbers else None
    area = trunk_numbers.area_code(phone)
    local = [row.number for row in trunk.numbers if area in row.area_codes]
    return next(iter([*local, *numbers]), None)


def _route(way: Way) -> Route:
    # A caller ID carries no dialling prefix, whatever the trunk wants before the numbers that it dials.
    shows = trunk_numbers.written(way.shown, way.trunk.number_format) or way.shown
    return Route(way.shown, way.trunk.simulated, way.trunk.switch.name, way.trunk.id, way.number, shows)
