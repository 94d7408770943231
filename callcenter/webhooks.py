"""What voice carriers ask and tell us: verified, committed, answered at once."""

import time
from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from callcenter import calls, operators, queues
from callcenter.base.auth import public
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.calls import Event
from callcenter.carriers.twilio import words
from callcenter.carriers.twilio.signature import signed
from callcenter.ledger import trial_calls, waiting_calls

blueprint = Blueprint("voice_webhooks", __name__, url_prefix="/hooks/voice")


@blueprint.post("/answer/<uuid:call_id>")
@public("the carrier's signature is its log-in")
@signed
def answer(call_id: UUID) -> ResponseReturnValue:
    """The citizen picked up: into the room of whoever waited longest. While nobody is free the answer is held back, or
    Twilio asks again in a second; then an apology. Asked twice, the same."""
    session, form = web_session(), request.form
    ref = form.get("CallSid")
    event = Event("answered", f"answer:{ref}", words.cause_of(form), ref)
    if (trial := trial_calls.heard(session, call_id, event)) is not None:
        session.commit()
        return _twiml(words.sentence(trial.words))
    operator_id = calls.answer(session, call_id, event)
    session.commit()
    if operator_id is None and waiting_calls.holds.acquire(blocking=False):
        try:
            operator_id = _wait(session, call_id, event)
        finally:
            waiting_calls.holds.release()
    if operator_id is not None:
        return _twiml(words.join_as_citizen(operator_id))
    return _twiml(_nobody(session, call_id))


def _wait(session: Session, call_id: UUID, event: Event) -> int | None:
    """The operator who frees while this citizen waits; nothing is locked meanwhile."""
    while True:
        is_over, operator_id = False, None
        if waiting_calls.ready(session, [call_id]):
            operator_id = calls.answer(session, call_id, event)
            is_over = calls.locked(session, call_id).state != "answered"
        session.commit()
        if is_over:
            return operator_id
        time.sleep(waiting_calls.LOOK)


def _nobody(session: Session, call_id: UUID) -> str:
    call = calls.locked(session, call_id)
    if call.state == "answered":
        return words.ask_again(str(call_id))
    if call.attempt.outcome != "abandoned":
        return words.goodbye()
    return words.apology(queues.get(session, call.queue_id).on_behalf_of)


@blueprint.post("/status/<uuid:call_id>")
@public("the carrier's signature is its log-in")
@signed
def status(call_id: UUID) -> ResponseReturnValue:
    """What became of a call, in any order, once or often."""
    session, form = web_session(), request.form
    kind, ref = _event_of(form), form.get("CallSid")
    said = Event(kind, f"status:{ref}:{kind}", words.cause_of(form), ref)
    if trial_calls.heard(session, call_id, said) is None:
        calls.record_event(session, call_id, said)
    session.commit()
    return "", 204


@blueprint.post("/room/<int:operator_id>")
@public("the carrier's signature is its log-in")
@signed
def room(operator_id: int) -> ResponseReturnValue:
    """The operator's page took its permanent leg: into their own room, which counts from now on."""
    session = web_session()
    operators.room_opened(session, operator_id, request.form.get("CallSid", ""))
    session.commit()
    return _twiml(words.join_as_operator(operator_id))


@blueprint.post("/room-status/<int:operator_id>")
@public("the carrier's signature is its log-in")
@signed
def room_status(operator_id: int) -> ResponseReturnValue:
    """The operator's permanent leg is gone: a new one, unless their page does not take it."""
    session, form = web_session(), request.form
    kind = _event_of(form)
    if kind not in ("placed", "ringing", "answered"):
        operators.room_lost(session, operator_id, form.get("CallSid", ""), reopen=kind in ("hung_up", "failed"))
        session.commit()
    return "", 204


def _event_of(form: Mapping[str, str]) -> str:
    try:
        return words.event_of(form)
    except ValueError as error:
        raise InvalidInput(str(error)) from None


def _twiml(document: str) -> ResponseReturnValue:
    return document, 200, {"Content-Type": "text/xml; charset=utf-8"}
