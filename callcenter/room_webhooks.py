"""What Twilio asks and tells us of rooms: operators' telephones, codes, the other legs of a call, supervisors.

Each is harmless when repeated: Twilio asks again when our answer was lost.
"""

from typing import Any
from uuid import UUID

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from callcenter.base.auth import public
from callcenter.base.db import web_session
from callcenter.base.settings import web_settings
from callcenter.carriers.twilio import rooms, words
from callcenter.carriers.twilio.signature import signed
from callcenter.ledger import call_legs, leg_news
from callcenter.seats import dial_in, operator_lines, operator_rooms
from callcenter.supervision import supervision
from callcenter.webhooks import twiml

blueprint = Blueprint("room_webhooks", __name__, url_prefix="/hooks/voice")
WHY = "the carrier's signature is its log-in"
UP, ENDED = "up", "ended"


@blueprint.post("/room/<int:operator_id>/taken")
@public(WHY)
@signed
def taken(operator_id: int) -> ResponseReturnValue:
    """The operator's telephone was answered, and something pressed: 1 takes the line."""
    if request.form.get("Digits") != "1":
        return twiml(words.goodbye())
    session = web_session()
    ref, mark = request.form.get("CallSid", ""), request.args.get("ring", "")
    is_open = operator_rooms.opened(session, operator_id, ref, mark=mark)
    session.commit()
    return twiml(words.join_as_operator(operator_id, says=rooms.OPEN) if is_open else words.goodbye())


@blueprint.post("/line-check/<int:operator_id>")
@public(WHY)
@signed
def line_check(operator_id: int) -> ResponseReturnValue:
    """A telephone that is being checked was answered."""
    session = web_session()
    is_checking = operator_lines.is_checking(session, operator_id)
    session.commit()
    if not is_checking:
        return twiml(words.goodbye())
    return twiml(rooms.ask_for_code(_own("line_checked", operator_id=operator_id), rooms.CHECK))


@blueprint.post("/line-check/<int:operator_id>/digits")
@public(WHY)
@signed
def line_checked(operator_id: int) -> ResponseReturnValue:
    """The digits that were pressed on it."""
    session = web_session()
    came = operator_lines.check(session, operator_id, request.form.get("Digits", ""))
    session.commit()
    if came == "right":
        return twiml(rooms.say_and_end(rooms.CHECKED))
    if came == "over":
        return twiml(rooms.say_and_end(rooms.WRONG))
    return twiml(rooms.ask_for_code(_own("line_checked", operator_id=operator_id), rooms.WRONG, rooms.CODE))


@blueprint.post("/dial-in")
@public(WHY)
@signed
def dialled() -> ResponseReturnValue:
    """Somebody who works here calls us: which code?"""
    return twiml(rooms.ask_for_code(_own("code_given"), rooms.CODE))


@blueprint.post("/dial-in/code")
@public(WHY)
@signed
def code_given() -> ResponseReturnValue:
    """Their line, or once more."""
    session, form = web_session(), request.form
    ref = form.get("CallSid", "")
    known = operator_rooms.at_leg(session, ref)
    if known is not None:  # asked twice: the code was taken the first time
        return twiml(_dialled_in(known))
    found = dial_in.take(session, form.get("From", ""), form.get("Digits", ""))
    if found.operator_id is not None:
        operator_rooms.dialled_in(session, found.operator_id, ref)
    session.commit()
    if found.operator_id is not None:
        return twiml(_dialled_in(found.operator_id))
    if found.is_shut:
        return twiml(rooms.say_and_end(rooms.SHUT))
    return twiml(rooms.ask_for_code(_own("code_given"), rooms.WRONG, rooms.CODE))


@blueprint.post("/room-news/<int:operator_id>")
@public(WHY)
@signed
def room_news(operator_id: int) -> ResponseReturnValue:
    """Somebody left the room of an operator who called us: if it was they, their line is gone.

    https://www.twilio.com/docs/voice/twiml/conference#attributes-statusCallbackEvent"""
    session, form = web_session(), request.form
    if form.get("StatusCallbackEvent") == "participant-leave":
        operator_rooms.lost(session, operator_id, form.get("CallSid", ""), mark="")
        session.commit()
    return "", 204


@blueprint.post("/leg/<uuid:leg_id>")
@public(WHY)
@signed
def leg(leg_id: UUID) -> ResponseReturnValue:
    """Whom an operator asked in, or handed a call to, has answered: into the room where they are waited for."""
    session, ref = web_session(), request.form.get("CallSid", "")
    leg_news.heard(session, leg_id, UP, words.cause_of(request.form), ref)
    session.commit()
    known = session.get(call_legs.CallLeg, leg_id)
    if known is None or known.ended_at is not None:
        return twiml(words.goodbye())
    return twiml(rooms.enter(known.room, ref))


@blueprint.post("/leg-status/<uuid:leg_id>")
@public(WHY)
@signed
def leg_status(leg_id: UUID) -> ResponseReturnValue:
    session, form = web_session(), request.form
    kind = {"ringing": "ringing", "answered": UP, "placed": ""}.get(words.event_of(form), ENDED)
    if kind:
        leg_news.heard(session, leg_id, kind, words.cause_of(form), form.get("CallSid"))
        session.commit()
    return "", 204


@blueprint.post("/listening/<int:listening_id>")
@public(WHY)
@signed
def listening(listening_id: int) -> ResponseReturnValue:
    """A supervisor's page took the line, or left it."""
    session, form = web_session(), request.form
    kind = words.event_of(form)
    if kind not in ("placed", "ringing"):
        supervision.heard_of(session, listening_id, form.get("CallSid", ""), UP if kind == "answered" else ENDED)
        session.commit()
    return "", 204


def _dialled_in(operator_id: int) -> str:
    return words.join_as_operator(operator_id, told_at=_own("room_news", operator_id=operator_id), says=rooms.OPEN)


def _own(endpoint: str, **values: Any) -> str:
    """The address of another webhook of this module, as the carrier reaches it."""
    return web_settings().public_url + url_for(f"room_webhooks.{endpoint}", **values)
