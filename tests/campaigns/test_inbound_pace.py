"""Who rings us on the simulated floor: counted by pacing and in front after a while, against neither."""

from collections import deque
from dataclasses import dataclass, field, replace

import pytest

from callcenter.ledger.inbound_waits import FIRST_AFTER, PATIENCE
from campaigns.pace.twin_floor import Floor
from campaigns.pacing import Decision, FloorView, Pacer
from campaigns.twin import Plan

RINGS_EVERY, LOOKS_EVERY = 40.0, 1.0  # seconds
CAMPAIGN = Plan(10, 0.3, hours=2.0)
LIMIT = 0.03
SEEDS = (2, 3)


@dataclass
class Counting:
    """A pacer that sees who rang us as callcenter.ledger.call_floor shows them, or does not."""

    pacer: Pacer
    floor: "Reception | None" = None
    is_heeded: bool = True

    def observe(self, kind: str, seconds: float, now: float) -> None:
        self.pacer.observe(kind, seconds, now)

    def decide(self, view: FloorView) -> Decision:
        assert self.floor is not None
        return self.pacer.decide(replace(view, waiting=view.waiting + len(self.floor.rang) * self.is_heeded))


@dataclass
class Reception(Floor):
    """The twin, and people who ring us and ask for an operator: each looks once a second and has PATIENCE. `is_heeded`:
    after FIRST_AFTER they go before who picked up (callcenter.operators.offer)."""

    is_heeded: bool = True
    rang: deque[tuple[int, float]] = field(default_factory=deque)
    served_after: list[float] = field(default_factory=list)
    missed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._later(self._random.expovariate(1 / RINGS_EVERY), "inbound", 0)
        self._later(LOOKS_EVERY, "look", 0)

    def _on_inbound(self, _number: int) -> None:
        self._number += 1
        self.rang.append((-self._number, self.now))
        self._later(self._random.expovariate(1 / RINGS_EVERY), "inbound", 0)

    def _on_look(self, _number: int) -> None:
        while self.rang and self.now - self.rang[0][1] > PATIENCE.total_seconds():
            self.rang.popleft()
            self.missed += 1
        while self.rang and self.idle > 0 and (self._goes_first() or not self.waiting):
            number, since = self.rang.popleft()
            self.served_after.append(self.now - since)
            self._serve(number)
        self._give_to_who_picked_up()
        self._later(LOOKS_EVERY, "look", 0)

    def _on_answer(self, number: int) -> None:
        kept, self.idle = self.idle, self.idle - min(self.idle, self._firsts())
        kept -= self.idle
        super()._on_answer(number)
        self.idle += kept

    def _on_wrap(self, number: int) -> None:
        if not self._goes_first():
            super()._on_wrap(number)
            return
        self.policy.observe("wrap", self.now - self.wrapping.pop(number), self.now)
        self.idle += 1
        self._give_to_who_picked_up()

    def _give_to_who_picked_up(self) -> None:
        while self.waiting and self.idle > self._firsts():
            self._serve(self.waiting.popleft())

    def _goes_first(self) -> bool:
        return self._firsts() > 0

    def _firsts(self) -> int:
        return self.is_heeded * sum(self.now - since > FIRST_AFTER.total_seconds() for _, since in self.rang)


@dataclass(frozen=True)
class Seen:
    """What became of who picked up, and of who rang us: seconds until an operator, how many gave up."""

    abandoned_share: float
    mean_wait: float
    missed: int
    served: int


def days(mode: str, *, is_heeded: bool) -> Seen:
    """The same days with every seed, together."""
    floors, shares = [], []
    for seed in SEEDS:
        policy = Counting(Pacer(mode, LIMIT), is_heeded=is_heeded)
        policy.floor = Reception(CAMPAIGN, policy, seed, (), is_heeded=is_heeded)
        shares.append(policy.floor.run().abandoned_share)
        floors.append(policy.floor)
    waits = [wait for floor in floors for wait in floor.served_after]
    return Seen(sum(shares) / len(shares), sum(waits) / len(waits), sum(floor.missed for floor in floors), len(waits))


@pytest.mark.parametrize("mode", ["progressive", "predictive"])
def test_who_rings_us_waits_shorter_when_they_are_heeded_and_nobody_more_is_abandoned_for_them(mode: str) -> None:
    heeded, unheeded = days(mode, is_heeded=True), days(mode, is_heeded=False)
    assert heeded.served > 300
    assert heeded.missed <= 0.015 * heeded.served
    assert heeded.mean_wait < unheeded.mean_wait
    assert heeded.abandoned_share < unheeded.abandoned_share
