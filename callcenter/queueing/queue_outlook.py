"""Of one queue's waiting people: how many may be called now, and how many become callable when, by time zone.

People are counted by what the gate looks at (place, area code, consent …) in one SELECT, and the gate's own rules are
asked once for each kind of people instead of once a person. A long list is estimated from spans spread over it, and the
answer says so. Caps, the register and households are the gate's alone, at the call: here they show as the rests that
earlier tries have left."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from callcenter import calendar
from callcenter.base.clock import campaign_now
from callcenter.gate import gate_rules, rulebook
from callcenter.gate.gate_rules import Asked, Facts
from callcenter.places import zones
from callcenter.queues import CallQueue, QueueEntry

ALL = 50_000  # people up to whom everybody is counted
SAMPLE = 10_000  # people looked at of a longer list
SPANS = 1_000  # places of the list at which they stand


@dataclass(frozen=True)
class Group:
    """People who may be called at the same hours. `zones`: keys of zones.NAMES, all of which must be open to call them;
    `opens_at` None: now, until `closes_at`; else from then on (campaign time)."""

    zones: tuple[str, ...]
    people: int
    opens_at: datetime | None
    closes_at: datetime | None = None


@dataclass(frozen=True)
class Rest:
    """People who rest for a reason of their own (the last outcome, a cap, `callback`), and when the first of those
    looked at is due."""

    reason: str
    people: int
    first_at: datetime


@dataclass(frozen=True)
class Outlook:
    """`groups`: those open now first, then by opening. `refused`: people whom the gate would leave out now, by its
    code. `looked_at` of `waiting` people were counted; where it is less, all figures are scaled up."""

    groups: tuple[Group, ...]
    refused: dict[str, int]
    rests: tuple[Rest, ...]
    waiting: int
    looked_at: int
    as_of: datetime

    @property
    def is_estimate(self) -> bool:
        return self.looked_at < self.waiting

    @property
    def now(self) -> int:
        """People who may be called at this moment."""
        return sum(group.people for group in self.groups if group.opens_at is None)

    @property
    def later(self) -> int:
        """People who wait for calling hours where they live."""
        return sum(group.people for group in self.groups if group.opens_at is not None)

    @property
    def resting(self) -> int:
        return sum(rest.people for rest in self.rests)

    @property
    def next_at(self) -> datetime | None:
        """When the first of those who cannot be called now can be; None when nobody waits for a time."""
        times = [group.opens_at for group in self.groups if group.opens_at] + [rest.first_at for rest in self.rests]
        return min(times, default=None)


class _Kind(NamedTuple):
    """People alike in all that the rules look at. `rest`: why they rest (Rest.reason), None when the gate decides.
    `ready`: free to be called but for the gate, or resting; `asleep`: sent to the next opening by the gate. `wakes_at`:
    when the first of those who rest or sleep may be called."""

    rest: str | None
    state: int | None
    municipality: str | None
    area: str
    consent: str
    is_member: bool
    holds_post: bool
    is_blocked: bool
    is_suppressed: bool
    invented: bool
    ready: int
    asleep: int
    wakes_at: datetime | None


def read(session: Session, queue: CallQueue, waiting: int, *, simulated: bool, everybody: bool = False) -> Outlook:
    """The outlook of a queue of which `waiting` people wait (queues.progress). `everybody`: count a long list whole.

    `simulated`: calls of this queue reach invented people only."""
    asked = Asked("call", queue.purpose, campaign_now(session), simulated, rulebook.read(session))
    known = sorted({*zones.STATES, *zones.DIVIDED_STATES, *asked.book.named_states})
    given = {"queue": queue.id, "now": asked.now, "known": known, "areas": _AREAS}
    spans = None if everybody or waiting <= ALL else _spans(session, queue.id, waiting)
    if spans is None:
        kinds = _all_kinds(session, given)
        return _outlook(kinds, asked, sum(kind.ready + kind.asleep for kind in kinds))
    return _outlook([_Kind(*row) for row in session.execute(_OF_SOME, given | spans)], asked, waiting)


def _all_kinds(session: Session, given: dict[str, Any]) -> list[_Kind]:
    """PostgreSQL expects as many kinds as people, and would sort all of them on disk before it counts the few kinds."""
    session.execute(text("SET LOCAL enable_sort = off"))
    kinds = [_Kind(*row) for row in session.execute(_OF_ALL, given)]
    session.execute(text("SET LOCAL enable_sort TO DEFAULT"))
    return kinds


def _spans(session: Session, queue_id: int, waiting: int) -> dict[str, int] | None:
    """Short stretches of people spread over the list; None where they would be all of it."""
    of_queue = select(func.min(QueueEntry.contact_id), func.max(QueueEntry.contact_id))
    low, high = session.execute(of_queue.where(QueueEntry.queue_id == queue_id)).one()
    if low is None or high - low < SPANS:
        return None
    reach = high - low + 1
    return {"spans": SPANS, "low": low, "reach": reach, "width": max(1, reach * SAMPLE // (waiting * SPANS))}


def _outlook(kinds: Sequence[_Kind], asked: Asked, waiting: int) -> Outlook:
    looked_at = sum(kind.ready + kind.asleep for kind in kinds)
    scale = waiting / looked_at if looked_at else 0.0
    groups, refused = _judged([kind for kind in kinds if kind.rest is None], asked)
    found = [Group(names, round(n * scale), opens_at, closes_at)
             for (names, opens_at, closes_at), n in groups.items() if n]  # fmt: skip
    return Outlook(
        groups=tuple(sorted(found, key=lambda one: (one.opens_at or asked.now, -one.people, one.zones))),
        refused={code: round(n * scale) for code, n in refused.most_common()},
        rests=tuple(_rests(kinds, scale)), waiting=waiting, looked_at=looked_at, as_of=asked.now,
    )  # fmt: skip


def _judged(
    kinds: Iterable[_Kind], asked: Asked
) -> tuple[Counter[tuple[tuple[str, ...], datetime | None, datetime | None]], Counter[str]]:
    """People by (zones, when they open, when they close), and those whom the gate leaves out, by its code."""
    groups: Counter[tuple[tuple[str, ...], datetime | None, datetime | None]] = Counter()
    refused: Counter[str] = Counter()
    closings = _Closings(asked)
    for kind in kinds:
        facts = _facts(kind)
        refusal = gate_rules.judge(facts, asked)
        names = tuple(zone.key for zone in facts.zones)
        if refusal is None:
            groups[names, None, closings.of(facts)] += kind.ready
            groups[names, kind.wakes_at, None] += kind.asleep  # they were sent there before the hours were widened
        elif refusal.until is not None:
            groups[names, refusal.until, None] += kind.ready + kind.asleep
        else:
            refused[refusal.code] += kind.ready + kind.asleep
    return groups, refused


def _rests(kinds: Iterable[_Kind], scale: float) -> Iterator[Rest]:
    """Those who rest, by reason, the commonest first."""
    people: Counter[str] = Counter()
    first: dict[str, datetime] = {}
    for kind in kinds:
        if kind.rest is not None and kind.wakes_at is not None:
            people[kind.rest] += kind.ready
            first[kind.rest] = min(kind.wakes_at, first.get(kind.rest, kind.wakes_at))
    for reason, number in people.most_common():
        yield Rest(reason, round(number * scale), first[reason])


class _Closings:
    """Until when people may be called who may be called now; worked out once for each place."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._known: dict[tuple[int | None, tuple[ZoneInfo, ...], bool | None], datetime] = {}

    def of(self, facts: Facts) -> datetime:
        key = (facts.state, facts.zones, facts.holds_post)
        if key not in self._known:
            hours = gate_rules.hours_for(facts, self._asked)
            self._known[key] = calendar.closes_at(self._asked.now, facts.zones, hours)
        return self._known[key]


