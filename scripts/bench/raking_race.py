"""How fast interviews are raked over four margins, beside libraries that do the same in the same run."""

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scripts.bench import Figure
from surveys.weighting.raking import Margin, Targets, rake

# What was interviewed and what there is: 300 cells, a skewed sample.
SAMPLE = {
    "sex": {"H": 0.40, "M": 0.60},
    "age": {"a": 0.08, "b": 0.12, "c": 0.15, "d": 0.20, "e": 0.20, "f": 0.25},
    "education": {"a": 0.06, "b": 0.14, "c": 0.20, "d": 0.25, "e": 0.35},
    "region": {"a": 0.12, "b": 0.18, "c": 0.20, "d": 0.25, "e": 0.25},
}
POPULATION = {
    "sex": {"H": 0.48, "M": 0.52},
    "age": {"a": 0.20, "b": 0.20, "c": 0.20, "d": 0.15, "e": 0.15, "f": 0.10},
    "education": {"a": 0.15, "b": 0.25, "c": 0.25, "d": 0.20, "e": 0.15},
    "region": {"a": 0.20, "b": 0.20, "c": 0.20, "d": 0.20, "e": 0.20},
}
TARGETS = Targets(tuple(Margin(name, shares) for name, shares in POPULATION.items()))
TOLERANCE, TIMES, MOST_RATIO = 1e-8, 3, 2.0
Frame = dict[str, list[str]]


def measure_raking(rows: int, seed: int) -> list[Figure]:
    """rake_1m_s: best of three, from columns of codes to weights; rake_ratio: to the fastest of svy, weightipy and
    ipfn."""
    dice = np.random.default_rng(seed)
    columns = {name: dice.choice(list(shares), rows, p=list(shares.values())) for name, shares in SAMPLE.items()}
    series = {name: pl.Series(values) for name, values in columns.items()}
    ours, weights = _best(lambda: rake(series, TARGETS, tolerance=TOLERANCE).values)
    rivals: dict[str, float] = {}
    for name, prepare in (("svy", _svy), ("weightipy", _weightipy), ("ipfn", _ipfn)):
        with warnings.catch_warnings(action="ignore"):  # what a library leaves behind of pandas is its own matter
            seconds, theirs = _best(prepare(series), times=1 if rows > 300_000 else TIMES)
        rivals[name] = seconds
        if np.abs(theirs / theirs.mean() - weights).max() > 1e-3:
            raise AssertionError(f"{name} gives other weights")
    fastest = min(rivals, key=lambda name: rivals[name])
    ratio = ours / rivals[fastest]
    return [
        Figure("rake_1m_s", round(ours, 3), "s", None, fastest, round(ratio, 3)),
        Figure("rake_ratio", round(ratio, 3), f"of {fastest}", MOST_RATIO),
        *(Figure(f"rake_{name}_s", round(seconds, 3), "s") for name, seconds in rivals.items()),
    ]


def _best(work: Callable[[], NDArray[np.float64]], times: int = TIMES) -> tuple[float, NDArray[np.float64]]:
    seconds = []
    for _again in range(times):
        begun = time.perf_counter()
        made = work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds), made


def _svy(columns: dict[str, pl.Series]) -> Callable[[], NDArray[np.float64]]:
    from svy import Design, Sample

    frame = pl.DataFrame(columns).with_columns(pl.lit(1.0).alias("w"))
    shares: Any = POPULATION

    def work() -> NDArray[np.float64]:
        weighed: Any = Sample(frame, Design(wgt="w")).weighting.rake(shares=shares, tol=TOLERANCE, max_iter=1_000)
        return np.asarray(weighed.data["rk_wgt"].to_numpy())

    return work


def _weightipy(columns: dict[str, pl.Series]) -> Callable[[], NDArray[np.float64]]:
    import pandas as pd
    import weightipy

    frame = pd.DataFrame({name: column.to_list() for name, column in columns.items()})
    shares = {name: {level: 100 * share for level, share in levels.items()} for name, levels in POPULATION.items()}

    def work() -> NDArray[np.float64]:
        scheme = weightipy.scheme_from_dict(shares, rim_params={"convcrit": TOLERANCE})
        return np.asarray(weightipy.weight_dataframe(frame, scheme)["weights"], dtype=np.float64)

    return work


def _ipfn(columns: dict[str, pl.Series]) -> Callable[[], NDArray[np.float64]]:
    """By cells, which is its fast way; the people are counted into them and get their cell's weight."""
    import pandas as pd
    from ipfn import ipfn

    names = list(columns)
    frame = pd.DataFrame({name: column.to_list() for name, column in columns.items()})
    wanted: list[Any] = [pd.Series(POPULATION[name]).rename_axis(name) * len(frame) for name in names]

    def work() -> NDArray[np.float64]:
        cells = frame.groupby(names).size().astype(float).rename("total").reset_index()
        people = cells["total"].to_numpy(copy=True)
        raked = ipfn.ipfn(cells, wanted, [[name] for name in names], convergence_rate=TOLERANCE).iteration()
        raked["unit"] = raked["total"].to_numpy() / people
        return np.asarray(frame.merge(raked[[*names, "unit"]], on=names, how="left")["unit"], dtype=np.float64)

    return work
