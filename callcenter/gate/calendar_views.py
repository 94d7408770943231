"""Pages of the calendar: elections with their phases, what each phase allows, and legal approvals."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter import calendar
from callcenter.base.auth import User, access
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.calendar import PHASES, PURPOSES, Stretch
from callcenter.gate import calendar_strip, elections, house_rules, rulebook, signoffs
from callcenter.gate.elections import Election, Plan
from callcenter.gate.signoffs import Approval
from callcenter.places import states

blueprint = Blueprint("calendar", "callcenter", url_prefix="/calendar", template_folder="templates")

READERS = ("administrator", "strategist", "supervisor")
EMPTY_ROWS = 3
RULE_ICONS = {"yes": "check-lg", "notice": "exclamation-triangle", "members": "people", "sign_off": "pencil",
              "drill": "cone-striped", "no": "x-lg"}  # fmt: skip
RULE_KINDS = {"yes": "success", "notice": "warning", "no": "danger"}


@dataclass(frozen=True)
class Row:
    """One line of the form of an election, as it was written. The days are kept although they are none."""

    phase: str
    name: str
    starts: str
    ends: str

    @property
    def is_blank(self) -> bool:
        return not (self.starts or self.ends)


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {
        "phase_labels": elections.PHASE_LABELS, "purpose_labels": house_rules.PURPOSE_LABELS,
        "rule_labels": house_rules.RULE_LABELS,
        "rule_icons": RULE_ICONS, "rule_kinds": RULE_KINDS, "state_names": states.NAMES,
        "phases": PHASES, "purposes": PURPOSES, "may_edit": _may_edit(),
    }  # fmt: skip


@blueprint.get("/")
@access(*READERS)
def index() -> ResponseReturnValue:
    session = web_session()
    return render_template("callcenter/calendar/index.html", **_picture(session))


def _picture(session: Session) -> dict[str, Any]:
    book, every = rulebook.read(session), elections.every(session)
    today = campaign_now(session).astimezone(ZONE).date()
    stretches = [phase.stretch for election in every for phase in election.phases]
    years = calendar_strip.years(stretches, today)
    year = request.args.get("year", type=int)
    return {
        "elections": every, "gaps": {one.id: _gaps(one) for one in every}, "today": today, "years": years,
        "year": year if year in years else min(years, key=lambda one: abs(one - today.year)),
        "strip": calendar_strip, "law": calendar.RULES, "book": book, "version": house_rules.version(session),
        "standings": book.standings(today, None), "names": {one.id: one.name for one in every},
        "signoffs": signoffs.every(session), "stricter": calendar.STRICTER, "people": _people(session),
        "faults": {}, "form": {},
    }  # fmt: skip


def _gaps(election: Election) -> list[elections.Gap]:
    return elections.gaps([phase.stretch for phase in election.phases])


# ── elections ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.route("/elections/new", methods=["GET", "POST"])
@access("administrator")
def new_election() -> ResponseReturnValue:
    return _edit(None)


@blueprint.route("/elections/<int:election_id>", methods=["GET", "POST"])
@access("administrator")
def election(election_id: int) -> ResponseReturnValue:
    return _edit(elections.find(web_session(), election_id))


def _edit(old: Election | None) -> ResponseReturnValue:
    """The form; a proposal on request, which keeps what else was written; or the election saved."""
    if request.method == "GET":
        rows = [_row(phase.stretch) for phase in old.phases] if old else []
        form = {"name": old.name, "day": old.day.isoformat(), "states": old.states} if old else {}
        return _election_page(old, form, rows, {})
    form, rows = _election_form()
    if request.form.get("act") == "propose":
        day = _day(request.form.get("day", ""))
        if day is None:
            return _election_page(old, form, rows, {"day": _("Write the election day first.")}), 422
        return _election_page(old, form, [_row(one) for one in elections.proposal(day)], {})
    session = web_session()
    try:
        plan = _plan(form, rows)
        saved = elections.save(session, plan, current_user.id, election_id=old.id if old else None)
    except InvalidInput as fault:
        session.rollback()
        return _election_page(old, form, rows, fault.faults), 422
    session.commit()
    flash(_("The calendar of «%(name)s» is kept; the gate follows it from this moment.", name=saved.name), "success")
    if found := _gaps(saved):
        flash(ngettext("It has %(num)s gap: those days count as ordinary time.",
                       "It has %(num)s gaps: those days count as ordinary time.", len(found)), "warning")  # fmt: skip
    return redirect(url_for("calendar.index", year=saved.day.year))


@blueprint.post("/elections/<int:election_id>/remove")
@access("administrator")
def remove_election(election_id: int) -> ResponseReturnValue:
    session = web_session()
    elections.remove(session, election_id, current_user.id)
    session.commit()
    flash(_("The election is out of the calendar."), "success")
    return redirect(url_for("calendar.index"))


def _election_page(old: Election | None, form: Mapping[str, Any], rows: list[Row], faults: dict[str, str]) -> str:
    blank = [Row("", "", "", "")] * EMPTY_ROWS
    lines = [stretch for row in rows if (stretch := _stretch(row)) is not None]
    gaps = elections.gaps(lines) if len(lines) == len(rows) else []
    return render_template("callcenter/calendar/election.html", old=old, form=form, rows=rows + blank, faults=faults,
                           gaps=gaps)  # fmt: skip


def _election_form() -> tuple[dict[str, Any], list[Row]]:
    """What was written, and its lines without the blank ones."""
    given = request.form
    columns = (given.getlist(name)[: elections.MAX_STRETCHES + 1] for name in ("phase", "title", "starts", "ends"))
    rows = [Row(*(cell.strip() for cell in cells)) for cells in zip(*columns, strict=False)]
    numbers = [int(state) for state in given.getlist("states") if state.isascii() and state.isdigit()]
    form = {"name": given.get("name", ""), "day": given.get("day", ""), "states": numbers}
    return form, [row for row in rows if not row.is_blank]


def _plan(form: Mapping[str, Any], rows: list[Row]) -> Plan:
    day, lines = _day(form["day"]), [_stretch(row) for row in rows]
    faults = {f"stretch-{at}": _("Write its first and its last day.") for at, line in enumerate(lines) if line is None}
    if day is None:
        faults["day"] = _("Write the election day.")
    if faults or day is None:
        raise InvalidInput(faults)
    return Plan(form["name"], day, tuple(form["states"]), tuple(line for line in lines if line is not None))


def _row(stretch: Stretch) -> Row:
    return Row(stretch.phase, stretch.name, stretch.starts.isoformat(), stretch.ends.isoformat())


def _stretch(row: Row) -> Stretch | None:
    starts, ends = _day(row.starts), _day(row.ends)
    if starts is None or ends is None:
        return None
    return Stretch(row.name or str(elections.PHASE_LABELS.get(row.phase, row.phase)), row.phase, starts, ends)


# ── what a phase allows ───────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.post("/cells")
@access("administrator")
def set_cell() -> ResponseReturnValue:
    given, session = request.form, web_session()
    rule = given.get("rule") or None
    house_rules.set_cell(session, given.get("purpose", ""), given.get("phase", ""), rule, current_user.id)
    session.commit()
    flash(_("The rule is kept, and who made it."), "success")
    return redirect(url_for("calendar.index") + "#matrix")


@blueprint.post("/signoffs")
@access("administrator")
def record_signoff() -> ResponseReturnValue:
    session = web_session()
    try:
        signoffs.record(session, _approval(), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        picture = _picture(session) | {"faults": fault.faults, "form": request.form}
        return render_template("callcenter/calendar/index.html", **picture), 422
    session.commit()
    flash(_("The approval is on file; the gate follows it from this moment."), "success")
    return redirect(url_for("calendar.index") + "#signoffs")


@blueprint.post("/signoffs/<int:signoff_id>/withdraw")
@access("administrator")
def withdraw_signoff(signoff_id: int) -> ResponseReturnValue:
    session = web_session()
    signoffs.withdraw(session, signoff_id, current_user.id)
    session.commit()
    flash(_("The approval holds no more."), "success")
    return redirect(url_for("calendar.index") + "#signoffs")


def _approval() -> Approval:
    given = request.form
    first, last = _day(given.get("valid_from", "")), _day(given.get("valid_until", ""))
    if first is None or last is None:
        missing = [name for name, day in (("valid_from", first), ("valid_until", last)) if day is None]
        raise InvalidInput(dict.fromkeys(missing, _("Write a day.")))
    election = given.get("election_id", "")
    return Approval(
        given.get("purpose", ""), int(election) if election.isascii() and election.isdigit() else None,
        given.get("phase", ""), given.get("signed_by", ""), given.get("document", ""),
        valid_from=first, valid_until=last,
    )  # fmt: skip


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _people(session: Session) -> dict[int, str]:
    """Who recorded an approval or the newest rule, by id."""
    rows = signoffs.every(session)
    last = house_rules.version(session)
    ids = {row.recorded_by for row in rows} | ({last.made_by} if last else set())
    return {user.id: user.full_name for id_ in ids if id_ and (user := session.get(User, id_))}


def _may_edit() -> bool:
    return bool(current_user.is_authenticated and current_user.has_role("administrator"))
