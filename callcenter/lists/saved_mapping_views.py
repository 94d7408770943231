"""Pages of saved mappings: how each source's columns are taken, changed or forgotten."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.lists import saved_mappings
from callcenter.lists.import_choices import has_policy
from callcenter.lists.import_columns import FIELDS, check_mapping
from callcenter.lists.import_outcomes import POLICIES
from callcenter.lists.import_views import IMPORTERS
from callcenter.lists.saved_mappings import SavedMapping
from callcenter.people import attributes

blueprint = Blueprint("saved_mappings", "callcenter", url_prefix="/imports/mappings", template_folder="templates")


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {"fields": FIELDS, "policies": POLICIES, "has_policy": has_policy}


@blueprint.get("/")
@access(*IMPORTERS)
def index() -> ResponseReturnValue:
    found = saved_mappings.all_mappings(web_session())
    return render_template("callcenter/imports/saved.html", found=found)


@blueprint.get("/<int:mapping_id>")
@access(*IMPORTERS)
def edit(mapping_id: int) -> ResponseReturnValue:
    return _page(saved_mappings.get(web_session(), mapping_id), {})


@blueprint.post("/<int:mapping_id>")
@access(*IMPORTERS)
def save(mapping_id: int) -> ResponseReturnValue:
    """What the next list of this source with these names is taken for."""
    session = web_session()
    kept = saved_mappings.get(session, mapping_id)
    columns = [(name, request.form.get(f"column-{at}", "")) for at, (name, _field) in enumerate(kept.columns)]
    policies = {
        field: request.form.get(f"policy-{at}", "overwrite")
        for at, (_name, field) in enumerate(columns)
        if has_policy(field) and request.form.get(f"policy-{at}") in ("fill", "keep")
    }
    try:
        keys = [one.key for one in attributes.all_attributes(session)]
        check_mapping({at: field for at, (_name, field) in enumerate(columns) if field}, (), keys)
    except InvalidInput as fault:
        return _page(kept, fault.faults), 422
    letters = request.form.get("sex_letters")
    saved_mappings.save(
        session, kept.source, columns, policies=policies, user_id=current_user.id,
        sex_letters=letters if letters in ("HM", "MF") else None,
    )  # fmt: skip
    session.commit()
    return redirect(url_for("saved_mappings.index"))


@blueprint.post("/<int:mapping_id>/forget")
@access(*IMPORTERS)
def forget(mapping_id: int) -> ResponseReturnValue:
    session = web_session()
    saved_mappings.forget(session, mapping_id, current_user.id)
    session.commit()
    return redirect(url_for("saved_mappings.index"))


def _page(kept: SavedMapping, faults: dict[str, str]) -> str:
    custom = attributes.all_attributes(web_session())
    return render_template("callcenter/imports/saved_one.html", kept=kept, custom=custom, faults=faults)
