"""Errors of weighted shares by Taylor's linearisation, of rows that are no plain answers any more: votes that count by
how likely a person is to vote, or that are split among candidates. (Plain answers: `surveys.linearised`, by cells.)

An estimate is linearised when its error is, but for smaller terms, that of Σ wᵢ eᵢ; the column e is its influence. For
the share p of a base B it is eᵢ = (yᵢ − p bᵢ) / B. Weights raked to margins know those margins: what they explain of e
(a regression that counts each person once, as svy and R's `survey` do) is no error, so it is taken out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surveys.intervals import Z95, wilson

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]


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


def covariance(influence: Floats, weights: Floats, margins: Sequence[Codes] = (), *, base: int | None = None) -> Floats:
    """The covariances (k × k) of estimates from their influences (n × k).

    `margins`: the columns the weights were raked to, each as codes from 0. `base`: how many people the estimates rest
    on where that is not everybody; NaN for fewer than two."""
    people = len(weights) if base is None else base
    k = influence.shape[1]
    if people < 2:
        return np.full((k, k), np.nan)
    rest = influence - _explained(influence, margins) if margins else influence
    scores = rest * weights[:, None]
    scores -= scores.mean(axis=0)
    return np.asarray(scores.T @ scores * (people / (people - 1)))


def kish(weights: Floats) -> float:
    """Kish's design effect of unequal weights, n Σw² / (Σw)²; 1 without cases."""
    total = float(weights.sum())
    return float(len(weights) * np.square(weights).sum() / total**2) if total > 0 else 1.0


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


def _explained(influence: Floats, margins: Sequence[Codes]) -> Floats:
    """What the margins' indicators explain of each influence by least squares; counted, never laid out."""
    levels = [int(codes.max()) + 1 for codes in margins]
    starts = np.concatenate([[0], np.cumsum(levels)])
    normal = np.zeros((starts[-1], starts[-1]))
    right = np.zeros((starts[-1], influence.shape[1]))
    for a, first in enumerate(margins):
        rows = slice(starts[a], starts[a + 1])
        for b in range(a, len(margins)):
            counted = np.bincount(first * levels[b] + margins[b], minlength=levels[a] * levels[b])
            columns = slice(starts[b], starts[b + 1])
            normal[rows, columns] = counted.reshape(levels[a], levels[b])
            normal[columns, rows] = normal[rows, columns].T
        for column in range(influence.shape[1]):
            right[rows, column] = np.bincount(first, influence[:, column], levels[a])
    slopes = np.linalg.pinv(normal, hermitian=True) @ right
    explained = np.zeros_like(influence)
    for a, codes in enumerate(margins):
        explained += slopes[starts[a] : starts[a + 1]][codes]
    return explained
