"""What more interviews would buy: of which people they bring the margin of error down most. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from surveys.weighting.intervals import margin
from surveys.weighting.level_codes import Column
from surveys.weighting.raking import CannotWeigh, Targets, ready, solve
from surveys.weighting.weight_cells import Cells, group

MORE = 100
TOLERANCE = 1e-6
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Prospect:
    """MORE further interviews of the people of one level. `n_effective` and `margin` (of a share of one half, 0-1) as
    they would be then, `gain` what the margin loses."""

    variable: str
    level: str
    n_effective: float
    margin: float
    gain: float


def of_levels(
    columns: Mapping[str, Column], targets: Targets, *, base: Floats | None = None, cap: float | None = None
) -> list[Prospect]:
    """Every level, the most rewarding first. The further people of a level are taken to be on the other margins as
    those interviewed are. Raises CannotWeigh where there are no weights now."""
    start, indexes, wanted = ready(columns, targets, base, cap)
    cells = group(indexes, start)
    now = margin(_effective(cells, wanted, targets, cap))
    found = []
    for levels, each in zip(cells.levels, targets.margins, strict=True):
        for place, level in enumerate(each.shares):
            inside = levels == place
            people = np.where(inside, cells.sizes, 0.0)
            grown = replace(cells, sizes=cells.sizes + people * (MORE / people.sum()))
            try:
                effective = _effective(grown, wanted, targets, cap)
            except CannotWeigh:  # more of these people would keep the others from their shares
                continue
            then = margin(effective)
            found.append(Prospect(each.variable, level, effective, then, now - then))
    return sorted(found, key=lambda prospect: prospect.margin)


def _effective(cells: Cells, wanted: list[Floats], targets: Targets, cap: float | None) -> float:
    units, _sweeps = solve(cells, wanted, targets, cap, TOLERANCE)
    return float(np.dot(cells.sizes, units) ** 2 / np.dot(cells.sizes, units**2))
