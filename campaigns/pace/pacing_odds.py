"""The chance that one more answer finds nobody free. Pure.

At a moment ahead, answers until then and operators who are still busy then are independent events with known chances
(pace.pacing_estimates). One more answer finds nobody when together they are as many as the operators; that number
is about normally distributed, corrected for its skewness: within some hundredths of the true chance for five operators,
nearer for more, and honest far out in the tail, where a campaign rests.
"""

import math

import numpy as np

from campaigns.pace.pacing_estimates import HORIZONS, RING_STEP, RINGS, TALK_STEP, TALKS, WRAPS, Rings, Talks, Vector

MOMENTS = len(HORIZONS)
COLUMNS = 4 * MOMENTS
RING_AGES, TALK_AGES, WRAP_AGES = RINGS * RING_STEP, TALKS * TALK_STEP, WRAPS * TALK_STEP
WRITTEN = RINGS + TALKS  # the first row of write-ups
STEADY, ROOT, SKEW = 1e-9, math.sqrt(2), 6 * math.sqrt(2 * math.pi)


class Crowd:
    """Who may be busy or answer, at each moment ahead: sums of the mean, variance and third moment of their number, and
    of the mean of the answers among them. `doubt`: the variance of how often telephones are answered, over its square.
    """

    __slots__ = ("_doubt", "_sums")

    def __init__(self, sums: list[float], doubt: float) -> None:
        self._sums, self._doubt = sums, doubt

    def join(self, row: list[float]) -> None:
        self._sums = [mine + more for mine, more in zip(self._sums, row, strict=True)]

    def leave(self, row: list[float]) -> None:
        self._sums = [mine - less for mine, less in zip(self._sums, row, strict=True)]

    def fills(self, seats: int) -> float:
        """The chance, in the mean over the moments ahead, that they are `seats` or more."""
        if seats <= 0:
            return 1.0
        sums, total = self._sums, 0.0
        for at in range(MOMENTS):
            doubted = self._doubt * sums[3 * MOMENTS + at] ** 2
            variance = max(sums[MOMENTS + at], 0.0) + doubted + STEADY
            spread = math.sqrt(variance)
            z = (seats - 0.5 - sums[at]) / spread
            skew = sums[2 * MOMENTS + at] / (variance * spread)
            chance = 0.5 * math.erfc(z / ROOT) - skew * (1 - z * z) * math.exp(-z * z / 2) / SKEW
            total += min(max(chance, 0.0), 1.0)
        return total / MOMENTS


class Odds:
    """The chances of every ring, talk and write-up by its age, as rows that only need adding up."""

    def __init__(self, rings: Rings, talks: Talks) -> None:
        self._table = np.zeros((RINGS + TALKS + WRAPS, COLUMNS))
        self.learn_rings(rings)
        self.learn_talks(talks)

    def learn_rings(self, rings: Rings) -> None:
        _write(self._table[:RINGS], rings.chances)
        self._table[:RINGS, 3 * MOMENTS :] = rings.chances.T
        self._rows: list[list[float]] = self._table[:RINGS].tolist()
        self._doubt = rings.doubt

    def learn_talks(self, talks: Talks) -> None:
        _write(self._table[RINGS:WRITTEN], 1 - talks.talking)
        _write(self._table[WRITTEN:], 1 - talks.wrapping)
        self._talks = talks

    def ring(self, seconds: float) -> list[float]:
        """The row of a telephone that has rung so long."""
        return self._rows[int(seconds) if seconds < RING_AGES else -1]

    def crowd(self, ringing: tuple[float, ...], talking: tuple[float, ...], wrapping: tuple[float, ...]) -> Crowd:
        """All of them. Seconds since each began."""
        scale = 1 / TALK_STEP
        rows = [int(age) if age < RING_AGES else RINGS - 1 for age in ringing]
        rows += [RINGS + int(age * scale) if age < TALK_AGES else WRITTEN - 1 for age in talking]
        rows += [WRITTEN + int(age * scale) if age < WRAP_AGES else -1 for age in wrapping]
        if not rows:
            return Crowd([0.0] * COLUMNS, self._doubt)
        found = self._table.take(rows, axis=0)
        if talking and self._talks.is_young:
            own = slice(len(ringing), len(ringing) + len(talking))
            bins = np.array(rows[own]) - RINGS
            _write(found[own], 1 - self._talks.talking[:, bins] * self._talks.among(bins)[bins])
        return Crowd(np.add.reduce(found, axis=0).tolist(), self._doubt)


def _write(rows: Vector, chances: Vector) -> None:
    """`chances`: by moment and age."""
    chance = chances.T
    varies = chance * (1 - chance)
    rows[:, :MOMENTS], rows[:, MOMENTS : 2 * MOMENTS] = chance, varies
    rows[:, 2 * MOMENTS : 3 * MOMENTS] = varies * (1 - 2 * chance)
