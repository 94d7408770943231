"""What pacing learns of a campaign: how telephones are answered, how long talks and write-ups last. Pure.

Everything is a hazard by age (of a ring, a talk, a write-up): the chance to end within the next step, given that it
lasts still. Hazards are counted with exponential forgetting, upon a prior that soon weighs nothing; so they follow the
hour and the list, whatever the shape of what they count (two kinds of talks, voicemail after eleven seconds, …).

What is learnt depends on the observations alone, never on when decisions were taken between them: a pacer that is built
from the ledger decides as the one that lived through it.
"""

import math
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Vector = NDArray[np.float64]
HORIZONS = (5, 9, 13, 20)  # seconds ahead: about the quartiles of the wait for an answer
GRACE = 2.0  # seconds that an answered citizen may wait before it counts as abandoned
RINGS, TALKS, WRAPS = 60, 240, 60  # bins
RING_STEP, TALK_STEP = 1.0, 2.5  # seconds a bin; write-ups have a talk's
SHAPE, LEVEL = 1 / 1500, 1 / 800  # what one attempt weighs in the shape of rings, and in how often they are answered
TALKED = 1 / 800
PRIOR_RINGS, PRIOR_LEVEL, PRIOR_TALKS = 30.0, 4.0, 30.0  # as many observations as the prior is worth
YOUNG = 0.05  # youth above which talks that have not ended are looked at
EAGER, EVERY = 100, 16  # tables follow each of the first observations, then every so many
HEAVY = 1e9  # weights grow instead of counts shrinking; beyond this both are scaled back


class Hazard:
    """Ends by age among those that reached it. `ends[k]` of kind k; each observation weighs `forget` more than the one
    before it."""

    def __init__(self, step: float, forget: float, reached: Vector, *ends: Vector) -> None:
        self.step, self.growth = step, 1 / (1 - forget)
        self.reached, self.ends = reached.copy(), [each.copy() for each in ends]
        self.fed, self._worth = 0, 1.0

    def feed(self, seconds: float, kind: int | None) -> bool:
        """One that lasted `seconds` and ended by `kind` (None: we ended it ourselves). Is it time to look anew?"""
        steps, last = max(seconds, 0.0) / self.step, len(self.reached) - 1
        self._worth *= self.growth
        if steps > last:  # the last bin has no end: its chance is for each step spent in it
            self.reached[last] += (math.ceil(steps) - last - 1) * self._worth
        last = min(int(steps), last)
        self.reached[: last + 1] += self._worth
        if kind is not None:
            self.ends[kind][last] += self._worth
        if self._worth > HEAVY:
            self.reached /= self._worth
            self.ends = [each / self._worth for each in self.ends]
            self._worth = 1.0
        self.fed += 1
        return self.fed <= EAGER or self.fed % EVERY == 0

    @property
    def youth(self) -> float:
        """What its first observation still weighs, of what the next one will: 1.0 at first, later nothing."""
        return math.pow(self.growth, -self.fed)

    def among(self, unended: NDArray[np.intp]) -> Vector:
        """By age: those that reached it and have ended, as a share of those and of these that have not (their bins).

        Only what has ended is fed. At a beginning that is what was short, and everything would seem to end soon; later
        on as many long ones end that began before."""
        still = np.bincount(unended, minlength=len(self.reached))[::-1].cumsum()[::-1]
        known = np.maximum(self.reached, 1e-9 * self._worth)
        found: Vector = known / (known + self.youth * self._worth * still)
        return found

    def of(self, kind: int) -> Vector:
        """The chance to end by `kind` within the next step, by age."""
        return np.minimum(self.ends[kind] / np.maximum(self.reached, 1e-9 * self._worth), 1.0)


class Rings:
    """How telephones are answered: `chances[h][age]` is the chance that one which has rung `age` whole seconds is
    answered within HORIZONS[h] seconds."""

    def __init__(self, prior: tuple[Vector, Vector, Vector] | None = None, worth: float = PRIOR_RINGS) -> None:
        """`prior`: as of ring_hazards; `worth`: as many observations as it counts for."""
        reached, answers, ends = prior or _prior_rings()
        self._hazard = Hazard(RING_STEP, SHAPE, worth * reached, worth * answers, worth * ends)
        self._prior = PRIOR_LEVEL * worth / PRIOR_RINGS
        self._answered = self._expected = 0.0  # lately
        self._refresh()

    def feed(self, seconds: float, *, answered: bool, given_up: bool = False) -> bool:
        """An attempt that ended after ringing so long. Did the chances change?"""
        last = min(int(max(seconds, 0.0)), RINGS - 1)
        self._answered += (1.0 if answered else 0.0) - LEVEL * self._answered
        self._expected += self._answers_until[last] - LEVEL * self._expected
        if self._hazard.feed(seconds, 0 if answered else None if given_up else 1):
            self._refresh()
            return True
        return False

    @property
    def level(self) -> float:
        """Answers lately, as a multiple of what the longer memory expects."""
        return (self._answered + self._prior) / (self._expected + self._prior)

    @property
    def doubt(self) -> float:
        """The variance of `level` over its square."""
        return 1 / (self._answered + self._prior)

    def _refresh(self) -> None:
        shape = self._hazard.of(0)
        self._answers_until: list[float] = np.cumsum(shape).tolist()
        answer = np.minimum(shape * self.level, 0.9)
        stays = np.maximum(1 - answer - self._hazard.of(1), 1e-3)
        ends = ended_at(answer, stays, max(HORIZONS))
        self.chances: Vector = np.cumsum(ends, axis=1)[:, [horizon - 1 for horizon in HORIZONS]].T


