"""Tables of a survey: a question in the rows, groups of people in the columns. Pure: counts by numpy, no words.

Everything is reckoned from three counts by (answer, column): people, their weights, the squares of these. So a million
interviews cost three counts a table. Bases are people who gave the question an answer. A column of fewer than 30 people
is marked and not compared, one of fewer than 10 shows nothing.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from surveys.analysis import column_tests, table_counts
from surveys.analysis.column_tests import Pair
from surveys.analysis.table_counts import Block, Counts, Floats, Mask
from surveys.analysis.table_variables import Coded, Variable, without_missing
from surveys.weighting.intervals import Z95, wilson
from surveys.weighting.variances import RaoScott

HIDDEN_BELOW, MARKED_BELOW = 10, 30  # people


@dataclass(frozen=True)
class Settings:
    """How a table is reckoned. `only_valid`: who does not know or would not say is not in the base; `adjust`:
    Bonferroni's adjustment of the comparisons of columns."""

    only_valid: bool = False
    adjust: bool = True


@dataclass(frozen=True)
class Column:
    """A group of people: `n` of them answered, with `base` as sum of weights and `effective` as effective base.
    `cell`: ok | small | hidden. `letter`: '' of the total."""

    code: str
    label: str
    letter: str
    n: int
    base: float
    effective: float
    cell: str


@dataclass(frozen=True)
class Cell:
    """One answer in one column; None where it is hidden. `low`, `high`: Wilson's 95 % interval on the effective base.
    `letters`: of the columns that this one is above; `tests`: letter -> p of each comparison with a column below."""

    n: int | None
    share: float | None
    low: float | None
    high: float | None
    letters: str = ""
    tests: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """The columns of one variable; `variable` None: the total. `test` None: it cannot be made (one column, or people
    stand in several of them, or the question takes several answers)."""

    variable: Variable | None
    columns: tuple[Column, ...]
    test: RaoScott | None = None


@dataclass(frozen=True)
class Row:
    """An answer, or the mean of a number (`is_mean`: `share` of its cells is the mean then)."""

    code: str
    label: str
    is_missing: bool
    cells: tuple[Cell, ...]
    is_mean: bool = False


@dataclass(frozen=True)
class Table:
    """`deff`: Kish's of the weights of everybody in it."""

    question: Variable
    groups: tuple[Group, ...]
    rows: tuple[Row, ...]
    deff: float

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column for group in self.groups for column in group.columns)


def cross(
    question: tuple[Variable, Coded],
    by: Sequence[tuple[Variable, Coded]],
    weights: Floats | None = None,
    among: Mask | None = None,
    settings: Settings | None = None,
) -> Table:
    """The table of a question by these variables, the total first. `weights` by person (None: everybody counts once;
    0 leaves a person out); `among`: whom to look at."""
    variable, answers = question
    settings = settings or Settings()
    if settings.only_valid:
        answers = without_missing(answers, variable)
    people = table_counts.people(answers, weights, among)
    whole = Variable("", "", "single", ())
    everybody = Coded(np.zeros(len(answers.has_answer), dtype=np.int64), np.ones_like(answers.has_answer))
    blocks = [Block(whole, everybody, 1)] + [Block(each, codes, len(each.levels)) for each, codes in by]
    if variable.kind == "number":
        counted = [table_counts.of_numbers(answers, block, people) for block in blocks]
    else:
        counted = [table_counts.of_answers(variable, answers, block, people) for block in blocks]
    names = iter(column_tests.letters(sum(block.width for block in blocks) - 1))
    groups = [_group(counts, names, variable, people.sample) for counts in counted]
    rows = _mean_rows(counted, groups, settings) if variable.kind == "number" else _rows(
        variable, counted, groups, settings
    )  # fmt: skip
    total = counted[0]
    deff = float(total.base_n[0] * total.base_squares[0] / total.base_sums[0] ** 2) if total.base_n[0] else math.nan
    return Table(variable, tuple(groups), tuple(rows), deff)


