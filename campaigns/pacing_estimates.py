"""What pacing learns of a campaign: how telephones are answered, how long talks and write-ups last. Pure.

Everything is a hazard by age (of a ring, a talk, a write-up): the chance to end within the next step, given that it
lasts still. Hazards are counted with exponential forgetting, upon a prior that soon weighs nothing; so they follow the
hour and the list, whatever the shape of what they count (two kinds of talks, voicemail after eleven seconds, …).
"""

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
HORIZONS = (5, 9, 13, 20)  # seconds ahead: about the quartiles of the wait for an answer
GRACE = 2.0  # seconds that an answered citizen may wait before it counts as abandoned
RINGS, TALKS, WRAPS = 60, 240, 60  # bins
TALK_STEP = 2.5  # seconds a bin of talks and write-ups; a ring's is one second
SHAPE, LEVEL = 1 / 1500, 1 / 150  # what one attempt weighs in the shape of rings, and in how often they are answered
TALKED = 1 / 800
PRIOR_RINGS, PRIOR_LEVEL, PRIOR_TALKS, PRIOR_WRAPS = 30.0, 6.0, 30.0, 20.0  # as many observations as the prior is worth


class Hazard:
    """Ends by age among those that reached it. `ends[k]` of kind k; counts forget `weight` a time they are fed."""

    def __init__(self, step: float, weight: float, reached: Vector, *ends: Vector) -> None:
        self.step, self.weight = step, weight
        self.reached, self.ends = reached.copy(), [each.copy() for each in ends]

    def feed(self, seconds: float, kind: int | None) -> None:
        """One that lasted `seconds` and ended by `kind`; None: we ended it ourselves."""
        last = min(int(max(seconds, 0.0) / self.step), len(self.reached) - 1)
        self.reached *= 1 - self.weight
        self.reached[: last + 1] += 1.0
        for ends in self.ends:
            np.multiply(ends, 1 - self.weight, out=ends)
        if kind is not None:
            self.ends[kind][last] += 1.0

    def of(self, kind: int) -> Vector:
        """The chance to end by `kind` within the next step, by age."""
        return np.minimum(self.ends[kind] / np.maximum(self.reached, 1e-9), 1.0)


class Rings:
    """How telephones are answered: `chances()[h][age]` is the chance that one which has rung `age` whole seconds is
    answered within HORIZONS[h] seconds."""

    def __init__(self) -> None:
        reached, answers, ends = _prior_rings()
        self._hazard = Hazard(1.0, SHAPE, reached, answers, ends)
        self._answered = self._expected = 0.0  # lately
        self._chances: Vector | None = None
        self._news = 0

    def feed(self, seconds: float, *, answered: bool, given_up: bool = False) -> None:
        """An attempt that ended after ringing so long."""
        shape = self._hazard.of(0)
        last = min(int(max(seconds, 0.0)), RINGS - 1)
        self._answered += (1.0 if answered else 0.0) - LEVEL * self._answered
        self._expected += float(shape[: last + 1].sum()) - LEVEL * self._expected
        self._hazard.feed(seconds, 0 if answered else None if given_up else 1)
        self._news += 1

    @property
    def level(self) -> float:
        """Answers lately, as a multiple of what the longer memory expects."""
        return (self._answered + PRIOR_LEVEL) / (self._expected + PRIOR_LEVEL)

    def chances(self) -> Vector:
        if self._chances is None or self._news >= 8:
            self._chances, self._news = self._compute(), 0
        return self._chances

    def _compute(self) -> Vector:
        answer = np.minimum(self._hazard.of(0) * self.level, 0.9)
        stays = np.maximum(1 - answer - self._hazard.of(1), 0.0)
        return _within(answer, stays, np.ones(max(HORIZONS)), HORIZONS)


