"""The page of a survey's weights: what holds, a new version with its preview, and the sign-off by a second person."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.auth import User, access, may
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.web import is_htmx, takes_upload
from surveys import questionnaire
from surveys.pages import MAKERS, READERS, blueprint
from surveys.weighting import weight_forms, weight_recipe, weight_recipes, weight_sections, weight_targets
from surveys.weighting.intervals import margin
from surveys.weighting.raking import CannotWeigh, Weights
from surveys.weighting.weight_forms import Written
from surveys.weighting.weight_prospects import Prospect
from surveys.weighting.weight_recipes import Recipe, WeightRecipe

if TYPE_CHECKING:
    from surveys.responses import Responses

PROSPECTS = 5


@dataclass(frozen=True)
class Look:
    """What a recipe makes of the interviews there are now: weights, or why there are none."""

    recipe: Recipe
    rows: int
    weights: Weights | None = None
    faults: tuple[str, ...] = ()
    prospects: tuple[Prospect, ...] = ()

    @property
    def margin(self) -> float:
        """Of a share of one half, with the design effect."""
        return margin(self.weights.n, design_effect=self.weights.deff) if self.weights else float("nan")

    @property
    def plain_margin(self) -> float:
        return margin(self.weights.n) if self.weights else float("nan")

    @property
    def extremes(self) -> tuple[float, float]:
        """The least and the largest weight."""
        values = self.weights.values[self.weights.values > 0] if self.weights else None
        return (float(values.min()), float(values.max())) if values is not None and len(values) else (1.0, 1.0)


@blueprint.get("/<int:survey_id>/weights")
@access(*READERS)
def weights(survey_id: int) -> ResponseReturnValue:
    """How the survey is weighed, and what came of it so far."""
    return _page(survey_id)


@blueprint.post("/<int:survey_id>/weights")
@access(*MAKERS)
def keep_weights(survey_id: int) -> ResponseReturnValue:
    """Keep what was written as a version that waits for a second person. Interviews that it cannot weigh now do not
    keep it from being written: it may be written before the first call."""
    session = web_session()
    written = weight_forms.read(request.form)
    try:
        recipe = weight_forms.recipe(written, _responses(session, survey_id))
        row = weight_recipes.keep(session, survey_id, recipe, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _page(survey_id, written.told(fault.faults)), 422
    session.commit()
    flash(_("Version %(number)s waits for a second person to sign it off.", number=row.version), "success")
    return redirect(url_for("surveys.weights", survey_id=survey_id))


@blueprint.post("/<int:survey_id>/weights/preview")
@access(*MAKERS)
def preview_weights(survey_id: int) -> ResponseReturnValue:
    """What the written targets would make of the interviews; nothing is kept."""
    written = weight_forms.read(request.form)
    responses = _responses(web_session(), survey_id)
    faults: dict[str, str] = {}
    look = None
    try:
        look = _look(weight_forms.recipe(written, responses), responses)
    except InvalidInput as fault:
        faults = fault.faults
    if is_htmx():
        return render_template("surveys/_weights_preview.html", look=look, faults=faults)
    return _page(survey_id, written.told(faults), look)


@blueprint.post("/<int:survey_id>/weights/file")
@access(*MAKERS)
@takes_upload(2 * weight_targets.MOST_BYTES)
def upload_weights(survey_id: int) -> ResponseReturnValue:
    """Put the targets of a file into the form; nothing is kept yet."""
    file = request.files.get("file")
    written = _present(web_session(), survey_id)
    try:
        if file is None or not file.filename:
            raise InvalidInput({"file": _("Choose the file with the targets to upload.")})
        text = weight_targets.decoded(file.stream.read(weight_targets.MOST_BYTES + 1))
        weight_targets.margins(weight_targets.read(text))
    except InvalidInput as fault:
        return _page(survey_id, written.told({"file": " ".join(fault.faults.values())})), 422
    source = _("File %(name)s", name=file.filename[:200])
    flash(_("The targets stand in the form below: look at what they make of the interviews, then keep them."), "info")
    return _page(survey_id, Written(targets=text.lstrip("\ufeff"), source=source))


@blueprint.post("/<int:survey_id>/weights/sections")
@access(*MAKERS)
def section_weights(survey_id: int) -> ResponseReturnValue:
    """Put the shares of the nominal list into the form; nothing is kept yet."""
    session = web_session()
    try:
        margins = weight_sections.margins(session, request.form.getlist("variable"))
    except InvalidInput as fault:
        return _page(survey_id, _present(session, survey_id).told(fault.faults)), 422
    flash(_("The targets stand in the form below: look at what they make of the interviews, then keep them."), "info")
    table = weight_targets.write(margins).replace("\r\n", "\n")
    return _page(survey_id, Written(targets=table, source=weight_sections.source(session)))


@blueprint.post("/<int:survey_id>/weights/<int:version>/sign")
@access(*MAKERS)
def sign_weights(survey_id: int, version: int) -> ResponseReturnValue:
    """A second person lets the results be weighed so."""
    session = web_session()
    weight_recipes.sign(session, survey_id, version, current_user.id)
    session.commit()
    flash(_("From now on the results are weighed by version %(number)s.", number=version), "success")
    return redirect(url_for("surveys.weights", survey_id=survey_id))


@blueprint.get("/<int:survey_id>/weights/<int:version>.csv")
@access(*READERS)
def weight_file(survey_id: int, version: int) -> ResponseReturnValue:
    """The targets of a version as the file that can be uploaded again."""
    rows = weight_recipes.versions(web_session(), survey_id)
    row = next((each for each in rows if each.version == version), None)
    if row is None:
        raise NotFound(_("There is no such version of the weights."))
    table = weight_targets.write(weight_recipes.from_json(row.recipe).targets.margins)
    answer = Response("\ufeff" + table, content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="convoca-{survey_id}-targets-{version}.csv"'
    return answer


def _page(survey_id: int, written: Written | None = None, look: Look | None = None) -> str:
    session = web_session()
    survey, rows = questionnaire.find(session, survey_id), weight_recipes.versions(session, survey_id)
    signed = next((row for row in rows if row.signed_at is not None), None)
    waiting = rows[0] if rows and rows[0].signed_at is None else None
    responses = _responses(session, survey_id)
    return render_template(
        "surveys/weights.html", survey=survey, versions=rows, names=_names(session, rows), signed=signed,
        waiting=waiting, held=_look_of(signed, responses), proposed=_look_of(waiting, responses), preview=look,
        written=written or _present(session, survey_id), as_of=responses.as_of, may_make=may(frozenset(MAKERS)),
        variables=weight_sections.VARIABLES, has_waves=responses.frame["wave"].n_unique() > 1,
        may_sign=waiting is not None and may(frozenset(MAKERS)) and waiting.made_by != current_user.id,
        recipe_of=weight_recipes.from_json, known=weight_forms.known(responses),
    )  # fmt: skip


def _present(session: Session, survey_id: int) -> Written:
    """What the form shows to begin with: the newest version, else the levels that the interviews have."""
    rows = weight_recipes.versions(session, survey_id)
    if rows:
        return weight_forms.write(weight_recipes.from_json(rows[0].recipe))
    return weight_forms.beginning(_responses(session, survey_id))


def _look_of(row: WeightRecipe | None, responses: "Responses") -> Look | None:
    return _look(weight_recipes.from_json(row.recipe), responses) if row is not None else None


def _look(recipe: Recipe, responses: "Responses") -> Look:
    try:
        weights = weight_recipes.weigh(recipe, responses)
        helpful = weight_recipe.prospects(recipe, responses)[:PROSPECTS]
        return Look(recipe, responses.frame.height, weights, prospects=tuple(helpful))
    except CannotWeigh as fault:
        return Look(recipe, responses.frame.height, None, tuple(fault.faults.values()))


def _responses(session: Session, survey_id: int) -> "Responses":
    from surveys import responses

    return responses.kept(session, survey_id)


def _names(session: Session, rows: Any) -> dict[int, str]:
    ids = {each for row in rows for each in (row.made_by, row.signed_by) if each is not None}
    found = session.execute(select(User.id, User.full_name).where(User.id.in_(ids)))
    return {row.id: row.full_name for row in found}
