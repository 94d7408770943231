"""Pages of the house's rules: hours, holidays, limits, the do-not-call register, the suppression list."""

from collections.abc import Mapping
from datetime import date, time
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter import calendar, suppressions
from callcenter.base import audit, live
from callcenter.base.auth import access
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.settings import web_settings
from callcenter.base.web import takes_upload
from callcenter.calendar import Span
from callcenter.gate import do_not_call, house_rules, rulebook
from callcenter.gate.do_not_call import Upload
from callcenter.gate.rulebook import DAY_KINDS
from callcenter.phones import normalise
from callcenter.places import states, zones
from callcenter.tables import file_faults, uploads

blueprint = Blueprint("rules", "callcenter", url_prefix="/rules", template_folder="templates")

EDITORS = ("administrator",)
NARROWERS = ("administrator", "supervisor")
MAX_UPLOAD_BYTES = 500_000_000  # the national register has some hundred thousand lines
PAGE = "callcenter/rules/index.html"


def compose() -> None:
    """Make the loading of a file of the register live."""
    live.register("do-not-call", _live_snapshot, roles=EDITORS, pause=0.5)


def _live_snapshot(session: Session, _user_id: int, list_id: int) -> dict[str, Any]:
    row = do_not_call.get(session, list_id)
    return {"state": row.state, "rows_done": row.rows_done}


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {
        "purpose_labels": house_rules.PURPOSE_LABELS, "day_kinds": house_rules.DAY_KIND_LABELS,
        "state_names": states.NAMES, "zone_names": zones.NAMES, "reasons": suppressions.REASONS,
        "fault_sentence": file_faults.sentence, "may_edit": current_user.has_role("administrator"),
    }  # fmt: skip


@blueprint.get("/")
@access(*NARROWERS)
def index() -> ResponseReturnValue:
    return _page({}, {})


def _page(faults: Mapping[str, str], form: Mapping[str, Any]) -> str:
    session = web_session()
    book = rulebook.read(session)
    year = campaign_now(session).astimezone(ZONE).year
    days = (date.fromordinal(at) for at in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()))
    return render_template(
        PAGE, book=book, holidays=house_rules.own_holidays(session), faults=faults, form=form, year=year,
        federal=[day for day in days if calendar.is_holiday(day)], widest=calendar.WIDEST_HOURS,
        always_answered=house_rules.ALWAYS_ANSWERED, most_week=rulebook.MAX_PER_WEEK, most_in_all=rulebook.MAX_IN_ALL,
        is_approval_needed=house_rules.is_approval_needed(session),
    )  # fmt: skip


@blueprint.post("/hours")
@access(*NARROWERS)
def set_hours() -> ResponseReturnValue:
    session = web_session()
    try:
        hours = {kind: _span(kind) for kind in DAY_KINDS}
        may_widen = current_user.has_role("administrator")
        house_rules.set_hours(session, hours, current_user.id, may_widen=may_widen)
    except InvalidInput as fault:
        session.rollback()
        return _page({f"hours-{kind}": sentence for kind, sentence in fault.faults.items()}, request.form), 422
    except Refused as refused:
        session.rollback()
        return _page({"hours": str(refused)}, request.form), 409
    return _kept(session)


def _span(kind: str) -> Span:
    try:
        opens, closes = (time.fromisoformat(request.form.get(f"{kind}-{end}", "")) for end in ("opens", "closes"))
    except ValueError:
        raise InvalidInput({kind: _("Write both times, such as 09:00 and 20:00.")}) from None
    return opens.replace(second=0, microsecond=0, tzinfo=None), closes.replace(second=0, microsecond=0, tzinfo=None)


