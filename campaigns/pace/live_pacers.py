"""The pacers of the campaigns that dial, kept by the one dialer that leads. What they hear is the ledger's: at first
the last hour of each campaign, then every call by its id as it goes on; so a new pacer knows what the old one knew."""

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.queueing import pacing_history
from callcenter.queueing.pacing_history import Heard, Row, Totals
from callcenter.queueing.queue_pace import Pace, of_queue
from callcenter.queues import CallQueue
from campaigns.pacing import BY_HAND, Decision, FloorView, Pacer

REMEMBERED = 60.0  # seconds: longer than an operator may take an outcome back
BUILDING = 0.25  # seconds of one turn that go into reading histories; the campaigns still to come work one to one


@dataclass
class _Live:
    """One campaign's pacer, and what it has heard of besides what the campaign had before."""

    pace: Pace
    pacer: Pacer
    before: Totals
    heard: Counter[str] = field(default_factory=Counter)

    def hear(self, rows: list[Row]) -> None:
        for kind, seconds, at in rows:
            self.heard[kind] += 1
            self.pacer.observe(kind, seconds, at)


@dataclass
class _Told:
    """How many of a call's rows its pacer has heard. `over_at`: when it was seen ended (monotonic); it is remembered a
    while longer, because its operator may take the outcome back."""

    queue_id: int
    heard: int = 0
    over_at: float | None = None


@dataclass(frozen=True)
class Paced:
    """A decision with what stood behind it. `falls_back`: a code of queue_pace.FALLBACKS, or None."""

    decision: Decision
    falls_back: str | None
    risk: float | None
    totals: Totals


class LivePacers:
    def __init__(self) -> None:
        self._live: dict[int, _Live] = {}
        self._told: dict[UUID, _Told] = {}

    def forget(self) -> None:
        """Another dialer may have led meanwhile: everything is read anew."""
        self._live.clear()
        self._told.clear()

    def keep_up(self, session: Session, queues: list[CallQueue]) -> None:
        """Hear what became of calls since the last turn, and make the pacers that are missing or whose pace changed."""
        wanted = {queue.id: of_queue(queue) for queue in queues if queue.answered_by != "recording"}
        for queue_id in [q for q, live in self._live.items() if not _is_same(wanted.get(q), live.pace)]:
            self._drop(queue_id)
        under_way = pacing_history.under_way(session)
        self._hear(session, under_way)
        until = time.monotonic() + BUILDING
        for queue_id, pace in wanted.items():
            if queue_id in self._live or pace.mode not in Pacer.modes or pace.mode in BY_HAND:
                continue
            if time.monotonic() > until:
                return
            self._make(session, queue_id, pace, under_way)

    def planned(self, queue_id: int, call_ids: list[UUID]) -> None:
        """Calls of which nothing was heard so far."""
        if queue_id in self._live:
            self._told |= {call_id: _Told(queue_id) for call_id in call_ids}

    def decide(self, queue: CallQueue, view: FloorView) -> Paced:
        """What the campaign's pacer says; a campaign whose history is not read yet works one to one. Raises
        UnknownModeError."""
        live = self._live.get(queue.id)
        if live is None:
            is_by_hand = queue.mode in BY_HAND
            pacer = Pacer(queue.mode if is_by_hand or queue.mode not in Pacer.modes else "progressive")
            waits = queue.mode in ("power", "predictive")
            return Paced(pacer.decide(view), "warming_up" if waits else None, None, Totals())
        decision, heard = live.pacer.decide(view), live.heard
        totals = Totals(
            live.before.attempts + heard["answered"] + heard["not_answered"] + heard["given_up"],
            live.before.answered + heard["answered"],
            live.before.abandoned + heard["abandoned"],
            live.before.given_up + heard["given_up"],
        )
        return Paced(decision, live.pacer.falls_back, live.pacer.risk, totals)

    def _hear(self, session: Session, under_way: list[Heard]) -> None:
        """Feed what is new of the calls under way, and of those that have ended since they were seen last."""
        now = time.monotonic()
        open_now = {call.call_id for call in under_way}
        gone = {call_id for call_id, told in self._told.items() if told.over_at is None} - open_now
        news: dict[int, list[Row]] = {}
        for call in (*under_way, *(pacing_history.of_calls(session, gone) if gone else ())):
            if call.queue_id in self._live:
                told, rows = self._told.setdefault(call.call_id, _Told(call.queue_id)), call.rows()
                news.setdefault(call.queue_id, []).extend(rows[told.heard :])
                told.heard, told.over_at = max(told.heard, len(rows)), None
        for call_id in gone:
            self._told[call_id].over_at = now
        for call_id in [c for c, told in self._told.items() if told.over_at and told.over_at < now - REMEMBERED]:
            del self._told[call_id]
        for queue_id, rows in news.items():
            self._live[queue_id].hear(sorted(rows, key=lambda row: row[2]))

    def _make(self, session: Session, queue_id: int, pace: Pace, under_way: list[Heard]) -> None:
        """Read the campaign's history. What a call under way has told by now is in it, and is not heard again."""
        past = pacing_history.of_queue(session, queue_id)
        rows, totals = pacing_history.rows(past), pacing_history.totals(session, queue_id)
        heard = Counter(kind for kind, _, _ in rows)
        pacer = Pacer.from_history(
            rows, pace.mode, pace.abandon_limit, pace.ratio, gives_up=pace.gives_up,
            answered=max(0, totals.answered - heard["answered"]),
            abandoned=max(0, totals.abandoned - heard["abandoned"]),
        )  # fmt: skip
        self._live[queue_id] = _Live(pace, pacer, totals)
        lately = real_now() - timedelta(seconds=REMEMBERED)
        for call in (*(call for call in under_way if call.queue_id == queue_id), *past):
            if call.ended_at is None or call.ended_at > lately or call.call_id in self._told:
                over_at = None if call.ended_at is None else time.monotonic()
                self._told[call.call_id] = _Told(queue_id, len(call.rows()), over_at)

    def _drop(self, queue_id: int) -> None:
        del self._live[queue_id]
        self._told = {call: told for call, told in self._told.items() if told.queue_id != queue_id}


def _is_same(wanted: Pace | None, had: Pace) -> bool:
    """Do both pace alike? Calls a second are the dialer's to count."""
    mine = None if wanted is None else (wanted.mode, wanted.abandon_limit, wanted.ratio, wanted.gives_up)
    return mine == (had.mode, had.abandon_limit, had.ratio, had.gives_up)
