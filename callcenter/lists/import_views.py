"""Pages of imports: upload, mapping and preview, progress, result, undo. A file is parsed in a worker only."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
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
from callcenter.imports import ImportBatch
from callcenter.lists import import_choices, import_columns, import_content, import_outcomes
from callcenter.lists.import_choices import Choice
from callcenter.lists.import_outcomes import REASON_SENTENCES
from callcenter.lists.import_preview import same_file
from callcenter.people import attributes
from callcenter.tables import file_faults, uploads
from callcenter.tables.table_files import ENDINGS

blueprint = Blueprint("imports", "callcenter", url_prefix="/imports", template_folder="templates")

IMPORTERS = ("administrator", "data_clerk")
MAX_UPLOAD_BYTES = 2_000_000_000  # a national list of 5.57 million people has room in it

STATES: dict[str, tuple[LazyString, str, str]] = {
    "uploaded": (_l("Being looked at"), "info", "hourglass-split"),
    "mapping": (_l("Waiting for you"), "warning", "question-circle"),
    "running": (_l("Running"), "info", "arrow-repeat"),
    "done": (_l("Done"), "success", "check-circle"),
    "failed": (_l("Not imported"), "danger", "x-circle"),
    "cancelled": (_l("Cancelled"), "secondary", "slash-circle"),
    "undoing": (_l("Being undone"), "info", "arrow-counterclockwise"),
    "undone": (_l("Undone"), "secondary", "arrow-counterclockwise"),
}
# Why a person stays although the import that brought them is undone.
KEPT_REASONS: dict[str, LazyString] = {
    "touched": _l("were called, written to, interviewed, pledged or merged since"),
    "changed_later": _l("were changed since, by a later list or by hand"),
}


def compose() -> None:
    """Make the progress of an import live."""
    live.register("import", _live_snapshot, roles=IMPORTERS, pause=0.5)


def _live_snapshot(session: Session, _user_id: int, import_id: int) -> dict[str, Any]:
    batch = imports.get(session, import_id)
    state = "uploaded" if import_choices.is_looking(batch) else batch.state
    return {"state": state, "rows_done": batch.rows_done, "rows_total": batch.rows_total}


@blueprint.context_processor
def _words() -> dict[str, Any]:
    return {
        "reasons": REASON_SENTENCES,
        "states": STATES,
        "fields": import_columns.FIELDS,
        "fault_sentence": file_faults.sentence,
        "kept_reasons": KEPT_REASONS,
        "outcomes": import_outcomes.OUTCOMES,
        "policies": import_outcomes.POLICIES,
        "has_policy": import_choices.has_policy,
        "kinds": attributes.KINDS,
        "looks": import_content.KINDS,
        "endings": ENDINGS,
        "is_fresh": import_choices.is_fresh,
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
        batch = _keep_upload(session, request.form.get("source", ""))
    except InvalidInput as fault:
        session.rollback()
        page = render_template("callcenter/imports/index.html", batches=imports.recent(session), faults=fault.faults)
        return page, 422
    return redirect(url_for("imports.show", import_id=batch.id))


def _keep_upload(session: Session, source: str) -> ImportBatch:
    wrong = _("Send a CSV, .xlsx or .ods file, or a ZIP of one; this is none of them.")
    file = uploads.chosen(request.files.get("file"), ENDINGS, wrong)
    if not source.strip():
        raise InvalidInput({"source": _("Name where the list comes from.")})
    too_large = _("The file is larger than 2 GB. Send the list in parts.")
    with uploads.kept(file, web_settings().var / imports.UPLOADS, most=MAX_UPLOAD_BYTES, too_large=too_large) as path:
        batch = imports.create(
            session, path, source=source[:200], file_name=uploads.name(file), user_id=current_user.id
        )
        batch.notice_version = request.form.get("notice_version", "").replace("\0", "").strip()[:100] or None
        enqueue_later(session, "callcenter.lists.import_jobs.inspect_import", batch.id, queue="default")
        session.commit()
    return batch


@blueprint.get("/<int:import_id>")
@access(*IMPORTERS)
def show(import_id: int) -> ResponseReturnValue:
    session = web_session()
    return _page(session, imports.get(session, import_id), {})


def _page(session: Session, batch: ImportBatch, faults: dict[str, str]) -> str:
    """The page of a batch in its state; `faults` leave what was written in the form where it is."""
    return render_template(
        "callcenter/imports/show.html",
        batch=batch,
        is_looking=import_choices.is_looking(batch),
        by_reason=imports.refused_by_reason(session, batch.id) if batch.counts else {},
        faults=faults,
        custom=attributes.all_attributes(session),
        twin=same_file(session, batch) if batch.state == "mapping" else None,
    )


@blueprint.get("/<int:import_id>/progress")
@access(*IMPORTERS)
def progress(import_id: int) -> ResponseReturnValue:
    """The part of the page that moves; the page is loaded afresh when the import is in another state."""
    batch = imports.get(web_session(), import_id)
    state = "uploaded" if import_choices.is_looking(batch) else batch.state
    answer = Response(render_template("callcenter/imports/progress.html", batch=batch, state=state))
    if state != request.args.get("state"):
        answer.headers["HX-Refresh"] = "true"
    return answer


@blueprint.post("/<int:import_id>/preview")
@access(*IMPORTERS)
def look_again(import_id: int) -> ResponseReturnValue:
    """A choice has changed: it is kept, and a worker looks at the file under it."""
    session = web_session()
    batch = import_choices.draft(session, import_id, import_choices.read(request.form))
    session.commit()
    return render_template("callcenter/imports/preview.html", batch=batch)


@blueprint.get("/<int:import_id>/preview")
@access(*IMPORTERS)
def preview(import_id: int) -> ResponseReturnValue:
    """The part of the mapping page that says what would happen."""
    session = web_session()
    batch = imports.get(session, import_id)
    answer = Response(render_template("callcenter/imports/preview.html", batch=batch))
    if batch.state != "mapping":
        answer.headers["HX-Refresh"] = "true"
    return answer


@blueprint.post("/<int:import_id>/sheet")
@access(*IMPORTERS)
def choose_sheet(import_id: int) -> ResponseReturnValue:
    session = web_session()
    import_choices.choose_sheet(session, import_id, request.form.get("sheet", ""))
    session.commit()
    return redirect(url_for("imports.show", import_id=import_id))


@blueprint.post("/<int:import_id>/attribute")
@access(*IMPORTERS)
def define_attribute(import_id: int) -> ResponseReturnValue:
    """Create the attribute described beside a column, and take the column for it."""
    session = web_session()
    choice = _kept_choice(session, import_id)
    return _define(session, import_id, request.form.get("at", ""), choice)


def _define(session: Session, import_id: int, at: str, choice: Choice) -> ResponseReturnValue:
    try:
        import_choices.define_attribute(session, import_id, at, choice, request.form, current_user.id)
    except InvalidInput as fault:
        session.rollback()
        return _page(session, imports.get(session, import_id), fault.faults), 422
    session.commit()
    return redirect(url_for("imports.show", import_id=import_id, _anchor=f"column-{at}"))


@blueprint.post("/<int:import_id>/start")
@access(*IMPORTERS)
def start(import_id: int) -> ResponseReturnValue:
    """Run the import or a trial of it; the Enter key (`act` is keep) only keeps what is chosen and described."""
    session, act = web_session(), request.form.get("act", "")
    choice = _kept_choice(session, import_id)
    if act == "keep":
        described = import_choices.described(request.form)
        if described is not None:
            return _define(session, import_id, described, choice)
        return redirect(url_for("imports.show", import_id=import_id))
    try:
        import_choices.start(session, import_id, choice, current_user.id, dry_run=act == "dry_run")
    except InvalidInput as fault:
        session.rollback()
        return _page(session, imports.get(session, import_id), fault.faults), 422
    session.commit()
    return redirect(url_for("imports.show", import_id=import_id))


def _kept_choice(session: Session, import_id: int) -> Choice:
    """What the form chooses, kept as a draft whatever becomes of the rest: nothing that was chosen is lost."""
    choice = import_choices.read(request.form)
    import_choices.draft(session, import_id, choice)
    session.commit()
    return choice


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


@blueprint.get("/<int:import_id>/undo")
@access(*IMPORTERS)
def ask_undo(import_id: int) -> ResponseReturnValue:
    """What undoing the import would do, exactly, before anybody does it."""
    session = web_session()
    batch = imports.get(session, import_id)
    if batch.state != "done":
        return redirect(url_for("imports.show", import_id=import_id))
    return render_template(
        "callcenter/imports/undo.html", batch=batch, found=imports.undo_preview(session, import_id)
    )  # fmt: skip


@blueprint.post("/<int:import_id>/undo")
@access(*IMPORTERS)
def undo(import_id: int) -> ResponseReturnValue:
    session = web_session()
    imports.undo(session, import_id, current_user.id)
    session.commit()
    return redirect(url_for("imports.show", import_id=import_id))
