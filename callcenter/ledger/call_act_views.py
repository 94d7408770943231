"""What an operator does in a call beside talking, as JSON like the rest of the console (callcenter.console).

POST /console/calls/<uuid>/hold              {"on": bool}
POST /console/calls/<uuid>/keys              {"keys": "0-9*#"}
GET  /console/calls/<uuid>/targets           {"operators", "queues", "outside"}: [{"id", "name"}]
POST /console/calls/<uuid>/consult           {"kind": operator|queue|outside, "id"}
POST /console/calls/<uuid>/join-all          three in one room
POST /console/calls/<uuid>/complete          leave the citizen with whom was consulted
POST /console/calls/<uuid>/drop-leg          end the other leg, back to the citizen
POST /console/calls/<uuid>/transfer          {"kind", "id"}: hand over at once
"""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify
from flask_babel import gettext as _
from flask_security import current_user

from callcenter import operators
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.console import act, body
from callcenter.ledger import call_acts
from callcenter.ledger.call_acts import Target

blueprint = Blueprint("call_acts", __name__, url_prefix="/console/calls")


@blueprint.post("/<uuid:call_id>/hold")
@access("operator", "supervisor")
def hold(call_id: UUID) -> Response:
    on = bool(body().get("on"))
    return act(lambda session, operator_id: call_acts.hold(session, call_id, operator_id, on=on))


@blueprint.post("/<uuid:call_id>/keys")
@access("operator", "supervisor")
def keys(call_id: UUID) -> Response:
    wanted = str(body().get("keys", ""))
    return act(lambda session, operator_id: call_acts.send_keys(session, call_id, operator_id, wanted))


@blueprint.get("/<uuid:call_id>/targets")
@access("operator", "supervisor")
def targets(call_id: UUID) -> Response:
    session = web_session()
    operator_id = operators.of_user(session, int(current_user.id)).id
    return jsonify(call_acts.choices(session, call_id, operator_id))


@blueprint.post("/<uuid:call_id>/consult")
@access("operator", "supervisor")
def consult(call_id: UUID) -> Response:
    target = _target(body())

    def do(session: Any, operator_id: int) -> None:
        call_acts.consult(session, call_id, operator_id, target)

    return act(do)


@blueprint.post("/<uuid:call_id>/join-all")
@access("operator", "supervisor")
def join_all(call_id: UUID) -> Response:
    return act(lambda session, operator_id: call_acts.join_all(session, call_id, operator_id))


@blueprint.post("/<uuid:call_id>/complete")
@access("operator", "supervisor")
def complete(call_id: UUID) -> Response:
    return act(lambda session, operator_id: call_acts.complete(session, call_id, operator_id))


@blueprint.post("/<uuid:call_id>/drop-leg")
@access("operator", "supervisor")
def drop_leg(call_id: UUID) -> Response:
    return act(lambda session, operator_id: call_acts.drop_leg(session, call_id, operator_id))


@blueprint.post("/<uuid:call_id>/transfer")
@access("operator", "supervisor")
def transfer(call_id: UUID) -> Response:
    target = _target(body())
    return act(lambda session, operator_id: call_acts.transfer(session, call_id, operator_id, target))


def _target(given: dict[str, Any]) -> Target:
    kind, number = given.get("kind"), given.get("id")
    if kind not in call_acts.KINDS or not isinstance(number, int):
        raise InvalidInput({"kind": _("A call goes to an operator, a queue or an outside number.")})
    return Target(kind, number)
