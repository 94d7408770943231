"""Claiming: who of a queue is called next.

Quick however long the list is: who rests, is done or left out stands in no index that is walked. The people whose turn
is now stand in lanes, by what the order may look at; the lanes are few, and they are put in order at each claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.contacts import Contact, ContactPhone
from callcenter.gate.abandoned_rest import REST
from callcenter.queueing import queue_order, queue_rules
from callcenter.queueing.queue_rules import Rules
from callcenter.queueing.queue_tables import CallQueue, QueueEntry

ALONE = timedelta(minutes=1)  # no phone rings twice within this (real time)
OVERDUE = timedelta(minutes=15)  # a callback promised by one operator goes to anyone after this
WAKES = 100  # resting people whose time has come that one claim wakes, more only where too few stand ready
TALKED = ("completed", "partial", "refused", "callback", "do_not_call")  # outcomes of a conversation
SPARE = 50  # candidates looked at beyond those that are wanted
ROUNDS = 6  # each looks at four times as many as the last: some hundred thousand at the most
MOST_LANES = 400  # that one claim looks at, the highest priority first


class Lane(NamedTuple):
    """People of a queue whose turn is now, and who are alike in everything that an order looks at."""

    priority: int
    urgency: int
    pass_number: int
    hour_group: int


@dataclass(frozen=True)
class _Asked:
    """One claim. `held`: the operator who is held for whoever is claimed."""

    queue_id: int
    now: datetime
    rules: Rules
    held: int | None

    @property
    def bound(self) -> dict[str, Any]:
        household = timedelta(minutes=self.rules.household_minutes)
        return {
            "queue": self.queue_id, "now": self.now, "minute_ago": real_now() - ALONE, "held": self.held,
            "since": self.now - max(REST, household), "talked_after": self.now - household,
            "overdue": self.now - OVERDUE,
            "abandoned_after": self.now if self.held else self.now - REST,
        }  # fmt: skip


class _Found:
    """Who is claimed so far."""

    def __init__(self, limit: int) -> None:
        self.entries: list[QueueEntry] = []
        self._limit = limit
        self._phones: set[str] = set()

    @property
    def wanted(self) -> int:
        return self._limit - len(self.entries)

    @property
    def is_full(self) -> bool:
        return self.wanted <= 0

    def add(self, session: Session, candidates: list[tuple[int, str]]) -> None:
        """Lock as many of the (entry id, phone) as are wanted, in their order; those that somebody else holds are
        passed over, and so is the second person of a phone."""
        chosen: list[int] = []
        for entry_id, phone in candidates:
            if phone not in self._phones and len(chosen) < self.wanted:
                self._phones.add(phone)
                chosen.append(entry_id)
        if not chosen:
            return
        free = select(QueueEntry.id).where(QueueEntry.id == func.any(chosen), QueueEntry.state == "waiting")
        taken = update(QueueEntry).where(QueueEntry.id.in_(free.with_for_update(skip_locked=True)))
        options = {"populate_existing": True, "synchronize_session": False}
        rows = session.scalars(taken.values(state="calling").returning(QueueEntry), execution_options=options)
        by_id = {entry.id: entry for entry in rows}
        self.entries += [by_id[entry_id] for entry_id in chosen if entry_id in by_id]


def claim(session: Session, queue_id: int, limit: int, *, held: int | None = None) -> list[QueueEntry]:
    """Take up to `limit` people to call now: callbacks that are due, the longest overdue first, then by the order of
    the queue's rules.

    Left out: phones in a call or called within the last minute, the second person of a phone (a household is called one
    by one), and who picked up to silence within 72 hours, unless the operator `held` waits for them. The rows are
    locked and `calling`; a claim beside this one takes others."""
    session.flush()  # a text asks for no flush of its own
    queue = session.get(CallQueue, queue_id)
    if queue is None or limit <= 0:
        return []
    asked = _Asked(queue_id, campaign_now(session), queue_rules.of_queue(queue), held)
    found, due = _Found(limit), session.execute(_DUE, asked.bound).one()
    if due.promised:
        _take(session, asked, found, _CALLBACKS, {})
    if not queue.only_callbacks and not found.is_full:
        _take_ready(session, asked, found, rested=due.rested)
        if held:
            _take(session, asked, found, _ABANDONED, {})
    return found.entries


def phones(session: Session, entries: Sequence[QueueEntry]) -> dict[int, str]:
    """The phone of each entry's next try (E.164), by the entry's id."""
    rows = session.execute(
        select(QueueEntry.id, func.coalesce(ContactPhone.phone, Contact.phone))
        .join(Contact, Contact.id == QueueEntry.contact_id)
        .outerjoin(ContactPhone, ContactPhone.id == QueueEntry.phone_id)
        .where(QueueEntry.id.in_([entry.id for entry in entries]))
    )
    return {row[0]: row[1] for row in rows}


def next_ready(session: Session, queue_id: int) -> datetime | None:
    """When the next of those who rest or were promised a call may be called (campaign time); None: nobody rests."""
    session.flush()
    found: datetime | None = session.scalar(_NEXT_READY, {"queue": queue_id})
    return found


def _take_ready(session: Session, asked: _Asked, found: "_Found", *, rested: bool) -> None:
    """Wake some of those whose time has come (`rested`: there are any), and claim by the order; when too few stand
    ready, wake as many more."""
    wakes = WAKES
    while True:
        woken = session.connection().execute(_WAKE, asked.bound | {"most": wakes}).rowcount if rested else 0
        lanes = _lanes(session, asked)
        if lanes:
            columns = {name: [getattr(lane, name) for lane in lanes] for name in Lane._fields}
            _take(session, asked, found, _NEWEST if "newest" in asked.rules.order else _LISTED, columns)
        if found.is_full or woken < wakes:
            return
        wakes = found.wanted + WAKES


def _take(session: Session, asked: _Asked, found: "_Found", walk: Any, bound: dict[str, Any]) -> None:
    """Claim the first people of `walk` whose phones may ring. Most may, so few more are looked at than are wanted;
    where many in front may not, ever more."""
    seen: list[int] = []
    most = found.wanted + SPARE
    for _round in range(ROUNDS):
        if found.is_full:
            return
        ids = list(session.scalars(walk, asked.bound | bound | {"most": most, "seen": seen}))
        free = session.execute(_FREE[asked.rules.household_minutes > 0], asked.bound | {"ids": ids}) if ids else ()
        found.add(session, [(row.id, row.phone) for row in free])
        if len(ids) < most:
            return
        seen += ids
        most *= 4


def _lanes(session: Session, asked: _Asked) -> list[Lane]:
    """The lanes in which somebody stands, in the order of the rules."""
    rows = session.execute(_LANES, {"queue": asked.queue_id, "most": MOST_LANES})
    return _ranked(session, [Lane(*row) for row in rows], asked)


def _ranked(session: Session, lanes: list[Lane], asked: _Asked) -> list[Lane]:
    """The lanes in the order of the rules; what those do not name decides last."""
    order = [code for code in asked.rules.order if code != "newest"]
    hour = asked.now.astimezone(ZONE).hour
    score = queue_order.scores(session, hour) if "hour" in order else lambda _group: 0.0

    def rank(lane: Lane) -> tuple[float, ...]:
        weights = {"priority": -lane.priority, "section_goal": -lane.urgency, "pass": lane.pass_number,
                   "hour": -score(lane.hour_group)}  # fmt: skip
        return (*(weights[code] for code in order), lane.pass_number, -lane.priority, lane.hour_group)

    return sorted(lanes, key=rank)


# In words of their own, with the words of the partial indexes: a bound `waiting` could not be proved to stand in them.
_READY = "queue_id = :queue AND state = 'waiting' AND NOT is_callback AND not_before IS NULL"
_KEYS = ", ".join(Lane._fields)
_DOWN = ", ".join(f"{name} DESC" for name in Lane._fields)
_UNSEEN = "NOT id = ANY(CAST(:seen AS bigint[]))"
_TALKED = f""" OR (a.outcome IN ({", ".join(f"'{code}'" for code in TALKED)}) AND a.at > :talked_after
        AND a.contact_id <> e.contact_id)"""


def _free(household: str) -> Any:
    """Those of the entries whose phone may ring: nobody is called there now or was a minute ago, nor was left in
    silence lately. With its limit the ledger is asked phone by phone, along the index; a join could read all of it."""
    return text(f"""
        SELECT e.id, COALESCE(other.phone, c.phone) AS phone
        FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS asked (id, place)
        JOIN queue_entries e ON e.id = asked.id JOIN contacts c ON c.id = e.contact_id
        LEFT JOIN contact_phones other ON other.id = e.phone_id
        WHERE (SELECT TRUE FROM attempts a WHERE a.phone = COALESCE(other.phone, c.phone) AND a.at > :since AND (
            (a.channel = 'call' AND (a.closed_at IS NULL OR a.closed_at > :minute_ago))
            OR (a.outcome = 'abandoned' AND a.at > :abandoned_after){household}) LIMIT 1) IS NULL
        ORDER BY asked.place""")  # noqa: S608  # our own words only


_FREE = {False: _free(""), True: _free(_TALKED)}  # without and with the rest of a household
_CALLBACKS = text(f"""
    SELECT id FROM queue_entries
    WHERE queue_id = :queue AND state = 'waiting' AND is_callback AND not_before <= :now AND {_UNSEEN}
        AND (callback_operator_id IS NULL OR not_before < :overdue OR callback_operator_id = :held
            OR CAST(:held AS integer) IS NULL AND EXISTS (
                SELECT FROM operators o WHERE o.id = queue_entries.callback_operator_id AND o.state = 'available'))
    ORDER BY not_before, id LIMIT :most""")  # noqa: S608  # our own words only
_ABANDONED = text(f"""
    SELECT id FROM queue_entries
    WHERE queue_id = :queue AND state = 'waiting' AND reason = 'abandoned' AND NOT is_callback AND {_UNSEEN}
    ORDER BY not_before, id LIMIT :most""")  # noqa: S608  # our own words only
_DUE = text("""
    SELECT EXISTS (SELECT FROM queue_entries
                   WHERE queue_id = :queue AND state = 'waiting' AND is_callback AND not_before <= :now) AS promised,
        EXISTS (SELECT FROM queue_entries
                WHERE queue_id = :queue AND state = 'waiting' AND NOT is_callback AND not_before <= :now) AS rested""")
_WAKE = text("""
    UPDATE queue_entries SET not_before = NULL WHERE id IN (
        SELECT id FROM queue_entries
        WHERE queue_id = :queue AND state = 'waiting' AND NOT is_callback AND not_before <= :now
        ORDER BY not_before, id LIMIT :most FOR UPDATE SKIP LOCKED)""")
# Each step jumps to the next lane along the index, whatever the length of the one that it leaves.
_LANES = text(f"""
    WITH RECURSIVE lanes AS (
        (SELECT {_KEYS} FROM queue_entries WHERE {_READY} ORDER BY {_DOWN} LIMIT 1)
        UNION ALL
        SELECT next.* FROM lanes CROSS JOIN LATERAL (
            SELECT {", ".join(f"q.{name}" for name in Lane._fields)} FROM queue_entries q
            WHERE {_READY} AND ({", ".join(f"q.{name}" for name in Lane._fields)})
                < ({", ".join(f"lanes.{name}" for name in Lane._fields)})
            ORDER BY {", ".join(f"q.{name} DESC" for name in Lane._fields)} LIMIT 1) next
    ) SELECT {_KEYS} FROM lanes LIMIT :most""")  # noqa: S608  # our own words only
_NEXT_READY = text("""
    SELECT LEAST(
        (SELECT min(not_before) FROM queue_entries
         WHERE queue_id = :queue AND state = 'waiting' AND NOT is_callback AND not_before IS NOT NULL),
        (SELECT min(not_before) FROM queue_entries WHERE queue_id = :queue AND state = 'waiting' AND is_callback))""")


def _walk(direction: str) -> Any:
    lanes = ", ".join(f"CAST(:{name} AS integer[])" for name in Lane._fields)
    same = " AND ".join(f"q.{name} = lane.{name}" for name in Lane._fields)
    return text(f"""
        SELECT one.id FROM unnest({lanes}) WITH ORDINALITY AS lane ({_KEYS}, place)
        CROSS JOIN LATERAL (
            SELECT id FROM queue_entries q WHERE {_READY} AND {same} AND {_UNSEEN} ORDER BY id {direction} LIMIT :most
        ) one LIMIT :most""")  # noqa: S608  # our own words only


_LISTED, _NEWEST = _walk("ASC"), _walk("DESC")
