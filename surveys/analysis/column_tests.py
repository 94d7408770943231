"""Which columns of a table differ: pairs of shares or means on effective bases, told by letters. Pure.

The test is SPSS's («compare column proportions»): a pooled z for each pair of columns of the same variable, times the
number of pairs (Bonferroni) unless it is turned off; a column in which nobody or everybody gave the answer is not
compared, nor is one of fewer than 30 people. The base of a column is its effective one, (Σw)² / Σw²: with every weight
1 the letters are those of SPSS.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LEVEL = 0.05


@dataclass(frozen=True)
class Pair:
    """The first column is above the second one; `p` is two-sided, and adjusted where the table says so."""

    above: int
    below: int
    p: float

    @property
    def is_telling(self) -> bool:
        return self.p < LEVEL


def compare_shares(shares: Floats, effective: Floats, is_tested: NDArray[np.bool_], *, adjust: bool) -> list[Pair]:
    """Of one answer's shares (0–1) by column: every pair that may be compared."""
    within = (shares > 0) & (shares < 1)
    columns = np.flatnonzero(is_tested & within & (effective > 1))
    pooled_of = shares * effective
    pairs = []
    for place, one in enumerate(columns):
        for other in columns[place + 1 :]:
            base_one, base_other = effective[one], effective[other]
            pooled = (pooled_of[one] + pooled_of[other]) / (base_one + base_other)
            error = math.sqrt(pooled * (1 - pooled) * (1 / base_one + 1 / base_other))
            pairs.append(_pair(int(one), int(other), float(shares[one] - shares[other]), error))
    return _adjusted(pairs, len(columns), adjust=adjust)


def compare_means(
    means: Floats, variances: Floats, effective: Floats, is_tested: NDArray[np.bool_], *, adjust: bool
) -> list[Pair]:
    """Of one number's means by column; `variances` are those of the people, not of the means."""
    columns = np.flatnonzero(is_tested & (effective > 1) & (variances > 0))
    pairs = []
    for place, one in enumerate(columns):
        for other in columns[place + 1 :]:
            error = math.sqrt(variances[one] / effective[one] + variances[other] / effective[other])
            pairs.append(_pair(int(one), int(other), float(means[one] - means[other]), error))
    return _adjusted(pairs, len(columns), adjust=adjust)


def letters(count: int) -> list[str]:
    """A, B … Z, AA, AB …"""
    names = []
    for number in range(1, count + 1):
        name, rest = "", number
        while rest:
            rest, place = divmod(rest - 1, 26)
            name = chr(ord("A") + place) + name
        names.append(name)
    return names


def effective_base(sums: Floats, squares: Floats) -> Floats:
    """(Σw)² / Σw² of each column; 0 without people."""
    return np.divide(sums**2, squares, out=np.zeros(len(sums)), where=squares > 0)


def _pair(one: int, other: int, difference: float, error: float) -> Pair:
    above, below = (one, other) if difference >= 0 else (other, one)
    p = math.erfc(abs(difference) / error / math.sqrt(2)) if error > 0 else 1.0
    return Pair(above, below, p)


def _adjusted(pairs: Sequence[Pair], columns: int, *, adjust: bool) -> list[Pair]:
    times = columns * (columns - 1) / 2 if adjust else 1
    return [Pair(pair.above, pair.below, min(1.0, pair.p * times)) for pair in pairs]
