"""An operator has seen a supervisor's note: POST /console/notes/<id>/seen, as the rest of the console."""

from flask import Blueprint, Response

from callcenter.base.auth import access
from callcenter.console import act
from callcenter.supervision import floor_notes

blueprint = Blueprint("floor_notes", __name__, url_prefix="/console/notes")


@blueprint.post("/<int:note_id>/seen")
@access("operator", "supervisor")
def seen(note_id: int) -> Response:
    return act(lambda session, operator_id: floor_notes.seen(session, note_id, operator_id))
