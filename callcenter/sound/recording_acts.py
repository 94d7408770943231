"""What an operator says and wants of the recording of a call: JSON, like the rest of the console (callcenter.console).

POST /console/calls/<uuid>/recording     {"act": "yes" | "no" | "pause" | "resume"}
    `yes`, `no`: what the citizen answered; `no` stops the recording and deletes it
"""

from uuid import UUID

from flask import Blueprint, Response

from callcenter import recordings
from callcenter.base.auth import access
from callcenter.console import act, body

blueprint = Blueprint("recording_acts", __name__, url_prefix="/console/calls")


@blueprint.post("/<uuid:call_id>/recording")
@access("operator", "supervisor")
def change(call_id: UUID) -> Response:
    wanted = str(body().get("act", ""))
    return act(lambda session, operator_id: recordings.act(session, call_id, operator_id, wanted))
