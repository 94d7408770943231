"""Receipts and replies: verified, committed, answered fast. A webhook that comes twice changes nothing.

Receipts that are beyond doubt come in by a shorter way (dispatch.receipt_door); this one answers the others in words.
"""

from uuid import UUID

from flask import Blueprint, current_app, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from callcenter.base.auth import public
from callcenter.base.db import web_session
from callcenter.base.errors import NotFound
from callcenter.base.group_commits import NotCommitted
from callcenter.carriers.twilio.signature import signed
from campaigns import inbox
from campaigns.channels.twilio_words import read_receipt, read_reply
from campaigns.dispatch import receipt_commits

blueprint = Blueprint("message_webhooks", __name__, url_prefix="/hooks/messages")


@blueprint.errorhandler(NotCommitted)
def not_committed(_error: NotCommitted) -> ResponseReturnValue:
    """What is not in PostgreSQL has not been received: the provider will be asked about the message."""
    return "", 503, {"Retry-After": "5"}


@blueprint.post("/receipt/<uuid:message_id>")
@public("signed by the provider")
@signed
def receipt(message_id: UUID) -> ResponseReturnValue:
    said = read_receipt(request.form)
    if not receipt_commits.commit(message_id, said):
        raise NotFound(_("There is no such message."))
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
