"""Pages of imports: upload, mapping and preview, progress, result, refused rows. A file is parsed in a worker only."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from callcenter import file_faults, import_columns, imports
from callcenter.base import audit, live
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.base.errors import InvalidInput
from callcenter.base.outbox import enqueue_later
from callcenter.base.settings import web_settings
from callcenter.base.web import takes_upload
from callcenter.imports import ImportBatch
from callcenter.phones import REASONS
from callcenter.table_files import csv_line

blueprint = Blueprint("imports", __name__, url_prefix="/imports", template_folder="templates")

IMPORTERS = ("administrator", "data_clerk")
MAX_UPLOAD_BYTES = 2_000_000_000  # a national list of 5.57 million people has room in it
ENDINGS = (".csv", ".txt", ".tsv", ".xlsx")
PAGE_SIZE = 100

REASON_SENTENCES: dict[str, LazyString] = {
    "no_phone": _l("no phone, or words in its place"),
    "fake": _l("an invented number (the same digit many times, or digits in order)"),
    "no_area_code": _l("seven or eight digits: the area code is missing"),
    "toll_free": _l("an 800 number: not a person"),
    "foreign": _l("a number of another country"),
    "spreadsheet_notation": _l("written as 2.28E+09: export the list again with the column as text"),
    "invalid": _l("not a number of the Mexican plan"),
}
STATES: dict[str, tuple[LazyString, str, str]] = {
    "uploaded": (_l("Being looked at"), "info", "hourglass-split"),
    "mapping": (_l("Waiting for you"), "warning", "question-circle"),
    "running": (_l("Running"), "info", "arrow-repeat"),
    "done": (_l("Done"), "success", "check-circle"),
    "failed": (_l("Not imported"), "danger", "x-circle"),
    "cancelled": (_l("Cancelled"), "secondary", "slash-circle"),
}


def compose() -> None:
    """Make the progress of an import live."""
    live.register("import", _live_snapshot, roles=IMPORTERS, pause=0.5)


def _live_snapshot(session: Session, _user_id: int, import_id: int) -> dict[str, Any]:
    batch = imports.get(session, import_id)
    return {"state": batch.state, "rows_done": batch.rows_done, "rows_total": batch.rows_total}


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {
        "reasons": REASON_SENTENCES,
        "states": STATES,
        "fields": import_columns.FIELDS,
        "fault_sentence": file_faults.sentence,
    }


@blueprint.get("/")
@access(*IMPORTERS)
def index() -> ResponseReturnValue:
    return render_template("callcenter/imports/index.html", batches=imports.recent(web_session()), faults={})


@blueprint.post("/")
@access(*IMPORTERS)
@takes_upload(MAX_UPLOAD_BYTES)
def upload() -> ResponseReturnValue:
    session = web_session()
    try:
        batch = _keep_upload(session, request.files.get("file"), request.form.get("source", ""))
    except InvalidInput as fault:
        page = render_template("callcenter/imports/index.html", batches=imports.recent(session), faults=fault.faults)
        return page, 422
    batch.notice_version = request.form.get("notice_version", "").strip()[:100] or None
    enqueue_later(session, "callcenter.import_jobs.inspect_import", batch.id, queue="default")
    session.commit()
    return redirect(url_for("imports.show", import_id=batch.id))


def _keep_upload(session: Session, file: FileStorage | None, source: str) -> ImportBatch:
    if file is None or not file.filename:
        raise InvalidInput({"file": _("Choose a file.")})
    if not file.filename.lower().endswith(ENDINGS):
        raise InvalidInput({"file": _("Send a CSV or an .xlsx file; this one is neither.")})
    if not source.strip():
        raise InvalidInput({"source": _("Name where the list comes from.")})
    folder = web_settings().var / imports.UPLOADS
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path: Path = folder / secrets.token_hex(16)  # never a name from outside
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as kept:
        left = MAX_UPLOAD_BYTES
        while chunk := file.stream.read(1 << 20):
            left -= len(chunk)
            if left < 0:
                path.unlink()
                raise InvalidInput({"file": _("The file is larger than 2 GB. Send the list in parts.")})
            kept.write(chunk)
    name = Path(file.filename).name[:200]
    return imports.create(session, path, source=source[:200], file_name=name, user_id=current_user.id)


@blueprint.get("/<int:import_id>")
@access(*IMPORTERS)
def show(import_id: int) -> ResponseReturnValue:
    session = web_session()
    return _page(session, imports.get(session, import_id), {})


def _page(session: Session, batch: ImportBatch, faults: dict[str, str]) -> str:
    by_reason = imports.refused_by_reason(session, batch.id) if batch.state == "done" else {}
    return render_template("callcenter/imports/show.html", batch=batch, by_reason=by_reason, faults=faults)


@blueprint.get("/<int:import_id>/progress")
@access(*IMPORTERS)
def progress(import_id: int) -> ResponseReturnValue:
    """The part of the page that moves; the page is loaded afresh when the import is in another state."""
    batch = imports.get(web_session(), import_id)
    answer = Response(render_template("callcenter/imports/progress.html", batch=batch))
    if batch.state != request.args.get("state"):
        answer.headers["HX-Refresh"] = "true"
    return answer


@blueprint.post("/<int:import_id>/start")
@access(*IMPORTERS)
def start(import_id: int) -> ResponseReturnValue:
    session = web_session()
    mapping = {
        key.removeprefix("column-"): field for key, field in request.form.items() if key.startswith("column-") and field
    }
    letters = request.form.get("sex_letters")
    try:
        if not all(map(str.isdigit, mapping)):
            raise InvalidInput(_("The columns of the form are not those of the file. Reload the page."))
        imports.start(session, import_id, mapping, letters if letters in ("HM", "MF") else None, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _page(session, imports.get(session, import_id), fault.faults), 422
    session.commit()
    return redirect(url_for("imports.show", import_id=import_id))


@blueprint.post("/<int:import_id>/cancel")
@access(*IMPORTERS)
def cancel(import_id: int) -> ResponseReturnValue:
    session = web_session()
    batch = imports.get(session, import_id)
    is_read = batch.state == "running"  # then its worker notices, and forgets the file
    imports.cancel(session, import_id, current_user.id)
    session.commit()
    if not is_read:
        imports.forget_file(batch)
        session.commit()
    return redirect(url_for("imports.show", import_id=import_id))


@blueprint.get("/<int:import_id>/refused")
@access(*IMPORTERS)
def refused(import_id: int) -> ResponseReturnValue:
    session, reason = web_session(), _reason()
    after = request.args.get("after", 0, type=int)
    rows = list(imports.refused_rows(session, import_id, reason=reason, after=after, limit=PAGE_SIZE + 1))
    audit.record(session, current_user.id, "imports.look_at_refused", f"import/{import_id}")
    session.commit()
    return render_template(
        "callcenter/imports/refused.html",
        batch=imports.get(session, import_id),
        rows=rows[:PAGE_SIZE],
        next_after=rows[PAGE_SIZE - 1].row_number if len(rows) > PAGE_SIZE else None,
        by_reason=imports.refused_by_reason(session, import_id),
        chosen=reason,
        after=after,
    )


@blueprint.get("/<int:import_id>/refused.csv")
@access(*IMPORTERS)
def refused_csv(import_id: int) -> ResponseReturnValue:
    session, reason = web_session(), _reason()
    imports.get(session, import_id)
    audit.record(session, current_user.id, "imports.export_refused", f"import/{import_id}")
    session.commit()
    return Response(
        stream_with_context(_refused_lines(session, import_id, reason)),
        mimetype="text/csv",
        headers={
            "Content-Disposition": f"attachment; filename=import-{import_id}-refused.csv",
            "Cache-Control": "no-store",
        },
    )


def _refused_lines(session: Session, import_id: int, reason: str) -> Iterator[str]:
    names: list[str] = []
    for row in imports.refused_rows(session, import_id, reason=reason, limit=None):
        if not names:
            names = list(row.cells)
            yield "\ufeff" + csv_line((_("Row"), _("Reason"), *names))
        yield csv_line((row.row_number, REASON_SENTENCES[row.reason], *(row.cells.get(name) for name in names)))


def _reason() -> str:
    asked = request.args.get("reason", "")
    return asked if asked in REASONS else ""
