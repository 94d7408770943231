"""Weights that make interviews add up to known shares of the population: raking and post-stratification.

People with the same levels and the same base weight are one cell, and only cells are iterated over. With a cap the
weights are the closest to the base ones (least Kullback–Leibler distance) among those that keep every margin and stay
below it: each level of a margin is filled up to its share, and what the cap cuts off is carried by the others of the
level. Nothing is trimmed afterwards, so margins hold; where that cannot be, CannotWeigh says which level is the reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from surveys.weighting.level_codes import Column, Indexes, crossed
from surveys.weighting.weight_cells import Cells, group
from surveys.weighting.weight_faults import (
    CannotWeigh,
    fault_of_cap,
    fault_of_fit,
    level_indexes,
    require_sound,
    require_widths,
)

MOST_SWEEPS = 1_000
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Margin:
    """The population's shares (0–1, together 1) of the levels of a variable; `a*b` is two variables crossed, its levels
    then `code*code`. `includes`: level -> the codes that are weighted as this level (else the code called like it)."""

    variable: str
    shares: Mapping[str, float]
    includes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def codes(self) -> dict[str, int]:
        """Code -> place of its level among `shares`."""
        return {code: place for place, level in enumerate(self.shares) for code in self.includes.get(level, (level,))}


@dataclass(frozen=True)
class Targets:
    """Margins to be met together. `keep_missing`: people without an answer to a variable keep the share they have, and
    the rest of the margin is met by the others; else one such person is a reason to refuse."""

    margins: tuple[Margin, ...]
    keep_missing: bool = False


@dataclass(frozen=True)
class Fit:
    """One level before and after: `n` people, shares 0–1; `level` '' are those without an answer."""

    variable: str
    level: str
    n: int
    before: float
    target: float
    after: float


@dataclass(frozen=True)
class Weights:
    """`values`: one a person, mean 1. `deff`: Kish's 1 + cv² of them; `n_effective`: n / deff. `sweeps`: times that all
    margins were gone through; `capped`: people at the cap; `fits`: every level of every margin. `cells`: of the
    margins, so that variances know what the raking fixed (surveys.weighting.variances)."""

    values: Floats
    deff: float
    n_effective: float
    sweeps: int
    capped: int
    fits: tuple[Fit, ...] = ()
    cells: Cells | None = None

    @property
    def n(self) -> int:
        """People who have a weight: those outside of what is weighed have none (0)."""
        return int(np.count_nonzero(self.values))


__all__ = ["CannotWeigh", "Fit", "Margin", "Targets", "Weights", "given", "post_stratify", "rake", "unweighted"]


def rake(
    columns: Mapping[str, Column],
    targets: Targets,
    *,
    base: Floats | None = None,
    cap: float | None = None,
    tolerance: float = 1e-8,
) -> Weights:
    """Weights that meet every margin of `targets` to `tolerance` (shares), starting from `base`; none above `cap` times
    the mean. Raises CannotWeigh with a sentence for each variable that is the reason."""
    start, indexes, wanted = ready(columns, targets, base, cap)
    cells = group(indexes, start)
    units, sweeps = solve(cells, wanted, targets, cap, tolerance)
    values = units[cells.cell_of]
    values *= len(values) / values.sum()
    deff = kish(values)
    at_cap = 0 if cap is None else int(cells.sizes[units >= cap * (1 - 1e-9)].sum())
    fits = _fits(targets, indexes, wanted, start, values)
    calibrated = cells if start.min() == start.max() else group(indexes, np.ones(len(values)))
    return Weights(values, deff, len(values) / deff, sweeps, at_cap, fits, calibrated)


def post_stratify(
    columns: Mapping[str, Column], cells: Margin, *, base: Floats | None = None, cap: float | None = None
) -> Weights:
    """Weights that meet the shares of joint cells: one margin, mostly of crossed variables (`sex*age_band`)."""
    return rake(columns, Targets((cells,)), base=base, cap=cap)


def unweighted(people: int) -> Weights:
    """Everybody counts once."""
    return Weights(np.ones(people), 1.0, float(people), 0, 0)


def given(values: Floats) -> Weights:
    """Weights made elsewhere: scaled to mean 1 among those who have one (above 0)."""
    weighed = values[values > 0]
    scaled = values * (len(weighed) / weighed.sum()) if len(weighed) else values
    deff = kish(weighed) if len(weighed) else 1.0
    return Weights(scaled, deff, len(weighed) / deff, 0, 0)


def kish(values: Floats) -> float:
    """Kish's design effect of unequal weights: n Σw² / (Σw)², at least 1."""
    return float(len(values) * np.dot(values, values) / values.sum() ** 2)


