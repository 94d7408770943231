"""The floor at one moment, as pacing asks for it: who is free for which queue, and what rings."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy import and_, case, false, func, or_, select
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.ledger import inbound_waits
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.call_states import DIALLING
from callcenter.operators import Operator, is_free, operator_queues
from callcenter.queues import CallQueue

HELD = "held"  # a line that is held by a citizen who waits for nobody
PATIENCE = timedelta(seconds=3)
GOING = timedelta(seconds=5)  # an attempt given up is down by then; one that is not rings on


@dataclass(frozen=True)
class QueueFloor:
    """What one queue competes for. Tuples are seconds since each began, the longest first; counts are of this moment.
    Operators who go or pause after their call are in none of them."""

    idle: int
    wrapping: tuple[float, ...]
    talking: tuple[float, ...]
    ringing: tuple[float, ...]
    waiting: int


@dataclass
class Floor:
    """`queues_of`: the queues of each operator at work, None for every one; `leaving`: those who will not be free after
    their call. `rings` (queue, seconds, state) grows as a tick places calls and shrinks as it gives some up.
    `going`: phones that are being left, and hold their lines still.
    `recordings`: queues that recorded surveys answer; `recorded`: conversations that they hold now, by queue."""

    now: datetime
    free: list[int] = field(default_factory=list)
    states: dict[int, tuple[str, float]] = field(default_factory=dict)
    queues_of: dict[int, set[int] | None] = field(default_factory=dict)
    leaving: set[int] = field(default_factory=set)
    going: int = 0
    rings: list[tuple[int, float, str]] = field(default_factory=list)
    recordings: set[int] = field(default_factory=set)
    recorded: Counter[int] = field(default_factory=Counter)

    def of_queue(self, queue_id: int) -> QueueFloor:
        """The operators who serve this queue, and every ring that may end up with one of them."""
        serving = self._serving(queue_id)
        free = [o for o in serving if o in self._free]
        rivals = self._rivals(queue_id, serving, free)
        return QueueFloor(
            idle=len(free),
            wrapping=self._seconds(serving, "wrap_up"),
            talking=self._seconds(serving, "in_call"),
            ringing=tuple(sorted((s for _, s, state in rivals if state not in ("answered", HELD)), reverse=True)),
            waiting=sum(state == "answered" for _, _, state in rivals),
        )

    def _rivals(self, queue_id: int, serving: list[int], free: list[int]) -> list[tuple[int, float, str]]:
        """The queue's own rings, and those of others that may take the same operators: all of them where one is free
        now; where they meet only at somebody busy, those that the others' own free operators cannot take."""
        near = self._queues_with(queue_id, free)
        busy = [o for o in serving if o in self.states and self.states[o][0] != "available"]
        far = self._queues_with(queue_id, busy)
        rings = [ring for ring in self.rings if ring[0] not in self.recordings]
        own = [ring for ring in rings if near is None or ring[0] in near]
        if near is None or (far is not None and far <= near):
            return own
        others = [ring for ring in rings if ring[0] not in near and (far is None or ring[0] in far)]
        others.sort(key=lambda ring: (ring[2] == "answered", ring[1]))
        theirs = {ring[0] for ring in others}
        elsewhere = self._free.difference(free) if others else set()
        return own + others[sum(not theirs.isdisjoint(self.queues_of[o] or theirs) for o in elsewhere) :]

    @cached_property
    def _free(self) -> set[int]:
        return set(self.free)

    @cached_property
    def _of_queues(self) -> dict[int | None, list[int]]:
        """The operators of each queue; under None those of every one."""
        found: dict[int | None, list[int]] = {}
        for operator_id, own in self.queues_of.items():
            for queue_id in (None,) if own is None else own:
                found.setdefault(queue_id, []).append(operator_id)
        return found

    def _serving(self, queue_id: int) -> list[int]:
        return [*self._of_queues.get(queue_id, ()), *self._of_queues.get(None, ())]

    def _queues_with(self, queue_id: int, operators: list[int]) -> set[int] | None:
        """This queue and every other one that these operators serve; None for all."""
        served = {queue_id}
        for operator_id in operators:
            queues = self.queues_of[operator_id]
            if queues is None:
                return None
            served |= queues
        return served

    @property
    def lines_held(self) -> int:
        """Lines in use, for whatever."""
        return len(self.rings) + self.going + self.talking

    @property
    def talking(self) -> int:
        """Lines held by conversations."""
        return sum(state == "in_call" for state, _ in self.states.values()) + self.recorded.total()

    def held(self, queue_id: int) -> int:
        """Sessions of a recorded survey that talk, or will when the phone that rings is answered."""
        return self.recorded[queue_id] + sum(queue == queue_id for queue, _, _ in self.rings)

    @property
    def all_held(self) -> int:
        """The same of all recorded surveys."""
        return self.recorded.total() + sum(queue in self.recordings for queue, _, _ in self.rings)

    def placed(self, queue_id: int, number: int) -> None:
        """Count calls just planned for a queue, so that the next queue of the tick sees them."""
        self.rings += [(queue_id, 0.0, "planned")] * number

    def given_up(self, queue_id: int, number: int) -> None:
        """Forget the queue's oldest rings, which are being left."""
        oldest = sorted((ring for ring in self.rings if ring[0] == queue_id and ring[2] == "ringing"),
                        key=lambda ring: -ring[1])  # fmt: skip
        for ring in oldest[:number]:
            self.rings.remove(ring)
            self.going += 1

    def _seconds(self, serving: list[int], state: str) -> tuple[float, ...]:
        """How long those who will come free have been in this state, the longest first."""
        nobody = ("", 0.0)
        of_state = ((o, *self.states.get(o, nobody)) for o in serving if o not in self.leaving)
        return tuple(sorted((seconds for _, now, seconds in of_state if now == state), reverse=True))


