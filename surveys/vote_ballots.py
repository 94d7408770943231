"""What each person of a survey said about their vote, as arrays: the vote chain counts with these."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from flask_babel import gettext as _
from numpy.typing import NDArray

from callcenter.base.errors import InvalidInput
from surveys.share_errors import Codes, Floats
from surveys.vote_options import Option, options
from surveys.vote_recipe import TOP, Recipe

if TYPE_CHECKING:
    import polars as pl

    from surveys.raking import Weights
    from surveys.responses import Item


@dataclass(frozen=True)
class Ballots:
    """`codes`: place of each person's answer in `options`, -1 without one. `weights`: of mean 1. `likely`: how sure
    they are to vote, 0–1, NaN without an answer. `leaning`: place of the candidate they lean to, -1: none. `groups`: in
    whose proportions the undecided vote. `margins`: the columns that the weights were raked to, codes from 0."""

    options: tuple[Option, ...]
    codes: Codes
    weights: Floats
    likely: Floats | None = None
    leaning: Codes | None = None
    groups: Codes | None = None
    margins: tuple[Codes, ...] = ()

    def only(self, chosen: Any) -> "Ballots":
        """The people of a mask alone. Their weights meet no margins any more, so these are left behind."""
        arrays = {name: getattr(self, name) for name in ("codes", "weights", "likely", "leaning", "groups")}
        kept = {name: array[chosen] for name, array in arrays.items() if array is not None}
        return replace(self, **kept, margins=())

    def among(self, chosen: Any) -> "Ballots":
        """Everybody, but only those of a mask gave an answer: a part of a survey whose margins still hold."""
        return replace(self, codes=np.where(chosen, self.codes, -1))

    def places(self, roles: Sequence[str]) -> list[int]:
        return [place for place, option in enumerate(self.options) if option.role in roles]


def read(frame: "pl.DataFrame", items: Mapping[str, "Item"], weights: "Weights", recipe: Recipe) -> Ballots:
    """The ballots of a frame of responses (surveys.responses); who has no weight is not in them (`weighed`).

    Raises InvalidInput where the recipe names a question that these items do not have."""
    if recipe.question not in items:
        raise InvalidInput({"question": _("No question is called “%(name)s”.", name=recipe.question)})
    found = options(items[recipe.question])
    places = {option.code: place for place, option in enumerate(found)}
    candidates = {option.code: places[option.code] for option in found if option.role == "candidate"}
    everybody = Ballots(
        options=found,
        codes=_indexes(frame, items[recipe.question].column, places),
        weights=weights.values,
        likely=_likely(frame, items, recipe),
        leaning=_indexes(frame, items[recipe.leaning].column, candidates) if recipe.leaning in items else None,
        groups=_groups(frame, recipe.groups),
    )
    counted = weighed(weights)
    chosen = everybody if counted.all() else everybody.only(counted)
    if weights.cells is None:
        return chosen
    cell_of = weights.cells.cell_of[counted]
    return replace(chosen, margins=tuple(levels[cell_of] for levels in weights.cells.levels))


def weighed(weights: "Weights") -> NDArray[np.bool_]:
    """Who counts at all: interviews outside of what is weighed have no weight."""
    return weights.values > 0


def _indexes(frame: "pl.DataFrame", column: str, places: Mapping[str, int]) -> Codes:
    from surveys import level_codes

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
