"""Preview and manual dialling in the console.

    POST /console/previews/<id>/call            call the person before me
    POST /console/previews/<id>/skip            {"reason": a code of previews.SKIPS}
    POST /console/previews/calls/<uuid>/stop    let the phone ring no longer
    GET  /console/people?q=…                    whom I may pick: my callbacks, and the lists dialled by hand (HTML)
    POST /console/people/<entry id>/take        put this one before me
POST as in the rest of the console: JSON in, the operator's snapshot out.
"""

from uuid import UUID

from flask import Blueprint, Response, render_template, request
from flask_security import current_user

from callcenter import operators
from callcenter.base.auth import access
from callcenter.base.clock import campaign_now
from callcenter.base.db import web_session
from callcenter.console import act, body
from callcenter.queueing import previews
from callcenter.queueing.people_to_call import MOST, people

blueprint = Blueprint("previews", "callcenter", url_prefix="/console", template_folder="templates")


@blueprint.post("/previews/<int:preview_id>/call")
@access("operator", "supervisor")
def call(preview_id: int) -> Response:
    return act(lambda session, operator_id: _ignore(previews.call(session, preview_id, operator_id)))


@blueprint.post("/previews/<int:preview_id>/skip")
@access("operator", "supervisor")
def skip(preview_id: int) -> Response:
    reason = body().get("reason")
    return act(lambda session, operator_id: previews.skip(session, preview_id, operator_id, reason))


@blueprint.post("/previews/calls/<uuid:call_id>/stop")
@access("operator", "supervisor")
def stop(call_id: UUID) -> Response:
    return act(lambda session, operator_id: previews.stop_call(session, call_id, operator_id))


@blueprint.get("/people")
@access("operator", "supervisor")
def rows() -> str:
    session = web_session()
    operator = operators.of_user(session, int(current_user.id))
    wanted = request.args.get("q", "").strip()[:80]
    found = people(session, operator.id, wanted)
    now = campaign_now(session)
    session.commit()
    return render_template("callcenter/console/people_rows.html", found=found, wanted=wanted, most=MOST, now=now)


@blueprint.post("/people/<int:entry_id>/take")
@access("operator", "supervisor")
def take(entry_id: int) -> Response:
    return act(lambda session, operator_id: _ignore(previews.take(session, operator_id, entry_id)))


def _ignore(_made: object) -> None:
    """The answer is the snapshot, whatever was made."""