def read(session: Session) -> Floor:
    """The whole floor in six short SELECTs, whatever the number of queues."""
    now = real_now()
    floor = Floor(now)
    leaves = or_(Operator.leave_after_call, Operator.pause_reason.is_not(None))
    at_work = select(Operator.id, Operator.state, Operator.state_since, leaves).where(
        Operator.state.in_(("in_call", "wrap_up", "available"))
    )
    for operator_id, state, since, is_leaving in session.execute(at_work):
        floor.states[operator_id] = (state, (now - since).total_seconds())
        floor.queues_of[operator_id] = None
        if is_leaving:
            floor.leaving.add(operator_id)
    for operator_id, queue_id in session.execute(select(operator_queues.c.operator_id, operator_queues.c.queue_id)):
        if operator_id in floor.queues_of:
            floor.queues_of[operator_id] = (floor.queues_of[operator_id] or set()) | {queue_id}
    floor.free = list(session.scalars(select(Operator.id).where(is_free(now))))
    for operator_id in floor.free:
        floor.queues_of.setdefault(operator_id, None)
    # Who is told that nobody came, or hears the menu, takes no operator; who rang us and asked for one takes the next.
    waits = and_(Call.state == "answered", Call.direction == "out", Call.answered_at > now - PATIENCE)
    waits = or_(waits, Call.id.in_(inbound_waits.calls(now)))
    is_ours = or_(Call.state == "answered", Call.operator_id.is_not(None))  # an operator waits for it (previews)
    as_seen = case((and_(waits, Call.operator_id.is_(None)), "answered"), (is_ours, HELD), else_=Call.state)
    goes = func.coalesce(Call.given_up_at > now - GOING, false())
    dialling = select(Call.queue_id, as_seen, Call.ringing_at, Call.placed_at, goes).where(Call.state.in_(DIALLING))
    for queue_id, is_now, ringing_at, placed_at, is_going in session.execute(dialling):
        began = ringing_at or placed_at or now
        if is_going and is_now == "ringing":
            floor.going += 1
        else:
            floor.rings.append((queue_id, (now - began).total_seconds(), is_now))
    answered = select(CallQueue.id).where(CallQueue.answered_by == "recording", CallQueue.state != "finished")
    floor.recordings.update(session.scalars(answered))
    talking = select(Call.queue_id, func.count()).where(Call.state == "connected", Call.operator_id.is_(None))
    for queue_id, held in session.execute(talking.group_by(Call.queue_id)):
        floor.recorded[queue_id] = held
    return floor
