"""People with the same levels and the same base weight, as one cell."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surveys.weighting.level_codes import Indexes

MOST_COUNTED = 4_000_000  # possible cells up to which an array of all of them is cheaper than sorting the people


@dataclass(frozen=True)
class Cells:
    """`cell_of`: each person's cell. By cell: `sizes` (people), `units` (a person's base weight), and `levels`, one
    array a margin: the place of the level."""

    cell_of: Indexes
    sizes: NDArray[np.float64]
    units: NDArray[np.float64]
    levels: tuple[Indexes, ...]

    def among(self, wanted: NDArray[np.bool_]) -> "Cells":
        """The same cells, of these people alone. `sizes` stay those of everybody."""
        return Cells(self.cell_of[wanted], self.sizes, self.units, self.levels)


def joined(parts: Sequence[tuple[NDArray[np.bool_], Cells]], people: int) -> Cells | None:
    """Cells of groups that were each weighed by themselves, as one: a level of one group is none of another. `cell_of`
    is -1 for people in no group. None without parts."""
    if not parts:
        return None
    cell_of = np.full(people, -1, dtype=np.int64)
    cells_so_far, levels_so_far = 0, [0] * len(parts[0][1].levels)
    levels: list[list[Indexes]] = [[] for _start in levels_so_far]
    for members, cells in parts:
        cell_of[members] = cells.cell_of + cells_so_far
        cells_so_far += len(cells.sizes)
        for place, each in enumerate(cells.levels):
            levels[place].append(each + levels_so_far[place])
            levels_so_far[place] += int(each.max()) + 1
    return Cells(
        cell_of, np.concatenate([cells.sizes for _members, cells in parts]),
        np.concatenate([cells.units for _members, cells in parts]), tuple(map(np.concatenate, levels)),
    )  # fmt: skip


def group(indexes: list[Indexes], base: NDArray[np.float64]) -> Cells:
    """The cells that have people. `indexes`: everybody's level on each margin, all 0 or more."""
    if base.min() == base.max():
        numbers, widths = _numbered(indexes)
        cell_of, occupied = _compressed(numbers, int(np.prod(widths, dtype=np.float64)))
        units = np.full(len(occupied), base[0])
    else:
        kinds, which = np.unique(base, return_inverse=True)
        numbers, widths = _numbered([*indexes, which.astype(np.int64)])
        cell_of, occupied = _compressed(numbers, int(np.prod(widths, dtype=np.float64)))
        units = kinds[occupied % len(kinds)]
    first = np.empty(len(occupied), dtype=np.int64)
    first[cell_of] = np.arange(len(cell_of))  # any one person of the cell tells its levels
    sizes = np.bincount(cell_of, minlength=len(occupied)).astype(np.float64)
    return Cells(cell_of, sizes, units, tuple(places[first] for places in indexes))


def _numbered(indexes: list[Indexes]) -> tuple[Indexes, list[int]]:
    """One number for each combination of levels; too many combinations are numbered as they are met."""
    widths = [int(places.max()) + 1 for places in indexes]
    numbers = indexes[0].copy()
    reach = widths[0]
    for places, width in zip(indexes[1:], widths[1:], strict=True):
        if reach * width > 2**62:
            numbers = np.unique(numbers, return_inverse=True)[1].astype(np.int64)
            reach = int(numbers.max()) + 1
        numbers = numbers * width + places
        reach *= width
    return numbers, widths


def _compressed(numbers: Indexes, possible: int) -> tuple[Indexes, Indexes]:
    """Numbers without gaps, and what each of them was."""
    if possible > MOST_COUNTED:
        occupied, cell_of = np.unique(numbers, return_inverse=True)
        return cell_of.astype(np.int64), occupied
    occupied = np.flatnonzero(np.bincount(numbers, minlength=possible))
    places = np.zeros(possible, dtype=np.int64)
    places[occupied] = np.arange(len(occupied))
    return places[numbers], occupied
