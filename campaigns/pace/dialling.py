"""One queue's turn of the dialer: what its pacer wishes, within the carrier's lines and the calls of a second, and what
comes of it. The dialer commits."""

import time
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy.orm import Session

from callcenter import calls, carriers, queues, trunks
from callcenter.base.outbox import enqueue_later
from callcenter.carriers import NoCarrier
from callcenter.ledger.call_floor import Floor
from callcenter.queueing import giving_up, previews, queue_spending
from callcenter.queueing.dial_decisions import Decided
from callcenter.queueing.pacing_history import Totals
from callcenter.queues import CallQueue
from callcenter.telephony.trunk_health import CARRIER
from campaigns.pace import recorded_pacing
from campaigns.pace.live_pacers import LivePacers, Paced
from campaigns.pace.recorded_pacing import Sessions
from campaigns.pacing import Decision, FloorView, UnknownModeError
from surveys.fieldwork import recorded_calls


@dataclass
class Look:
    """What one turn of the dialer sees: the floor, and of each carrier how many calls it carries, and how many began in
    this turn."""

    floor: Floor
    _lines: dict[str, int] = field(default_factory=dict)
    _sessions: list[int | None] = field(default_factory=list)
    _begun: Counter[str] = field(default_factory=Counter)

    def lines_free(self, session: Session, carrier: str) -> int:
        """Calls that may begin now. Raises NoCarrier."""
        if carrier not in self._lines:
            self._lines[carrier] = carriers.carrier(carrier).lines(session)
        return self._lines[carrier] - self.floor.lines_held

    def sessions(self, session: Session) -> int | None:
        """Conversations that the switches can hold for recorded surveys; None when no program does."""
        if not self._sessions:
            self._sessions.append(recorded_calls.capacity(session))
        return self._sessions[0]

    def note(self, queue_id: int, done: "Done") -> None:
        """Let the queues that come after this one see what it did."""
        self.floor.given_up(queue_id, done.broken_off)
        self.floor.placed(queue_id, len(done.planned))
        self._begun[done.carrier] += len(done.planned)

    def begun(self, carrier: str) -> int:
        """Calls of this turn."""
        return self._begun[carrier]


class Rates:
    """How many calls each queue, and each carrier, began within the last second."""

    def __init__(self) -> None:
        self._begun: dict[int | str, deque[tuple[float, int]]] = {}

    def left(self, queue: CallQueue, look: Look) -> int | None:
        """Calls that this queue may begin now, by its own limit and by its carrier's for all queues together; None
        where nobody set one. Raises NoCarrier."""
        lefts = []
        if queue.calls_per_second is not None:
            lefts.append(queue.calls_per_second - self._lately(queue.id))
        most = carriers.carrier(queue.carrier).calls_per_second()
        if most is not None:
            lefts.append(most - self._lately(queue.carrier) - look.begun(queue.carrier))
        return max(0, min(lefts)) if lefts else None

    def note(self, queue_id: int, done: "Done") -> None:
        for who in (queue_id, done.carrier) if done.planned else ():
            self._begun.setdefault(who, deque(maxlen=200)).append((time.monotonic(), len(done.planned)))

    def _lately(self, who: int | str) -> int:
        begun = self._begun.get(who, deque())
        while begun and begun[0][0] <= time.monotonic() - 1.0:
            begun.popleft()
        return sum(number for _, number in begun)


@dataclass(frozen=True)
class Done:
    """What came of a wish: calls planned, through which carrier, how many were broken off, why none was planned."""

    planned: list[UUID] = field(default_factory=list)
    broken_off: int = 0
    reason: str | None = None
    carrier: str = ""


@dataclass(frozen=True)
class Wish:
    """`place` calls to begin and `hang_up` to leave; `seen`: what it was decided from."""

    place: int
    hang_up: int
    reason: str | None
    seen: Decided

    def decided(self, done: Done | None = None) -> Decided:
        """The record of this decision."""
        done = done or Done(reason=self.reason)
        return replace(
            self.seen, place=self.place, hang_up=self.hang_up, planned=len(done.planned), broken_off=done.broken_off,
            reason=None if done.planned else done.reason or self.reason,
        )  # fmt: skip


