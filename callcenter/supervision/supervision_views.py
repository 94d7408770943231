"""Listening to an operator: the panel with its modes, and the policy of who sees it. Every act is audited."""

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request, url_for
from flask_security import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Redirect

from callcenter import carriers
from callcenter.base import audit, flags
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.seats import line_views
from callcenter.supervision import supervision
from callcenter.telephony import phone_words, softphones, switch_origins

blueprint = Blueprint("supervision", "callcenter", url_prefix="/floor/listen", template_folder="templates")


@blueprint.get("/<int:operator_id>")
@access("supervisor", "administrator")
def page(operator_id: int) -> Response:
    """Who, since when, in which call; and the three modes."""
    session = web_session()
    kind = "asterisk" if carriers.has_switchboard() else "twilio" if carriers.can("browser_leg") else "none"
    drawn = render_template(
        "callcenter/floor/listen.html", words=phone_words.faults(), kind=kind, **_seen(session, operator_id)
    )
    return switch_origins.let_reach_switches(session, make_response(drawn))


@blueprint.get("/<int:operator_id>/state")
@access("supervisor", "administrator")
def state(operator_id: int) -> str:
    """The part of the panel that changes."""
    return render_template("callcenter/floor/listen_state.html", **_seen(web_session(), operator_id))


@blueprint.post("/phone")
@access("supervisor", "administrator")
def phone() -> Response:
    """The account with which this page hears and speaks, given once."""
    if carriers.can("browser_leg"):
        return jsonify(line_views.token(f"sup-{current_user.id}"))
    session = web_session()
    account = softphones.log_in(session, f"sup-{current_user.id}", int(current_user.id))
    session.commit()
    return jsonify(uri=account.uri, password=account.password, ws_url=account.ws_url)


@blueprint.post("/<int:operator_id>")
@access("supervisor", "administrator")
def start(operator_id: int) -> str:
    """Begin, or change the mode: listen, coach, join."""
    session, mode = web_session(), request.form.get("mode", "")
    listening = supervision.live_of(session, int(current_user.id))
    if listening is not None and listening.operator_id == operator_id:
        supervision.change(session, int(current_user.id), mode)
    else:
        supervision.start(session, int(current_user.id), operator_id, mode)
    session.commit()
    return state(operator_id)


@blueprint.post("/<int:operator_id>/stop")
@access("supervisor", "administrator")
def stop(operator_id: int) -> str:
    session = web_session()
    supervision.stop(session, int(current_user.id))
    session.commit()
    return state(operator_id)


@blueprint.post("/policy")
@access("administrator")
def policy() -> Redirect:
    """Do operators see that somebody only listens?"""
    session, on = web_session(), request.form.get("on") == "1"
    flags.turn(session, supervision.OPERATOR_SEES, on=on)
    audit.record(session, int(current_user.id), "flags.turn", f"flag/{supervision.OPERATOR_SEES}", on=on)
    session.commit()
    return redirect(url_for("transfer_targets.page"))


def _seen(session: Session, operator_id: int) -> dict[str, object]:
    operator = supervision.operator(session, operator_id)
    mine = supervision.live_of(session, int(current_user.id))
    return {
        "operator": operator,
        "listening": mine if mine is not None and mine.operator_id == operator_id else None,
        "last": supervision.last_of(session, int(current_user.id), operator_id),
        "call": supervision.call_of(session, operator),
        "modes": supervision.MODES,
    }
