"""Quotas of a survey: joint cells of people, how many interviews each is to have, what error a sample of them has.

Pure. A cell is one value of every dimension («women, 18 to 29»); a person whose value is not known yet may belong to
several. What a person says goes before what our record of them knew.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from callcenter.contacts import text_key
from surveys.weighting.intervals import margin

# What a record may know of a person before anybody asks, and how its values are compared.
FIELDS: dict[str, str] = {
    "sex": "code", "age": "number", "section_kind": "code", "municipality": "text", "section": "number",
    "federal_district": "number", "local_district": "number",
}  # fmt: skip
WHEN_FULL = ("screen", "finish")
UNCOVERED = 0.05  # share of the interviews wanted, of cells that have nobody, beyond which no margin is known
MAX_AGE = 1_000_000_000  # the upper end of a band without one
_BAND = re.compile(r"(\d{1,9})(?:-(\d{1,9})|(\+))?")
Values = tuple[str, ...]


@dataclass(frozen=True)
class Dimension:
    """One stratum. `field`: a key of FIELDS, or ''; `item`: the question that asks for it, or ''; one of them stands.

    `kind`: code | text (without accents and case) | number (values are bands: `18-29`, `60+`, `7`)."""

    field: str
    item: str
    kind: str

    @property
    def name(self) -> str:
        """Its column's name in a table of cells."""
        return self.field or self.item

    def key(self, value: str) -> str:
        """How values are compared."""
        return text_key(value) if self.kind == "text" else value.strip()


@dataclass(frozen=True)
class Cell:
    """`values`: one for each dimension. `target`: interviews wanted; None: as many as come."""

    values: Values
    target: int | None

    def is_full(self, done: int) -> bool:
        return self.target is not None and done >= self.target


@dataclass(frozen=True)
class QuotaPlan:
    """`when_full`: what happens to somebody whose cell is full when they are reached: `screen` asks the strata, thanks
    and ends; `finish` asks everything. `stop_margin`: the error (0–1) at which the campaign pauses; None: never."""

    dimensions: tuple[Dimension, ...]
    cells: tuple[Cell, ...]
    when_full: str = "screen"
    stop_margin: float | None = None

    @property
    def strata(self) -> frozenset[str]:
        """Names of the questions that tell the cell."""
        return frozenset(each.item for each in self.dimensions if each.item)

    @property
    def total(self) -> int | None:
        """Interviews wanted in all; None when a cell has no limit."""
        targets = [cell.target for cell in self.cells]
        return None if None in targets else sum(target or 0 for target in targets)

    def matching(self, known: Sequence[str | None]) -> list[Cell]:
        """The cells to which somebody with these values may belong; a value that is not known (None) fits each."""
        wanted = [None if raw is None else self._category(place, raw) for place, raw in enumerate(known)]
        if None not in wanted:
            found = self._by_values.get(tuple(value or "" for value in wanted))
            return [found] if found else []
        return [
            cell
            for cell in self.cells
            if all(value is None or value == own for value, own in zip(wanted, cell.values, strict=True))
        ]

    def cell_of(self, known: Sequence[str | None]) -> Cell | None:
        """The one cell of somebody of whom every value is known; None when there is none, or a value is not known."""
        found = self.matching(known) if None not in known else []
        return found[0] if found else None

    @cached_property
    def _by_values(self) -> dict[Values, Cell]:
        return {cell.values: cell for cell in self.cells}

    @cached_property
    def _codes(self) -> list[dict[str, str]]:
        """Of each dimension that has no bands: how a value is compared → the value as the cells write it."""
        return [
            {dimension.key(cell.values[place]): cell.values[place] for cell in self.cells}
            for place, dimension in enumerate(self.dimensions)
        ]

    @cached_property
    def _bands(self) -> list[dict[str, tuple[int, int]]]:
        return [
            {cell.values[place]: band(cell.values[place]) or (0, -1) for cell in self.cells}
            if dimension.kind == "number"
            else {}
            for place, dimension in enumerate(self.dimensions)
        ]

    def _category(self, place: int, raw: str) -> str:
        """The value of this dimension as the cells write it; '' when no cell has it."""
        dimension = self.dimensions[place]
        if dimension.kind != "number":
            return self._codes[place].get(dimension.key(raw), "")
        number = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else -1
        return next((value for value, (low, high) in self._bands[place].items() if low <= number <= high), "")


