"""What Twilio tells of the recordings that it makes for us."""

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from callcenter import recordings
from callcenter.base.auth import public
from callcenter.base.db import web_session
from callcenter.carriers.twilio.signature import signed
from callcenter.sound import recording_storing
from callcenter.sound.recording_ledger import Recording

blueprint = Blueprint("recording_webhooks", __name__, url_prefix="/hooks/voice")


@blueprint.post("/recording/<uuid:recording_id>")
@public("the carrier's signature is its log-in")
@signed
def recording(recording_id: UUID) -> ResponseReturnValue:
    """The sound can be fetched, or there will be none: a worker asks which. Once, often, late or never."""
    session = web_session()
    found = session.get(Recording, recording_id)
    if found is not None and found.call_id is not None:
        recordings.ended(session, found.call_id)  # also while the call goes on: the carrier records no more
    recording_storing.finished_there(session, recording_id)
    session.commit()
    return "", 204
