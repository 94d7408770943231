"""From gross to effective: the page that shows every step, ways side by side, and recipes with their sign-off."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.auth import User, access, may
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from surveys import questionnaire, responses
from surveys.pages import MAKERS, READERS, blueprint
from surveys.responses import Responses
from surveys.vote import report_words, vote_looks, vote_options, vote_recipe, vote_recipes
from surveys.vote.vote_recipe import Recipe
from surveys.weighting import weighing


@blueprint.get("/<int:survey_id>/vote")
@access(*READERS)
def vote(survey_id: int) -> ResponseReturnValue:
    """The chain in force; ?version=2 looks at a recipe that was kept."""
    session = web_session()
    found = responses.kept(session, survey_id)
    if number := request.args.get("version", type=int):
        return _page(session, found, vote_recipes.version(session, survey_id, number).recipe, shown=number)
    return _page(session, found, vote_recipes.in_force(session, survey_id))


@blueprint.post("/<int:survey_id>/vote")
@access(*MAKERS)
def keep_vote_recipe(survey_id: int) -> ResponseReturnValue:
    """Keep what was chosen as a version that waits for a second person."""
    session = web_session()
    found = responses.kept(session, survey_id)
    try:
        recipe = _written(found)
        row = vote_recipes.keep(session, found, recipe, request.form.get("note", ""), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _page(session, found, vote_recipes.in_force(session, survey_id), faults=fault.faults), 422
    session.commit()
    flash(_("Version %(number)s waits for a second person to sign it off.", number=row.version), "success")
    return redirect(url_for("surveys.vote", survey_id=survey_id, version=row.version))


@blueprint.post("/<int:survey_id>/vote/try")
@access(*MAKERS)
def try_vote_recipe(survey_id: int) -> ResponseReturnValue:
    """What the chosen recipe would give; nothing is kept."""
    session = web_session()
    found = responses.kept(session, survey_id)
    try:
        recipe = _written(found)
        vote_recipes.check(found, recipe)
    except InvalidInput as fault:
        return _page(session, found, vote_recipes.in_force(session, survey_id), faults=fault.faults), 422
    return _page(session, found, recipe, tried=True)


@blueprint.post("/<int:survey_id>/vote/<int:number>/sign")
@access(*MAKERS)
def sign_vote_recipe(survey_id: int, number: int) -> ResponseReturnValue:
    """A second person lets the results follow this recipe."""
    session = web_session()
    vote_recipes.sign(session, survey_id, number, current_user.id)
    session.commit()
    flash(_("From now on the results follow version %(number)s.", number=number), "success")
    return redirect(url_for("surveys.vote", survey_id=survey_id))


def _written(found: Responses) -> Recipe:
    return vote_recipes.from_form(found, request.form, request.form.getlist("shared"))


def _page(
    session: Session, found: Responses, recipe: Recipe, *, tried: bool = False, shown: int | None = None,
    faults: dict[str, str] | None = None,
) -> str:  # fmt: skip
    survey_id = found.survey_id
    rows = vote_recipes.versions(session, survey_id)
    signed = vote_recipes.signed_version(session, survey_id)
    weighed = weighing.weigh(session, found, wanted=not found.frame.is_empty())
    unusable = ""
    try:
        look = vote_looks.look(found, weighed, recipe)
    except InvalidInput as fault:  # a recipe for what nobody was asked yet
        look, unusable = vote_looks.look(found, weighed, vote_recipes.standard(session, survey_id)), str(fault)
    waiting = next((row for row in rows if row.signed_at is None), None)
    if waiting is not None and signed is not None and waiting.version < signed.version:
        waiting = None
    return render_template(
        "surveys/vote.html", survey=questionnaire.find(session, survey_id), look=look, recipe=recipe, tried=tried,
        shown=shown, signed=signed, waiting=waiting, versions=rows, names=_names(session, rows), unusable=unusable,
        words=report_words, looks=vote_looks, weighed=weighed, as_of=found.as_of, faults=faults or {},
        written=request.form if faults or tried else None, labels=vote_recipe,
        has_likely=found.likely_question in found.items, leanings=vote_options.leanings(found, recipe.question),
        may_make=may(frozenset(MAKERS)),
        may_sign=waiting is not None and may(frozenset(MAKERS)) and waiting.made_by != current_user.id,
    )  # fmt: skip


def _names(session: Session, rows: Any) -> dict[int, str]:
    ids = {each for row in rows for each in (row.made_by, row.signed_by) if each is not None}
    found = session.execute(select(User.id, User.full_name).where(User.id.in_(ids)))
    return {row.id: row.full_name for row in found}
