"""The share of an answer by area, drawn to the whole where few were asked (empirical Bayes). Pure.

An area's own share is as uncertain as its few interviews are; on a map chance alone would then make the darkest and the
lightest spots. So each area is moved towards the mean of all: by how much follows from its own error and from how much
areas differ beyond chance (DerSimonian and Laird's moment estimate). What is left of its own share, `own`, is shown.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surveys.weighting.intervals import Z95

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Sums:
    """By area: `n` people of the base, their weights, the squares of these, and the weights of who gave the answer."""

    n: Integers
    base: Floats
    squares: Floats
    hits: Floats


@dataclass(frozen=True)
class Shares:
    """By area (NaN: nobody was asked): its `raw` share, the `drawn` one with its 95 % interval, and how much of the raw
    one is in it (`own`, 0–1). `mean` of all areas; `spread`: standard deviation of areas beyond chance."""

    raw: Floats
    drawn: Floats
    low: Floats
    high: Floats
    own: Floats
    mean: float
    spread: float


def sums(
    areas: Integers, is_hit: NDArray[np.bool_], weights: Floats, among: NDArray[np.bool_], *, count: int
) -> Sums:  # fmt: skip
    """`areas`: each person's, 0…count-1; -1 and people who are not `among` are left out."""
    at = np.flatnonzero(among & (areas >= 0) & (weights > 0))
    where, each = areas[at], weights[at]
    return Sums(
        np.bincount(where, minlength=count).astype(np.int64),
        np.bincount(where, each, minlength=count).astype(np.float64),
        np.bincount(where, each**2, minlength=count).astype(np.float64),
        np.bincount(where, each * is_hit[at], minlength=count).astype(np.float64),
    )


def drawn_together(found: Sums) -> Shares:
    """The shares of all areas, each with what the others lend it."""
    asked = found.base > 0
    nothing = np.full(len(found.n), math.nan)
    if not asked.any():
        return Shares(nothing, nothing, nothing, nothing, nothing, math.nan, math.nan)
    raw = np.divide(found.hits, found.base, out=nothing.copy(), where=asked)
    overall = float(found.hits.sum() / found.base.sum())
    effective = found.base[asked] ** 2 / found.squares[asked]
    errors = np.maximum(overall * (1 - overall), 1e-9) / effective  # by the whole: a raw 0 % is no certainty
    variance = _between(raw[asked], errors)
    trust = 1 / (errors + variance)
    mean = float(np.sum(raw[asked] * trust) / np.sum(trust))
    own = variance / (variance + errors)
    at_mean = 1 / np.sum(trust)
    reach = Z95 * np.sqrt(own * errors + (1 - own) ** 2 * at_mean)
    drawn = own * raw[asked] + (1 - own) * mean
    values = [nothing.copy() for _each in range(4)]
    for value, one in zip(
        values, (drawn, np.maximum(drawn - reach, 0), np.minimum(drawn + reach, 1), own), strict=True
    ):
        value[asked] = one
    return Shares(raw, values[0], values[1], values[2], values[3], mean, math.sqrt(variance))


def _between(shares: Floats, errors: Floats) -> float:
    """The variance of areas beyond that of chance; 0 when chance explains all of it."""
    trust = 1 / errors
    mean = float(np.sum(shares * trust) / trust.sum())
    surplus = float(np.sum(trust * (shares - mean) ** 2)) - (len(shares) - 1)
    scale = float(trust.sum() - np.sum(trust**2) / trust.sum())
    return max(0.0, surplus / scale) if scale > 0 else 0.0
