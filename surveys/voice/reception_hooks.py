"""Twilio's questions about calls to our numbers: what to say to who rings, what to do with the key they pressed.

A number of ours points to /hooks/voice/inbound, and its status callback to /hooks/voice/inbound-status. Each request is
committed before its answer, and the same one again gets the same.
https://www.twilio.com/docs/usage/webhooks/voice-webhooks#incoming-voice-call
"""

from uuid import UUID

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from callcenter.base.auth import public
from callcenter.base.db import web_session
from callcenter.base.errors import NotFound
from callcenter.base.settings import web_settings
from callcenter.calls import Event, locked
from callcenter.carriers.twilio import words
from callcenter.carriers.twilio.signature import signed
from callcenter.ledger import inbound
from callcenter.ledger.inbound import Menu
from callcenter.seats import dial_in, operator_rooms
from callcenter.sound import voice_messages
from callcenter.webhooks import twiml as twiml_answer
from surveys.faces import reception, twiml
from surveys.faces.turns import Step
from surveys.faces.twiml import Way

blueprint = Blueprint("reception_hooks", __name__, url_prefix="/hooks/voice")
GOING_ON = ("placed", "ringing", "answered")


@blueprint.post("/inbound")
@public("the carrier's signature is its log-in")
@signed
def arrive() -> ResponseReturnValue:
    """Somebody rings one of our numbers: the menu, or why there is none."""
    session, caller = web_session(), request.form.get("From", "")
    if dial_in.expects(session, caller):
        return _to_dial_in()
    call_id = inbound.arrived(session, request.form.get("CallSid", ""), caller, request.form.get("To", ""))
    if call_id is None:
        why = inbound.why_not(session, caller)
        session.commit()
        return _said(reception.STRANGER, reception.goodbye(reception.STRANGER, why))
    menu = inbound.menu(session, call_id)
    session.commit()
    return _said(menu, reception.ask(menu), f"inbound/{call_id}/menu/1")


@blueprint.post("/inbound/<uuid:call_id>/menu/<int:tries>")
@public("the carrier's signature is its log-in")
@signed
def choose(call_id: UUID, tries: int) -> ResponseReturnValue:
    """A key was pressed at the menu, or none."""
    session = web_session()
    menu = _menu(session, call_id)
    heard = twiml.heard(reception.ask(menu), request.form)
    if heard.keys == reception.OF_THE_HOUSE:
        inbound.choose(session, call_id, "none")
        session.commit()
        return _to_dial_in()
    chosen = reception.choice(menu, heard, tries)
    if chosen is None:
        session.commit()
        return _said(menu, reception.ask(menu), f"inbound/{call_id}/menu/{tries + 1}")
    return _done(session, call_id, menu, chosen)


@blueprint.post("/inbound/<uuid:call_id>/wait/<int:looks>")
@public("the carrier's signature is its log-in")
@signed
def wait(call_id: UUID, looks: int) -> ResponseReturnValue:
    """They wait for an operator: is one free now, or did they press a key meanwhile?"""
    session = web_session()
    menu = _menu(session, call_id)
    heard = twiml.heard(reception.wait(menu, looks - 1), request.form)
    return _done(session, call_id, menu, reception.meanwhile(menu, heard), looks)


@blueprint.post("/inbound/<uuid:call_id>/nobody")
@public("the carrier's signature is its log-in")
@signed
def nobody(call_id: UUID) -> ResponseReturnValue:
    """Nobody was free: do they leave a message?"""
    session = web_session()
    menu = _menu(session, call_id)
    heard = twiml.heard(reception.nobody(menu, ""), request.form)
    return _done(session, call_id, menu, reception.after_nobody(menu, heard), is_last=True)


@blueprint.post("/inbound/<uuid:call_id>/speak")
@public("the carrier's signature is its log-in")
@signed
def speak(call_id: UUID) -> ResponseReturnValue:
    """They have heard that their message is recorded: the tone."""
    menu = _menu(web_session(), call_id)
    return _said(menu, reception.RECORD, f"inbound/{call_id}/spoken")


@blueprint.post("/inbound/<uuid:call_id>/spoken")
@public("the carrier's signature is its log-in")
@signed
def spoken(call_id: UUID) -> ResponseReturnValue:
    """They have spoken, or said nothing. A recording of which Twilio never tells us is asked for by a job."""
    session = web_session()
    menu, message = _menu(session, call_id), voice_messages.of_call(session, call_id)
    heard = twiml.heard(reception.RECORD, request.form)
    if heard.kind == "voice":
        voice_messages.left(session, message.id, heard.value)
    session.commit()
    return _said(menu, reception.goodbye(menu, "message" if heard.kind == "voice" else "silent"))


@blueprint.post("/inbound/over")
@public("the carrier's signature is its log-in")
@signed
def over() -> ResponseReturnValue:
    """They have heard the last words."""
    return twiml_answer(twiml.hang_up())


@blueprint.post("/inbound-status")
@public("the carrier's signature is its log-in")
@signed
def status() -> ResponseReturnValue:
    """What became of a call to our numbers. One that is not in the ledger had no menu: nothing is to be written."""
    session, ref = web_session(), request.form.get("CallSid", "")
    if words.event_of(request.form) in GOING_ON:
        return "", 204
    call_id, operator_id = inbound.of_ref(session, ref), operator_rooms.at_leg(session, ref)
    if call_id is not None:
        said = Event("hung_up", f"status:{ref}:hung_up", words.cause_of(request.form), ref)
        inbound.left(session, call_id, said)
    if operator_id is not None:  # who works by telephone had called us
        operator_rooms.lost(session, operator_id, ref, mark="")
    session.commit()
    return "", 204


def _menu(session: Session, call_id: UUID) -> Menu:
    """Raises NotFound for a call that did not come in under this CallSid."""
    call = locked(session, call_id)
    if call.direction != "in" or call.carrier_ref != request.form.get("CallSid"):
        raise NotFound("There is no such call.")
    return inbound.menu(session, call_id)


def _to_dial_in() -> ResponseReturnValue:
    """To where operators who work by telephone give their code (callcenter.room_webhooks)."""
    return twiml_answer(words.ask_again(f"{_hooks()}/dial-in"))


def _done(
    session: Session, call_id: UUID, menu: Menu, chosen: str, looks: int = 0, *, is_last: bool = False
) -> ResponseReturnValue:
    """Do what they chose, and say what comes next. `is_last`: they know that nobody is free."""
    says = inbound.choose(session, call_id, chosen)
    session.commit()
    if says.startswith("op-"):
        return twiml_answer(words.join_as_citizen(int(says.removeprefix("op-"))))
    if says == "wait":
        return _said(menu, reception.wait(menu, looks), f"inbound/{call_id}/wait/{looks + 1}")
    if says in ("callback", "nobody") and not is_last:
        return _said(menu, reception.nobody(menu, says), f"inbound/{call_id}/nobody")
    if says == "message":
        return _said(menu, reception.invite(menu), f"inbound/{call_id}/speak")
    return _said(menu, reception.goodbye(menu, chosen))


def _said(menu: Menu, step: Step, then: str = "inbound/over") -> ResponseReturnValue:
    """The step as TwiML; `then`: the path that hears what came of it."""
    return twiml_answer(twiml.document(step, Way(f"{_hooks()}/{then}", reception.language(menu))))


def _hooks() -> str:
    return f"{web_settings().public_url}{blueprint.url_prefix}"
