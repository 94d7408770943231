"""How a survey's interviews are weighed: a value that a file can carry, and what it makes of interviews. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from flask_babel import gettext as _

from surveys.weighting import weight_prospects
from surveys.weighting.level_codes import CROSS, Column
from surveys.weighting.raking import CannotWeigh, Margin, Targets, Weights, given, rake, unweighted
from surveys.weighting.weight_cells import joined
from surveys.weighting.weight_prospects import Prospect

if TYPE_CHECKING:
    import polars as pl

    from surveys.responses import Responses

METHODS = ("raking", "post_stratification", "none")
BASES = ("answered", "complete")
# What is known of the person goes before a bare answer, and that before a fact of the call; `q_`: a question that is
# called like a column of ours.
PREFIXES = ("d_", "q_", "", "h_")


@dataclass(frozen=True)
class Recipe:
    """`method`: raking (every margin), post_stratification (one margin, mostly of crossed variables) or none (everybody
    counts once). `cap`: the largest weight, as a multiple of the mean; None: no cap. `base`: whose answers are weighed:
    answered (whoever answered the vote question; without one, whoever was not screened out) or complete. `by_wave`:
    each wave by itself. `source`: where the targets come from, in words. `version` 0: not kept yet."""

    targets: Targets
    method: str = "raking"
    cap: float | None = None
    base: str = "answered"
    by_wave: bool = False
    source: str = ""
    version: int = 0


def to_json(recipe: Recipe) -> dict[str, Any]:
    """What a column or a package keeps; `from_json` makes the same recipe of it."""
    return {
        "method": recipe.method, "cap": recipe.cap, "base": recipe.base, "by_wave": recipe.by_wave,
        "source": recipe.source, "version": recipe.version, "keep_missing": recipe.targets.keep_missing,
        "margins": [
            {"variable": margin.variable, "shares": [[level, share] for level, share in margin.shares.items()],
             "includes": {level: list(codes) for level, codes in margin.includes.items()}}
            for margin in recipe.targets.margins
        ],
    }  # fmt: skip


def from_json(kept: Mapping[str, Any]) -> Recipe:
    """Of `to_json`. Shares are a list because the order of levels is the writer's, and JSON columns keep none."""
    margins = tuple(
        Margin(each["variable"], {str(level): float(share) for level, share in each["shares"]},
               {level: tuple(codes) for level, codes in each["includes"].items()})
        for each in kept["margins"]
    )  # fmt: skip
    targets = Targets(margins, keep_missing=bool(kept["keep_missing"]))
    return Recipe(targets, kept["method"], kept["cap"], kept["base"], bool(kept["by_wave"]), kept["source"],
                  int(kept["version"]))  # fmt: skip


def weigh(recipe: Recipe, responses: "Responses") -> Weights:
    """A weight for each row of the frame: mean 1 among those who are weighed (with waves apart: within each wave), 0
    for all others. Raises CannotWeigh, naming the wave where there are several."""
    frame = responses.frame
    inside = base_rows(recipe, responses)
    if recipe.method == "none":
        return given(inside.astype(np.float64)) if not inside.all() else unweighted(frame.height)
    needed = _needed(recipe, frame)
    if not recipe.by_wave:
        return _spread(_rake(recipe, needed.filter(inside)), inside)
    waves = frame["wave"].fill_null("").to_numpy()
    parts = []
    for wave in dict.fromkeys(waves[inside].tolist()):
        members = inside & (waves == wave)
        try:
            parts.append((members, _rake(recipe, needed.filter(members))))
        except CannotWeigh as fault:
            name = wave or _("no wave")
            faults = {field: _("Wave %(wave)s: %(fault)s", wave=name, fault=sentence)
                      for field, sentence in fault.faults.items()}  # fmt: skip
            raise CannotWeigh(faults) from fault
    return _together(parts, frame.height)


def prospects(recipe: Recipe, responses: "Responses") -> list[Prospect]:
    """Of which people more interviews would help most (weighting.weight_prospects); none for waves apart. Raises
    CannotWeigh."""
    if recipe.method == "none" or recipe.by_wave:
        return []
    frame = _needed(recipe, responses.frame).filter(base_rows(recipe, responses))
    margins = recipe.targets.margins
    return weight_prospects.of_levels(
        columns_of(frame, margins), recipe.targets, base=_base(frame), cap=recipe.cap
    )  # fmt: skip


def base_rows(recipe: Recipe, responses: "Responses") -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which rows of the frame are weighed."""
    import polars as pl

    frame = responses.frame
    if recipe.base == "complete":
        wanted = pl.col("state") == "complete"
    elif responses.vote_question and responses.items[responses.vote_question].column in frame.columns:
        wanted = pl.col(responses.items[responses.vote_question].column).is_not_null()
    else:
        wanted = pl.col("state") != "screened"
    return np.asarray(frame.select(wanted.fill_null(value=False)).to_series().to_numpy(), dtype=bool)


def columns_of(frame: "pl.DataFrame", margins: Sequence[Margin]) -> dict[str, Column]:
    """variable -> its column; a crossed variable's parts. What is not there is left out, and weighing then says so."""
    parts = [part.strip() for margin in margins for part in margin.variable.split(CROSS)]
    found = {name: column_name(frame.columns, name) for name in parts}
    return {name: frame[column] for name, column in found.items() if column is not None}


def column_name(columns: Sequence[str], variable: str) -> str | None:
    """Where a variable stands in the frame: what is known of the person (`d_sex`) before the bare answer, before a fact
    of the call."""
    return next((prefix + variable for prefix in PREFIXES if prefix + variable in columns), None)


def _needed(recipe: Recipe, frame: "pl.DataFrame") -> "pl.DataFrame":
    """The columns that are weighed by: a frame may have hundreds of others."""
    found = {column.name for column in columns_of(frame, recipe.targets.margins).values()}
    return frame.select([name for name in frame.columns if name in found or name == "base_weight"])


def _rake(recipe: Recipe, frame: "pl.DataFrame") -> Weights:
    return rake(columns_of(frame, recipe.targets.margins), recipe.targets, base=_base(frame), cap=recipe.cap)


def _base(frame: "pl.DataFrame") -> Any:
    return frame["base_weight"].to_numpy() if "base_weight" in frame.columns else None


def _spread(weights: Weights, inside: np.ndarray[Any, np.dtype[np.bool_]]) -> Weights:
    """Weights of some rows as weights of all."""
    return weights if inside.all() else _together([(inside, weights)], len(inside))


def _together(parts: Sequence[tuple[np.ndarray[Any, np.dtype[np.bool_]], Weights]], rows: int) -> Weights:
    values = np.zeros(rows)
    for members, weights in parts:
        values[members] = weights.values
    whole = given(values)
    cells = joined([(members, weights.cells) for members, weights in parts if weights.cells is not None], rows)
    return Weights(
        whole.values, whole.deff, whole.n_effective, max((each.sweeps for _rows, each in parts), default=0),
        sum(each.capped for _rows, each in parts), tuple(fit for _rows, each in parts for fit in each.fits), cells,
    )  # fmt: skip