def ready(
    columns: Mapping[str, Column], targets: Targets, base: Floats | None, cap: float | None
) -> tuple[Floats, list[Indexes], list[Floats]]:
    """Base weights of mean 1, the level of everybody on each margin, and the shares wanted. Raises CannotWeigh."""
    require_sound(targets.margins, columns, cap)
    held = [crossed(columns, margin.variable) for margin in targets.margins]
    found = [level_indexes(margin, column) for margin, column in zip(targets.margins, held, strict=True)]
    start = require_widths(found, base)
    faults: dict[str, str] = {}
    indexes, wanted = [], []
    for margin, people, column in zip(targets.margins, found, held, strict=True):
        given = np.array(list(margin.shares.values()), dtype=np.float64)
        places, shares = _with_missing(people, given / given.sum(), start, keep=targets.keep_missing)
        faults |= fault_of_fit(margin, places, shares, column)
        indexes.append(places)
        wanted.append(shares)
    if faults:
        raise CannotWeigh(faults)
    return start, indexes, wanted


def _with_missing(places: Indexes, shares: Floats, start: Floats, *, keep: bool) -> tuple[Indexes, Floats]:
    """People without an answer become a level of their own that keeps its share, where that is wanted."""
    missing = places == -1
    if not keep or not missing.any():
        return places, shares
    own = float(start[missing].sum() / start.sum())
    return np.where(missing, len(shares), places), np.append(shares * (1 - own), own)


def solve(
    cells: Cells, wanted: list[Floats], targets: Targets, cap: float | None, tolerance: float
) -> tuple[Floats, int]:
    """The weight of a person of each cell (their mean 1), and the sweeps it took. Raises CannotWeigh."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what cannot be met drives factors on and on
        return _swept(cells, wanted, targets, cap, tolerance)


def _swept(
    cells: Cells, wanted: list[Floats], targets: Targets, cap: float | None, tolerance: float
) -> tuple[Floats, int]:
    total = float(cells.sizes.sum())
    goals = [shares * total for shares in wanted]
    units = cells.units.copy()
    for sweep in range(1, MOST_SWEEPS + 1):
        for levels, goal, margin in zip(cells.levels, goals, targets.margins, strict=True):
            units = (
                _step(units, cells, levels, goal) if cap is None else _filled(units, cells, levels, goal, cap, margin)
            )
        weights = units if cap is None else np.minimum(units, cap)
        gaps = [np.abs(_sums(cells, levels, weights, len(goal)) - goal) / total
                for levels, goal in zip(cells.levels, goals, strict=True)]  # fmt: skip
        if max(float(gap.max()) for gap in gaps) <= tolerance:
            return weights, sweep
        if not np.isfinite(units).all():
            break
    worst = max(range(len(gaps)), key=lambda place: float(gaps[place].max()))
    raise fault_of_cap(targets.margins[worst], int(gaps[worst].argmax()), cap)


def _sums(cells: Cells, levels: Indexes, weights: Floats, size: int) -> Floats:
    return np.asarray(np.bincount(levels, weights=weights * cells.sizes, minlength=size), dtype=np.float64)


def _step(units: Floats, cells: Cells, levels: Indexes, goal: Floats) -> Floats:
    """Every level of a margin brought to its sum by one factor."""
    sums = _sums(cells, levels, units, len(goal))
    factors = np.divide(goal, sums, out=np.zeros_like(goal), where=sums > 0)
    return np.asarray(units * factors[levels])


def _filled(units: Floats, cells: Cells, levels: Indexes, goal: Floats, cap: float, margin: Margin) -> Floats:
    """Every level brought to its sum by one factor, where a weight above the cap counts as the cap."""
    filled = units.copy()
    for place in range(len(goal)):
        inside = np.flatnonzero(levels == place)
        if len(inside):
            factor = _fill(units[inside], cells.sizes[inside], float(goal[place]), cap)
            if factor is None:
                raise fault_of_cap(margin, place, cap, needed=float(goal[place] / cells.sizes[inside].sum()))
            filled[inside] *= factor
    return filled


def _fill(units: Floats, sizes: Floats, goal: float, cap: float) -> float | None:
    """The factor at which Σ size · min(factor · unit, cap) is the goal; None when the cap is too low for it."""
    room = cap * float(sizes.sum())
    if room < goal * (1 - 1e-12):
        return None
    order = np.argsort(-units)
    highest, weights = units[order], sizes[order]
    above = np.concatenate(([0.0], np.cumsum(weights)[:-1]))  # people at the cap when the first k cells are
    rest = np.cumsum((highest * weights)[::-1])[::-1]
    factors = (goal - cap * above) / rest
    fitting = np.flatnonzero(factors * highest <= cap * (1 + 1e-12))
    return float(factors[fitting[0]]) if len(fitting) else float(cap / highest[-1])


def _fits(
    targets: Targets, indexes: list[Indexes], wanted: list[Floats], start: Floats, values: Floats
) -> tuple[Fit, ...]:
    fits = []
    for margin, places, shares in zip(targets.margins, indexes, wanted, strict=True):
        n = np.bincount(places, minlength=len(shares))
        before = np.bincount(places, weights=start, minlength=len(shares)) / start.sum()
        after = np.bincount(places, weights=values, minlength=len(shares)) / values.sum()
        for place, level in enumerate([*margin.shares, ""][: len(shares)]):
            fits.append(
                Fit(
                    margin.variable,
                    level,
                    int(n[place]),
                    float(before[place]),
                    float(shares[place]),
                    float(after[place]),
                )
            )
    return tuple(fits)
