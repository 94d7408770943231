"""Outside numbers that calls may be transferred to, and who sees a listening supervisor: an administrator's page."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user

from callcenter.base import flags
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.ledger import transfer_targets
from callcenter.supervision import supervision

blueprint = Blueprint("transfer_targets", "callcenter", url_prefix="/telephony/transfers", template_folder="templates")


@blueprint.get("/")
@access("administrator")
def page() -> str:
    return _page({}, {})


@blueprint.post("/")
@access("administrator")
def add() -> ResponseReturnValue:
    session, form = web_session(), request.form
    try:
        transfer_targets.add(session, form.get("name", ""), form.get("phone", ""), int(current_user.id))
    except InvalidInput as fault:
        session.rollback()
        return _page(dict(form), fault.faults), 422
    session.commit()
    return redirect(url_for("transfer_targets.page"))


@blueprint.post("/<int:target_id>")
@access("administrator")
def turn(target_id: int) -> ResponseReturnValue:
    """Allow a number again, or no more."""
    session = web_session()
    transfer_targets.turn(session, target_id, on=request.form.get("on") == "1", user_id=int(current_user.id))
    session.commit()
    return redirect(url_for("transfer_targets.page"))


def _page(given: dict[str, str], faults: dict[str, str]) -> str:
    session = web_session()
    return render_template(
        "callcenter/telephony/transfers.html", targets=transfer_targets.listed(session, enabled_only=False),
        given=given, faults=faults, operator_sees=flags.is_on(session, supervision.OPERATOR_SEES), title=_("Transfers"),
    )  # fmt: skip