class Talks:
    """When operators come free: `talking[h][bin]` and `wrapping[h][bin]` are the chances that one who has talked
    (written up) for `bin` steps of TALK_STEP seconds is free within HORIZONS[h] + `grace` seconds."""

    def __init__(
        self, talks: tuple[Vector, Vector] | None = None, wraps: tuple[Vector, Vector] | None = None,
        worth: float = PRIOR_TALKS, grace: float = GRACE,
    ) -> None:  # fmt: skip
        """`talks`, `wraps`: as of talk_hazards and wrap_hazards; `worth`: as many observations as they count for."""
        self._ahead = [round((horizon + grace) / TALK_STEP) for horizon in HORIZONS]  # in steps
        self._talk = Hazard(TALK_STEP, TALKED, *(worth * each for each in talks or _prior_talks()))
        self._wrap = Hazard(TALK_STEP, TALKED, *(worth * each for each in wraps or _prior_wraps()))
        self._refresh()

    def feed(self, kind: str, seconds: float) -> bool:
        """`kind`: talk | wrap. Did the chances change?"""
        if (self._talk if kind == "talk" else self._wrap).feed(seconds, 0):
            self._refresh()
            return True
        return False

    @property
    def is_young(self) -> bool:
        """Do talks that have not ended yet tell anything that those that have do not?"""
        return self._talk.youth > YOUNG

    def among(self, unended: NDArray[np.intp]) -> Vector:
        """As Hazard.among, of talks."""
        return self._talk.among(unended)

    def _refresh(self) -> None:
        steps = max(self._ahead)
        wrapped = self._wrap.of(0)
        written = np.cumsum(ended_at(wrapped, 1 - wrapped, steps), axis=1)
        self.wrapping: Vector = written[:, [ahead - 1 for ahead in self._ahead]].T
        # A talk that ends within a step leaves its write-up the rest of the time, less half a step.
        whole = np.concatenate(([0.0], written[0]))
        left = (whole[:-1] + whole[1:]) / 2
        worth = np.array(
            [[left[ahead - 1 - step] if step < ahead else 0.0 for ahead in self._ahead] for step in range(steps)]
        )
        ends = self._talk.of(0)
        self.talking: Vector = (ended_at(ends, 1 - ends, steps) @ worth).T


def ended_at(ends: Vector, stays: Vector, steps: int) -> Vector:
    """By age and number of steps ahead: the chance to end in just that step. After the last age nothing changes."""
    ends = np.concatenate((ends, np.full(steps, ends[-1])))
    stays = np.concatenate((stays, np.full(steps, stays[-1])))
    lasts = np.cumprod(sliding_window_view(stays, steps)[:-1], axis=1)
    found: Vector = sliding_window_view(ends, steps)[:-1].copy()
    found[:, 1:] *= lasts[:, :-1]
    return found


@lru_cache(maxsize=1)
def _prior_rings() -> tuple[Vector, Vector, Vector]:
    """A fifth is answered."""
    return ring_hazards(0.2)


@lru_cache(maxsize=1)
def _prior_talks() -> tuple[Vector, Vector]:
    """Two minutes in the mean, as wide as nine tenths of it."""
    return talk_hazards(120.0, 0.9)


@lru_cache(maxsize=1)
def _prior_wraps() -> tuple[Vector, Vector]:
    """Fifteen seconds in the mean."""
    return wrap_hazards(15.0)


def ring_hazards(answer_rate: float) -> tuple[Vector, Vector, Vector]:
    """(reached, answers, other ends) by age, as shares of all attempts: an answer after 12 s in the mean, a quarter of
    the rest fails at once, the others ring 25 s."""
    ages = np.arange(RINGS + 1)
    answered = answer_rate * np.array(
        [1 - sum(math.exp(-a / 3) * (a / 3) ** k / math.factorial(k) for k in range(4)) for a in ages]
    )
    failed = (1 - answer_rate) * (0.25 * np.clip((ages - 1) / 5, 0, 1) + 0.75 * (ages > 25))
    left = np.clip(1 - answered - failed, 0.0, 1.0)[:-1]
    return left, np.diff(answered), np.diff(failed)


def talk_hazards(mean: float, cv: float) -> tuple[Vector, Vector]:
    """(reached, ends) by age of log-normal talks. `mean` in seconds; `cv`: standard deviation over mean."""
    spread = math.sqrt(math.log(1 + cv**2))
    middle = math.log(mean) - spread**2 / 2
    ages = np.maximum(np.arange(TALKS + 1) * TALK_STEP, 1e-6)
    left = np.array([0.5 * math.erfc((math.log(age) - middle) / (spread * math.sqrt(2))) for age in ages])
    return left[:-1], -np.diff(left)


def wrap_hazards(mean: float) -> tuple[Vector, Vector]:
    """(reached, ends) by age of exponential write-ups. `mean` in seconds."""
    left = np.exp(-np.arange(WRAPS + 1) * TALK_STEP / mean)
    return left[:-1], -np.diff(left)
