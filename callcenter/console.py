"""The operator's console: its pages, and the JSON that they (and the simulated operators) post to.

Every POST takes JSON with the header X-CSRFToken, may carry `Idempotency-Key: <uuid>` (the same key again changes
nothing), and answers with the operator's snapshot (`operator_snapshot`). A fault answers {"error": sentence, "detail"}
with 404, 409 (a rule of the house) or 422 (what was given cannot be used).

    GET  /console/state
    POST /console/connect                       open the room; paused until available
    POST /console/available
    POST /console/pause                         {"reason": a code of pause_reasons.CHOSEN}
    POST /console/leave                         at once, or after the present call
    POST /console/seen                          heartbeat: {"state", "since", "call_id"}; every 3 to 5 s
    POST /console/calls/<uuid>/dispose          {"code", "note"?, "callback_text"? or "callback_at"?,
                                                 "callback_mine"?}; callback_at is ISO with its zone
    POST /console/calls/<uuid>/undo             within ten seconds
    POST /console/calls/<uuid>/difficult
    POST /console/calls/<uuid>/more-time         to write it up
    POST /console/calls/<uuid>/hang-up
    POST /console/calls/<uuid>/note             {"note"}
    GET  /console/calls/<uuid>/when?text=…      what the words mean: {"at", "says"}; 422 with a sentence
    GET  /console/calls/<uuid>/times            times worth a button: {"times": [{"at", "says", "label"}]}
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter import calls, carriers, operators, queues
from callcenter.base import live
from callcenter.base.auth import access
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.outbox import enqueue_later
from callcenter.gate import rulebook
from callcenter.people import contact_notes
from callcenter.queueing import callbacks, plain_time
from callcenter.seats import console_acts, console_words, operator_snapshot, pause_reasons
from callcenter.supervision import supervision
from callcenter.telephony import switch_origins

blueprint = Blueprint(
    "console",
    __name__,
    url_prefix="/console",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static/callcenter",
)
NOTE_LENGTH = contact_notes.LENGTH


def compose() -> None:
    """Make the operator's screen live: each sees their own, at once."""
    live.register("operator", _snapshot, roles=(), owns=_is_own, pause=0.0)


def _snapshot(session: Session, _user_id: int, operator_id: int) -> dict[str, Any]:
    """The operator's own, and who of the supervisors is at their line."""
    return operator_snapshot.snapshot(session, operator_id) | {"supervisor": supervision.at_line(session, operator_id)}


def _pauses(session: Session) -> dict[str, Any]:
    """The reasons of a pause, and the words of the page."""
    words = console_words.of_page(pause_reasons.labels(session))
    return {"pauses": pause_reasons.listed(session), "words": words}


def _is_own(session: Session, user_id: int, operator_id: int) -> bool:
    return operators.of_user(session, user_id).id == operator_id


@blueprint.route("/")
@access("operator", "supervisor")
def page() -> Response:
    session = web_session()
    operator_id = _operator_id(session)
    state = _snapshot(session, int(current_user.id), operator_id)
    session.commit()
    drawn = render_template(
        "callcenter/console/page.html",
        state=state,
        can_telephone=carriers.can("phone_leg"),
        has_twilio=carriers.can("browser_leg"),
        **_pauses(session),
    )
    return switch_origins.let_reach_switches(session, make_response(drawn))


@blueprint.route("/training")
@access("operator", "supervisor")
def training() -> str:
    """The same screen with invented people, played in the browser: nothing reaches the ledger."""
    session = web_session()
    state = console_words.training_state(current_user.full_name, campaign_now(session), queues.running(session))
    return render_template(
        "callcenter/console/page.html",
        state=state,
        **_pauses(session),
        training=console_words.training_people(),
    )


@blueprint.route("/training/when")
@access("operator", "supervisor")
def training_when() -> Response:
    session = web_session()
    now, hours = campaign_now(session).astimezone(ZONE), rulebook.read(session).hours_on
    return _said(callbacks.from_words(request.args.get("text", ""), now, (ZONE,), hours), now)


@blueprint.route("/state")
@access("operator", "supervisor")
def state() -> Response:
    return _state(web_session(), _operator_id(web_session()))


@blueprint.route("/connect", methods=["POST"])
@access("operator", "supervisor")
def connect() -> Response:
    def do(session: Session, operator_id: int) -> None:
        operators.seen(session, operator_id)
        if operators.of_user(session, int(current_user.id)).state == "offline":
            operators.pause(session, operator_id, "starting")
        enqueue_later(session, "callcenter.jobs.open_room", operator_id, queue="urgent")

    return act(do)


@blueprint.route("/available", methods=["POST"])
@access("operator", "supervisor")
def available() -> Response:
    return act(operators.go_available)


@blueprint.route("/pause", methods=["POST"])
@access("operator", "supervisor")
def pause() -> Response:
    reason = pause_reasons.chosen(web_session(), body().get("reason"))
    return act(lambda session, operator_id: operators.pause(session, operator_id, reason))


@blueprint.route("/leave", methods=["POST"])
@access("operator", "supervisor")
def leave() -> Response:
    return act(operators.leave)


