"""Pages of custom attributes: what the campaign keeps of people beyond our own columns."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.lists import import_choices
from callcenter.people import attributes
from callcenter.people.attributes import KINDS, Attribute

blueprint = Blueprint("attributes", "callcenter", url_prefix="/attributes", template_folder="templates")
DEFINERS = ("administrator", "data_clerk", "strategist")


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {"kinds": KINDS}


@blueprint.get("/")
@access(*DEFINERS)
def index() -> ResponseReturnValue:
    return _page({})


@blueprint.post("/")
@access(*DEFINERS)
def define() -> ResponseReturnValue:
    """Create an attribute; its key follows from its name."""
    session, form = web_session(), request.form
    try:
        import_choices.new_attribute(
            session, form.get("label", ""), form.get("kind", ""), _choices(), current_user.id
        )  # fmt: skip
    except InvalidInput as fault:
        session.rollback()
        return _page(fault.faults), 422
    session.commit()
    return redirect(url_for("attributes.index"))


@blueprint.get("/<key>")
@access(*DEFINERS)
def edit(key: str) -> ResponseReturnValue:
    return render_template("callcenter/attributes/edit.html", attribute=_get(key), faults={})


@blueprint.post("/<key>")
@access(*DEFINERS)
def save(key: str) -> ResponseReturnValue:
    """Another name, more choices; the kind stays, because people's values have it."""
    session, attribute = web_session(), _get(key)
    try:
        import_choices.check_attribute_name(request.form.get("label", ""))
        attributes.define(
            session, key, request.form.get("label", ""), attribute.kind, _choices(), user_id=current_user.id
        )  # fmt: skip
    except InvalidInput as fault:
        session.rollback()
        return render_template("callcenter/attributes/edit.html", attribute=_get(key), faults=fault.faults), 422
    session.commit()
    return redirect(url_for("attributes.index"))


def _page(faults: dict[str, str]) -> str:
    found = attributes.all_attributes(web_session())
    return render_template("callcenter/attributes/index.html", found=found, faults=faults)


def _get(key: str) -> Attribute:
    found = web_session().get(Attribute, key)
    if found is None:
        raise NotFound(_("There is no attribute %(key)s.", key=key))
    return found


def _choices() -> list[str]:
    return request.form.get("choices", "").splitlines()
