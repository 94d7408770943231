"""The work on a batch: read block by block and made people in one transaction, or taken back slice by slice.

The modules that need Polars are imported when they are used: only workers need it, and only after their fork."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import IntegrityError as RowRefused
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.outbox import tell_later
from callcenter.lists import import_columns, import_undo
from callcenter.lists.import_batches import (
    COUNTS,
    LEASE,
    MAX_ATTEMPTS,
    MERGE_LOCK,
    ImportBatch,
    Progress,
    RefusedRow,
    Watch,
    check_running,
    get,
    note_dropped,
    set_running,
    unwatched,
)
from callcenter.lists.import_cells import sex_is_ambiguous
from callcenter.lists.import_inspection import Inspection, inspect
from callcenter.people import attributes
from callcenter.people.attributes import Attribute
from callcenter.phones import REASONS
from callcenter.tables.file_faults import N_, UnreadableFileError

if TYPE_CHECKING:
    from callcenter.lists.import_direct import Writer
    from callcenter.lists.import_frames import Frame
    from callcenter.lists.import_keys import Keys
    from callcenter.lists.import_merge import Merging
    from callcenter.lists.import_reading import Tally
    from callcenter.lists.import_staging import Behind

LOCK_PAUSE = 0.2  # seconds between two looks whether another import is done


@dataclass(frozen=True)
class OpenList:
    """A batch whose file was looked at, ready to be brought in. `size`: bytes of a text file, None of others."""

    import_id: int
    inspection: Inspection
    attributes: Mapping[str, Attribute]
    size: int | None


def open_list(session: Session, import_id: int) -> OpenList:
    """Look at a batch's file; the edge commits before `bring_in`. Raises InvalidInput when it cannot be imported."""
    batch = get(session, import_id)
    keys = {one.key: one for one in attributes.all_attributes(session)}
    mapping = {int(at): field for at, field in batch.mapping.items()} or None
    inspection = inspect(Path(batch.file), mapping, sheet=batch.options.get("sheet"))
    import_columns.check_mapping(inspection.mapping, inspection.dropped, keys)
    batch.mapping = {str(at): field for at, field in inspection.mapping.items()}
    if "columns" not in batch.options:  # a command's list has seen no mapping page
        names = [[inspection.header.names[at], field] for at, field in sorted(inspection.mapping.items())]
        batch.options = batch.options | {"columns": names}
    set_running(batch)
    size = inspection.table.path.stat().st_size if inspection.table.kind == "csv" else None
    batch.bytes_total, batch.rows_done, batch.bytes_done = size, 0, 0
    if not batch.preview and batch.attempts <= 1:
        note_dropped(session, batch, inspection.dropped_names)
    return OpenList(import_id, inspection, keys, size)


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


def bring_in(session: Session, opened: OpenList, watch: Watch = unwatched) -> dict[str, Any]:
    """Make the rows of the list people, in the caller's one transaction; returns the outcome that `counts` keeps.

    One import writes at a time: of two that run at once, the second knows the people of the first. `watch` is called
    now and then, with the progress while the file is read; what it raises stops the import. Until the end no row is
    changed that `watch` may want to change on another connection. Raises InvalidInput when the file cannot be read to
    its end, and Refused (`cancelled`) when somebody cancelled."""
    batch = get(session, opened.import_id)
    is_dry = bool(batch.options.get("dry_run"))
    merging = _merging(session, batch, watch)
    counts = None if is_dry else _directly(session, opened, merging)
    if counts is None:
        tally, keys, _none = _take_blocks(session, opened, merging, may_write=False)
        _hold_lock(session, watch)
        counts = _counts(opened, tally) | _merged(session, merging, keys, is_dry=is_dry)
    return _finish(session, opened.import_id, counts, is_dry=is_dry)


def _merging(session: Session, batch: ImportBatch, watch: Watch) -> "Merging":
    from callcenter.lists.import_merge import Merging

    return Merging(
        batch.id, batch.source, batch.notice_version, real_now(), campaign_now(session),
        frozenset(batch.mapping.values()),
        batch.options.get("policies", {}) | {"": batch.options.get("default_policy", "overwrite")}, watch,
    )  # fmt: skip


def _directly(session: Session, opened: OpenList, merging: "Merging") -> dict[str, Any] | None:
    """Bring in the list, new people of a long one directly; None, and nothing done, when somebody made one of these
    by hand meanwhile."""
    nested = session.begin_nested()
    try:
        tally, keys, writer = _take_blocks(session, opened, merging, may_write=True)
        if writer is None:
            _hold_lock(session, merging.watch)
        direct = writer.counts() if writer else {}
        merged = _merged(session, merging, keys, written=direct.get("created", 0))
    except (IntegrityError, RowRefused):
        nested.rollback()
        return None
    nested.commit()
    return _counts(opened, tally) | merged | {name: _sum(merged[name], of_them) for name, of_them in direct.items()}


def _sum(one: Any, other: Any) -> Any:
    return one + other if isinstance(one, int) else {key: one.get(key, 0) + other.get(key, 0) for key in {*one, *other}}


