"""Pages of territorial imports: upload, what was recognised, confirm, progress, result, undo. A worker parses."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter import imports
from callcenter.base import live
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.outbox import enqueue_later
from callcenter.base.settings import web_settings
from callcenter.base.web import takes_upload
from callcenter.places import territory_batches, territory_jobs
from callcenter.places.territory_batches import TerritoryBatch
from callcenter.places.territory_import import Choices
from callcenter.tables import file_faults, uploads
from callcenter.tables.table_files import csv_line

blueprint = Blueprint("territory_imports", "callcenter", url_prefix="/territory/imports", template_folder="templates")

IMPORTERS = ("administrator",)
MAX_UPLOAD_BYTES = 500_000_000
ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".geojson", ".json", ".zip")
JOBS = territory_jobs.__name__
LAYOUTS: dict[str, LazyString] = {
    "sections": _l("Sections"),
    "municipalities": _l("Municipalities"),
    "districts": _l("Districts"),
    "nominal_list": _l("Nominal list by section"),
    "results": _l("Results by polling station"),
}
STATES: dict[str, tuple[LazyString, str, str]] = {
    "uploaded": (_l("Being looked at"), "info", "hourglass-split"),
    "ready": (_l("Waiting for you"), "warning", "question-circle"),
    "running": (_l("Running"), "info", "arrow-repeat"),
    "done": (_l("Done"), "success", "check-circle"),
    "failed": (_l("Not imported"), "danger", "x-circle"),
    "undone": (_l("Undone"), "secondary", "arrow-counterclockwise"),
}
COUNTS: dict[str, LazyString] = {
    "rows": _l("Rows of data"),
    "taken": _l("Taken"),
    "faults": _l("Left out, with a fault"),
    "duplicates": _l("The same place again"),
    "totals": _l("Rows of totals, left out"),
    "abroad": _l("Voters abroad, left out"),
    "created": _l("New"),
    "updated": _l("Corrected"),
    "closed": _l("Closed by the new map"),
    "written": _l("Written"),
    "unplaced": _l("Of sections that were on no map of that day"),
    "without_section": _l("People whose section is not on today's map"),
}

# What a row says that no one column of the file does.
MADE: dict[str, LazyString] = {
    "station": _l("Polling station"),
    "geometry": _l("Outline"),
    "total": _l("Together"),
    "kind": _l("Kind"),
}


def compose() -> None:
    """Make the progress of a territorial import live."""
    live.register("territory", _live_snapshot, roles=IMPORTERS, pause=0.5)


def _live_snapshot(session: Session, _user_id: int, batch_id: int) -> dict[str, Any]:
    batch = territory_batches.get(session, batch_id)
    return {"state": batch.state, "rows_done": batch.rows_done}


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {
        "layouts": LAYOUTS,
        "states": STATES,
        "count_words": COUNTS,
        "made_words": MADE,
        "fault_sentence": file_faults.sentence,
        "row_sentence": lambda fault: _(fault["message"], **fault["values"]),
    }


@blueprint.get("/")
@access(*IMPORTERS)
def index() -> ResponseReturnValue:
    return _index({})


@blueprint.post("/")
@access(*IMPORTERS)
@takes_upload(MAX_UPLOAD_BYTES)
def upload() -> ResponseReturnValue:
    session = web_session()
    try:
        batch = _keep_upload(session)
    except InvalidInput as fault:
        session.rollback()
        return _index(fault.faults), 422
    return redirect(url_for("territory_imports.show", batch_id=batch.id))


@blueprint.get("/<int:batch_id>")
@access(*IMPORTERS)
def show(batch_id: int) -> ResponseReturnValue:
    return _page(territory_batches.get(web_session(), batch_id), {})


@blueprint.get("/<int:batch_id>/progress")
@access(*IMPORTERS)
def progress(batch_id: int) -> ResponseReturnValue:
    """The part of the page that moves; the page is loaded afresh when the import is in another state."""
    batch = territory_batches.get(web_session(), batch_id)
    answer = Response(render_template("callcenter/territory/import_progress.html", batch=batch))
    if batch.state != request.args.get("state"):
        answer.headers["HX-Refresh"] = "true"
    return answer


@blueprint.post("/<int:batch_id>/start")
@access(*IMPORTERS)
def start(batch_id: int) -> ResponseReturnValue:
    session = web_session()
    try:
        territory_batches.start(session, batch_id, _choices(), current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _page(territory_batches.get(session, batch_id), fault.faults), 422
    session.commit()
    return redirect(url_for("territory_imports.show", batch_id=batch_id))


@blueprint.post("/<int:batch_id>/undo")
@access(*IMPORTERS)
def undo(batch_id: int) -> ResponseReturnValue:
    session = web_session()
    territory_batches.undo(session, batch_id, current_user.id)
    session.commit()
    flash(_("The import was undone."), "success")
    return redirect(url_for("territory_imports.show", batch_id=batch_id))


@blueprint.get("/<int:batch_id>/faults.csv")
@access(*IMPORTERS)
def faults(batch_id: int) -> ResponseReturnValue:
    """The rows that were left out, each with what is wrong and what to do."""
    batch = territory_batches.get(web_session(), batch_id)
    lines = [csv_line((fault["row"], _(fault["message"], **fault["values"]))) for fault in batch.faults]
    return Response(
        "\ufeff" + csv_line((_("Row"), _("What is wrong"))) + "".join(lines),
        mimetype="text/csv",
        headers={"Content-Disposition": f"attachment; filename=territory-{batch_id}-faults.csv"},
    )


def _index(faults: dict[str, str]) -> str:
    batches = territory_batches.recent(web_session())
    return render_template("callcenter/territory/imports.html", batches=batches, faults=faults)


def _page(batch: TerritoryBatch, faults: dict[str, str]) -> str:
    return render_template("callcenter/territory/import.html", batch=batch, faults=faults, asked=request.form)


def _choices() -> Choices:
    form = request.form
    return Choices(
        valid_from=_date("valid_from") if form.get("is_new_map") == "yes" else None,
        as_of=_date("as_of"),
        election=form.get("election", "")[:120],
        held_on=_date("held_on"),
    )


def _date(name: str) -> date | None:
    text = request.form.get(name, "").strip()
    if not text:
        if name == "valid_from":
            raise InvalidInput({name: _("Say since when the new map is in force.")})
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput({name: _("Write the date as year-month-day, for example 2027-06-06.")}) from error


def _keep_upload(session: Session) -> TerritoryBatch:
    wrong = _("Send a CSV, an .xlsx, a GeoJSON, or the ZIP of a shapefile; this is none of them.")
    file = uploads.chosen(request.files.get("file"), ENDINGS, wrong)
    too_large = _("The file is larger than 500 MB. Send one layer of one state.")
    with uploads.kept(file, web_settings().var / imports.UPLOADS, most=MAX_UPLOAD_BYTES, too_large=too_large) as path:
        batch = territory_batches.create(session, path, uploads.name(file), current_user.id)
        enqueue_later(session, "callcenter.places.territory_jobs.inspect_territory", batch.id, queue="default")
        session.commit()
    return batch
