"""How far one interviewer's figures lie from everybody else's, and how much interviewers matter at all. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, median

from surveys.weighting.intervals import Z95

FEWEST = 10  # interviews without which nothing is compared


@dataclass(frozen=True)
class Difference:
    """`share` (0–1) of one interviewer minus that of the others, with its interval. `stands_out`: the interval, wide
    enough for all comparisons together, leaves zero out."""

    share: float
    difference: float
    low: float
    high: float
    stands_out: bool


def z_of(comparisons: int, confidence: float = 0.95) -> float:
    """The normal quantile of an interval of which so many hold together (Bonferroni)."""
    return NormalDist().inv_cdf(1 - (1 - confidence) / (2 * max(1, comparisons)))


def differences(counts: Mapping[int, tuple[int, int]]) -> dict[int, Difference]:
    """Of {interviewer: (count, n)}: each against all others who do not stand out, so that one who does makes nobody
    else look strange. Who has fewer than FEWEST is left out, as is whom nobody can be compared with.

    Intervals: Newcombe 1998, Statistics in Medicine 17, 873–890, method 10."""
    z = z_of(sum(n >= FEWEST for _count, n in counts.values()))
    out: set[int] = set()
    while True:
        found = {who: one for who in counts if (one := _against_others(counts, who, out, z)) is not None}
        strange = {who: one for who, one in found.items() if one.stands_out and who not in out}
        if not strange:
            return found
        out.add(max(strange, key=lambda who: _distance(strange[who])))


def _against_others(counts: Mapping[int, tuple[int, int]], who: int, out: set[int], z: float) -> Difference | None:
    everybody = {other: pair for other, pair in counts.items() if other != who}
    usual = [pair for other, pair in everybody.items() if other not in out]
    others = usual if sum(n for _count, n in usual) >= FEWEST else list(everybody.values())
    count, n = counts[who]
    all_count, all_n = sum(count for count, _n in others), sum(n for _count, n in others)
    if n < FEWEST or all_n < FEWEST:
        return None
    low, high = newcombe((count, n), (all_count, all_n), z)
    return Difference(count / n, count / n - all_count / all_n, low, high, stands_out=low > 0 or high < 0)


def _distance(one: Difference) -> float:
    """From zero, in widths of the interval."""
    return abs(one.difference) / (one.high - one.low)


def newcombe(first: tuple[int, int], second: tuple[int, int], z: float = Z95) -> tuple[float, float]:
    """The interval of the difference of two independent shares, each as (count, n)."""
    (p, low1, high1), (q, low2, high2) = _score(*first, z), _score(*second, z)
    gap = p - q
    return gap - math.hypot(p - low1, high2 - q), gap + math.hypot(high1 - p, q - low2)


def _score(count: int, n: int, z: float) -> tuple[float, float, float]:
    share, square = count / n, z * z
    centre = (share + square / (2 * n)) / (1 + square / n)
    spread = z * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return share, max(0.0, centre - spread), min(1.0, centre + spread)


def middle(values: Sequence[float]) -> tuple[float, float, float] | None:
    """The median and its 95 % interval by ranks; None without values. Below six values the interval is all of them."""
    if not values:
        return None
    ranked, n = sorted(values), len(values)
    half = Z95 * math.sqrt(n) / 2
    low, high = max(0, math.floor(n / 2 - half)), min(n - 1, math.ceil(n / 2 + half))
    return median(ranked), ranked[low], ranked[high]


@dataclass(frozen=True)
class Spread:
    """`rho`: the share of an answer's variance that lies between interviewers; `deff`: by how much that widens a
    variance; `n` interviews of so many `interviewers`."""

    rho: float
    deff: float
    n: int
    interviewers: int


def spread(counts: Mapping[int, tuple[int, int]]) -> Spread | None:
    """Of {interviewer: (count, n)}, by the analysis of variance; None where it cannot be told.

    ρ below zero is chance and counts as none. Kish 1962, Journal of the American Statistical Association 57, 92–115."""
    groups = [(count, n) for count, n in counts.values() if n]
    total, k = sum(n for _count, n in groups), len(groups)
    if k < 2 or total <= k:
        return None
    share, squares = sum(count for count, _n in groups) / total, sum(n * n for _count, n in groups)
    between = sum(n * (count / n - share) ** 2 for count, n in groups) / (k - 1)
    within = sum(count * (n - count) / n for count, n in groups) / (total - k)
    size = (total - squares / total) / (k - 1)
    whole = between + (size - 1) * within
    rho = (between - within) / whole if whole > 0 else 0.0
    return Spread(rho, 1 + max(0.0, rho) * (squares / total - 1), total, k)
