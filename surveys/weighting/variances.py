"""Errors of weighted shares, means and tables: the one door to the library svy, and the fast way beside it.

Interviews drawn one by one (by telephone, by link) go the fast way (weighting.linearised), which gives svy's figures to
the last digits; a design with strata or clusters goes to svy itself. Nothing else imports svy, whose interface changes
often: its version is pinned, and tests/surveys/weighting/test_variances.py holds it to published figures.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from surveys.weighting import linearised
from surveys.weighting.intervals import Z95, wilson
from surveys.weighting.level_codes import MISSING, Column, Indexes, counts, indexes, series
from surveys.weighting.raking import Weights, kish
from surveys.weighting.weight_cells import Cells, group

if TYPE_CHECKING:
    import polars as pl

Floats = NDArray[np.float64]
NONE_LEFT = 1e-9
FEW = 10  # people of a level under whom its own design effect says little


@dataclass(frozen=True)
class Share:
    """A weighted share (0–1) of `n` people, its standard error and its 95 % interval: Wilson's for the number of people
    that the design effect leaves, so that 0 % and 100 % keep one. `deff`: against as many people drawn simply."""

    n: int
    share: float
    se: float
    low: float
    high: float
    deff: float


@dataclass(frozen=True)
class Contrast:
    """A sum of shares, each times its factor (a lead: +1, -1), with its error and its 95 % margin."""

    value: float
    se: float
    margin: float


@dataclass(frozen=True)
class RaoScott:
    """Rao and Scott's test that rows and columns have nothing to do with each other. `p` NaN: there is no table."""

    f: float
    df1: float
    df2: float
    p: float


@dataclass(frozen=True)
class MeanTotal:
    """A weighted mean and total with their standard errors; `deff` of the mean."""

    n: int
    mean: float
    mean_se: float
    total: float
    total_se: float
    deff: float


def shares(
    codes: Column,
    levels: Sequence[str],
    weights: Weights | Floats | None,
    *,
    margins: Mapping[str, Column] | None = None,
    strata: Column | None = None,
    psu: Column | None = None,
) -> dict[str, Share]:
    """The share of each of `levels` among those who have a code, also of a level that nobody chose.

    `codes`: null is out of the base (take this for a group or a rebased share: who is out of it still bears on the
    error); a code that is none of `levels` is in it without a row. `weights` made by raking know their margins,
    and errors are then smaller for what the margins explain; of bare numbers `margins` may tell the raked columns.
    None: everybody counts once. A weight of 0 leaves a person out."""
    values, cells = _weights(weights, margins, len(codes))
    places = _places(codes, levels)
    if strata is None and psu is None:
        return _rows(levels, linearised.estimate(places, len(levels), values, cells), values, places)
    from_svy = svy_shares(codes, levels, values, cells=cells, strata=strata, psu=psu)
    return _rows(levels, from_svy, values, places)


def contrast(
    codes: Column, factors: Mapping[str, float], weights: Weights | Floats | None, *,
    margins: Mapping[str, Column] | None = None,
) -> Contrast:  # fmt: skip
    """Σ factor · share, as `shares` of the same codes: `{"a": 1, "b": -1}` is the lead of a, with its own error."""
    values, cells = _weights(weights, margins, len(codes))
    found = linearised.estimate(_places(codes, list(factors)), len(factors), values, cells)
    wanted = np.array(list(factors.values()), dtype=np.float64)
    error = math.sqrt(max(0.0, float(wanted @ found.covariance @ wanted)))
    return Contrast(float(wanted @ found.shares), error, Z95 * error)


def table_test(rows: Column, columns: Column, weights: Weights | Floats | None) -> RaoScott:
    """Have rows and columns to do with each other? Only people with both a row and a column are looked at."""
    row_levels, column_levels = list(counts(rows)), list(counts(columns))
    nothing = RaoScott(math.nan, math.nan, math.nan, math.nan)
    if len(row_levels) < 2 or len(column_levels) < 2:
        return nothing
    values, _cells = _weights(weights, None, len(rows))
    across, down = _places(columns, column_levels), _places(rows, row_levels)
    both, width = (down >= 0) & (across >= 0) & (values > 0), len(column_levels)
    cells = np.where(both, down * width + across, MISSING)
    occupied = np.bincount(cells[both], minlength=len(row_levels) * width).reshape(len(row_levels), width)
    kept_rows, kept_columns = np.flatnonzero(occupied.any(axis=1)), np.flatnonzero(occupied.any(axis=0))
    if len(kept_rows) < 2 or len(kept_columns) < 2:
        return nothing
    size = len(kept_rows) * len(kept_columns)
    numbers = np.full(occupied.size + 1, MISSING, dtype=np.int64)  # the last is who is not in the table
    numbers[:-1].reshape(occupied.shape)[np.ix_(kept_rows, kept_columns)] = np.arange(size).reshape(len(kept_rows), -1)
    found = linearised.estimate(numbers[cells], size, values)
    table = found.shares.reshape(len(kept_rows), len(kept_columns))
    f, df1, df2 = linearised.rao_scott(table, found.covariance, found.base)
    return RaoScott(f, df1, df2, f_tail(f, df1, df2))


def f_tail(f: float, df1: float, df2: float) -> float:
    """How often chance alone gives an F this large."""
    from scipy.special import fdtrc  # type: ignore[import-untyped]  # scipy brings no types

    return float(fdtrc(df1, df2, f))


