"""What voice carriers ask and tell us: verified, committed, answered at once."""

import time
from uuid import UUID

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter import calls, queues, recordings
from callcenter.base.auth import public
from callcenter.base.db import web_session
from callcenter.base.errors import NotFound
from callcenter.base.settings import web_settings
from callcenter.calls import Event
from callcenter.carriers.twilio import rooms, words
from callcenter.carriers.twilio.signature import signed
from callcenter.ledger import call_ledger, trial_calls, waiting_calls
from callcenter.seats import operator_rooms
from callcenter.telephony import call_news

blueprint = Blueprint("voice_webhooks", __name__, url_prefix="/hooks/voice")
PAGE = "client:"  # how the address of an operator's page begins


@blueprint.post("/answer/<uuid:call_id>")
@public("the carrier's signature is its log-in")
@signed
def answer(call_id: UUID) -> ResponseReturnValue:
    """The citizen picked up: into the room of whoever waited longest. While nobody is free the answer is held back, or
    Twilio asks again in a second; then an apology. Asked twice, the same."""
    session, form = web_session(), request.form
    ref = form.get("CallSid")
    event = Event("answered", f"answer:{ref}", words.cause_of(form), ref)
    if call_ledger.lock(session, call_id) is None:
        return _trial(session, call_id, event)
    operator_id = calls.answer(session, call_id, event)
    session.commit()
    if operator_id is None and waiting_calls.holds.acquire(blocking=False):
        try:
            operator_id = _wait(session, call_id, event)
        finally:
            waiting_calls.holds.release()
    if operator_id is not None:
        recordings.begin(session, call_id)
        session.commit()
        return twiml(words.join_as_citizen(operator_id))
    return twiml(_nobody(session, call_id))


def _trial(session: Session, call_id: UUID, event: Event) -> ResponseReturnValue:
    """Somebody of ours picked up their own telephone: they hear what is said first."""
    trial = trial_calls.heard(session, call_id, event)
    if trial is None:
        raise NotFound(_("There is no such call."))
    session.commit()
    return twiml(words.sentence(trial.words))


def _wait(session: Session, call_id: UUID, event: Event) -> int | None:
    """The operator who frees while this citizen waits; nothing is locked meanwhile."""
    with waiting_calls.lines.held(call_id):
        while True:
            if waiting_calls.lines.is_ready(session, call_id):
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
    """What became of a call, in any order, once or often. Most of these come in by telephony.call_news."""
    session = web_session()
    said = call_news.read(request.form)
    if not call_news.record(session, [(call_id, said)])[0] and trial_calls.heard(session, call_id, said) is None:
        raise NotFound(_("There is no such call."))
    session.commit()
    return "", 204


@blueprint.post("/room/<int:operator_id>")
@public("the carrier's signature is its log-in")
@signed
def room(operator_id: int) -> ResponseReturnValue:
    """The operator's page took its permanent leg: into their own room, which counts from now on. A telephone may be
    answered by a machine: whoever has it in hand presses a key first."""
    if not request.form.get("To", "").startswith(PAGE):
        taken = url_for("room_webhooks.taken", operator_id=operator_id, ring=request.args.get("ring", ""))
        return twiml(rooms.ask_to_take(web_settings().public_url + taken))
    session = web_session()
    ref, mark = request.form.get("CallSid", ""), request.args.get("ring", "")
    is_open = operator_rooms.opened(session, operator_id, ref, mark=mark)
    session.commit()
    return twiml(words.join_as_operator(operator_id) if is_open else words.goodbye())


@blueprint.post("/room-status/<int:operator_id>")
@public("the carrier's signature is its log-in")
@signed
def room_status(operator_id: int) -> ResponseReturnValue:
    """The operator's permanent leg is gone: a new one, unless their page does not take it."""
    session, form = web_session(), request.form
    kind = words.event_of(form)
    if kind not in ("placed", "ringing", "answered"):
        mark, reopen = request.args.get("ring", ""), kind in ("hung_up", "failed")
        operator_rooms.lost(session, operator_id, form.get("CallSid", ""), reopen=reopen, mark=mark)
        session.commit()
    return "", 204


def twiml(document: str) -> ResponseReturnValue:
    """An answer that tells Twilio what to do."""
    return document, 200, {"Content-Type": "text/xml; charset=utf-8"}
