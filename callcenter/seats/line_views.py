"""How an operator hears and speaks where the carrier is Twilio: the card on their console, and what the page tells.

GET  /console/line/         the card
POST /console/line/way      form `way` (operator_lines.WAYS)
POST /console/line/phone    form `phone`
POST /console/line/check    rings the telephone; the answer shows the code to press on it, this once
POST /console/line/code     the answer shows the code to call us with, this once
POST /console/line/ring     ring my line again
GET  /console/line/news     how the check stands; it reloads the card when it is done
POST /console/line/page     {"there": bool}: this page can be rung, or no more (twilio_phone.js)
"""

from typing import Any

import phonenumbers
from flask import Blueprint, Response, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter import carriers, contacts, operators
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, ProviderError, Refused
from callcenter.base.outbox import enqueue_later
from callcenter.base.settings import web_settings
from callcenter.carriers.twilio import tokens
from callcenter.seats import dial_in, operator_lines, operator_rooms

blueprint = Blueprint("lines", "callcenter", url_prefix="/console/line", template_folder="templates")
TELEPHONE = ("ring", "dial_in")


@blueprint.get("/")
@access("operator", "supervisor")
def card() -> str:
    return _card(web_session())


@blueprint.post("/way")
@access("operator", "supervisor")
def way() -> Response:
    session, chosen = web_session(), request.form.get("way", "")
    if chosen in TELEPHONE and not _numbers():
        raise Refused("no_voice_number", _("No number of ours is set for this. Tell your administrator."))
    operator_id = _operator_id(session)
    if operator_lines.choose(session, operator_id, chosen, int(current_user.id)):
        operator_rooms.renew(session, operator_id)
    session.commit()
    drawn = make_response(_card(session))
    if carriers.can("browser_leg"):
        drawn.headers["HX-Refresh"] = "true"  # the telephone of the page comes or goes
    return drawn


@blueprint.post("/phone")
@access("operator", "supervisor")
def phone() -> str:
    session, given = web_session(), request.form.get("phone", "")
    try:
        operator_lines.set_phone(session, _operator_id(session), given, int(current_user.id))
    except InvalidInput as error:
        session.rollback()
        return _card(session, given=given, fault=error.faults["phone"])
    session.commit()
    return _card(session)


@blueprint.post("/check")
@access("operator", "supervisor")
def check() -> str:
    session = web_session()
    code = operator_lines.begin_check(session, _operator_id(session))
    session.commit()
    return _card(session, check_code=code)


@blueprint.post("/code")
@access("operator", "supervisor")
def code() -> str:
    session = web_session()
    made = dial_in.make(session, _operator_id(session), int(current_user.id))
    session.commit()
    return _card(session, dial_code=made)


@blueprint.post("/ring")
@access("operator", "supervisor")
def ring() -> str:
    session = web_session()
    operator_id = _operator_id(session)
    if operators.locked(session, operator_id).state == "offline":
        raise Refused("offline", _("Connect first."))
    enqueue_later(session, "callcenter.jobs.open_room", operator_id, True, queue="urgent")
    session.commit()
    return _card(session, is_rung=True)


@blueprint.get("/news")
@access("operator", "supervisor")
def news() -> Response:
    session = web_session()
    operator_id = _operator_id(session)
    is_checking = operator_lines.is_checking(session, operator_id)
    session.commit()
    answer = make_response(render_template("callcenter/console/line_news.html", is_checking=is_checking))
    if not is_checking:
        answer.headers["HX-Trigger"] = "line-changed"
    return answer


@blueprint.post("/page")
@access("operator", "supervisor")
def page() -> Response:
    given, session = request.get_json(silent=True), web_session()
    is_there = isinstance(given, dict) and given.get("there") is True
    operator_lines.registered(session, _operator_id(session), is_there=is_there)
    session.commit()
    return jsonify(there=is_there)


def token(identity: str) -> dict[str, Any]:
    """What a page registers with: {"token", "seconds", "edge"}. Raises Refused without an API key."""
    account = web_settings().twilio
    try:
        made = tokens.mint(account, identity)
    except ProviderError:
        sentence = _("Telephoning in the browser needs an API key of Twilio: tell your administrator. You can work by"
                     " telephone meanwhile.")  # fmt: skip
        raise Refused("no_api_key", sentence) from None
    return {"token": made, "seconds": tokens.SECONDS, "edge": account.edge}


def _card(session: Session, **shown: Any) -> str:
    operator_id = _operator_id(session)
    line = operator_lines.of(session, operator_id)
    session.commit()
    operator = operators.of_user(session, int(current_user.id))
    return render_template(
        "callcenter/console/line.html", line=line, operator=operator, number=_as_written(_numbers()),
        phone=contacts.masked(line.phone) if line.phone else None, has_sound=carriers.can("browser_leg"), **shown,
    )  # fmt: skip


def _numbers() -> str:
    """The number of ours that operators are rung from and call; '' without one."""
    return web_settings().twilio.voice_number


def _as_written(number: str) -> str:
    """As people write it here: 55 1234 0000."""
    if not number:
        return ""
    return phonenumbers.format_number(phonenumbers.parse(number, "MX"), phonenumbers.PhoneNumberFormat.NATIONAL)


def _operator_id(session: Session) -> int:
    return operators.of_user(session, int(current_user.id)).id
