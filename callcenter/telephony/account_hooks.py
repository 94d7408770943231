"""What shows that the carrier can reach this server."""

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from callcenter.base.auth import public
from callcenter.base.db import web_session
from callcenter.carriers.twilio import words
from callcenter.carriers.twilio.signature import signed
from callcenter.telephony import account_checks

blueprint = Blueprint("account_hooks", __name__, url_prefix="/hooks/voice")


@blueprint.post("/reach/<uuid:probe_id>")
@public("the carrier's signature is its log-in")
@signed
def reach(probe_id: UUID) -> ResponseReturnValue:
    """The question of account_jobs has come round: asked for a document, or told of the call's end."""
    session = web_session()
    account_checks.reached(session, probe_id)
    session.commit()
    return words.goodbye(), 200, {"Content-Type": "text/xml; charset=utf-8"}
