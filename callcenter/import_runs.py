"""The work on a batch: staged block by block, merged in one transaction, taken back slice by slice.

The modules that need Polars are imported when they are used: only workers need it, and only after their fork."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from callcenter import attributes, import_columns, import_helper, import_undo
from callcenter.base import audit
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.outbox import tell_later
from callcenter.file_faults import N_, UnreadableFileError
from callcenter.import_batches import (
    COUNTS,
    LEASE,
    MAX_ATTEMPTS,
    MERGE_LEASE,
    MERGE_LOCK,
    ImportBatch,
    RefusedRow,
    check_running,
    drop_staged,
    get,
    note_dropped,
    set_running,
)
from callcenter.import_cells import sex_is_ambiguous
from callcenter.import_inspection import Inspection, inspect
from callcenter.phones import REASONS

if TYPE_CHECKING:
    from callcenter.import_reading import Tally


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
    if "columns" not in batch.options:  # a command's list has seen no mapping page
        names = [[inspection.header.names[at], field] for at, field in sorted(inspection.mapping.items())]
        batch.options = batch.options | {"columns": names}
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

    set_running(batch)
    batch.bytes_total = inspection.table.path.stat().st_size if inspection.table.kind == "csv" else None
    if batch.resume and batch.resume["staged"] == import_staging.count(session, batch.id):
        return Tally.of(batch.resume)
    session.execute(delete(RefusedRow).where(RefusedRow.import_id == batch.id))
    import_staging.create_tables(session, batch.id)
    batch.rows_done, batch.bytes_done, batch.resume = 0, 0, None
    if not batch.preview:
        note_dropped(session, batch, inspection.dropped_names)
    return Tally()


def _foresee(batch: ImportBatch, offset: int | None) -> None:
    """How much there will be, from the part of the file that is read."""
    if offset and batch.bytes_total:
        batch.bytes_done = offset
        batch.rows_total = max(batch.rows_done, batch.rows_done * batch.bytes_total // offset)


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
