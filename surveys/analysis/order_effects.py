"""Does the place in which an answer was read change how often it is given? Pure (polars and numpy).

The order in which choices were shown is kept with each answer, and only chance made it. So those who heard a choice
first and those who heard it later are comparable, and the difference of its shares is the effect of the order.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from surveys.analysis.column_tests import effective_base
from surveys.analysis.response_items import Item
from surveys.weighting.intervals import Z95

if TYPE_CHECKING:
    import polars as pl

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Effect:
    """One choice: its share among those who were shown it first, and later (0–1), each with its number of people;
    `difference` with its 95 % interval. NaN where nobody was."""

    code: str
    first_n: int
    first: float
    later_n: int
    later: float
    difference: float
    low: float
    high: float

    @property
    def is_telling(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Pull:
    """Of `n` who named one of the choices that change places: how many named the first (or the last) one shown, the
    share that chance gives, and their difference with its 95 % interval."""

    n: int
    share: float
    expected: float
    difference: float
    low: float
    high: float

    @property
    def is_telling(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Meter:
    """`first`, `last`: the pull of the first and of the last place; None of a question with several answers."""

    effects: tuple[Effect, ...]
    first: Pull | None
    last: Pull | None


def moving(item: Item) -> list[str]:
    """The codes that change places: the candidates, or without any what has no role."""
    candidates = [choice.code for choice in item.choices if choice.role == "candidate"]
    return candidates or [choice.code for choice in item.choices if choice.role is None]


def measure(frame: "pl.DataFrame", item: Item, weights: Floats | None, among: NDArray[np.bool_] | None = None) -> Meter:
    """The effects in the answers to `item`, of everybody who answered it and of whom the order is kept."""
    import polars as pl

    values = np.ones(frame.height) if weights is None else weights
    wanted = pl.lit(value=True) if among is None else pl.Series("among", among)
    codes = moving(item)
    people = (
        frame.select(answer=item.column, shown=f"o_{item.name}")
        .with_columns(weight=pl.Series(values), at=pl.int_range(pl.len()))
        .filter(wanted & pl.col("answer").is_not_null() & pl.col("shown").is_not_null() & (pl.col("weight") > 0))
    )
    places = (
        people.explode("shown")
        .filter(pl.col("shown").is_in(codes))
        .with_columns(place=pl.int_range(pl.len()).over("at"), total=pl.len().over("at"))
        .filter(pl.col("total") > 1)
    )
    answer = pl.col("answer")
    is_named = answer.list.contains(pl.col("shown")) if item.is_multiple else answer.cast(pl.String) == pl.col("shown")
    places = places.with_columns(is_named=is_named, is_first=pl.col("place") == 0)
    effects = tuple(_effect(places, code) for code in codes)
    if item.is_multiple:
        return Meter(effects, None, None)
    return Meter(effects, _pull(places, pl.col("place") == 0), _pull(places, pl.col("place") == pl.col("total") - 1))


def _effect(places: "pl.DataFrame", code: str) -> Effect:
    import polars as pl

    own = places.filter(pl.col("shown") == code)
    first, later = (_share(own.filter(pl.col("is_first") == which)) for which in (True, False))
    difference = first[1] - later[1]
    error = math.sqrt(first[2] + later[2])
    return Effect(
        code, first[0], first[1], later[0], later[1], difference, difference - Z95 * error, difference + Z95 * error
    )


def _share(people: "pl.DataFrame") -> tuple[int, float, float]:
    """n, the weighted share that named it, and its variance."""
    weights, named = people["weight"].to_numpy(), people["is_named"].to_numpy()
    if not len(weights):
        return 0, math.nan, math.nan
    share = float(weights[named].sum() / weights.sum())
    effective = float(effective_base(np.array([weights.sum()]), np.array([np.sum(weights**2)]))[0])
    return len(weights), share, share * (1 - share) / effective


def _pull(places: "pl.DataFrame", is_there: "pl.Expr") -> Pull | None:
    """Of whom named a choice that changes places: was it the one in that place, more often than one in `total`?"""
    import polars as pl

    named = places.filter(pl.col("is_named")).select("weight", "total", is_there=is_there)
    if named.height < 2:
        return None
    weights, there = named["weight"].to_numpy(), named["is_there"].to_numpy().astype(np.float64)
    expected = 1 / named["total"].to_numpy()
    share, chance = float(np.average(there, weights=weights)), float(np.average(expected, weights=weights))
    difference = share - chance
    spread = np.sum((weights * (there - expected - difference)) ** 2) / weights.sum() ** 2
    reach = Z95 * math.sqrt(float(spread) * len(weights) / (len(weights) - 1))
    return Pull(len(weights), share, chance, difference, difference - reach, difference + reach)


def questions(items: Sequence[Item], columns: Sequence[str]) -> list[Item]:
    """The questions whose choices change places."""
    return [one for one in items if one.is_randomised and f"o_{one.name}" in columns and len(moving(one)) > 1]