def band(value: str) -> tuple[int, int] | None:
    """First and last number of `18-29`, `60+` or `7`; None when it is none of these."""
    match = _BAND.fullmatch(value)
    if match is None:
        return None
    low = int(match[1])
    high = MAX_AGE if match[3] else int(match[2] or match[1])
    return (low, high) if low <= high else None


@dataclass(frozen=True)
class Screen:
    """A campaign's quotas as they stand for one conversation. `full`: values of the cells that want nobody any more;
    `record`: what we knew of the person, by field; `told_to_go_on`: what they had said to the strata when they were
    asked everything: saying the same they are not sent away for what happened since. None: they begin."""

    plan: QuotaPlan
    full: frozenset[Values]
    record: Mapping[str, str]
    told_to_go_on: tuple[str | None, ...] | None = None

    def known(self, answers: Mapping[str, str]) -> list[str | None]:
        """Value of each dimension: what the person said, else what the record knew, else None."""
        return [
            (answers.get(each.item) if each.item else None) or (self.record.get(each.field) if each.field else None)
            for each in self.plan.dimensions
        ]

    def said(self, answers: Mapping[str, str]) -> tuple[str | None, ...]:
        """What the person has answered to each stratum that is asked."""
        return tuple(answers.get(each.item) for each in self.plan.dimensions if each.item)

    def is_over(self, answers: Mapping[str, str]) -> bool:
        """Has every cell to which the person may belong enough? Somebody of no cell is never sent away."""
        if self.told_to_go_on is not None and self.told_to_go_on == self.said(answers):
            return False
        cells = self.plan.matching(self.known(answers))
        return bool(cells) and all(cell.values in self.full for cell in cells)


def full_cells(plan: QuotaPlan, done: Mapping[Values, int]) -> frozenset[Values]:
    """The cells that have enough; `done`: interviews by cell."""
    return frozenset(cell.values for cell in plan.cells if cell.is_full(done.get(cell.values, 0)))


def design_effect(counts: Iterable[tuple[int, int]]) -> float | None:
    """Kish's, of the weights that bring the cells' shares to those of their targets. `counts`: (done, target) a cell.

    None while cells that want more than UNCOVERED of the interviews have nobody: no weight makes up for them. Smaller
    gaps are left out of the weights."""
    wanted = [(done, target) for done, target in counts if target > 0]
    held = [(done, target) for done, target in wanted if done > 0]
    covered = sum(target for _done, target in held)
    if not held or 1 - covered / sum(target for _done, target in wanted) > UNCOVERED:
        return None
    return sum(done for done, _target in held) * sum(target**2 / done for done, target in held) / covered**2


def error(plan: QuotaPlan, done: Mapping[Values, int]) -> float | None:
    """Margin (0–1, at a share of one half, 95 %) of the interviews of all cells, weighted to the targets; None while it
    cannot be said. Cells without a target have no share to weight to: the design effect is 1 then."""
    n = sum(done.get(cell.values, 0) for cell in plan.cells if cell.target != 0)
    if plan.total is None:
        return margin(n) if n else None
    effect = design_effect((done.get(cell.values, 0), cell.target or 0) for cell in plan.cells)
    return None if effect is None else margin(n, design_effect=effect)


def errors_if_full(plan: QuotaPlan, done: Mapping[Values, int]) -> dict[Values, float | None]:
    """Of each cell with a target: the margin with this cell alone filled to it, all else as it is."""
    wanted = [cell for cell in plan.cells if cell.target]
    filled = {cell.values: max(done.get(cell.values, 0), cell.target or 0) for cell in wanted}
    if plan.total is None:
        n = sum(done.get(cell.values, 0) for cell in plan.cells if cell.target != 0)
        return {values: margin(n + most - done.get(values, 0)) for values, most in filled.items()}
    held = [cell for cell in wanted if done.get(cell.values)]
    covered = sum(cell.target or 0 for cell in held)
    spread = sum((cell.target or 0) ** 2 / done[cell.values] for cell in held)
    found: dict[Values, float | None] = {}
    for cell in wanted:
        target, has = cell.target or 0, done.get(cell.values, 0)
        now = covered if has else covered + target
        spread_then = spread - (target**2 / has if has else 0.0) + target**2 / filled[cell.values]
        is_known = 1 - now / plan.total <= UNCOVERED
        found[cell.values] = margin(1, design_effect=spread_then / now**2) if is_known else None
    return found