@blueprint.route("/seen", methods=["POST"])
@access("operator", "supervisor")
def seen() -> Response:
    """The page lives. The answer lets it notice a snapshot that it missed."""
    session = web_session()
    operator = operators.of_user(session, int(current_user.id))
    operators.seen(session, operator.id)
    session.commit()
    call_id = str(operator.call_id) if operator.call_id else None
    return jsonify(state=operator.state, since=operator.state_since.isoformat(), call_id=call_id)


@blueprint.route("/calls/<uuid:call_id>/dispose", methods=["POST"])
@access("operator", "supervisor")
def dispose(call_id: UUID) -> Response:
    given = body()
    code, mine = _text(given, "code"), bool(given.get("callback_mine", False))

    def do(session: Session, operator_id: int) -> None:
        at = _callback_at(session, call_id, operator_id, given)
        note = _text(given, "note")
        calls.dispose(session, call_id, operator_id, code, note=note, callback_at=at, callback_mine=mine)

    return act(do)


@blueprint.route("/calls/<uuid:call_id>/undo", methods=["POST"])
@access("operator", "supervisor")
def undo(call_id: UUID) -> Response:
    return act(lambda session, operator_id: calls.undo_disposition(session, call_id, operator_id))


@blueprint.route("/calls/<uuid:call_id>/difficult", methods=["POST"])
@access("operator", "supervisor")
def difficult(call_id: UUID) -> Response:
    return act(lambda session, operator_id: calls.mark_difficult(session, call_id, operator_id))


@blueprint.route("/calls/<uuid:call_id>/more-time", methods=["POST"])
@access("operator", "supervisor")
def more_time(call_id: UUID) -> Response:
    return act(lambda session, operator_id: calls.more_time(session, call_id, operator_id))


@blueprint.route("/calls/<uuid:call_id>/hang-up", methods=["POST"])
@access("operator", "supervisor")
def hang_up(call_id: UUID) -> Response:
    def do(session: Session, operator_id: int) -> None:
        callbacks.zones_of_call(session, call_id, operator_id)  # NotFound for a call of somebody else
        calls.hang_up_later(session, call_id)

    return act(do)


@blueprint.route("/calls/<uuid:call_id>/note", methods=["POST"])
@access("operator", "supervisor")
def note(call_id: UUID) -> Response:
    text = _text(body(), "note")
    return act(lambda session, operator_id: calls.save_note(session, call_id, operator_id, text))


@blueprint.route("/calls/<uuid:call_id>/when")
@access("operator", "supervisor")
def when(call_id: UUID) -> Response:
    session = web_session()
    at = callbacks.understood(session, call_id, _operator_id(session), request.args.get("text", ""))
    return _said(at, campaign_now(session))


@blueprint.route("/calls/<uuid:call_id>/times")
@access("operator", "supervisor")
def times(call_id: UUID) -> Response:
    session = web_session()
    zones = callbacks.zones_of_call(session, call_id, _operator_id(session))
    now = campaign_now(session)
    hours = callbacks.hours_there(rulebook.read(session).hours_on, zones)
    found = plain_time.suggestions(now.astimezone(zones[0]), hours)
    return jsonify(
        times=[
            {"at": at.isoformat(), "says": callbacks.spoken(at, now), "label": callbacks.spoken(at, now, short=True)}
            for at in found
        ]
    )


def act(do: Callable[[Session, int], None]) -> Response:
    """Do what an operator's page asks once, commit, and answer with how things stand now."""
    session = web_session()
    operator_id = _operator_id(session)
    key = _key()
    if key is None or console_acts.is_first(session, operator_id, key):
        do(session, operator_id)
    session.commit()
    return _state(session, operator_id)


def _state(session: Session, operator_id: int) -> Response:
    return jsonify(_snapshot(session, int(current_user.id), operator_id))


def _operator_id(session: Session) -> int:
    return operators.of_user(session, int(current_user.id)).id


def _said(at: datetime, now: datetime) -> Response:
    return jsonify(at=at.isoformat(), says=callbacks.spoken(at, now))


def _callback_at(session: Session, call_id: UUID, operator_id: int, given: dict[str, Any]) -> datetime | None:
    if given.get("callback_at"):
        try:
            at = datetime.fromisoformat(_text(given, "callback_at"))
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            raise InvalidInput({"callback_at": _("The time of the callback must be a date and time with its zone.")})
        zones = callbacks.zones_of_call(session, call_id, operator_id)
        return callbacks.allowed(at, campaign_now(session), zones, rulebook.read(session).hours_on)
    if given.get("callback_text"):
        return callbacks.understood(session, call_id, operator_id, _text(given, "callback_text"))
    return None


def body() -> dict[str, Any]:
    """The JSON of the request; {} for anything else."""
    given = request.get_json(silent=True)
    return given if isinstance(given, dict) else {}


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name) or ""
    if not isinstance(value, str) or len(value) > NOTE_LENGTH or "\x00" in value:
        raise InvalidInput({name: _("This must be a text of at most %(n)s characters.", n=NOTE_LENGTH)})
    return value.strip()


def _key() -> UUID | None:
    value = request.headers.get("Idempotency-Key")
    if value is None:
        return None
    try:
        return UUID(value)
    except ValueError:
        raise InvalidInput({"Idempotency-Key": _("The key of an act must be a UUID.")}) from None
