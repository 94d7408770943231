"""What tables are reckoned from: three counts by answer and column (people, weights, their squares). Pure numpy."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from surveys.analysis.table_variables import NO_ANSWER, Coded, Variable
from surveys.weighting import linearised
from surveys.weighting.variances import RaoScott, f_tail

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Block:
    """The columns that one variable makes: `width` of them."""

    variable: Variable
    codes: Coded
    width: int


@dataclass(frozen=True, eq=False)
class People:
    """Who counts: positions of persons, and their weights by position of all (0: not looked at). `sample`: how many
    are weighed at all, looked at or not: who is left out of a table still bears on its error."""

    weights: Floats
    is_in: Mask
    sample: int


@dataclass(frozen=True, eq=False)
class Counts:
    """By answer and column: people, weights, squares; by column the bases. Of a number: one row each of n, Σwx, Σwx²
    in place of answers."""

    block: Block
    n: Floats
    sums: Floats
    squares: Floats
    base_n: Floats
    base_sums: Floats
    base_squares: Floats


def people(answers: Coded, weights: Floats | None, among: Mask | None) -> People:
    """Who of `among` answered, with their weights; None: everybody, each once."""
    is_in = answers.has_answer if among is None else answers.has_answer & among
    if weights is None:
        return People(is_in.astype(np.float64), is_in, len(is_in))
    is_weighed = weights > 0
    is_in = is_in & is_weighed
    return People(np.where(is_in, weights, 0.0), is_in, int(is_weighed.sum()))


def _columns_of(block: Block, who: People) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """(persons, their columns); of a variable of which a person may have several levels one pair a level."""
    if block.codes.at is None:
        at = np.flatnonzero(who.is_in & (block.codes.codes > NO_ANSWER))
        yield at, block.codes.codes[at]
        return
    for level in range(block.width):
        at = block.codes.at[block.codes.codes == level]
        at = at[who.is_in[at]]
        yield at, np.full(len(at), level, dtype=np.int64)


def of_answers(variable: Variable, answers: Coded, block: Block, who: People) -> Counts:
    """How often each answer was given in each column."""
    height, width = len(variable.levels), block.width
    tables = [np.zeros((height, width)) for _each in range(3)]
    bases = [np.zeros(width) for _each in range(3)]
    for at, columns in _columns_of(block, who):
        weights = who.weights[at]
        numbers, own = _cells(answers, at, columns, weights, (height, width))
        for place, (each, base) in enumerate(((None, None), (own, weights), (own**2, weights**2))):
            tables[place] += np.bincount(numbers, each, minlength=height * width).reshape(height, width)
            bases[place] += np.bincount(columns, base, minlength=width)
    return Counts(block, *tables, *bases)


def _cells(
    answers: Coded, at: NDArray[np.int64], columns: NDArray[np.int64], weights: Floats, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], Floats]:
    """The cell of each answer that these persons gave, and its weight."""
    if answers.at is None:
        return answers.codes[at] * shape[1] + columns, weights
    column_of = np.full(len(answers.has_answer), NO_ANSWER, dtype=np.int64)
    column_of[at] = columns
    weight_of = np.zeros(len(answers.has_answer))
    weight_of[at] = weights
    columns = column_of[answers.at]
    stays = columns > NO_ANSWER
    return answers.codes[stays] * shape[1] + columns[stays], weight_of[answers.at[stays]]


def of_numbers(answers: Coded, block: Block, who: People) -> Counts:
    """What the means of a number are made of."""
    assert answers.values is not None
    sums = [np.zeros(block.width) for _each in range(5)]
    for at, columns in _columns_of(block, who):
        weights, values = who.weights[at], answers.values[at]
        each: tuple[Floats | None, ...] = (None, weights, weights**2, weights * values, weights * values**2)
        for place, one in enumerate(each):
            sums[place] += np.bincount(columns, one, minlength=block.width)
    n, base, squares, first, second = sums
    return Counts(block, n[None, :], first[None, :], second[None, :], n, base, squares)


def rao_scott(n: Floats, sums: Floats, squares: Floats, *, sample: int) -> RaoScott | None:
    """Rao and Scott's test of people, weights and squares of weights by answer and column; None: there is no table.
    `sample`: as in People."""
    rows, columns = n.any(axis=1), n.any(axis=0)
    if rows.sum() < 2 or columns.sum() < 2:
        return None
    sums, squares = sums[np.ix_(rows, columns)], squares[np.ix_(rows, columns)]
    people, total = float(n.sum()), float(sums.sum())
    shares, spread = (sums / total).ravel(), (squares / total**2).ravel()
    mixed = np.outer(spread, shares)
    covariance = np.diag(spread) - mixed - mixed.T + spread.sum() * np.outer(shares, shares)
    covariance *= sample / (sample - 1)
    f, df1, df2 = linearised.rao_scott(sums / total, covariance, int(people))
    return RaoScott(f, df1, df2, f_tail(f, df1, df2))
