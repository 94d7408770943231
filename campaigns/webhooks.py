"""Receipts and replies: verified, committed, answered fast. A webhook that comes twice changes nothing."""

from uuid import UUID

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue

from callcenter.base.auth import public
from callcenter.base.db import web_session
from callcenter.carriers.twilio_signature import signed
from campaigns import inbox, message_news
from campaigns.channels.twilio_words import read_receipt, read_reply

blueprint = Blueprint("message_webhooks", __name__, url_prefix="/hooks/messages")


@blueprint.post("/receipt/<uuid:message_id>")
@public("signed by the provider")
@signed
def receipt(message_id: UUID) -> ResponseReturnValue:
    session = web_session()
    said = read_receipt(request.form)
    message_news.record_receipt(session, message_id, said)
    session.commit()
    if said.state is None:
        current_app.logger.warning("message %s: a status that we do not know was kept: %s", message_id, said.key)
    return "", 204


@blueprint.post("/inbound")
@public("signed by the provider")
@signed
def inbound() -> ResponseReturnValue:
    session = web_session()
    inbox.receive(session, read_reply(request.form))
    session.commit()
    # An empty answer: nothing is sent back. After a STOP that Twilio handled itself, an answer would only earn a 21610.
    return '<?xml version="1.0" encoding="UTF-8"?><Response/>', 200, {"Content-Type": "text/xml; charset=utf-8"}
