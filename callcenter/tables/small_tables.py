"""Tables of people in two ways (sections × what became of them) in which no cell tells of few. Pure.

Rows and columns have sums that are shown, so a cell may follow from others: rows of few people stand together as one,
columns of few are added to others, and what is left is hidden until no small count can be reckoned."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Generic, TypeVar

from callcenter.tables import small_counts

R = TypeVar("R", bound=Hashable)
C = TypeVar("C", bound=Hashable)
Cells = Mapping[tuple[R, C], int]


@dataclass(frozen=True)
class Row(Generic[C]):
    """`total` people; `cells` by group of columns, None: hidden."""

    total: int
    cells: dict[tuple[C, ...], int | None]


@dataclass(frozen=True)
class Table(Generic[R, C]):
    """`columns`: each the columns that it adds up; empty where not even that may be told. `few`: how many rows stand
    together in `rest`; None: there is none, or nothing of it may be shown."""

    columns: list[tuple[C, ...]]
    rows: dict[R, Row[C]]
    few: int
    rest: Row[C] | None


def hide(counts: Cells[R, C], columns: Sequence[C]) -> Table[R, C]:
    """What may be shown of `counts` (row, column → people), given that all sums by column are known anyway."""
    totals: dict[R, int] = defaultdict(int)
    for (row, _column), people in counts.items():
        totals[row] += people
    shown = small_counts.hide(totals)
    few = {row for row, total in shown.values.items() if total is None}
    if shown.total is None:
        return Table([], {}, len(totals), None)
    folded = _fold({column: sum(counts.get((row, column), 0) for row in totals) for column in columns})
    while True:
        cells = _together(counts, totals, few, folded)
        values = _hidden(cells)
        telling = _telling(cells, values)
        if not telling:
            return _table(cells, values, folded, totals, few)
        few |= {row for row in telling if row is not None} or {_smallest(totals, few)}
        if len(few) == len(totals):
            return Table([], {}, len(few), None)


def _fold(sums: Mapping[C, int]) -> list[tuple[C, ...]]:
    """The columns that hold anybody, those of few added to the smallest others; none when one is left of several."""
    groups: list[tuple[C, ...]] = [(column,) for column, people in sums.items() if people]
    several = len(groups) > 1
    while few := [group for group in groups if small_counts.is_few(sum(sums[one] for one in group))]:
        if len(groups) == 1:
            break
        smallest = sorted((group for group in groups if group != few[0]), key=lambda each: sum(sums[c] for c in each))
        at = min(groups.index(few[0]), groups.index(smallest[0]))
        joined = tuple(column for group in groups if group in (few[0], smallest[0]) for column in group)
        groups = [group for group in groups if group not in (few[0], smallest[0])]
        groups.insert(at, joined)
    return [] if several and len(groups) == 1 else groups


Merged = dict[tuple[R | None, tuple[C, ...]], int]  # the row None is all rows of few


def _together(
    counts: Cells[R, C], totals: Mapping[R, int], few: set[R], folded: Sequence[tuple[C, ...]]
) -> Merged[R, C]:
    cells: Merged[R, C] = {}
    for row in totals:
        for group in folded:
            key = (None if row in few else row), group
            cells[key] = cells.get(key, 0) + sum(counts.get((row, column), 0) for column in group)
    return cells


def _hidden(cells: Merged[R, C]) -> dict[tuple[R | None, tuple[C, ...]], int | None]:
    by_row = {key: ("row", key[0]) for key in cells}
    by_column = {key: ("column", key[1]) for key in cells}
    return small_counts.hide(cells, [by_row, by_column]).values


def _telling(cells: Merged[R, C], values: Mapping[tuple[R | None, tuple[C, ...]], int | None]) -> set[R | None]:
    """Rows with a small cell that the shown sums give away.

    Of hidden cells only sums by row and by column are known. So a cell follows from them exactly when, as an edge
    between its row and its column, it lies on no circle of hidden cells."""
    of_row: dict[R | None, set[tuple[C, ...]]] = defaultdict(set)
    for (row, group), value in values.items():
        if value is None:
            of_row[row].add(group)
    links = Counter(pair for groups in of_row.values() for pair in permutations(groups, 2))
    return {
        row
        for row, groups in of_row.items()
        for group in groups
        if small_counts.is_few(cells[row, group]) and not _is_on_circle(group, groups, links)
    }


def _is_on_circle(column: C, own: set[C], links: Mapping[tuple[C, C], int]) -> bool:
    """Does a way lead from the row's other hidden columns (`own`) back to `column` through other rows? `links`: in how
    many rows two columns are both hidden."""
    reached, new = set[C](), [one for one in own if one != column]
    while new:
        reached.add(here := new.pop())
        others = [two for one, two in links if one == here and links[one, two] > (one in own and two in own)]
        new += [one for one in others if one not in reached]
    return column in reached


def _smallest(totals: Mapping[R, int], few: set[R]) -> R:
    return min((row for row in totals if row not in few), key=lambda row: totals[row])


def _table(
    cells: Merged[R, C], values: Mapping[tuple[R | None, tuple[C, ...]], int | None],
    folded: list[tuple[C, ...]], totals: Mapping[R, int], few: set[R],
) -> Table[R, C]:  # fmt: skip
    def row(key: R | None, total: int) -> Row[C]:
        return Row(total, {group: values[key, group] for group in folded if (key, group) in cells})

    rows = {key: row(key, total) for key, total in totals.items() if key not in few}
    rest = row(None, sum(totals[key] for key in few)) if few else None
    return Table(folded, rows, len(few), rest)