def wish(session: Session, queue: CallQueue, look: Look, pacers: LivePacers, rates: Rates) -> Wish:
    """What this queue would do now; a queue that cannot dial at all says why."""
    seen = Decided(queue.id, queue.mode)
    try:
        lines = look.lines_free(session, queue.carrier)
        allowed = rates.left(queue, look)
        room = lines if allowed is None else min(lines, allowed)
        if queue.answered_by == "recording":
            place, reason = recorded_pacing.decide(_sessions(session, queue, look, room))
            paced = Paced(Decision(place, 0, reason), None, None, Totals())
        else:
            view = _view(queue, look.floor, room)
            paced = pacers.decide(queue, view)
            seen = _seen(queue, view, paced)
    except UnknownModeError:
        return Wish(0, 0, "mode_unknown", seen)
    except NoCarrier:
        return Wish(0, 0, "carrier_missing", seen)
    decision = paced.decision
    reason = _binding(session, queue, lines, allowed) if decision.reason == "no_lines" else decision.reason
    return Wish(decision.place, decision.hang_up, reason, seen)


def do(session: Session, queue_id: int, wanted: Wish) -> Done:
    """Give up and plan in the caller's transaction. A queue that was paused a moment ago does nothing."""
    queue = queues.get(session, queue_id)
    if queue.state != "running":
        return Done()
    stop = queue_spending.stop(session, queue)
    if stop is not None:
        return Done(reason=stop)
    broken_off = len(giving_up.begin(session, queue_id, wanted.hang_up))
    # The wish counted on phones that may not be left after all: their own short ring was today.
    place = wanted.place - (wanted.hang_up - broken_off)
    if place <= 0:
        return Done([], broken_off, wanted.reason or "enough_ringing")
    planned = calls.plan(session, queue, queues.claim(session, queue_id, place))
    if not planned:
        return Done([], broken_off, queues.why_nobody(session, queue_id))
    enqueue_later(session, "callcenter.jobs.place_calls", [str(call_id) for call_id in planned], queue="urgent")
    return Done(planned, broken_off, carrier=queue.carrier)


def show(session: Session, queue_id: int) -> None:
    """In the mode `preview`: the next people before the operators who are free, in the caller's transaction."""
    queue = queues.get(session, queue_id)
    if queue.state == "running" and queue_spending.stop(session, queue) is None:
        previews.show_next(session, queue)


def _binding(session: Session, queue: CallQueue, lines: int, allowed: int | None) -> str:
    """Which of the limits on lines is the one that binds."""
    if allowed is not None and allowed < max(lines, 1):
        return "calls_per_second"
    return trunks.why_none(session) if queue.carrier == CARRIER else "no_lines"


def _view(queue: CallQueue, floor: Floor, lines_free: int) -> FloorView:
    seen = floor.of_queue(queue.id)
    return FloorView(
        now=floor.now.timestamp(), idle=seen.idle, wrapping=seen.wrapping, talking=seen.talking, ringing=seen.ringing,
        waiting=seen.waiting, lines_free=lines_free,
    )  # fmt: skip


def _seen(queue: CallQueue, view: FloorView, paced: Paced) -> Decided:
    totals = paced.totals
    return Decided(
        queue.id, queue.mode, paced.falls_back, view.idle, len(view.wrapping), len(view.talking), len(view.ringing),
        view.waiting, view.lines_free, totals.attempts, totals.answered, totals.abandoned, totals.given_up, paced.risk,
    )  # fmt: skip


def _sessions(session: Session, queue: CallQueue, look: Look, lines_free: int) -> Sessions:
    """The room that a recorded survey has now; its sessions are the switches', whatever its campaign allows."""
    capacity = look.sessions(session)
    return Sessions(
        limit=queue.sessions, held=look.floor.held(queue.id),
        free=None if capacity is None else capacity - look.floor.all_held, lines_free=lines_free,
    )  # fmt: skip