def _group(counts: Counts, names: Iterator[str], question: Variable, sample: int) -> Group:
    effective = column_tests.effective_base(counts.base_sums, counts.base_squares)
    is_total = not counts.block.variable.name
    levels = [("", "")] if is_total else [(level.code, level.label) for level in counts.block.variable.levels]
    columns = tuple(
        Column(
            code, label, "" if is_total else next(names), int(counts.base_n[place]), float(counts.base_sums[place]),
            float(effective[place]), cell_kind(int(counts.base_n[place])),
        )
        for place, (code, label) in enumerate(levels)
    )  # fmt: skip
    is_testable = not is_total and question.kind == "single" and counts.block.codes.at is None
    test = table_counts.rao_scott(counts.n, counts.sums, counts.squares, sample=sample) if is_testable else None
    return Group(None if is_total else counts.block.variable, columns, test)


def cell_kind(n: int) -> str:
    """ok | small (fewer than 30 people) | hidden (fewer than 10)."""
    return "hidden" if n < HIDDEN_BELOW else "small" if n < MARKED_BELOW else "ok"


def _rows(variable: Variable, counted: Sequence[Counts], groups: Sequence[Group], settings: Settings) -> Iterator[Row]:
    for place, level in enumerate(variable.levels):
        if settings.only_valid and level.is_missing:
            continue
        cells: list[Cell] = []
        for counts, group in zip(counted, groups, strict=True):
            base = counts.base_sums
            shares = np.divide(counts.sums[place], base, out=np.zeros_like(base), where=base > 0)
            effective = np.array([column.effective for column in group.columns])
            pairs = _compared(counts, group, settings, shares, effective)
            cells += [
                _cell(int(counts.n[place][at]), float(shares[at]), column, _below(pairs, at, group))
                for at, column in enumerate(group.columns)
            ]
        yield Row(level.code, level.label, level.is_missing, tuple(cells))


def _compared(counts: Counts, group: Group, settings: Settings, shares: Floats, effective: Floats) -> list[Pair]:
    if group.variable is None or counts.block.codes.at is not None:
        return []
    is_tested = np.array([column.cell == "ok" for column in group.columns])
    return column_tests.compare_shares(shares, effective, is_tested, adjust=settings.adjust)


def _below(pairs: Sequence[Pair], at: int, group: Group) -> list[tuple[str, Pair]]:
    return [(group.columns[pair.below].letter, pair) for pair in pairs if pair.above == at]


def _cell(n: int, share: float, column: Column, below: Sequence[tuple[str, Pair]]) -> Cell:
    if column.cell == "hidden":
        return Cell(None, None, None, None)
    low, high = wilson(share * column.effective, column.effective)
    told = "".join(letter for letter, pair in below if pair.is_telling)
    return Cell(n, share, low, high, told, {letter: pair.p for letter, pair in below})


def _mean_rows(counted: Sequence[Counts], groups: Sequence[Group], settings: Settings) -> Iterator[Row]:
    """One row: the mean, its letters, and 1.96 standard errors around it."""
    cells: list[Cell] = []
    for counts, group in zip(counted, groups, strict=True):
        base = counts.base_sums
        means = np.divide(counts.sums[0], base, out=np.zeros_like(base), where=base > 0)
        second = np.divide(counts.squares[0], base, out=np.zeros_like(base), where=base > 0)
        n = counts.base_n
        spread = np.maximum(second - means**2, 0) * np.divide(n, n - 1, out=np.ones_like(n), where=n > 1)
        effective = np.array([column.effective for column in group.columns])
        is_tested = np.array([column.cell == "ok" for column in group.columns])
        is_compared = group.variable is not None and counts.block.codes.at is None
        pairs = column_tests.compare_means(means, spread, effective, is_tested & is_compared, adjust=settings.adjust)
        for at, column in enumerate(group.columns):
            cells.append(_mean(float(means[at]), float(spread[at]), column, _below(pairs, at, group)))
    yield Row("mean", "", False, tuple(cells), is_mean=True)


def _mean(mean: float, spread: float, column: Column, below: Sequence[tuple[str, Pair]]) -> Cell:
    if column.cell == "hidden":
        return Cell(None, None, None, None)
    reach = Z95 * math.sqrt(spread / column.effective)
    told = "".join(letter for letter, pair in below if pair.is_telling)
    return Cell(column.n, mean, mean - reach, mean + reach, told, {letter: pair.p for letter, pair in below})
