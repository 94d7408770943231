"""The weights that a page of analysis uses, and the sentence when there are none."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from flask_babel import gettext as _
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from surveys.responses import Responses
from surveys.weighting import weight_recipes
from surveys.weighting.raking import Weights
from surveys.weighting.weight_faults import CannotWeigh
from surveys.weighting.weight_recipe import Recipe


@dataclass(frozen=True)
class Weighing:
    """`weights` None: everybody counts once, since that was asked for, no recipe is signed (`recipe` None), or the
    recipe in force does not fit the answers (`faults` say why)."""

    recipe: Recipe | None
    weights: Weights | None
    faults: Mapping[str, str]

    @property
    def values(self) -> NDArray[np.float64] | None:
        return None if self.weights is None else self.weights.values

    def words(self) -> str:
        """One line for under a table."""
        if self.weights is None or self.recipe is None:
            return str(_("not weighted"))
        return str(_("weighted by recipe %(version)s", version=self.recipe.version))


def weigh(session: Session, responses: Responses, *, wanted: bool = True) -> Weighing:
    """The recipe in force, and the weights it makes of these responses."""
    recipe = weight_recipes.in_force(session, responses.survey_id)
    if recipe is None or not wanted:
        return Weighing(recipe, None, {})
    try:
        return Weighing(recipe, weight_recipes.weigh(recipe, responses), {})
    except CannotWeigh as fault:
        return Weighing(recipe, None, fault.faults)