class Talks:
    """When operators come free: `talking()[h][bin]` and `wrapping()[h][bin]` are the chances that one who has talked
    (written up) for `bin` steps of TALK_STEP seconds is free within HORIZONS[h] + GRACE seconds."""

    def __init__(self) -> None:
        self._talk = Hazard(TALK_STEP, TALKED, *_prior_talks())
        self._wrap = Hazard(TALK_STEP, TALKED, *_prior_wraps())
        self._tables: tuple[Vector, Vector] | None = None
        self._news = 0

    def feed(self, kind: str, seconds: float) -> None:
        """`kind`: talk | wrap."""
        (self._talk if kind == "talk" else self._wrap).feed(seconds, 0)
        self._news += 1

    def tables(self) -> tuple[Vector, Vector]:
        """(talking, wrapping)."""
        if self._tables is None or self._news >= 20:
            self._tables, self._news = self._compute(), 0
        return self._tables

    def _compute(self) -> tuple[Vector, Vector]:
        ahead = tuple(max(1, round((horizon + GRACE) / TALK_STEP)) for horizon in HORIZONS)
        ends, wrapped = self._talk.of(0), self._wrap.of(0)
        ones = np.ones(max(ahead))
        wrapping = _within(wrapped, 1 - wrapped, ones, ahead)
        every = _within(wrapped, 1 - wrapped, ones, tuple(range(1, max(ahead) + 1)))[:, 0]
        # After a talk that ends within a step, the write-up has what is left of the time, less half a step.
        left = np.concatenate(([0.0], every[:-1]))
        left = (left + np.concatenate(([0.0], left[:-1]))) / 2
        return _within(ends, 1 - ends, left, ahead), wrapping


def _within(ends: Vector, stays: Vector, worth: Vector, ahead: tuple[int, ...]) -> Vector:
    """For each number of steps in `ahead`, by age: the sum over its steps of the chance to end there, times `worth` of
    the steps that are left then (counted from the last one)."""
    found, reach = {}, np.zeros_like(ends)
    for steps in range(1, max(ahead) + 1):
        after = np.concatenate((reach[1:], reach[-1:]))
        reach = ends * worth[steps - 1] + stays * after
        found[steps] = reach
    return np.stack([found[steps] for steps in ahead])


@lru_cache(maxsize=1)
def _prior_rings() -> tuple[Vector, Vector, Vector]:
    """A fifth is answered, after 12 s in the mean; a quarter of the rest fails at once, the others ring 25 s."""
    ages = np.arange(RINGS + 1)
    answered = 0.2 * np.array(
        [1 - sum(math.exp(-a / 3) * (a / 3) ** k / math.factorial(k) for k in range(4)) for a in ages]
    )
    failed = 0.2 * np.clip((ages - 1) / 5, 0, 1) + 0.6 * (ages > 25)
    left = np.clip(1 - answered - failed, 0.0, 1.0)[:-1]
    return PRIOR_RINGS * left, PRIOR_RINGS * np.diff(answered), PRIOR_RINGS * np.diff(failed)


@lru_cache(maxsize=1)
def _prior_talks() -> tuple[Vector, Vector]:
    """Two minutes in the mean, log-normal, as wide as nine tenths of it."""
    spread = math.sqrt(math.log(1 + 0.9**2))
    middle = math.log(120) - spread**2 / 2
    ages = np.maximum(np.arange(TALKS + 1) * TALK_STEP, 1e-6)
    left = np.array([0.5 * math.erfc((math.log(age) - middle) / (spread * math.sqrt(2))) for age in ages])
    return PRIOR_TALKS * left[:-1], PRIOR_TALKS * -np.diff(left)


@lru_cache(maxsize=1)
def _prior_wraps() -> tuple[Vector, Vector]:
    """Fifteen seconds in the mean, exponential."""
    left = np.exp(-np.arange(WRAPS + 1) * TALK_STEP / 15)
    return PRIOR_WRAPS * left[:-1], PRIOR_WRAPS * -np.diff(left)
