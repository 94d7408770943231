"""What Twilio tells and asks of calls that a machine took: who picked up, and the message for after the tone."""

from uuid import UUID

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from callcenter.base.auth import public
from callcenter.base.db import web_session
from callcenter.carriers.twilio import words
from callcenter.carriers.twilio.signature import signed
from callcenter.ledger import machines, voicemails

blueprint = Blueprint("machine_webhooks", __name__, url_prefix="/hooks/voice")
# https://www.twilio.com/docs/voice/answering-machine-detection#webhook-parameters
KEPT = ("AnsweredBy", "MachineDetectionDuration")


@blueprint.post("/machine/<uuid:call_id>")
@public("the carrier's signature is its log-in")
@signed
def machine(call_id: UUID) -> ResponseReturnValue:
    """Who picked up, judged while the call goes on; once or often."""
    session, form = web_session(), request.form
    said = {name: form[name] for name in KEPT if form.get(name)}
    machines.judged(session, call_id, form.get("AnsweredBy", "unknown"), said)
    session.commit()
    return "", 204


@blueprint.post("/message/<uuid:call_id>")
@public("the carrier's signature is its log-in")
@signed
def message(call_id: UUID) -> ResponseReturnValue:
    """What a machine hears: silence until its tone, then the campaign's message. Asked twice, the same."""
    session = web_session()
    text = voicemails.words(session, call_id)
    session.commit()
    document = words.goodbye() if text is None else words.sentence(text) if text else words.ask_again(str(call_id))
    return document, 200, {"Content-Type": "text/xml; charset=utf-8"}