def _facts(kind: _Kind) -> Facts:
    """One person of the kind, against whom nothing is said that is not said of all of them."""
    return Facts(
        contact_id=0, phone=f"+52{kind.area}", state=kind.state, municipality=kind.municipality, consent=kind.consent,
        invented=kind.invented, is_blocked=kind.is_blocked, is_member=kind.is_member, holds_post=kind.holds_post,
        is_suppressed=kind.is_suppressed, is_in_register=False, is_being_called=False, is_other_called=False,
        other_written_at=None, phone_total=0, phone_recent=None, person_total=0, person_recent=None,
    )  # fmt: skip


# Area codes and states that keep the central hour, and of which no rule speaks, are one kind.
_AREAS = sorted({*zones.AREA_CODES, *zones.SHARED_AREA_CODES})
_ANOTHER_STATE = -1
_DIVIDED = ", ".join(map(str, sorted(zones.DIVIDED_STATES)))
_AREA = "substr(coalesce(other.phone, c.phone), 4, 3)"
_IS_ASLEEP = "(e.not_before > :now AND e.reason = 'hours' AND NOT e.is_callback)"
_PEOPLE = f"""
    SELECT CASE WHEN e.not_before > :now AND {_IS_ASLEEP} IS NOT TRUE
            THEN CASE WHEN e.is_callback THEN 'callback' ELSE coalesce(e.reason, '') END END AS rest,
        CASE WHEN c.state IS NULL OR c.state = ANY(:known) THEN c.state ELSE {_ANOTHER_STATE} END AS state,
        CASE WHEN c.state NOT IN ({_DIVIDED}) AND c.municipality <> '' THEN '{zones.ANY_MUNICIPALITY}'
            ELSE c.municipality END AS municipality,
        CASE WHEN {_AREA} = ANY(:areas) THEN {_AREA} ELSE '' END AS area,
        c.consent, c.is_member, c.holds_post, c.blocked_at IS NOT NULL AS is_blocked, c.suppressed, c.invented,
        {_IS_ASLEEP} AS is_asleep, e.not_before
    FROM queue_entries e JOIN contacts c ON c.id = e.contact_id LEFT JOIN contact_phones other ON other.id = e.phone_id
    WHERE e.queue_id = :queue AND e.state = 'waiting'"""  # noqa: S608  # our own words only
# Each span is one walk along the index of (queue, contact), and one beside it along the people. Without OFFSET 0 the
# spans would be joined to the whole list at once, because PostgreSQL does not know how short they are.
_SPREAD = f"""generate_series(0, :spans - 1) AS span,
    LATERAL (SELECT :low + CAST(:reach AS bigint) * span / :spans AS at) AS place,
    LATERAL ({_PEOPLE} AND e.contact_id >= at AND e.contact_id < at + :width AND c.id >= at AND c.id < at + :width
        OFFSET 0) AS one"""
_KINDS = """
    SELECT rest, state, municipality, area, consent, is_member, holds_post, is_blocked, suppressed, invented,
        count(*) FILTER (WHERE is_asleep IS NOT TRUE), count(*) FILTER (WHERE is_asleep),
        min(not_before) FILTER (WHERE not_before > :now)
    FROM {people} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10"""
_OF_ALL, _OF_SOME = text(_KINDS.format(people=f"({_PEOPLE}) AS one")), text(_KINDS.format(people=_SPREAD))
