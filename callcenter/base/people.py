"""Administration of people: list, create (in bulk, with slips), disable, reset, end sessions, second factor, roles."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security import current_user

from callcenter.base import users
from callcenter.base.auth import ROLE_LABELS, ROLES, User, access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.web import page_number, paged

blueprint = Blueprint("people", __name__, url_prefix="/people", template_folder="templates")


@blueprint.get("")
@access("administrator")
def index() -> ResponseReturnValue:
    """Everybody with a log-in, filtered by the address."""
    text, role, state = (request.args.get(name, "").strip() for name in ("q", "role", "state"))
    page = paged(web_session(), users.matching(text, role, state), page_number())
    return render_template("base/people.html", page=page, role_labels=ROLE_LABELS)


@blueprint.get("/new")
@access("administrator")
def new() -> ResponseReturnValue:
    return _new_page({})


@blueprint.post("/new")
@access("administrator")
def create() -> ResponseReturnValue:
    """One person with a one-time password."""
    person = users.NewPerson(
        full_name=request.form.get("full_name", ""),
        roles=tuple(request.form.getlist("roles")),
        username=request.form.get("username", "").strip().casefold(),
        email=request.form.get("email", "").strip() or None,
    )
    session = web_session()
    try:
        slips = users.create_many(session, [person], by=current_user.id)
    except InvalidInput as error:
        session.rollback()
        return _new_page(error.faults), 422
    session.commit()
    return _slips_page(slips)


@blueprint.post("/bulk")
@access("administrator")
def create_many() -> ResponseReturnValue:
    """Many people from pasted names; answers with the slips, once."""
    session = web_session()
    try:
        people = users.read_people(request.form.get("people", ""), request.form.get("role", "operator"))
        slips = users.create_many(session, people, by=current_user.id)
    except InvalidInput as error:
        session.rollback()
        return _new_page({"people": str(error)}), 422
    session.commit()
    return _slips_page(slips)


@blueprint.get("/<int:user_id>")
@access("administrator")
def show(user_id: int) -> ResponseReturnValue:
    return render_template("base/person.html", user=users.get(web_session(), user_id), role_labels=ROLE_LABELS)


@blueprint.post("/<int:user_id>/password")
@access("administrator")
def reset_password(user_id: int) -> ResponseReturnValue:
    """A one-time password on a slip; the person's sessions end."""
    slip = users.reset_password(web_session(), user_id, by=current_user.id)
    web_session().commit()
    return _slips_page([slip])


@blueprint.post("/<int:user_id>/active")
@access("administrator")
def set_active(user_id: int) -> ResponseReturnValue:
    active = request.form.get("active") == "yes"
    user = users.set_active(web_session(), user_id, active=active, by=current_user.id)
    sentence = _("%(name)s may sign in again.") if active else _("%(name)s is disabled; their sessions were ended.")
    return _done(user, sentence % {"name": user.full_name})


@blueprint.post("/<int:user_id>/sessions")
@access("administrator")
def end_sessions(user_id: int) -> ResponseReturnValue:
    user = users.end_sessions(web_session(), user_id, by=current_user.id)
    return _done(user, _("The sessions of %(name)s were ended.", name=user.full_name))


@blueprint.post("/<int:user_id>/second-factor")
@access("administrator")
def second_factor(user_id: int) -> ResponseReturnValue:
    """Require, no longer require, or reset the second factor."""
    act, session = request.form.get("act"), web_session()
    if act == "reset":
        user = users.reset_second_factor(session, user_id, by=current_user.id)
        return _done(user, _("The second factor of %(name)s was reset.", name=user.full_name))
    user = users.require_second_factor(session, user_id, required=act == "require", by=current_user.id)
    if user.must_use_second_factor:
        return _done(user, _("%(name)s sets up a second factor at the next sign-in.", name=user.full_name))
    return _done(user, _("%(name)s may sign in without a second factor.", name=user.full_name))


@blueprint.post("/<int:user_id>/roles")
@access("administrator")
def set_roles(user_id: int) -> ResponseReturnValue:
    user = users.set_roles(web_session(), user_id, request.form.getlist("roles"), by=current_user.id)
    return _done(user, _("The roles of %(name)s were changed.", name=user.full_name))


def _done(user: User, sentence: str) -> ResponseReturnValue:
    web_session().commit()
    flash(sentence, "success")
    return redirect(url_for("people.show", user_id=user.id))


def _new_page(faults: dict[str, str]) -> str:
    return render_template(
        "base/people_new.html", faults=faults, roles=ROLES, role_labels=ROLE_LABELS, form=request.form
    )


def _slips_page(slips: list[users.Slip]) -> str:
    count = ngettext("%(num)s person can sign in.", "%(num)s people can sign in.", len(slips))
    flash(count, "success")
    return render_template("base/slips.html", slips=slips, role_labels=ROLE_LABELS)
