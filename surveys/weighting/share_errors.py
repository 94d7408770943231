"""Errors of weighted shares by Taylor's linearisation, of rows that are no plain answers any more: votes that count by
how likely a person is to vote, or that are split among candidates. (Plain answers: `weighting.linearised`, by cells.)

An estimate is linearised when its error is, but for smaller terms, that of Σ wᵢ eᵢ; the column e is its influence. For
the share p of a base B it is eᵢ = (yᵢ − p bᵢ) / B. Weights raked to margins know those margins: what they explain of e
(a regression that counts each person once, as svy and R's `survey` do) is no error, so it is taken out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surveys.weighting.intervals import Z95, wilson

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Estimate:
    """A share (0–1) that `n` of `base` people gave, with its standard error, design effect and 95 % interval.

    The interval is Wilson's on base / deff people, so that a share of nothing has one, too.
    """

    n: int
    base: int
    share: float
    se: float
    deff: float
    low: float
    high: float


@dataclass(frozen=True)
class Mass:
    """What each row of influences stands for: the sum of its people's weights, of their squares, and how many they are.
    A row may be one person or all those who answered alike."""

    weights: Floats
    squares: Floats
    people: Floats

    @classmethod
    def of(cls, weights: Floats) -> "Mass":
        """Every row is one person."""
        return cls(weights, np.square(weights), np.ones(len(weights)))

    def only(self, chosen: NDArray[Any]) -> "Mass":
        return Mass(self.weights[chosen], self.squares[chosen], self.people[chosen])

    def together(self, rows: Codes, number: int) -> "Mass":
        """Rows put together: `rows` says into which of `number` each goes."""
        weights, squares, people = (
            np.bincount(rows, each, number).astype(np.float64) for each in (self.weights, self.squares, self.people)
        )
        return Mass(weights, squares, people)


def covariance(influence: Floats, mass: Mass, margins: Sequence[Codes] = (), *, base: int | None = None) -> Floats:
    """The covariances (k × k) of estimates from their influences (rows × k).

    `margins`: the columns the weights were raked to, each as codes from 0. `base`: how many people the estimates rest
    on where that is not everybody; NaN for fewer than two."""
    everybody = float(mass.people.sum())
    people = everybody if base is None else base
    k = influence.shape[1]
    if people < 2:
        return np.full((k, k), np.nan)
    rest = influence - _explained(influence, mass.people, margins) if margins else influence
    total = mass.weights @ rest
    spread = rest.T @ (mass.squares[:, None] * rest) - np.outer(total, total) / everybody
    return np.asarray(spread * (people / (people - 1)))


def kish(mass: Mass, factor: Floats) -> float:
    """Kish's design effect of unequal weights, each times its factor: n Σw² / (Σw)²; 1 without cases."""
    total = float(mass.weights @ factor)
    if total <= 0:
        return 1.0
    counted = factor > 0
    return float(mass.people[counted].sum() * (mass.squares @ np.square(factor)) / total**2)


def estimate(n: int, base: int, share: float, variance: float, *, otherwise: float = 1.0) -> Estimate:
    """The share with its interval. `otherwise`: the design effect where the share itself has none (0 % and 100 %)."""
    if base <= 0:
        return Estimate(n, base, np.nan, np.nan, otherwise, np.nan, np.nan)
    # Rounding of sums must not make 100 % a share with an error of its own.
    share = min(max(share, 0.0), 1.0) if n not in (0, base) else round(share, 12)
    plain = share * (1 - share) / (base - 1) if base > 1 else 0.0
    deff = variance / plain if plain > 1e-15 and variance > 0 else otherwise
    low, high = wilson(share * base / deff, base / deff)
    return Estimate(n, base, share, float(np.sqrt(max(variance, 0.0))), deff, low, high)


def margin_of(variance: float) -> float:
    """Half the width of the 95 % interval of a difference with this variance."""
    return Z95 * float(np.sqrt(variance)) if variance >= 0 else float("nan")


def _explained(influence: Floats, people: Floats, margins: Sequence[Codes]) -> Floats:
    """What the margins' indicators explain of each influence by least squares; counted, never laid out."""
    levels = [int(codes.max()) + 1 for codes in margins]
    starts = np.concatenate([[0], np.cumsum(levels)])
    normal = np.zeros((starts[-1], starts[-1]))
    right = np.zeros((starts[-1], influence.shape[1]))
    for a, first in enumerate(margins):
        rows = slice(starts[a], starts[a + 1])
        for b in range(a, len(margins)):
            counted = np.bincount(first * levels[b] + margins[b], people, levels[a] * levels[b])
            columns = slice(starts[b], starts[b + 1])
            normal[rows, columns] = counted.reshape(levels[a], levels[b])
            normal[columns, rows] = normal[rows, columns].T
        for column in range(influence.shape[1]):
            right[rows, column] = np.bincount(first, people * influence[:, column], levels[a])
    slopes = np.linalg.pinv(normal, hermitian=True) @ right
    explained = np.zeros_like(influence)
    for a, codes in enumerate(margins):
        explained += slopes[starts[a] : starts[a + 1]][codes]
    return explained
