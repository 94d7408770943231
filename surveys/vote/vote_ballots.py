"""What each person of a survey said about their vote, as arrays: the vote chain counts with these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput
from surveys.vote.vote_options import Option, options
from surveys.vote.vote_recipe import TOP, Recipe
from surveys.weighting.share_errors import Codes, Floats, Mass

if TYPE_CHECKING:
    import polars as pl

    from surveys.responses import Item
    from surveys.weighting.raking import Weights


@dataclass(frozen=True)
class Ballots:
    """Rows of people who said the same: `mass` tells how many and of what weight; in the beginning one row a person.

    `codes`: place of the answer in `options`, -1 without one. `likely`: how sure they are to vote, 0–1, NaN without an
    answer. `leaning`: place of the candidate they lean to, -1: none. `groups`: in whose proportions the undecided vote.
    `margins`: the columns that the weights were raked to, codes from 0. `marks`: further columns, by name."""

    options: tuple[Option, ...]
    codes: Codes
    mass: Mass
    likely: Floats | None = None
    leaning: Codes | None = None
    groups: Codes | None = None
    margins: tuple[Codes, ...] = ()
    marks: Mapping[str, Codes] = field(default_factory=dict)

    def only(self, chosen: Any) -> "Ballots":
        """Some rows alone (a mask, or their places). Their weights meet no margins any more: these are left behind."""
        return replace(
            self,
            codes=self.codes[chosen],
            mass=self.mass.only(chosen),
            likely=None if self.likely is None else self.likely[chosen],
            leaning=None if self.leaning is None else self.leaning[chosen],
            groups=None if self.groups is None else self.groups[chosen],
            margins=(),
            marks={name: column[chosen] for name, column in self.marks.items()},
        )

    def among(self, chosen: Any) -> "Ballots":
        """Everybody, but only those of a mask gave an answer: a part of a survey whose margins still hold."""
        return replace(self, codes=np.where(chosen, self.codes, -1))

    def places(self, roles: Sequence[str]) -> list[int]:
        return [place for place, option in enumerate(self.options) if option.role in roles]

    def together(self) -> "Ballots":
        """The same people, those who said the same in one row: a hundred thousand become some thousands."""
        from surveys.weighting import weight_cells

        if not len(self.codes):
            return self
        columns = [self.codes + 1, *self.margins, *self.marks.values()]
        columns += [column + 1 for column in (self.leaning, self.groups) if column is not None]
        if self.likely is not None:
            columns.append(np.nan_to_num(np.round(self.likely * 1000) + 1, nan=0.0).astype(np.int64))
        cells = weight_cells.group(columns, np.ones(len(self.codes)))
        first = np.empty(len(cells.sizes), dtype=np.int64)
        first[cells.cell_of] = np.arange(len(cells.cell_of))
        mass = self.mass.together(cells.cell_of, len(first))
        return replace(self.only(first), mass=mass, margins=tuple(margin[first] for margin in self.margins))


def read(
    frame: "pl.DataFrame", items: Mapping[str, "Item"], weights: "Weights", recipe: Recipe,
    marks: Mapping[str, Codes] | None = None,
) -> Ballots:  # fmt: skip
    """The ballots of a frame of responses (surveys.responses), put together; who has no weight is not in them.

    `marks`: columns to be kept beside them, one code from 0 for each row of the frame. Raises InvalidInput where the
    recipe names a question that these items do not have."""
    if recipe.question not in items:
        raise InvalidInput({"question": _("No question is called “%(name)s”.", name=recipe.question)})
    found = options(items[recipe.question])
    places = {option.code: place for place, option in enumerate(found)}
    candidates = {option.code: places[option.code] for option in found if option.role == "candidate"}
    everybody = Ballots(
        options=found,
        codes=_indexes(frame, items[recipe.question].column, places),
        mass=Mass.of(weights.values),
        likely=_likely(frame, items, recipe),
        leaning=_indexes(frame, items[recipe.leaning].column, candidates) if recipe.leaning in items else None,
        groups=_groups(frame, recipe.groups),
        marks=marks or {},
    )
    weighed = weights.values > 0  # interviews outside of what is weighed have no weight
    chosen = everybody if weighed.all() else everybody.only(weighed)
    if weights.cells is None:
        return chosen.together()
    cell_of = weights.cells.cell_of[weighed]
    return replace(chosen, margins=tuple(levels[cell_of] for levels in weights.cells.levels)).together()


def _indexes(frame: "pl.DataFrame", column: str, places: Mapping[str, int]) -> Codes:
    from surveys.weighting import level_codes

    return np.maximum(level_codes.indexes(frame[column], places), -1)


def _likely(frame: "pl.DataFrame", items: Mapping[str, "Item"], recipe: Recipe) -> Floats | None:
    """Sureness as 0–1; the codes of a closed question are read as numbers, and what is none has no answer."""
    import polars as pl

    if recipe.likely_question not in items:
        return None
    column = frame[items[recipe.likely_question].column]
    numbers = column if column.dtype == pl.Float64 else column.cast(pl.String).cast(pl.Float64, strict=False)
    if not numbers.len() or numbers.null_count() == numbers.len():
        return None
    return np.clip(numbers.to_numpy() / TOP, 0.0, 1.0)


def _groups(frame: "pl.DataFrame", names: Sequence[str]) -> Codes | None:
    """One number a combination of these columns; who has no value in one of them is a level of its own."""
    import polars as pl

    known = [name for name in names if name in frame.columns]
    number = np.zeros(frame.height, dtype=np.int64)
    for name in known:
        levels = frame[name].drop_nulls().unique(maintain_order=True).cast(pl.String).to_list()
        number = number * (len(levels) + 1) + _indexes(frame, name, {level: at for at, level in enumerate(levels)}) + 1
    return number if known else None
