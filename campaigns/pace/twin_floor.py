"""The simulated floor: operators, phones and talks as drawn, under any way to pace them. Pure but for the seed."""

import heapq
import random
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Protocol

from campaigns.pace.twin_days import HOUR, Change, Day, Plan
from campaigns.pacing import Decision, FloorView

PATIENCE = 2.0  # seconds; later is abandoned
RING_OUT = 25.0
FAILS, FAIL_FROM, FAIL_TO = 0.25, 1.0, 6.0
ANSWER_SHAPE, ANSWER_MEAN = 4, 12.0  # seconds, as the others here; a plan may have its own, and all in proportion
TICK = 1.0


class Policy(Protocol):
    """A way to pace: campaigns.pacing.Pacer, or another's (campaigns.pace.twin_policies)."""

    def observe(self, kind: str, seconds: float, now: float) -> None:
        """See Pacer.observe."""

    def decide(self, view: FloorView) -> Decision:
        """See Pacer.decide."""


@dataclass
class _Count:
    attempts: int = 0
    answered: int = 0
    conversations: int = 0
    abandoned: int = 0
    given_up: int = 0
    busy: float = 0.0
    staffed: float = 0.0


@dataclass
class Floor:
    """`run` plays the day once."""

    plan: Plan
    policy: Policy
    seed: int
    changes: tuple[Change, ...]
    now: float = 0.0
    operators: int = 0
    idle: int = 0
    ringing: dict[int, float] = field(default_factory=dict)
    talking: dict[int, float] = field(default_factory=dict)
    wrapping: dict[int, float] = field(default_factory=dict)
    waiting: deque[int] = field(default_factory=deque)
    count: _Count = field(default_factory=_Count)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311  # a simulation, not a secret
        self._events: list[tuple[float, int, str, int]] = []
        self._order = self._number = 0
        self._told: list[tuple[float, bool]] = []  # answers and abandonments of the whole day
        self.operators = self.idle = self.plan.operators
        self._talk = self.plan.talk

    def run(self) -> Day:
        self._push(0.0, "tick", 0)
        for number, change in enumerate(self.changes):
            self._push(change.at, "change", number)
        end, warm = self.plan.hours * HOUR, self.plan.warm_up_hours * HOUR
        while self._events:
            at, _, kind, number = heapq.heappop(self._events)
            if at > end:
                break
            if at > warm:
                seconds = at - max(self.now, warm)
                self.count.busy += (self.operators - self.idle) * seconds
                self.count.staffed += self.operators * seconds
            self.now = at
            getattr(self, f"_on_{kind}")(number)
            self._decide()
        return self._day(end - warm)

    def _decide(self) -> None:
        now = self.now
        decision = self.policy.decide(
            FloorView(
                now, self.idle, tuple(now - at for at in self.wrapping.values()),
                tuple(now - at for at in self.talking.values()), tuple(now - at for at in self.ringing.values()),
                len(self.waiting), self.plan.lines - len(self.ringing) - len(self.talking),
            )
        )  # fmt: skip
        for number in list(self.ringing)[: decision.hang_up]:
            self._note("given_up")
            self.policy.observe("given_up", now - self.ringing.pop(number), now)
        for _ in range(decision.place):
            self._dial()

    def _dial(self) -> None:
        if self.plan.people is not None and self._number >= self.plan.people:
            return
        self._number += 1
        self._note("attempts")
        self.ringing[self._number] = self.now
        kind, seconds = "fail", RING_OUT
        if self._random.random() < self.plan.answer_rate:
            kind, seconds = "answer", self._random.gammavariate(ANSWER_SHAPE, ANSWER_MEAN / ANSWER_SHAPE)
        elif self._random.random() < FAILS:
            seconds = self._random.uniform(FAIL_FROM, FAIL_TO)
        self._later(seconds * self.plan.answer_mean / ANSWER_MEAN, kind, self._number)

    def _on_answer(self, number: int) -> None:
        if number not in self.ringing:
            return
        self.policy.observe("answered", self.now - self.ringing.pop(number), self.now)
        self._note("answered")
        self._told.append((self.now, False))
        if self.idle > 0:
            self._serve(number)
        else:
            self.waiting.append(number)
            self._later(PATIENCE, "patience", number)

    def _on_fail(self, number: int) -> None:
        if number in self.ringing:
            self.policy.observe("not_answered", self.now - self.ringing.pop(number), self.now)

    def _on_patience(self, number: int) -> None:
        if number in self.waiting:
            self.waiting.remove(number)
            self._note("abandoned")
            self._told.append((self.now, True))
            self.policy.observe("abandoned", PATIENCE, self.now)

    def _serve(self, number: int) -> None:
        self.idle -= 1
        self._note("conversations")
        self.talking[number] = self.now
        second = self.plan.second_talk
        if second is not None and self._random.random() < second[0]:
            self._later(self._random.expovariate(1 / second[1]), "talk", number)
        else:
            self._later(self._random.lognormvariate(*self._talk), "talk", number)

    def _on_talk(self, number: int) -> None:
        self.policy.observe("talk", self.now - self.talking.pop(number), self.now)
        self.wrapping[number] = self.now
        self._later(self._random.expovariate(1 / self.plan.wrap_mean), "wrap", number)

    def _on_wrap(self, number: int) -> None:
        self.policy.observe("wrap", self.now - self.wrapping.pop(number), self.now)
        if self.operators > self.plan.operators:
            self.operators -= 1
            return
        self.idle += 1
        if self.waiting:
            self._serve(self.waiting.popleft())

    def _on_change(self, number: int) -> None:
        self.plan = replace(self.changes[number].plan, hours=self.plan.hours, warm_up_hours=self.plan.warm_up_hours)
        self._talk = self.plan.talk
        gone = min(self.idle, max(0, self.operators - self.plan.operators))
        self.operators, self.idle = self.operators - gone, self.idle - gone
        come = max(0, self.plan.operators - self.operators)
        self.operators, self.idle = self.operators + come, self.idle + come

    def _on_tick(self, _number: int) -> None:
        self._later(TICK, "tick", 0)

    def _later(self, seconds: float, kind: str, number: int) -> None:
        self._push(self.now + seconds, kind, number)

    def _push(self, at: float, kind: str, number: int) -> None:
        self._order += 1
        heapq.heappush(self._events, (at, self._order, kind, number))

    def _note(self, what: str) -> None:
        if self.now > self.plan.warm_up_hours * HOUR:
            setattr(self.count, what, getattr(self.count, what) + 1)

    def _day(self, seconds: float) -> Day:
        count = self.count
        return Day(
            count.busy / max(count.staffed, 1e-9), count.attempts, count.answered, count.conversations, count.abandoned,
            count.given_up, tuple(self._told), seconds,
        )  # fmt: skip
