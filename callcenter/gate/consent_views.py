"""The form that puts a person's consent, or its withdrawal, on file with its proof."""

from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user

from callcenter import contacts
from callcenter.base.auth import access
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.gate import consents
from callcenter.gate.consents import Evidence

blueprint = Blueprint("consents", "callcenter", url_prefix="/contacts", template_folder="templates")

WRITERS = ("administrator", "supervisor", "data_clerk")
SOURCE = "person page"
KINDS: dict[str, LazyString] = {"opted_in": _l("Accepts"), "opted_out": _l("Refuses, or withdraws")}
SCOPES: dict[str, LazyString] = {
    "all": _l("Every channel"),
    "call": _l("Calls"),
    "sms": _l("SMS"),
    "whatsapp": _l("WhatsApp"),
    "telegram": _l("Telegram"),
    "email": _l("E-mail"),
}


@blueprint.app_context_processor
def _words() -> dict[str, Any]:
    return {"consent_kinds": KINDS, "consent_scopes": SCOPES}


@blueprint.route("/<int:contact_id>/consents", methods=["GET", "POST"])
@access(*WRITERS)
def record(contact_id: int) -> ResponseReturnValue:
    """The form, empty or with what was wrong; the person's page once it is kept."""
    session = web_session()
    contact = contacts.get(session, contact_id)
    if request.method == "GET":
        return render_template("callcenter/contacts/consent.html", contact=contact, form={}, faults={})
    try:
        consents.record(session, contact_id, _evidence(), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        page = render_template(
            "callcenter/contacts/consent.html", contact=contact, form=request.form, faults=fault.faults
        )
        return page, 422
    session.commit()
    flash(_("It is on file, with its proof."), "success")
    return redirect(url_for("contacts.show", contact_id=contact_id))


def _evidence() -> Evidence:
    given = request.form
    version = given.get("text_version", "").strip()[:100] or None
    return Evidence(
        kind=given.get("kind", ""), channel=given.get("channel", ""), proof=given.get("proof", "").strip()[:300],
        at=_moment(given.get("at", "")), source=SOURCE, text_version=version,
    )  # fmt: skip


def _moment(text: str) -> datetime:
    """What was written, in the campaign's own zone; now, when nothing was."""
    if not text.strip():
        return campaign_now(web_session())
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=ZONE)
    except ValueError:
        raise InvalidInput({"at": _("Write a day and a time.")}) from None
