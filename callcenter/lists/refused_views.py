"""Pages of refused rows: looked at, downloaded as CSV or Excel with the reason of each, corrected, sent back."""

from collections.abc import Iterator

from flask import Blueprint, Response, render_template, request, stream_with_context
from flask.typing import ResponseReturnValue
from flask_security import current_user
from sqlalchemy.orm import Session

from callcenter import imports
from callcenter.base import audit
from callcenter.base.auth import access
from callcenter.base.db import web_session
from callcenter.imports import ImportBatch, RefusedRow
from callcenter.lists import import_corrections
from callcenter.lists.import_outcomes import REASON_SENTENCES
from callcenter.lists.import_views import IMPORTERS
from callcenter.phones import REASONS
from callcenter.tables.table_files import ENDINGS

blueprint = Blueprint("refused_rows", "callcenter", url_prefix="/imports", template_folder="templates")
PAGE_SIZE = 100
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {"reasons": REASON_SENTENCES, "endings": ENDINGS}


@blueprint.get("/<int:import_id>/refused")
@access(*IMPORTERS)
def page(import_id: int) -> ResponseReturnValue:
    session, reason = web_session(), _reason()
    after = request.args.get("after", 0, type=int)
    rows = list(imports.refused_rows(session, import_id, reason=reason, after=after, limit=PAGE_SIZE + 1))
    audit.record(session, current_user.id, "imports.look_at_refused", f"import/{import_id}")
    session.commit()
    batch = imports.get(session, import_id)
    return render_template(
        "callcenter/imports/refused.html",
        batch=batch,
        names=_names(batch, rows[0]) if rows else [],
        rows=rows[:PAGE_SIZE],
        next_after=rows[PAGE_SIZE - 1].row_number if len(rows) > PAGE_SIZE else None,
        by_reason=imports.refused_by_reason(session, import_id),
        chosen=reason,
        after=after,
    )


@blueprint.get("/<int:import_id>/refused.csv")
@access(*IMPORTERS)
def refused_csv(import_id: int) -> ResponseReturnValue:
    lines = import_corrections.as_csv(_table(import_id))
    return Response(
        stream_with_context(lines), mimetype="text/csv", headers=_as_file(f"import-{import_id}-refused.csv")
    )  # fmt: skip


@blueprint.get("/<int:import_id>/refused.xlsx")
@access(*IMPORTERS)
def refused_xlsx(import_id: int) -> ResponseReturnValue:
    book = import_corrections.as_workbook(_table(import_id))
    return Response(book, mimetype=WORKBOOK, headers=_as_file(f"import-{import_id}-refused.xlsx"))


def _table(import_id: int) -> Iterator[list[object]]:
    """The head and the rows of a file of refused rows; that it was made is audited."""
    session, reason = web_session(), _reason()
    imports.get(session, import_id)
    audit.record(session, current_user.id, "imports.export_refused", f"import/{import_id}")
    session.commit()
    return _rows(session, import_id, reason)


def _rows(session: Session, import_id: int, reason: str) -> Iterator[list[object]]:
    batch, names = imports.get(session, import_id), None
    for row in imports.refused_rows(session, import_id, reason=reason, limit=None):
        if names is None:
            names = _names(batch, row)
            yield [*import_corrections.head(import_id, names)]
        yield [row.row_number, str(REASON_SENTENCES[row.reason]), *(row.cells.get(name) for name in names)]


def _names(batch: ImportBatch, row: RefusedRow) -> list[str]:
    """The imported columns in the file's order, which the batch knows: JSON keeps no order of names."""
    names = [name for name, field in batch.options.get("columns", ()) if field]
    return names if set(names) >= set(row.cells) else list(row.cells)


def _as_file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f"attachment; filename={name}", "Cache-Control": "no-store"}


def _reason() -> str:
    asked = request.args.get("reason", "")
    return asked if asked in REASONS else ""
