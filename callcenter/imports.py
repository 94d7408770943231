"""Imports of contact lists: a batch, its progress, the rows it refused, and the way from a file to people.

A file is inspected (what it is, which column is what), staged row by row (parsed, COPYed, committed chunk by chunk) and
then merged into the people in one transaction: until that commits nothing of the list exists, after it all of it.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import BigInteger, ForeignKey, Identity, delete, func, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import attributes, file_faults, import_columns, import_helper, import_undo
from callcenter.base import audit
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base, engine
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.file_faults import N_, UnreadableFileError
from callcenter.import_cells import sex_is_ambiguous
from callcenter.import_inspection import Inspection, inspect
from callcenter.phones import REASONS

if TYPE_CHECKING:
    from callcenter.import_reading import Tally

LEASE = timedelta(minutes=2)  # renewed at each chunk; the merge of a national list is given MERGE_LEASE
MERGE_LOCK = 0x10_0057  # one merge at a time, in the whole database
MERGE_LEASE = timedelta(minutes=30)
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
    error: Mapped[str | None]  # callcenter.file_faults.stored
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))  # how many workers have begun it
    bytes_done: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    bytes_total: Mapped[int | None] = mapped_column(BigInteger)
    resume: Mapped[dict[str, Any] | None]  # what is staged, for a worker that goes on after a crash
    change_ids: Mapped[list[Any]] = mapped_column(
        default=list, server_default=text("'[]'")
    )  # of contacts, by its merge
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


def create(session: Session, path: Path, *, source: str, file_name: str, user_id: int | None = None) -> ImportBatch:
    """A batch for a file that lies in var/uploads (or, for a command, wherever it is)."""
    if not source.strip():
        raise InvalidInput({"source": _("Name where the list comes from.")})
    batch = ImportBatch(
        source=source.strip(), file_name=file_name, file=str(path), file_sha256=sha256(path), created_by=user_id
    )
    session.add(batch)
    session.flush()
    audit.record(session, user_id, "imports.create", f"import/{batch.id}", sha256=batch.file_sha256)
    return batch


def get(session: Session, import_id: int) -> ImportBatch:
    """The batch, fresh from the database; raises NotFound."""
    batch = session.get(ImportBatch, import_id, populate_existing=True)
    if batch is None:
        raise NotFound(_("There is no import %(number)s.", number=import_id))
    return batch


def recent(session: Session, limit: int = 50) -> list[ImportBatch]:
    """The newest batches first."""
    return list(session.scalars(select(ImportBatch).order_by(ImportBatch.id.desc()).limit(limit)))


def start(
    session: Session,
    import_id: int,
    mapping: dict[str, str],
    sex_letters: str | None,
    user_id: int | None,
    *,
    options: dict[str, Any] | None = None,
) -> None:
    """The person has confirmed the columns: run. Raises InvalidInput when the list could not be imported so."""
    batch = get(session, import_id)
    if batch.state != "mapping" or batch.preview is None:
        raise Refused("not_waiting", _("This import is not waiting for its columns."))
    columns = {int(at): field for at, field in mapping.items() if field}
    keys = [one.key for one in attributes.all_attributes(session)]
    import_columns.check_mapping(columns, map(int, batch.preview["dropped"]), keys)
    if batch.preview["asks_sex"] and "sex" in columns.values() and not sex_letters:
        raise InvalidInput({"sex_letters": _("Say what M means in the column of sex: mujer or masculino.")})
    batch.mapping, batch.sex_letters = {str(at): field for at, field in columns.items()}, sex_letters or None
    batch.options, batch.counts = batch.options | (options or {}), {}
    _set_running(batch)
    audit.record(session, user_id, "imports.start", f"import/{import_id}")
    enqueue_later(session, "callcenter.import_jobs.run_import", import_id, queue="bulk")


def _set_running(batch: ImportBatch) -> None:
    batch.state, batch.lease_until = "running", real_now() + LEASE
    batch.started_at = batch.started_at or real_now()


def stage(session: Session, import_id: int) -> Iterator[int]:
    """Parse the whole file into the batch's staging tables; yields the rows done so far, for the edge to commit.

    Goes on where an earlier worker died, when what it staged is still there. Raises InvalidInput when the file cannot
    be read to its end, and Refused (`cancelled`) when somebody cancelled."""
    from callcenter.import_reading import stage_blocks

    batch = get(session, import_id)
    keys = {one.key: one for one in attributes.all_attributes(session)}
    mapping = {int(at): field for at, field in batch.mapping.items()} or None
    inspection = inspect(Path(batch.file), mapping, sheet=batch.options.get("sheet"))
    import_columns.check_mapping(inspection.mapping, inspection.dropped, keys)
    batch.mapping = {str(at): field for at, field in inspection.mapping.items()}
    tally = _begin(session, batch, inspection)
    reader = inspection.reader(batch.sex_letters, keys)
    for _done in stage_blocks(session, import_id, inspection, reader, tally):
        check_running(session, import_id)
        batch.rows_done, batch.lease_until = tally.rows, real_now() + LEASE
        batch.resume = tally.kept() if tally.offset is not None else None
        _foresee(batch, tally.offset)
        tell_later(session, f"import/{import_id}")
        yield tally.rows
    if sex_is_ambiguous(tally.letters) and batch.sex_letters is None:
        raise UnreadableFileError(
            N_(
                "The column of sex mixes M with F: say what M means (masculino or mujer);"
                " we do not guess it row by row."
            )
        )
    session.info["import_keys"] = {import_id: tally.keys}
    batch.rows_total, batch.lease_until = batch.rows_done, real_now() + MERGE_LEASE
    batch.counts = {
        "rows": batch.rows_done,
        "rejected": {reason: tally.rejected[reason] for reason in sorted(REASONS) if tally.rejected[reason]},
        "extra_phones": tally.extra_phones,
        "dropped_columns": inspection.dropped_names,
        "bad_values": dict(sorted(tally.bad.items())),
    }
    yield batch.rows_done


def count_attempt(session: Session, import_id: int) -> None:
    """One more worker begins. Raises InvalidInput when too many have died over this list."""
    batch = get(session, import_id)
    if batch.attempts >= MAX_ATTEMPTS:
        raise UnreadableFileError(
            N_(
                "The list ended its worker %(times)s times before it was in. Nothing of it was kept: send it in parts,"
                " or as CSV, and tell whoever looks after this computer."
            ),
            times=MAX_ATTEMPTS,
        )
    batch.attempts += 1


def _begin(session: Session, batch: ImportBatch, inspection: Inspection) -> "Tally":
    """Where to go on: after what an earlier worker staged, if all of it is there, else at the beginning."""
    from callcenter import import_staging
    from callcenter.import_reading import Tally

    _set_running(batch)
    batch.bytes_total = inspection.table.path.stat().st_size if inspection.table.kind == "csv" else None
    if batch.resume and batch.resume["staged"] == import_staging.count(session, batch.id):
        return Tally.of(batch.resume)
    session.execute(delete(RefusedRow).where(RefusedRow.import_id == batch.id))
    import_staging.create_tables(session, batch.id)
    batch.rows_done, batch.bytes_done, batch.resume = 0, 0, None
    if not batch.preview:
        _note_dropped(session, batch, inspection.dropped_names)
    return Tally()


def _foresee(batch: ImportBatch, offset: int | None) -> None:
    """How much there will be, from the part of the file that is read."""
    if offset and batch.bytes_total:
        batch.bytes_done = offset
        batch.rows_total = max(batch.rows_done, batch.rows_done * batch.bytes_total // offset)


def check_running(session: Session, import_id: int) -> None:
    """Raises Refused (`cancelled`) when somebody cancelled the import meanwhile, or it is no longer being worked on."""
    if session.scalar(select(ImportBatch.state).where(ImportBatch.id == import_id)) != "running":
        raise Refused("cancelled", _("The import was cancelled; nothing of it was kept."))


def merge(
    session: Session,
    import_id: int,
    beat: Callable[[], None] = lambda: None,
    helper: import_helper.Helper | None = None,
) -> dict[str, Any]:
    """Make the staged rows people, in the caller's one transaction; returns the outcome that `counts` keeps.

    One merge at a time: of two that run at once, the second knows the people of the first. `beat` is called now and
    then; what it raises stops the merge. With a `helper` the edge commits by `helper.commit_with(session)`."""
    batch = get(session, import_id)
    is_dry = bool(batch.options.get("dry_run"))
    session.execute(select(func.pg_advisory_xact_lock(MERGE_LOCK)))
    check_running(session, import_id)
    merged = _merged(session, batch, beat, helper, is_dry=is_dry)
    batch = session.scalars(select(ImportBatch).where(ImportBatch.id == import_id).with_for_update()).one()
    check_running(session, import_id)
    batch.change_ids = merged["change_ids"]
    seconds = (real_now() - (batch.started_at or real_now())).total_seconds()
    said = {**batch.counts, **merged, "seconds": round(seconds, 2)}
    batch.counts = {key: said[key] for key in COUNTS} | ({"dry_run": True} if is_dry else {})
    batch.state, batch.finished_at = ("mapping", None) if is_dry and batch.preview else ("done", real_now())
    batch.lease_until, batch.resume = None, None
    if helper is None or not helper.is_busy:
        drop_staged(session, import_id)
    action = "imports.dry_run" if is_dry else "imports.done"
    audit.record(session, batch.created_by, action, f"import/{import_id}", created=batch.counts["created"])
    tell_later(session, f"import/{import_id}")
    return batch.counts


def _merged(
    session: Session, batch: ImportBatch, beat: Callable[[], None], helper: import_helper.Helper | None, *, is_dry: bool
) -> dict[str, Any]:
    """Merge; once more when somebody made one of the new people by hand at the same moment."""
    from callcenter.import_keys import of_staged
    from callcenter.import_merge import Merging, merge

    keys = session.info.get("import_keys", {}).pop(batch.id, None) or of_staged(session, batch.id)
    fields = frozenset(batch.mapping.values()) or frozenset(import_columns.FIELDS)
    merging = Merging(
        batch.id, batch.source, batch.notice_version, real_now(), campaign_now(session), fields,
        batch.options.get("policies", {}) | {"": batch.options.get("default_policy", "overwrite")}, beat,
    )  # fmt: skip
    for is_last in (False, False, True):
        nested = session.begin_nested()
        try:
            merged = merge(session, merging, keys, is_dry=is_dry, helper=helper)
        except IntegrityError:
            nested.rollback()
            if is_last:
                raise
        else:
            if is_dry:
                nested.rollback()
            else:
                nested.commit()
            return merged
    raise AssertionError


def fail(session: Session, import_id: int, fault: InvalidInput) -> None:
    """End a batch that cannot be imported, with the reason; nothing of it stays."""
    batch = get(session, import_id)
    if batch.state in ("done", "cancelled"):
        return
    batch.state, batch.error, batch.finished_at, batch.lease_until = (
        "failed", file_faults.stored(fault), real_now(), None,
    )  # fmt: skip
    _forget_rows(session, import_id)
    tell_later(session, f"import/{import_id}")


def cancel(session: Session, import_id: int, user_id: int | None) -> None:
    """Stop a batch that is not done; its worker sees it at the next chunk."""
    ended = session.execute(
        update(ImportBatch)
        .where(ImportBatch.id == import_id, ImportBatch.state.in_(("uploaded", "mapping", "running")))
        .values(state="cancelled", finished_at=real_now(), lease_until=None)
        .returning(ImportBatch.id)
    ).scalar()
    if ended is None:
        raise Refused("not_running", _("This import has ended already."))
    audit.record(session, user_id, "imports.cancel", f"import/{import_id}")
    tell_later(session, f"import/{import_id}")


def undo_preview(session: Session, import_id: int) -> dict[str, Any]:
    """What taking the import back would do now: people (removed), restored, kept, kept_reasons."""
    return import_undo.preview(session, import_id, get(session, import_id).change_ids)


def undo(session: Session, import_id: int, user_id: int | None) -> None:
    """Take the whole import back, in a job. Raises Refused when it is not done, or is taken back already."""
    started = session.execute(
        update(ImportBatch)
        .where(ImportBatch.id == import_id, ImportBatch.state == "done")
        .values(state="undoing", undone_by=user_id, lease_until=real_now() + LEASE)
        .returning(ImportBatch.id)
    ).scalar()
    if started is None:
        raise Refused("not_done", _("Only an import that is done can be taken back, and only once."))
    audit.record(session, user_id, "imports.undo", f"import/{import_id}")
    enqueue_later(session, "callcenter.import_jobs.undo_import", import_id, queue="bulk")
    tell_later(session, f"import/{import_id}")


def take_back(session: Session, import_id: int) -> Iterator[dict[str, Any]]:
    """Do what `undo` asked for; yields after each slice, for the edge to commit."""
    batch = get(session, import_id)
    figures: dict[str, Any] = {}
    for figures in import_undo.run(session, import_id, batch.change_ids):
        batch.lease_until = real_now() + LEASE
        yield figures
    batch = get(session, import_id)
    batch.state, batch.undone_at, batch.lease_until = "undone", real_now(), None
    batch.counts = batch.counts | {"undone": figures}
    audit.record(session, batch.undone_by, "imports.undone", f"import/{import_id}", people=figures["people"])
    tell_later(session, f"import/{import_id}")
    yield figures


def forget_file(batch: ImportBatch) -> None:
    """A batch that has ended needs no copy of the list: neither the upload nor the rows of its preview stay.

    The file of a command belongs to whoever named it, and is left where it is."""
    path = Path(batch.file)
    if path.parent.name == UPLOADS and COPY_NAME.fullmatch(path.name):
        path.unlink(missing_ok=True)
    batch.preview = None


def clean_up(session: Session, import_id: int) -> None:
    """What a cancelled batch leaves behind goes: staged rows, refused rows."""
    _forget_rows(session, import_id)


def _forget_rows(session: Session, import_id: int) -> None:
    session.execute(delete(RefusedRow).where(RefusedRow.import_id == import_id))
    drop_staged(session, import_id)


def drop_staged(session: Session, import_id: int) -> None:
    """Forget what was staged."""
    from callcenter import import_staging

    import_staging.drop_tables(session, import_id)


def sweep(session: Session) -> int:
    """Enqueue again every batch whose worker is gone (its lease has run out); returns how many.

    Halves of merges that such a worker left prepared are settled first."""
    import_helper.settle(engine())
    late = session.scalars(
        select(ImportBatch)
        .where(
            ImportBatch.state.in_(list(OPEN_STATES)),
            or_(ImportBatch.lease_until.is_(None), ImportBatch.lease_until < real_now()),
            ImportBatch.created_at < real_now() - LEASE,
        )
        .with_for_update(skip_locked=True)
    ).all()
    for batch in late:
        batch.lease_until = real_now() + LEASE
        enqueue_later(session, f"callcenter.import_jobs.{OPEN_STATES[batch.state]}", batch.id, queue="bulk")
    return len(late)


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


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _note_dropped(session: Session, batch: ImportBatch, names: list[str]) -> None:
    if names:
        audit.record(session, batch.created_by, "imports.drop_columns", f"import/{batch.id}", columns=names)
