"""Other ways to pace, for the twin to compare with: what their makers documented, written anew. Never used for calls.

VICIdial: docs/PREDICTIVE.txt and its adaptive levels; OMniDialer: docs/dialer_modes.md §4.1; `Ratio`: a fixed number of
phones for each free operator, tuned by hand; `ByHand`: operators start each call; `Oracle`: our own way with nothing to
learn and no rules on the way.
"""

import math
from collections import deque

from campaigns.pace.pacing_budget import GAIN, KEPT, Budget
from campaigns.pace.pacing_estimates import Rings, Talks, ring_hazards, talk_hazards, wrap_hazards
from campaigns.pace.pacing_tempo import Tempo
from campaigns.pace.twin_days import Plan
from campaigns.pacing import Decision, FloorView, Pacer

LOOK = 10.0  # seconds that an operator looks at a person before the call, when operators start calls themselves
CERTAIN = 1e6  # observations that a known figure counts for


class Ratio:
    """A constant number of phones for each free operator."""

    def __init__(self, ratio: float) -> None:
        self.ratio = ratio

    def observe(self, kind: str, seconds: float, now: float) -> None:
        """Nothing is learnt."""

    def decide(self, view: FloorView) -> Decision:
        return Decision(max(0, int(self.ratio * view.idle) - len(view.ringing) - view.waiting), 0, None)


class ByHand:
    """Each free operator looks at the next person for LOOK seconds, then starts one call and waits for it."""

    def __init__(self) -> None:
        self._looking: deque[float] = deque()  # when each will have looked

    def observe(self, kind: str, seconds: float, now: float) -> None:
        """Nothing is learnt."""

    def decide(self, view: FloorView) -> Decision:
        free = max(0, view.idle - len(view.ringing) - view.waiting)
        while len(self._looking) > free:
            self._looking.pop()
        while len(self._looking) < free:
            self._looking.append(view.now + LOOK)
        place = 0
        while self._looking and self._looking[0] <= view.now:
            self._looking.popleft()
            place += 1
        return Decision(place, 0, None)


class Oracle(Pacer):
    """A bound for comparison: it knows from the start how this plan's phones are answered and its talks last, and may
    abandon the limit in the long run, whatever happens within an hour."""

    def __init__(self, plan: Plan, limit: float) -> None:
        super().__init__("predictive", limit)
        self.budget = _LongRun(limit)
        self.tempo = Tempo(
            Rings(ring_hazards(plan.answer_rate), CERTAIN),
            Talks(talk_hazards(plan.talk_mean, plan.talk_cv), wrap_hazards(plan.wrap_mean), CERTAIN),
        )


class _LongRun(Budget):
    """The limit as a mean and nothing else; its odds are true."""

    @property
    def is_believed(self) -> bool:
        return True

    def risk(self, now: float, operators: int) -> float:  # noqa: ARG002 - as Budget.risk
        return min(self.limit * math.exp(self._integral + GAIN * self._surplus()), 0.5)

    def _surplus(self) -> float:
        return (self.limit * self.answered - self.abandoned) / KEPT


class HardLimit:
    """VICIdial's adaptive hard limit: every 15 s the level of lines an operator follows who was free; above the limit
    of the day it falls to one."""

    EVERY, HALF, CALLS = 15.0, 0.5, 50

    def __init__(self, limit: float, most: float = 3.0) -> None:
        self.limit, self.most, self.level = limit, most, 1.0
        self._answered = self._abandoned = 0
        self._seen: deque[tuple[float, float]] = deque()
        self._next = self.EVERY

    def observe(self, kind: str, seconds: float, now: float) -> None:  # noqa: ARG002 - one protocol for all
        """Count the day's answers and drops."""
        self._answered += kind == "answered"
        self._abandoned += kind == "abandoned"

    def decide(self, view: FloorView) -> Decision:
        self._seen.append((view.now, view.idle - view.waiting))
        while self._seen[0][0] < view.now - self.EVERY:
            self._seen.popleft()
        at_work = view.idle + len(view.talking)
        if view.now >= self._next:
            self._next = view.now + self.EVERY
            self._adapt(at_work)
        calls = len(view.ringing) + len(view.talking) + view.waiting
        return Decision(max(0, int(self.level * at_work) - calls), 0, None)

    def _adapt(self, at_work: int) -> None:
        free = sum(each for _, each in self._seen) / max(len(self._seen), 1)
        share = free / max(at_work, 1)
        self.level = min(max(self.level * (1 + share), 1.0), self.most)
        if self._answered > self.CALLS and self._abandoned / self._answered > self.limit:
            self.level = 1.0


class Formula:
    """OMniDialer's formula, each second: free operators and those expected, less what rings, over the hit rate; damped
    as drops near the limit, one to one above it until they have fallen again."""

    FLOOR, FORGET = 0.05, 0.1

    def __init__(self, limit: float, per_second: int = 3) -> None:
        self.limit, self.per_second = limit, per_second
        self.hit, self.drops, self.talk, self.ring = 0.3, 0.0, 120.0, 12.0
        self._above, self._latched, self._last = 0, False, -1.0

    def observe(self, kind: str, seconds: float, now: float) -> None:  # noqa: ARG002 - one protocol for all
        """Averages that forget a tenth at each observation."""
        if kind in ("answered", "not_answered"):
            self.hit += self.FORGET * ((kind == "answered") - self.hit)
        if kind == "answered":
            self.drops += self.FORGET * (0.0 - self.drops)
            self.ring += self.FORGET * (seconds - self.ring)
        elif kind == "abandoned":
            self.drops += self.FORGET * (1.0 - self.drops)
        elif kind == "talk":
            self.talk += self.FORGET * (seconds - self.talk)

    def decide(self, view: FloorView) -> Decision:
        one_each = max(0, view.idle - len(view.ringing) - view.waiting)
        if math.floor(view.now) == self._last:
            return Decision(0, 0, None)
        self._last = math.floor(view.now)
        self._above = self._above + 1 if self.drops > self.limit else 0
        self._latched = self._above >= 5 or (self._latched and self.drops > 0.8 * self.limit)
        if self._latched:
            return Decision(min(one_each, self.per_second), 0, None)
        soon = sum(1 - math.exp(-self.ring / max(1.0, self.talk - each)) for each in view.talking)
        hit = max(self.hit, self.FLOOR)
        damped = min(1.0, max(0.2, 1 - 0.8 * (self.drops - self.limit / 2) / (self.limit / 2))) if self.limit else 1.0
        wanted = math.floor((view.idle + soon - len(view.ringing) * hit) / hit * damped)
        return Decision(max(0, min(wanted, self.per_second)), 0, None)
