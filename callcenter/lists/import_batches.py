"""Batches: one file on its way in, its progress and outcome, and the rows that it refused."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from flask_babel import gettext as _
from sqlalchemy import BigInteger, ForeignKey, Identity, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound, Refused
from callcenter.base.outbox import tell_later

LEASE = timedelta(minutes=2)  # renewed while blocks are read, and between the statements of a merge (for MERGE_LEASE)
MERGE_LOCK = 0x10_0057  # one merge at a time, in the whole database
MERGE_LEASE = 3 * LEASE
MAX_ATTEMPTS = 3  # workers that may die over one list
OPEN_STATES = {"uploaded": "inspect_import", "running": "run_import", "undoing": "undo_import"}  # and their jobs
UPLOADS, COPY_NAME = "uploads", re.compile(r"[0-9a-f]{32}")  # a folder of CONVOCA_VAR, and how uploads are named in it
# The outcome, in the order in which it is printed.
COUNTS = (
    "rows", "created", "updated", "unchanged", "duplicates", "household_members", "rejected", "extra_phones",
    "opted_in", "opted_out", "dropped_columns", "bad_values", "seconds", "by_section",
)  # fmt: skip


class ImportBatch(Base):
    """One file on its way in. `file`: its name under var/uploads.

    `state`: uploaded (to be inspected) → mapping (a person confirms the columns) → running → done; or failed |
    cancelled; after done perhaps undoing → undone. A command goes from uploaded straight to running, and a dry run from
    running back to mapping."""

    __tablename__ = "import_batches"
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    file_name: Mapped[str]
    file: Mapped[str]
    file_sha256: Mapped[str]
    state: Mapped[str] = mapped_column(default="uploaded")
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)  # column of the file -> field
    preview: Mapped[dict[str, Any] | None]  # what the inspection found: names, dropped columns, first rows
    # sheet, policies {field: overwrite | keep | fill}, dry_run, columns [[name, field]], corrects (an import), version
    options: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    sex_letters: Mapped[str | None]  # HM | MF: what M means in this file
    notice_version: Mapped[str | None]  # the privacy notice that the people of this list answered
    rows_total: Mapped[int | None]
    rows_done: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what `flask contacts import --json` prints
    error: Mapped[str | None]  # callcenter.tables.file_faults.stored
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # how many workers have begun it
    bytes_done: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    bytes_total: Mapped[int | None] = mapped_column(BigInteger)
    # While it runs: the numbers that its new people will have, for those who need not look there (contact_search).
    first_id: Mapped[int | None] = mapped_column(BigInteger)
    last_id: Mapped[int | None] = mapped_column(BigInteger)
    # The transaction that wrote its people (contacts.change_id); lists of former versions may have two.
    change_ids: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))


class RefusedRow(Base):
    """A row that did not become a person: its number in the file, the reason's code, the cells of mapped columns."""

    __tablename__ = "refused_rows"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("import_batches.id", ondelete="CASCADE"), index=True)
    row_number: Mapped[int]
    reason: Mapped[str]
    cells: Mapped[dict[str, Any]]


def get(session: Session, import_id: int) -> ImportBatch:
    """The batch, fresh from the database; raises NotFound."""
    batch = session.get(ImportBatch, import_id, populate_existing=True)
    if batch is None:
        raise NotFound(_("There is no import %(number)s.", number=import_id))
    return batch


def recent(session: Session, limit: int = 50) -> list[ImportBatch]:
    """The newest batches first."""
    return list(session.scalars(select(ImportBatch).order_by(ImportBatch.id.desc()).limit(limit)))


def refused_rows(
    session: Session, import_id: int, *, reason: str = "", after: int = 0, limit: int | None = 100
) -> Iterator[RefusedRow]:
    """The refused rows in the file's order, from the one after row `after` on."""
    rows = select(RefusedRow).where(RefusedRow.import_id == import_id, RefusedRow.row_number > after)
    if reason:
        rows = rows.where(RefusedRow.reason == reason)
    yield from session.scalars(rows.order_by(RefusedRow.row_number).limit(limit).execution_options(yield_per=500))


def refused_by_reason(session: Session, import_id: int) -> dict[str, int]:
    """How many rows each reason refused."""
    rows = session.execute(
        select(RefusedRow.reason, func.count()).where(RefusedRow.import_id == import_id).group_by(RefusedRow.reason)
    )
    return dict(rows.all())


def forget_file(batch: ImportBatch) -> None:
    """A batch that has ended needs no copy of the list: neither the upload nor the rows of its preview stay.

    The file of a command belongs to whoever named it, and is left where it is."""
    path = Path(batch.file)
    if path.parent.name == UPLOADS and COPY_NAME.fullmatch(path.name):
        path.unlink(missing_ok=True)
    batch.preview = None


def check_running(session: Session, import_id: int) -> None:
    """Raises Refused (`cancelled`) when somebody cancelled the import meanwhile, or it is no longer being worked on."""
    if session.scalar(select(ImportBatch.state).where(ImportBatch.id == import_id)) != "running":
        raise Refused("cancelled", _("The import was cancelled; nothing of it was kept."))


def note_dropped(session: Session, batch: ImportBatch, names: list[str]) -> None:
    """Audit which columns of the list are never kept."""
    if names:
        audit.record(session, batch.created_by, "imports.drop_columns", f"import/{batch.id}", columns=names)


def set_running(batch: ImportBatch) -> None:
    """It is being worked on from now on."""
    batch.state, batch.lease_until = "running", real_now() + LEASE
    batch.started_at = batch.started_at or real_now()


@dataclass(frozen=True)
class Progress:
    """How far a file is read: data rows so far, and the byte where reading goes on, None where that is not known;
    and the numbers that its new people will have, where they were taken at once."""

    rows: int
    offset: int | None
    ids: tuple[int, int] | None = None


# Called now and then by who works on a batch; what it raises stops the work.
Watch: TypeAlias = Callable[..., None]  # (progress: Progress | None = None)


def unwatched(progress: Progress | None = None) -> None:
    """Nobody is told, nobody stops it."""


def renew(session: Session, import_id: int, progress: Progress | None = None) -> None:
    """Its worker lives: reading the file (`progress`), or in the middle of a merge. Raises Refused (`cancelled`)."""
    check_running(session, import_id)
    batch = get(session, import_id)
    batch.lease_until = real_now() + (LEASE if progress else MERGE_LEASE)
    if progress is not None:
        batch.rows_done = progress.rows
        batch.first_id, batch.last_id = progress.ids or (None, None)
        if progress.offset and batch.bytes_total:  # how much there will be, from the part of the file that is read
            batch.bytes_done = progress.offset
            batch.rows_total = max(progress.rows, progress.rows * batch.bytes_total // progress.offset)
        tell_later(session, f"import/{import_id}")
