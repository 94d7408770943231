"""What the telephone in a page asks of the server: an account for this log-in, what its line is like, a leg anew.

POST /console/phone/account   {"name", "uri", "ws_url", "password"}: told once, counts until log-out; 409 in words.
                              Where the carrier is Twilio {"token", "seconds", "edge"}, anew at each request
POST /console/phone/quality   {"loss": 0–1 | null, "jitter_ms", "round_trip_ms"} → {"quality": good | poor | null}
POST /console/phone/redial    the page has lost its leg: ring it again. An act of the console, as in console.py
"""

from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request
from flask_babel import gettext as _
from flask_login import user_logged_out
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter import carriers, console, operators
from callcenter.base import audit
from callcenter.base.auth import User, access
from callcenter.base.db import web_session
from callcenter.base.errors import Refused
from callcenter.base.outbox import enqueue_later
from callcenter.seats import line_views, operator_lines
from callcenter.telephony import line_quality, softphones

blueprint = Blueprint("phone", __name__, url_prefix="/console/phone")


def compose() -> None:
    """Who signs out takes their telephone with them."""
    user_logged_out.connect(_signed_out)


@blueprint.route("/account", methods=["POST"])
@access("operator", "supervisor")
def account() -> Response:
    session = web_session()
    operator = operators.of_user(session, int(current_user.id))
    if not (carriers.has_switchboard() or carriers.can("browser_leg")):
        raise Refused("no_switch", _("Telephoning in the browser needs a telephone switch; there is none here."))
    if operator.state == "offline":
        raise Refused("offline", _("Connect first."))
    name = f"op-{operator.id}"
    if carriers.can("browser_leg"):
        return jsonify(line_views.token(name))
    given = softphones.log_in(session, name, int(current_user.id))
    audit.record(session, int(current_user.id), "softphones.log_in", f"operator/{operator.id}")
    session.commit()
    return jsonify(name=given.name, uri=given.uri, ws_url=given.ws_url, password=given.password)


@blueprint.route("/quality", methods=["POST"])
@access("operator", "supervisor")
def quality() -> Response:
    body = request.get_json(silent=True)
    line = line_quality.read(body if isinstance(body, dict) else {})
    session = web_session()
    operator = operators.of_user(session, int(current_user.id))
    if carriers.can("browser_leg"):
        operator_lines.measured(session, operator.id, line)
        card = operator_lines.card(session, operator.id)
    else:
        softphones.measured(session, f"op-{operator.id}", line)
        card = softphones.card(session, operator.id)
    session.commit()
    return jsonify(quality=card["quality"] if card else None)


@blueprint.route("/redial", methods=["POST"])
@access("operator", "supervisor")
def redial() -> Response:
    def do(session: Session, operator_id: int) -> None:
        enqueue_later(session, "callcenter.jobs.open_room", operator_id, True, queue="urgent")

    return console.act(do)


def _signed_out(_app: Flask, user: User, **_more: Any) -> None:
    if not (carriers.has_switchboard() or carriers.can("browser_leg")):
        return
    session = web_session()
    operator_id = operators.of_user(session, int(user.id)).id
    operators.leave(session, operator_id)
    if carriers.can("browser_leg"):
        operator_lines.registered(session, operator_id, is_there=False)
    softphones.log_out_user(session, int(user.id), but=f"op-{operator_id}")
    session.commit()