def _take_blocks(
    session: Session, opened: OpenList, merging: "Merging", *, may_write: bool
) -> "tuple[Tally, Keys, Writer | None]":
    """Read the whole file: into the staging tables, or what is new of a long list directly to the people.

    Three blocks are worked on at once: one is read, one is prepared here, one is written."""
    from callcenter.lists import import_staging
    from callcenter.lists.import_keys import Keys
    from callcenter.lists.import_reading import Tally, read_ahead

    session.execute(delete(RefusedRow).where(RefusedRow.import_id == opened.import_id))
    import_staging.create_tables(session)
    sex_letters = get(session, opened.import_id).sex_letters
    reader = opened.inspection.reader(sex_letters, opened.attributes)
    tally, keys, writer = Tally(), Keys(), None
    with import_staging.Behind(session) as behind:
        for frame, offset in read_ahead(opened.inspection, reader):
            progress = tally.add(frame, offset)
            if may_write and writer is None:
                writer, may_write = _writer(behind, opened, merging, progress), False
            rest, new = writer.take(frame) if writer else (frame, {})
            keys.add(rest.people)
            copying = _copying(opened.import_id, rest, writer, new)
            behind.session()  # `watch` may use the same connection
            merging.watch(replace(progress, ids=writer.ids) if writer else progress)
            behind.start(copying)
    _check_letters(tally.letters, sex_letters)
    return tally, keys, writer


def _check_letters(letters: set[str], said: str | None) -> None:
    if sex_is_ambiguous(letters) and said is None:
        raise UnreadableFileError(
            N_(
                "The column of sex mixes M with F: say what M means (masculino or mujer);"
                " we do not guess it row by row."
            )
        )


def _copying(
    import_id: int, rest: "Frame", writer: "Writer | None", new: Mapping[str, bytes]
) -> Callable[[Session], None]:
    """What puts one block into the database."""
    from callcenter.lists import import_staging

    staged = import_staging.staged_lines(rest)

    def copy(session: Session) -> None:
        if writer is not None:
            writer.write(session, new)
        for target, lines in staged.items():
            import_staging.copy(session, target, lines)
        import_staging.copy_refused(session, import_id, rest.refused)

    return copy


def _writer(behind: "Behind", opened: OpenList, merging: "Merging", first: Progress) -> "Writer | None":
    """Who writes new people directly, if that is worth it for a list of which this is the first block."""
    from callcenter.lists import import_direct

    if opened.size is None or not first.offset:
        return None
    rows = first.rows * opened.size // first.offset
    if not import_direct.is_worth_it(behind.session(), merging, rows):
        return None
    _hold_lock(behind.session(), merging.watch)
    return import_direct.Writer(behind, merging, rows)


def _hold_lock(session: Session, watch: Watch) -> None:
    """Wait until no other import writes; then none does before this transaction ends."""
    while not session.scalar(select(func.pg_try_advisory_xact_lock(MERGE_LOCK))):
        watch()
        time.sleep(LOCK_PAUSE)


def _merged(
    session: Session, merging: "Merging", keys: "Keys", *, is_dry: bool = False, written: int = 0
) -> dict[str, Any]:
    """Merge; once more when somebody made one of the new people by hand at the same moment."""
    from callcenter.lists.import_merge import merge

    for is_last in (False, False, True):
        nested = session.begin_nested()
        try:
            merged = merge(session, merging, keys, is_dry=is_dry, written=written)
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


def _counts(opened: OpenList, tally: "Tally") -> dict[str, Any]:
    return {
        "rows": tally.rows,
        "rejected": {reason: tally.rejected[reason] for reason in sorted(REASONS) if tally.rejected[reason]},
        "extra_phones": tally.extra_phones,
        "dropped_columns": opened.inspection.dropped_names,
        "bad_values": dict(sorted(tally.bad.items())),
    }


def _finish(session: Session, import_id: int, said: dict[str, Any], *, is_dry: bool) -> dict[str, Any]:
    """The batch's last row, in the transaction of its people."""
    batch = session.scalars(
        select(ImportBatch)
        .where(ImportBatch.id == import_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    check_running(session, import_id)
    seconds = (real_now() - (batch.started_at or real_now())).total_seconds()
    sections = {str(number): people for number, people in sorted(said["by_section"].items())}
    said = said | {"by_section": sections, "seconds": round(seconds, 2)}
    batch.counts = {key: said[key] for key in COUNTS} | ({"dry_run": True} if is_dry else {})
    batch.change_ids = [] if is_dry else [session.scalar(select(text("pg_current_xact_id()::text::bigint")))]
    batch.rows_done = batch.rows_total = said["rows"]
    batch.state, batch.finished_at = ("mapping", None) if is_dry and batch.preview else ("done", real_now())
    batch.lease_until = None
    action = "imports.dry_run" if is_dry else "imports.done"
    audit.record(session, batch.created_by, action, f"import/{import_id}", created=batch.counts["created"])
    tell_later(session, f"import/{import_id}")
    return batch.counts


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
