"""Variances of weighted shares by Taylor's linearisation, of interviews drawn one by one (no strata, no clusters).

The sums by (cell of the raking, answer) say everything, so a million interviews cost three counts. After raking, what
the margins explain is taken out of each score first (the residuals of an unweighted regression on the margins' levels,
as R's `survey` and svy do it); variances are those of svy to the last digits (tests hold them together), in a hundredth
of its time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surveys.weighting.level_codes import Indexes
from surveys.weighting.weight_cells import Cells

Floats = NDArray[np.float64]
NO_ERROR = 1e-9  # a generalised design effect is about 1


@dataclass(frozen=True)
class Estimates:
    """Of the J levels asked for: `n` people, `shares`, their J×J `covariance`; `base`: people in the base."""

    n: Indexes
    shares: Floats
    covariance: Floats
    base: int

    def errors(self) -> Floats:
        """Standard errors."""
        return np.sqrt(np.maximum(np.diag(self.covariance), 0.0))


def estimate(codes: Indexes, levels: int, weights: Floats, cells: Cells | None = None) -> Estimates:
    """Shares of the answers 0…levels-1 among those in the base. `codes`: -1 is out of the base (but was interviewed: it
    bears on the variance), any other negative one is in it without a row. Weights of 0 are left out altogether.
    `cells`: of the raking that made the weights, if any; its `cell_of` is -1 where it weighed nobody."""
    weighed = weights > 0
    if not weighed.all():
        codes, weights = codes[weighed], weights[weighed]
        cells = cells.among(weighed) if cells else None
    places = np.where(codes >= 0, codes, np.where(codes == -1, levels + 1, levels))
    width, height = levels + 2, 1 if cells is None else len(cells.sizes)
    numbers = places if cells is None else cells.cell_of * width + places
    counted, sums, squares = (
        np.bincount(numbers, weights=each, minlength=height * width).reshape(height, width).astype(np.float64)
        for each in (None, weights, weights * weights)
    )
    n = counted.sum(axis=0)
    in_base = float(sums[:, : levels + 1].sum())
    if in_base <= 0:
        empty = np.full(levels, np.nan)
        return Estimates(np.zeros(levels, dtype=np.int64), empty, np.full((levels, levels), np.nan), 0)
    shares = sums[:, :levels].sum(axis=0) / in_base
    scores = (np.eye(width, levels) - shares) / in_base  # of each answer, on each level
    scores[levels + 1] = 0.0
    fitted = np.zeros((height, levels)) if cells is None else _explained(cells, counted, scores)
    covariance = _covariance(scores, fitted, sums, squares, len(codes))
    return Estimates(n[:levels].astype(np.int64), shares, covariance, int(n[: levels + 1].sum()))


def _covariance(scores: Floats, fitted: Floats, sums: Floats, squares: Floats, n: int) -> Floats:
    """Σ (w e)(w e)' about its mean, × n / (n - 1); e: the score less what the margins explain."""
    if n < 2:
        return np.full((scores.shape[1], scores.shape[1]), np.nan)
    crossing = scores.T @ (squares.T @ fitted)
    raw = (
        scores.T @ (squares.sum(axis=0)[:, None] * scores)
        - crossing
        - crossing.T
        + fitted.T @ (squares.sum(axis=1)[:, None] * fitted)
    )
    mean = scores.T @ sums.sum(axis=0) - fitted.T @ sums.sum(axis=1)
    return np.asarray(n / (n - 1) * (raw - np.outer(mean, mean) / n))


def _explained(cells: Cells, counted: Floats, scores: Floats) -> Floats:
    """What the levels of all margins together say of the scores, by cell: least squares, each person once."""
    people = counted.sum(axis=1)
    totals = counted @ scores
    columns = []
    for levels in cells.levels:
        dummies = np.zeros((len(levels), int(levels.max()) + 1))
        dummies[np.arange(len(levels)), levels] = 1.0
        columns.append(dummies)
    design = np.hstack(columns)
    slopes = np.linalg.pinv(design.T @ (people[:, None] * design), hermitian=True) @ (design.T @ totals)
    return np.asarray(design @ slopes)


def rao_scott(table: Floats, shares_covariance: Floats, n: int) -> tuple[float, float, float]:
    """Rao and Scott's second-order test of independence: F and its two degrees of freedom (R's svychisq, "F").

    `table`: weighted shares by row and column, together 1; `shares_covariance`: of its cells, row by row."""
    rows, columns = table.shape
    cells = table.ravel()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)).ravel()
    pearson = n * float(np.sum((cells - expected) ** 2 / expected))
    contrasts = _interaction(rows, columns)
    inverse = np.divide(1.0, cells, out=np.zeros_like(cells), where=cells > 0)
    scaled = contrasts * inverse[:, None]
    simple = contrasts.T @ scaled / n
    # Where cells are empty there is no inverse (R stops here): the directions in which nobody stands are left out.
    delta = np.linalg.lstsq(simple, scaled.T @ shares_covariance @ scaled, rcond=None)[0]
    trace = float(np.trace(delta))
    if trace < NO_ERROR:  # each row has a column of its own, and all are equal: chance has nothing to vary
        return float("nan"), float("nan"), float("nan")
    freedom = trace**2 / float(np.trace(delta @ delta))
    return pearson / trace, freedom, freedom * (n - 1)


def _interaction(rows: int, columns: int) -> Floats:
    """What row and column together say beyond each alone: (cells × degrees of freedom)."""
    row = np.kron(np.eye(rows)[:, 1:], np.ones((columns, 1)))
    column = np.kron(np.ones((rows, 1)), np.eye(columns)[:, 1:])
    main = np.hstack([np.ones((rows * columns, 1)), row, column])
    both = np.kron(np.eye(rows)[:, 1:], np.eye(columns)[:, 1:])
    return np.asarray(both - main @ np.linalg.lstsq(main, both, rcond=None)[0])
