"""Versions of how a survey is weighed, each signed off by a second person before results use it."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, Session

from callcenter.base import audit
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput
from callcenter.base.outbox import tell_later
from surveys import signed_versions
from surveys.signed_versions import SignedVersion
from surveys.weighting import weight_recipe
from surveys.weighting.raking import Weights
from surveys.weighting.weight_recipe import Recipe, from_json, to_json

if TYPE_CHECKING:
    import polars as pl

    from surveys.responses import Responses

__all__ = ["Recipe", "WeightRecipe", "from_json", "in_force", "keep", "sign", "to_json", "versions", "weigh"]
MOST_SOURCE = 1_000
MOST_KEPT = 8


class WeightRecipe(SignedVersion, Base):
    """`recipe`: weight_recipe.to_json."""

    __tablename__ = "weight_recipes"
    recipe: Mapped[dict[str, Any]]


def keep(session: Session, survey_id: int, recipe: Recipe, user_id: int) -> WeightRecipe:
    """A new version; results go on with the one that is signed. Raises InvalidInput, NotFound."""
    number = signed_versions.next_number(session, WeightRecipe, survey_id)
    if faults := _faults(recipe):
        raise InvalidInput(faults)
    written = to_json(replace(recipe, version=number, source=recipe.source.strip()))
    row = WeightRecipe(survey_id=survey_id, version=number, recipe=written, made_by=user_id)
    session.add(row)
    session.flush()
    audit.record(session, user_id, "weights.keep", f"survey/{survey_id}", version=number)
    return row


def sign(session: Session, survey_id: int, version: int, user_id: int) -> WeightRecipe:
    """A second person lets results be weighed so from now on. Raises as signed_versions.sign."""
    row = signed_versions.sign(session, WeightRecipe, survey_id, version, user_id, "weights.sign")
    tell_later(session, f"survey/{survey_id}")
    return row


def versions(session: Session, survey_id: int) -> Sequence[WeightRecipe]:
    """Every version, the newest first."""
    return signed_versions.listed(session, WeightRecipe, survey_id)


def in_force(session: Session, survey_id: int) -> Recipe | None:
    """The newest signed recipe; None: everybody counts once, because none is signed or that is what was signed."""
    signed = signed_versions.in_force(session, WeightRecipe, survey_id)
    recipe = from_json(signed.recipe) if signed else None
    return None if recipe is None or recipe.method == "none" else recipe


def weigh(recipe: Recipe, responses: "Responses") -> Weights:
    """`weight_recipe.weigh`, kept by the process while the frame is the same: a page asks for it many times."""
    with _lock:
        for frame, made_by, weights in _made:
            if frame is responses.frame and made_by == recipe:
                return weights
    weights = weight_recipe.weigh(recipe, responses)
    with _lock:
        _made.append((responses.frame, recipe, weights))
        del _made[:-MOST_KEPT]
    return weights


_made: "list[tuple[pl.DataFrame, Recipe, Weights]]" = []
_lock = Lock()


def _faults(recipe: Recipe) -> dict[str, str]:
    faults: dict[str, str] = {}
    if recipe.method not in weight_recipe.METHODS:
        faults["method"] = _("Choose how the interviews are weighed.")
    if recipe.base not in weight_recipe.BASES:
        faults["base"] = _("Choose whose answers are weighed.")
    if recipe.method == "post_stratification" and len(recipe.targets.margins) != 1:
        faults["targets"] = _("Post-stratification has one variable, mostly crossed: sex*age_band. For several, rake.")
    if recipe.method != "none" and not recipe.targets.margins:
        faults["targets"] = _("Write at least one variable with the shares of its categories.")
    if not 0 < len(recipe.source.strip()) <= MOST_SOURCE:
        faults["source"] = _("Write where the targets come from: the study has to say it.")
    return faults