@blueprint.post("/caps")
@access(*EDITORS)
def set_caps() -> ResponseReturnValue:
    session = web_session()
    per_week, in_all = (request.form.get(name, type=int) or 0 for name in ("per_week", "in_all"))
    try:
        house_rules.set_caps(session, per_week, in_all, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _page(fault.faults, request.form), 422
    return _kept(session)


@blueprint.post("/approval")
@access(*EDITORS)
def set_approval() -> ResponseReturnValue:
    """Whether a second person has to approve a message campaign before it leaves."""
    session = web_session()
    house_rules.set_approval_needed(session, current_user.id, needed="needed" in request.form)
    return _kept(session)


@blueprint.post("/holidays")
@access(*EDITORS)
def add_holiday() -> ResponseReturnValue:
    session, where = web_session(), request.form.get("where", "")
    try:
        state = int(where) if where.isascii() and where.isdigit() else None
        zone = where if where in zones.NAMES else None
        day = _day(request.form.get("day", ""))
        house_rules.add_holiday(session, day, request.form.get("name", ""), current_user.id, state=state, zone=zone)
    except InvalidInput as fault:
        session.rollback()
        return _page({f"holiday-{name}": sentence for name, sentence in fault.faults.items()}, request.form), 422
    return _kept(session)


@blueprint.post("/holidays/<int:holiday_id>/remove")
@access(*EDITORS)
def remove_holiday(holiday_id: int) -> ResponseReturnValue:
    session = web_session()
    house_rules.remove_holiday(session, holiday_id, current_user.id)
    return _kept(session)


@blueprint.post("/do-not-call-purposes")
@access(*EDITORS)
def set_do_not_call() -> ResponseReturnValue:
    session = web_session()
    house_rules.set_do_not_call(session, request.form.getlist("purposes"), current_user.id)
    session.commit()
    flash(_("Kept. The gate follows it from this moment."), "success")
    return redirect(url_for("rules.register"))


def _kept(session: Session) -> ResponseReturnValue:
    session.commit()
    flash(_("Kept. The gate follows it from this moment."), "success")
    return redirect(url_for("rules.index"))


# ── the register ──────────────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/do-not-call")
@access(*EDITORS)
def register() -> ResponseReturnValue:
    return _register_page({}, {})


@blueprint.get("/do-not-call/progress")
@access(*EDITORS)
def progress() -> ResponseReturnValue:
    """The part of the page that moves; the page is loaded afresh when nothing loads any more."""
    files = do_not_call.recent(web_session())
    answer = Response(render_template("callcenter/rules/register_files.html", files=files))
    if not any(file.state in do_not_call.OPEN_STATES for file in files):
        answer.headers["HX-Refresh"] = "true"
    return answer


@blueprint.post("/do-not-call")
@access(*EDITORS)
@takes_upload(MAX_UPLOAD_BYTES)
def upload() -> ResponseReturnValue:
    session, given = web_session(), request.form
    try:
        made_on, file = _day(given.get("made_on", ""), "made_on"), uploads.chosen(request.files.get("file"))
        with uploads.kept(file, web_settings().var / do_not_call.UPLOADS) as path:
            is_whole = given.get("mode") == "replace"
            upload = Upload(path, given.get("source", ""), made_on, is_whole, uploads.name(file))
            do_not_call.create(session, upload, current_user.id)
            session.commit()
    except InvalidInput as fault:
        session.rollback()
        return _register_page(fault.faults, given), 422
    return redirect(url_for("rules.register"))


def _register_page(faults: Mapping[str, str], form: Mapping[str, Any]) -> str:
    session = web_session()
    files = do_not_call.recent(session)
    return render_template(
        "callcenter/rules/register.html", files=files, size=do_not_call.size(session), book=rulebook.read(session),
        loading=next((file for file in files if file.state in do_not_call.OPEN_STATES), None), faults=faults, form=form,
        always_answered=house_rules.ALWAYS_ANSWERED,
    )  # fmt: skip


# ── the suppression list ──────────────────────────────────────────────────────────────────────────────────────────────


@blueprint.get("/suppressions")
@access(*EDITORS)
def suppression_list() -> ResponseReturnValue:
    return _suppressions_page({}, {})


@blueprint.post("/suppressions")
@access(*EDITORS)
def suppress() -> ResponseReturnValue:
    """Put a phone on the list by hand, or take one off with a reason and proof. The page never shows a phone."""
    session, given = web_session(), request.form
    try:
        phone = _phone(given.get("phone", ""))
        if given.get("act") == "lift":
            suppressions.lift(session, phone, reason=given.get("reason", ""), proof=given.get("proof", ""),
                              user_id=current_user.id)  # fmt: skip
        else:
            _add(session, phone, given.get("source", ""))
    except (InvalidInput, NotFound) as fault:
        session.rollback()
        faults = fault.faults if isinstance(fault, InvalidInput) else {"phone": str(fault)}
        return _suppressions_page(
            {f"{given.get('act', 'add')}-{name}": one for name, one in faults.items()}, given
        ), 422
    session.commit()
    flash(_("Done: the list is changed, and the audit has your name and reason."), "success")
    return redirect(url_for("rules.suppression_list"))


def _add(session: Session, phone: str, source: str) -> None:
    if not source.strip():
        raise InvalidInput({"source": _("Write who asked for it, and how.")})
    suppressions.add(session, phone, reason="administrator", source=source.strip()[:200], at=campaign_now(session))
    mark = suppressions.phone_hash(phone).hex()[:12]
    audit.record(session, current_user.id, "suppressions.add", f"suppression/{mark}", source=source.strip()[:200])


def _phone(text: str) -> str:
    numbers = normalise(text[:100]).numbers
    if len(numbers) != 1:
        raise InvalidInput({"phone": _("Write one phone number of ten digits, with its area code.")})
    return numbers[0].e164


def _suppressions_page(faults: Mapping[str, str], form: Mapping[str, Any]) -> str:
    counts = suppressions.counts(web_session())
    return render_template("callcenter/rules/suppressions.html", counts=counts, faults=faults, form=form)


def _day(text: str, field: str = "day") -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInput({field: _("Write a day.")}) from None
