"""Attendance: the report of shifts and pauses, a day of one operator, and both as files. Days of real time."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy import select

from callcenter import operators
from callcenter.base import audit
from callcenter.base.auth import User, access
from callcenter.base.clock import ZONE
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.operators import Operator
from callcenter.seats import attendance, operator_log, pause_reasons
from callcenter.seats.attendance import Shift
from callcenter.seats.pause_reasons import Reason
from callcenter.supervision import floor_rows
from callcenter.tables import table_exports
from callcenter.tables.table_exports import Cell

blueprint = Blueprint("attendance", "callcenter", url_prefix="/floor/attendance", template_folder="templates")
READERS = ("supervisor", "administrator")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
STATES = ("available", "preview", "in_call", "wrap_up", "paused")


@blueprint.get("/")
@access(*READERS)
def page() -> ResponseReturnValue:
    session, fault, code = web_session(), "", 200
    try:
        first, last = _days()
    except InvalidInput as wrong:
        first = last = attendance.today()
        fault, code = str(wrong), 422
    found = attendance.shifts(session, first, last, _operator_id())
    names = session.execute(select(Operator.id, User.full_name).join(User, User.id == Operator.user_id))
    page_ = render_template(
        "callcenter/floor/attendance.html", shifts=found, first=first, last=last, fault=fault, asked=request.args,
        operators=sorted(((row.id, row.full_name) for row in names), key=lambda row: row[1]),
        reasons=_reasons_in(found), states=floor_rows.STATES, state_order=STATES, clock=clock,
        leaving=operator_log.leaving, today=attendance.today(),
    )  # fmt: skip
    return page_, code


@blueprint.get("/<int:operator_id>")
@access(*READERS)
def day(operator_id: int) -> str:
    """Every state of one operator on one day."""
    return draw_day(operator_id, is_own=False)


@blueprint.get("/my-day")
@access("operator", "supervisor")
def my_day() -> str:
    """The same for the operator who asks."""
    session = web_session()
    operator_id = operators.of_user(session, int(current_user.id)).id
    session.commit()
    return draw_day(operator_id, is_own=True)


@blueprint.get("/attendance.<any(csv, xlsx):form>")
@access(*READERS)
def export(form: str) -> ResponseReturnValue:
    """One line an operator and day, times in minutes."""
    session = web_session()
    first, last = _days()
    found = attendance.shifts(session, first, last, _operator_id())
    reasons = _reasons_in(found)
    header, rows = _header(reasons), list(_cells(found, reasons))
    if form == "csv":
        content, kind = table_exports.csv_bytes(header, rows), "text/csv; charset=utf-8"
    else:
        notes = [_("Attendance from %(first)s to %(last)s; times in minutes", first=first, last=last)]
        content, kind = table_exports.xlsx_bytes(_("Attendance"), header, rows, notes), XLSX
    audit.record(session, int(current_user.id), "attendance.export", "attendance", first=str(first), last=str(last))
    session.commit()
    answer = Response(content, content_type=kind, headers={"Cache-Control": "no-store"})
    answer.headers["Content-Disposition"] = f'attachment; filename="attendance-{first}-{last}.{form}"'
    return answer


def draw_day(operator_id: int, *, is_own: bool) -> str:
    session = web_session()
    operator = session.get(Operator, operator_id)
    if operator is None:
        raise NotFound(_("There is no such operator."))
    when = _day(request.args.get("day", ""), attendance.today())
    found = attendance.shifts(session, when, when, operator_id)
    return render_template(
        "callcenter/floor/attendance_day.html", operator=operator, day=when, shift=found[0] if found else None,
        spells=attendance.spells(session, operator_id, when), states=floor_rows.STATES, state_order=STATES, clock=clock,
        words=pause_reasons.labels(session), is_own=is_own, today=attendance.today(), one_day=timedelta(days=1),
    )  # fmt: skip


def clock(seconds: float) -> str:
    """3725 → "1:02:05"."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def _reasons_in(shifts: Sequence[Shift]) -> list[Reason]:
    """The reasons for which somebody paused, in the order of the list; those that the system gave come last."""
    used = {code for shift in shifts for code in shift.pauses}
    known = [reason for reason in pause_reasons.listed(web_session(), enabled_only=False) if reason.code in used]
    words, own = pause_reasons.labels(web_session()), {reason.code for reason in known}
    return [*known, *(Reason(code, words.get(code, code)) for code in sorted(used - own))]


def _header(reasons: Sequence[Reason]) -> list[str]:
    return [
        _("Day"), _("Operator"), _("First log-in"), _("Last log-out"), _("How it ended"), _("Logged in"),
        *(str(floor_rows.STATES[state]) for state in STATES),
        *(_("Pause: %(reason)s", reason=reason.label) for reason in reasons),
        _("Pauses over their limit"), _("Calls"), _("Outcomes"), _("Outcomes per hour"),
    ]  # fmt: skip


def _cells(shifts: Sequence[Shift], reasons: Sequence[Reason]) -> Iterator[list[Cell]]:
    for shift in shifts:
        an_hour = shift.outcomes_an_hour
        yield [
            shift.day.isoformat(), shift.name, f"{shift.began.astimezone(ZONE):%H:%M:%S}",
            f"{shift.ended.astimezone(ZONE):%H:%M:%S}" if shift.ended else None,
            operator_log.leaving(shift.left) if shift.ended else _("Still logged in"), _minutes(shift.connected),
            *(_minutes(shift.seconds.get(state, 0.0)) for state in STATES),
            *(_minutes(shift.pauses.get(reason.code, 0.0)) for reason in reasons),
            shift.over, shift.calls, shift.outcomes, round(an_hour, 1) if an_hour is not None else None,
        ]  # fmt: skip


def _minutes(seconds: float) -> float:
    return round(seconds / 60, 1)


def _days() -> tuple[date, date]:
    """The stretch that the address asks for, today without one. Raises InvalidInput."""
    first = _day(request.args.get("first", ""), attendance.today())
    last = _day(request.args.get("last", ""), first)
    if first > last:
        raise InvalidInput({"first": _("The first day is after the last one.")})
    if (last - first).days >= attendance.MOST_DAYS:
        raise InvalidInput({"last": _("Choose at most %(n)s days.", n=attendance.MOST_DAYS)})
    return first, last


def _day(text: str, otherwise: date) -> date:
    """A day of the address; no day is in the future. Raises InvalidInput."""
    if not text:
        return otherwise
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise InvalidInput({"day": _("Write a day as year-month-day.")}) from None
    if not date(2000, 1, 1) <= found <= attendance.today():
        raise InvalidInput({"day": _("Choose a day that is not in the future.")})
    return found


def _operator_id() -> int | None:
    return request.args.get("operator", type=int)
