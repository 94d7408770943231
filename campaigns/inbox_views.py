"""The inbox: what people answered, opt-outs marked, doubtful ones for a person to decide."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.web import Page, page_number
from callcenter.contacts import masked
from campaigns import inbox

blueprint = Blueprint("inbox", __name__, url_prefix="/inbox")
SIZE = 50


@blueprint.get("/")
@access("strategist", "supervisor", "administrator")
def page() -> ResponseReturnValue:
    session, number = web_session(), page_number()
    only = request.args.get("only", "")
    only = only if only in ("opt_out", "doubtful") else ""
    counts = inbox.counts(session)
    found = inbox.newest(session, only=only, limit=SIZE + 1, offset=(number - 1) * SIZE)
    rows = Page(found[:SIZE], number, len(found) > SIZE, counts[only or "all"])
    return render_template("campaigns/inbox.html", page=rows, only=only, counts=counts, masked=masked)


@blueprint.post("/<int:inbound_id>/review")
@access("strategist", "supervisor", "administrator")
def review(inbound_id: int) -> ResponseReturnValue:
    """A person decides what a doubtful reply means."""
    session = web_session()
    is_opt_out = request.form.get("decision") == "opt_out"
    inbox.review(session, inbound_id, is_opt_out=is_opt_out, user_id=current_user.id)
    session.commit()
    flash(
        _("The phone is suppressed: nobody here contacts it again.") if is_opt_out else _("Kept as an ordinary reply.")
    )
    return redirect(url_for(".page", only=request.form.get("only") or None))
