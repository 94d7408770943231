"""Versions of how a survey is weighed, each signed off by a second person before results use it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.outbox import tell_later
from surveys import questionnaire
from surveys.weighting import weight_recipe
from surveys.weighting.raking import Weights
from surveys.weighting.weight_recipe import Recipe, from_json, to_json

if TYPE_CHECKING:
    import polars as pl

    from surveys.responses import Responses

__all__ = ["Recipe", "WeightRecipe", "from_json", "in_force", "keep", "sign", "to_json", "versions", "weigh"]
MOST_SOURCE = 1_000
MOST_KEPT = 8


class WeightRecipe(Base):
    """One version. `recipe`: weight_recipe.to_json. Never changed, but signed once; the newest signed one holds."""

    __tablename__ = "weight_recipes"
    __table_args__ = (
        UniqueConstraint("survey_id", "version"),
        CheckConstraint("(signed_by IS NULL) = (signed_at IS NULL)", name="signature"),
        CheckConstraint("signed_by <> made_by", name="second_person"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"))
    version: Mapped[int]
    recipe: Mapped[dict[str, Any]]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(default=real_now)
    signed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    signed_at: Mapped[datetime | None]


def keep(session: Session, survey_id: int, recipe: Recipe, user_id: int | None) -> WeightRecipe:
    """A new version; results go on with the one that is signed. Raises InvalidInput, NotFound."""
    questionnaire.find(session, survey_id)
    if faults := _faults(recipe):
        raise InvalidInput(faults)
    newest = session.scalar(select(func.max(WeightRecipe.version)).where(WeightRecipe.survey_id == survey_id)) or 0
    written = to_json(replace(recipe, version=newest + 1, source=recipe.source.strip()))
    row = WeightRecipe(survey_id=survey_id, version=newest + 1, recipe=written, made_by=user_id)
    session.add(row)
    session.flush()
    audit.record(session, user_id, "weights.keep", f"survey/{survey_id}", version=row.version)
    return row


def sign(session: Session, survey_id: int, version: int, user_id: int) -> WeightRecipe:
    """A second person lets results be weighed so from now on. Harmless twice.

    Raises Refused for whoever wrote it and for a version that a newer one replaced; NotFound."""
    rows = versions(session, survey_id)
    row = next((each for each in rows if each.version == version), None)
    if row is None:
        raise NotFound(_("There is no such version of the weights."))
    session.refresh(row, with_for_update=True)
    if row.signed_at is not None:
        return row
    if row.made_by == user_id:
        raise Refused("own_work", _("A second person has to sign it off: you wrote it."))
    if row.version != rows[0].version:
        raise Refused("replaced", _("A newer version was written; look at that one."))
    row.signed_by, row.signed_at = user_id, real_now()
    audit.record(session, user_id, "weights.sign", f"survey/{survey_id}", version=row.version)
    tell_later(session, f"survey/{survey_id}")
    return row


def versions(session: Session, survey_id: int) -> Sequence[WeightRecipe]:
    """Every version, the newest first."""
    query = select(WeightRecipe).where(WeightRecipe.survey_id == survey_id).order_by(WeightRecipe.version.desc())
    return session.scalars(query).all()


def in_force(session: Session, survey_id: int) -> Recipe | None:
    """The newest signed recipe; None: everybody counts once, because none is signed or that is what was signed."""
    kept = session.scalar(
        select(WeightRecipe.recipe)
        .where(WeightRecipe.survey_id == survey_id, WeightRecipe.signed_at.is_not(None))
        .order_by(WeightRecipe.version.desc())
        .limit(1)
    )
    recipe = from_json(kept) if kept else None
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
