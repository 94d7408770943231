"""Drawing with a stored seed: the same seed and frame give the same cases on any machine, in any language. Pure.

Chance is SHA-256 in counter mode over "seed/label/counter" (https://csrc.nist.gov/pubs/fips/180-4/upd1/final), read as
a whole number of 256 bits; its remainder by the size of a frame is uneven by less than 2**-200. Samples are simple
random ones without replacement within each stratum.
"""

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, count

from surveys.sampling.numbering_reading import Range

PROPORTIONAL, EQUAL = "proportional", "equal"
ALLOCATIONS = (PROPORTIONAL, EQUAL)


def chances(seed: str, label: str) -> Iterator[int]:
    """Whole numbers below 2**256, without end."""
    for number in count():
        yield int.from_bytes(hashlib.sha256(f"{seed}/{label}/{number}".encode()).digest())


def rank(seed: str, unit: int) -> bytes:
    """By this the units of a list are put in their random order, the smallest first."""
    return hashlib.sha256(f"{seed}/{unit}".encode()).digest()


def allocate(sizes: Mapping[str, int], wanted: int, how: str = PROPORTIONAL) -> dict[str, int]:
    """How many cases each stratum gives, together `wanted` (all there are, when they are fewer).

    proportional: by its size, by largest remainders, and one at least where there is room for it; equal: the same
    number from each, as far as it has so many. Raises ValueError for another way."""
    if how not in ALLOCATIONS:
        raise ValueError(f"{how!r} is none of {', '.join(ALLOCATIONS)}")
    open_ones = {name: size for name, size in sizes.items() if size > 0}
    wanted = min(wanted, sum(open_ones.values()))
    given = dict.fromkeys(sizes, 0)
    while (left := wanted - sum(given.values())) > 0:
        room = {name: size - given[name] for name, size in open_ones.items() if size > given[name]}
        weights = {name: float(open_ones[name]) if how == PROPORTIONAL else 1.0 for name in room}
        for name, more in _shared_out(weights, room, left).items():
            given[name] += more
    missed = [name for name in sorted(open_ones) if not given[name]] if wanted >= len(open_ones) else []
    for name in missed:
        most = max(given, key=lambda one: (given[one], one))
        given[most], given[name] = given[most] - 1, 1
    return given


def _shared_out(weights: Mapping[str, float], room: Mapping[str, int], left: int) -> dict[str, int]:
    """`left` in the proportion of the weights, no more than there is room for; at least one is given."""
    total = sum(weights.values())
    exact = {name: left * weight / total for name, weight in weights.items()}
    given = {name: min(int(share), room[name]) for name, share in exact.items()}
    rest = left - sum(given.values())
    for name in sorted(exact, key=lambda name: (int(exact[name]) - exact[name], name)):
        if rest > 0 and given[name] < room[name]:
            given[name], rest = given[name] + 1, rest - 1
    return given


def pick(
    ranges: Sequence[Range], wanted: int, *, seed: str, label: str, refuse: Callable[[int], str | None]
) -> tuple[list[int], Counter[str]]:
    """`wanted` different numbers of the ranges in random order, and how many were passed over, by the reason that
    `refuse` gave; fewer when the ranges hold no more."""
    starts = [0, *accumulate(one.size for one in ranges)]
    total = starts.pop()
    moved: dict[int, int] = {}  # a shuffle of all numbers of which only what was touched is kept
    found: list[int] = []
    passed: Counter[str] = Counter()
    for place, chance in zip(range(total), chances(seed, label), strict=False):
        if len(found) >= wanted:
            break
        other = place + chance % (total - place)
        chosen = moved.get(other, other)
        moved[other] = moved.pop(place, place)
        at = bisect_right(starts, chosen) - 1
        number = ranges[at].first + chosen - starts[at]
        reason = refuse(number)
        if reason is None:
            found.append(number)
        else:
            passed[reason] += 1
    return found, passed


def replicate(place: int, replicates: int) -> int:
    """The replicate of a case by its place from 0, strata one after the other: each replicate is a small sample."""
    return place % replicates + 1


def base_weights(sizes: Mapping[str, int], drawn: Mapping[str, int]) -> dict[str, float]:
    """What a case of each stratum stands for: its share of the frame over its share of the draw; 1 on average over the
    cases. Strata of which nothing was drawn are left out of both."""
    known = [name for name in sizes if drawn.get(name)]
    frame, cases = sum(sizes[name] for name in known), sum(drawn[name] for name in known)
    return {name: (sizes[name] / frame) / (drawn[name] / cases) for name in known}


def digest(lines: Iterable[tuple[int, int, str, str]]) -> str:
    """The fingerprint of a draw: number, replicate, stratum and unit of every case, in order."""
    hashed = hashlib.sha256()
    for number, of, stratum, unit in lines:
        hashed.update(f"{number};{of};{stratum};{unit}\n".encode())
    return hashed.hexdigest()
