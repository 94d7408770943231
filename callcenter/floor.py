"""The supervisor's floor: wallboard, operators, difficult calls, queues, notes. Every act is audited."""

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter import carriers, operators, queues
from callcenter.base import audit, flags, live
from callcenter.base.auth import access, may
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.outbox import tell_later
from callcenter.base.settings import web_settings
from callcenter.privacy import arco_deadlines
from callcenter.sound import recording_keeping, voice_messages
from callcenter.supervision import floor_alarms, floor_figures, floor_notes, floor_rows
from callcenter.supervision.floor_rows import Filter
from callcenter.telephony import trunk_alarms

blueprint = Blueprint("floor", __name__, url_prefix="/floor", template_folder="templates")

KEPT = "floor_filter"  # in the cookie: how this person looks at the floor
SIMULATED_OPERATORS = "simulated_operators"  # the flag that scripts.simulated_operators obeys
QUEUE_REASONS: dict[str, LazyString] = {
    "quality": _l("The script or the list has a fault"),
    "complaints": _l("Complaints from people called"),
    "technical": _l("Technical problem"),
    "briefing": _l("Briefing of the team"),
    "end_of_day": _l("End of the day"),
}


def compose() -> None:
    """Make the floor live. Its news are a signal: the board is drawn by the page's own request."""
    live.register("floor", _live_snapshot, roles=("supervisor", "administrator", "strategist"), pause=1.0)


def _live_snapshot(session: Session, _user_id: int, _number: int) -> dict[str, Any]:
    figures = floor_figures.board(session)
    alerts = len(floor_figures.alerts(session))
    return {"as_of": figures.as_of.isoformat(), "states": figures.states, "alerts": alerts}


@blueprint.route("/")
@access("supervisor", "administrator")
def page() -> ResponseReturnValue:
    """The filter stands in the address, and is kept for the next visit."""
    wanted = Filter.read(request.args)
    if not request.args and cookie.get(KEPT):
        return redirect(url_for("floor.page", **cookie[KEPT]))
    if cookie.get(KEPT, {}) != wanted.query:
        cookie[KEPT] = wanted.query
    session = web_session()
    return render_template(
        "callcenter/floor/page.html", queue_reasons=QUEUE_REASONS, note_length=floor_notes.LENGTH,
        states=floor_rows.STATES, thresholds=floor_rows.thresholds(session), lights=arco_deadlines.LABELS,
        warnings=arco_deadlines.warnings(session) if may(frozenset({"administrator"})) else {}, **_board(session),
    )  # fmt: skip


@blueprint.route("/tv")
@access("supervisor", "administrator")
def tv() -> str:
    """The wallboard for a screen on the wall: large, without names of citizens, without acts."""
    return render_template("callcenter/floor/tv.html", **_board(web_session()))


@blueprint.route("/board")
@access("supervisor", "administrator")
def board() -> str:
    """The part of the page that changes."""
    drawn = "callcenter/floor/tv_board.html" if "tv" in request.args else "callcenter/floor/board.html"
    return render_template(drawn, **_board(web_session()))


@blueprint.route("/operators/<int:operator_id>/pause", methods=["POST"])
@access("supervisor", "administrator")
def pause_operator(operator_id: int) -> str:
    session = web_session()
    operators.pause(session, operator_id, "supervisor")
    return _done(session, "operators.pause", f"operator/{operator_id}")


@blueprint.route("/operators/<int:operator_id>/log-out", methods=["POST"])
@access("supervisor", "administrator")
def log_out_operator(operator_id: int) -> str:
    """Off at once, or after the call in progress."""
    session = web_session()
    operators.leave(session, operator_id, "supervisor")
    return _done(session, "operators.log_out", f"operator/{operator_id}")


@blueprint.route("/queues/<int:queue_id>/pause", methods=["POST"])
@access("supervisor", "administrator")
def pause_queue(queue_id: int) -> str:
    reason = request.form.get("reason", "")
    if reason not in QUEUE_REASONS:
        raise InvalidInput({"reason": _("Choose the reason of the pause.")})
    session = web_session()
    queues.set_state(session, queue_id, "paused", reason, int(current_user.id))
    return _done(session)


@blueprint.route("/queues/<int:queue_id>/resume", methods=["POST"])
@access("supervisor", "administrator")
def resume_queue(queue_id: int) -> str:
    session = web_session()
    queues.set_state(session, queue_id, "running", None, int(current_user.id))
    return _done(session)


@blueprint.route("/alerts/<uuid:call_id>/take", methods=["POST"])
@access("supervisor", "administrator")
def take_alert(call_id: UUID) -> str:
    session = web_session()
    floor_figures.take_alert(session, call_id)
    return _done(session, "calls.take_alert", f"call/{call_id}")


@blueprint.route("/notes", methods=["POST"])
@access("supervisor", "administrator")
def send_note() -> str:
    """To everybody, or to `operator/3`, or to who serves `queue/2`."""
    kind, _slash, number = request.form.get("to", "").partition("/")
    to = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else None
    if kind not in ("", "operator", "queue") or (kind and to is None):
        raise InvalidInput({"to": _("Choose to whom the note goes.")})
    session = web_session()
    floor_notes.send(
        session, request.form.get("text", ""), int(current_user.id),
        operator_id=to if kind == "operator" else None, queue_id=to if kind == "queue" else None,
    )  # fmt: skip
    return _done(session)


@blueprint.route("/notes/<int:note_id>/withdraw", methods=["POST"])
@access("supervisor", "administrator")
def withdraw_note(note_id: int) -> str:
    session = web_session()
    floor_notes.withdraw(session, note_id, int(current_user.id))
    return _done(session)


@blueprint.route("/simulated-operators", methods=["POST"])
@access("supervisor", "administrator")
def simulated_operators() -> str:
    """Bring the floor of a drill to life, or empty it. Refused with a real carrier."""
    if not web_settings().is_drill:
        raise Refused("no_drill", _("Simulated operators work in the drill only."))
    session = web_session()
    on = request.form.get("on") == "1"
    flags.turn(session, SIMULATED_OPERATORS, on=on)
    return _done(session, "flags.turn", f"flag/{SIMULATED_OPERATORS}", on=on)


def _done(session: Session, action: str | None = None, subject: str = "", **detail: Any) -> str:
    """Audit, commit, tell the other screens, and answer with the board."""
    if action:
        audit.record(session, int(current_user.id), action, subject, **detail)
    tell_later(session, "floor")
    session.commit()
    return board()


def _board(session: Session) -> dict[str, Any]:
    wanted = Filter.read(request.args)
    everybody = floor_rows.rows(session)
    alerts, lines = floor_figures.alerts(session), trunk_alarms.now(session)
    open_queues = floor_figures.open_queues(session)
    return {
        "board": floor_figures.board(session),
        "wanted": wanted,
        "rows": floor_rows.rows(session, wanted) if wanted.query else everybody,
        "at_work": len(everybody),
        "alerts": alerts,
        "alarms": floor_alarms.of(everybody, open_queues, alerts, lines),
        "queues": open_queues,
        "notes": floor_notes.of_shift(session),
        "reason_of": lambda code: queues.pause_sentence(code) or QUEUE_REASONS.get(code, code or ""),
        "line_alarms": lines,
        "recording_trouble": recording_keeping.trouble(session),
        "messages_waiting": voice_messages.waiting(session),
        "is_drill": web_settings().is_drill,
        "can_listen": carriers.can("listen"),
        "simulated_on": flags.is_on(session, SIMULATED_OPERATORS),
    }
