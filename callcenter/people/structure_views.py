"""Pages of the structure: promoters and organisations with their pledges, and the pledges of one person."""

from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter import contacts
from callcenter.base import auth
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.people import contact_history, merges, pledges, structure
from callcenter.people.pledges import Form, Pledge
from callcenter.people.posts import PostHolder

blueprint = Blueprint("structure", "callcenter", url_prefix="/structure", template_folder="templates")

READERS = ("administrator", "strategist", "supervisor", "data_clerk")
WRITERS = ("administrator", "data_clerk")


def compose() -> None:
    """Tell the person's history of their pledges; what hangs on a person follows a merge."""
    merges.register_mover("pledges", *merges.column_mover(Pledge.contact_id))
    merges.register_mover("post_holders", *merges.column_mover(PostHolder.contact_id))
    contact_history.register("pledges", pledges.tell, _l("Pledges"))


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {"may_write": auth.may(frozenset(WRITERS))}


@blueprint.get("/")
@access(*READERS)
def page() -> ResponseReturnValue:
    session, name = web_session(), request.args.get("name", "")[:100]
    return render_template(
        "callcenter/structure/page.html",
        promoters=structure.promoters(session, name=name),
        organizations=structure.organizations(session),
        name=name,
    )


@blueprint.get("/promoters/<int:promoter_id>")
@access(*READERS)
def promoter(promoter_id: int) -> ResponseReturnValue:
    return _promoter(web_session(), promoter_id, {})


@blueprint.post("/promoters/<int:promoter_id>/organization")
@access(*WRITERS)
def set_organization(promoter_id: int) -> ResponseReturnValue:
    session = web_session()
    try:
        structure.set_organization(session, promoter_id, request.form.get("organization", ""), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _promoter(session, promoter_id, fault.faults), 422
    session.commit()
    return redirect(url_for("structure.promoter", promoter_id=promoter_id))


@blueprint.post("/promoters/<int:promoter_id>/merge")
@access(*WRITERS)
def merge(promoter_id: int) -> ResponseReturnValue:
    """The other spelling becomes this promoter."""
    session = web_session()
    other = request.form.get("other", type=int)
    try:
        if other is None:
            raise InvalidInput({"other": _("Choose the other spelling.")})
        structure.merge_promoters(session, promoter_id, other, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _promoter(session, promoter_id, fault.faults), 422
    session.commit()
    flash(_("The two spellings are one promoter now."), "success")
    return redirect(url_for("structure.promoter", promoter_id=promoter_id))


@blueprint.post("/promoters/<int:promoter_id>/part")
@access(*WRITERS)
def part(promoter_id: int) -> ResponseReturnValue:
    """Undo: this spelling is a promoter of its own again."""
    session = web_session()
    kept_id = structure.part_promoters(session, promoter_id, current_user.id)
    session.commit()
    flash(_("The spelling is a promoter of its own again."), "success")
    return redirect(url_for("structure.promoter", promoter_id=kept_id))


@blueprint.post("/people/<int:contact_id>/pledges")
@access(*WRITERS)
def add_pledge(contact_id: int) -> ResponseReturnValue:
    session = web_session()
    contacts.get(session, contact_id)
    try:
        pledges.add(session, contact_id, _form(), source="person page", user_id=current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _pledges(
            session, contact_id, fault.faults
        )  # 200: htmx shows the form again only for an answer that is one
    session.commit()
    return _pledges(session, contact_id, {})


def _form() -> Form:
    said = request.form
    signed_on = None
    if text := said.get("signed_on", "").strip():
        try:
            signed_on = date.fromisoformat(text)
        except ValueError as error:
            raise InvalidInput({"signed_on": _("Write the date as year-month-day, for example 2027-06-06.")}) from error
    return Form(
        form_id=said.get("form_id", ""),
        promoter=said.get("promoter", ""),
        organization=said.get("organization", ""),
        signed_on=signed_on,
        proof=said.get("proof", "")[:200],
    )


def pledges_part(session: Session, contact_id: int, faults: dict[str, str] | None = None) -> dict[str, Any]:
    """What structure/pledges_part.html shows: a person's pledges, and a form for a new one."""
    return {
        "contact_id": contact_id,
        "pledges": pledges.of_person(session, contact_id),
        "pledge_states": pledges.STATES,
        "may_pledge": auth.may(frozenset(WRITERS)),
        "pledge_faults": faults or {},
        "typed_pledge": request.form if faults else {},
    }


def _pledges(session: Session, contact_id: int, faults: dict[str, str]) -> str:
    return render_template("callcenter/structure/pledges_part.html", **pledges_part(session, contact_id, faults))


def _promoter(session: Session, promoter_id: int, faults: dict[str, str]) -> str:
    found = structure.get_promoter(session, promoter_id)
    everybody = structure.promoters(session, limit=5000)
    return render_template(
        "callcenter/structure/promoter.html",
        promoter=found,
        tally=next((one for one in everybody if one.id == promoter_id), None),
        others=structure.alike(found, everybody),
        spellings=structure.spellings(session, promoter_id),
        organization=session.get(structure.Organization, found.organization_id) if found.organization_id else None,
        faults=faults,
    )
