"""The floor at one moment, as pacing asks for it: who is free for which queue, and what rings."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.call_ledger import Call
from callcenter.call_states import DIALLING
from callcenter.operators import Operator, is_free, operator_queues
from callcenter.queues import CallQueue


@dataclass(frozen=True)
class QueueFloor:
    """What one queue competes for. Tuples are seconds since each began; counts are of this moment."""

    idle: int
    wrapping: tuple[float, ...]
    talking: tuple[float, ...]
    ringing: tuple[float, ...]
    waiting: int


@dataclass
class Floor:
    """`queues_of`: the queues of each operator at work, None for every one. `rings` grows as a tick places calls.
    `recordings`: queues that recorded surveys answer; `recorded`: conversations that they hold now, by queue."""

    now: datetime
    free: list[int] = field(default_factory=list)
    states: dict[int, tuple[str, float]] = field(default_factory=dict)
    queues_of: dict[int, set[int] | None] = field(default_factory=dict)
    rings: list[tuple[int, float, str]] = field(default_factory=list)
    recordings: set[int] = field(default_factory=set)
    recorded: Counter[int] = field(default_factory=Counter)

    def of_queue(self, queue_id: int) -> QueueFloor:
        """The operators who serve this queue, and every ring that may end up with one of those who are free."""
        free = [o for o in self.free if self._serves(o, queue_id)]
        own = [self.queues_of[operator_id] for operator_id in free]
        served = {queue_id}.union(*(queues for queues in own if queues))
        rivals = [ring for ring in self.rings if (None in own or ring[0] in served) and ring[0] not in self.recordings]
        return QueueFloor(
            idle=len(free),
            wrapping=self._seconds(queue_id, "wrap_up"),
            talking=self._seconds(queue_id, "in_call"),
            ringing=tuple(seconds for _, seconds, state in rivals if state != "answered"),
            waiting=sum(state == "answered" for _, _, state in rivals),
        )

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

    def _serves(self, operator_id: int, queue_id: int) -> bool:
        own = self.queues_of[operator_id]
        return own is None or queue_id in own

    def _seconds(self, queue_id: int, state: str) -> tuple[float, ...]:
        of_state = [(o, seconds) for o, (now, seconds) in self.states.items() if now == state]
        return tuple(seconds for o, seconds in of_state if self._serves(o, queue_id))


def read(session: Session) -> Floor:
    """The whole floor in six short SELECTs, whatever the number of queues."""
    now = real_now()
    floor = Floor(now)
    at_work = select(Operator.id, Operator.state, Operator.state_since).where(
        Operator.state.in_(("in_call", "wrap_up", "available"))
    )
    for operator_id, state, since in session.execute(at_work):
        floor.states[operator_id] = (state, (now - since).total_seconds())
        floor.queues_of[operator_id] = None
    for operator_id, queue_id in session.execute(select(operator_queues.c.operator_id, operator_queues.c.queue_id)):
        if operator_id in floor.queues_of:
            floor.queues_of[operator_id] = (floor.queues_of[operator_id] or set()) | {queue_id}
    floor.free = list(session.scalars(select(Operator.id).where(is_free(now))))
    for operator_id in floor.free:
        floor.queues_of.setdefault(operator_id, None)
    dialling = select(Call.queue_id, Call.state, Call.ringing_at, Call.placed_at).where(Call.state.in_(DIALLING))
    for queue_id, state, ringing_at, placed_at in session.execute(dialling):
        began = ringing_at or placed_at or now
        floor.rings.append((queue_id, (now - began).total_seconds(), state))
    answered = select(CallQueue.id).where(CallQueue.answered_by == "recording", CallQueue.state != "finished")
    floor.recordings.update(session.scalars(answered))
    talking = select(Call.queue_id, func.count()).where(Call.state == "connected", Call.operator_id.is_(None))
    for queue_id, held in session.execute(talking.group_by(Call.queue_id)):
        floor.recorded[queue_id] = held
    return floor