def mean_total(
    values: Column,
    weights: Weights | Floats | None = None,
    *,
    strata: Column | None = None,
    psu: Column | None = None,
    population: Sequence[float] | Floats | None = None,
    margins: Mapping[str, Column] | None = None,
    against: Literal["wr", "wor"] = "wr",
) -> MeanTotal:
    """A mean and a total by svy. `population`: of each row's stratum (or of all clusters), for samples that take a good
    part of it. `against`: the simple sample that the design effect compares with, drawn with replacement or without
    (then weights add up to the population). NaN and null values are left out."""
    numbers = np.asarray(values, dtype=np.float64)
    made, cells = _weights(weights, margins, len(numbers))
    columns: dict[str, Any] = {"y": numbers}
    sample = _sample(columns, made, cells, strata=strata, psu=psu, population=population)
    mean = sample.estimation.mean("y", deff=against, where=_answered("y")).estimates[0]
    total = sample.estimation.total("y", where=_answered("y")).estimates[0]
    n = int(np.count_nonzero(~np.isnan(numbers) & (made > 0)))
    return MeanTotal(n, float(mean.est), float(mean.se), float(total.est), float(total.se), float(mean.deff))


def svy_shares(
    codes: Column, levels: Sequence[str], weights: Floats, *, cells: Cells | None = None,
    strata: Column | None = None, psu: Column | None = None,
) -> linearised.Estimates:  # fmt: skip
    """Shares by svy itself: one 0/1 column a level, so that levels nobody chose have theirs."""
    places = _places(codes, levels)
    in_base = places != MISSING
    columns: dict[str, Any] = {f"y{place}": (places == place).astype(np.float64) for place in range(len(levels))}
    sample = _sample({**columns, "answered": in_base}, weights, cells, strata=strata, psu=psu)
    where = _answered("answered", is_flag=True)
    found = [sample.estimation.mean(name, where=where).estimates[0] for name in columns]
    n = np.array([int(((places == place) & (weights > 0)).sum()) for place in range(len(levels))], dtype=np.int64)
    errors = np.array([float(each.se) for each in found])
    shares_found = np.array([float(each.est) for each in found])
    return linearised.Estimates(n, shares_found, np.diag(errors**2), int((in_base & (weights > 0)).sum()))


def _answered(name: str, *, is_flag: bool = False) -> Any:
    from svy import col

    return col(name) == True if is_flag else col(name).is_not_null()  # noqa: E712 - svy builds an expression


def _sample(
    columns: dict[str, Any], weights: Floats, cells: Cells | None, *, strata: Column | None, psu: Column | None,
    population: Any = None,
) -> Any:  # fmt: skip
    """The interviews as svy wants them; whose weight is 0 is left out."""
    import polars as pl
    from svy import Design, Sample

    parts: dict[str, Any] = {}
    for name, column in (("stratum", strata), ("psu", psu)):
        if column is not None:
            columns[name], parts[name] = series(column), name
    if population is not None:
        columns["population"], parts["pop_size"] = np.asarray(population, dtype=np.float64), "population"
    frame = pl.DataFrame({**columns, "w": weights}).with_columns(pl.selectors.float().fill_nan(None))
    adjusted = None
    if cells is not None:
        frame, adjusted = _adjusted(frame, cells)
    design = Design(wgt="w", wgt_adjustment=adjusted, singleton="center" if strata is not None else None, **parts)
    return Sample(frame.filter(pl.col("w") > 0), design=design)


def _adjusted(frame: "pl.DataFrame", cells: Cells) -> tuple["pl.DataFrame", Any]:
    """The columns that tell svy which margins the weights were raked to."""
    import polars as pl
    from svy import WgtAdjustment

    names = [f"margin{place}" for place in range(len(cells.levels))]
    inside = cells.cell_of >= 0
    margins = [
        pl.Series(name, np.where(inside, levels[cells.cell_of], MISSING).astype(np.int32))
        for name, levels in zip(names, cells.levels, strict=True)
    ]
    frame = frame.with_columns(pl.lit(1.0).alias("before"), *margins)
    return frame, WgtAdjustment(kind="raking", prev_wgt="before", new_wgt="w", cells=tuple(names), pins_total=False)


def _weights(
    weights: Weights | Floats | None, margins: Mapping[str, Column] | None, people: int
) -> tuple[Floats, Cells | None]:
    if weights is None:
        return np.ones(people), None
    if isinstance(weights, Weights):
        return weights.values, weights.cells
    values = np.asarray(weights, dtype=np.float64)
    if not margins:
        return values, None
    levels = [_places(column, list(counts(column))) for column in margins.values()]
    return values, group([np.where(places < 0, places.max() + 1, places) for places in levels], np.ones(people))


def _places(codes: Column, levels: Sequence[str]) -> Indexes:
    return indexes(codes, {level: place for place, level in enumerate(levels)})


def _rows(levels: Sequence[str], found: linearised.Estimates, values: Floats, places: Indexes) -> dict[str, Share]:
    weighed = values[(places != MISSING) & (values > 0)]
    general = kish(weighed) if len(weighed) else math.nan
    rows = zip(levels, found.n, found.shares, found.errors(), strict=True)
    return {level: _row(int(n), float(share), float(se), found.base, general) for level, n, share, se in rows}


def _row(n: int, share: float, se: float, base: int, general: float) -> Share:
    if not base:
        return Share(0, math.nan, math.nan, math.nan, math.nan, math.nan)
    simple = share * (1 - share) / (base - 1) if base > 1 else 0.0
    own = se**2 / simple if simple > 0 else general
    if own < NONE_LEFT:
        return Share(n, share, 0.0, share, share, 0.0)  # the weights were made to meet exactly this share
    deff = max(own, general) if min(n, base - n) < FEW else own  # of so few people the own one says little
    effective = base / deff
    low, high = wilson(share * effective, effective)
    return Share(n, share, se, low if n else 0.0, high if n < base else 1.0, deff)
