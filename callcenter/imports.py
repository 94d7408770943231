"""Imports of contact lists: what people and commands do with them.

A file is inspected (what it is, which column is what), and then brought in, in one transaction: until that commits
nothing of the list exists, after it all of it.
"""

import hashlib
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.lists import import_columns, import_undo
from callcenter.lists.import_batches import (
    COPY_NAME,
    COUNTS,
    LEASE,
    MAX_ATTEMPTS,
    OPEN_STATES,
    UPLOADS,
    ImportBatch,
    Progress,
    RefusedRow,
    check_running,
    forget_file,
    get,
    recent,
    refused_by_reason,
    refused_rows,
    renew,
    set_running,
)
from callcenter.lists.import_runs import OpenList, bring_in, count_attempt, open_list, take_back
from callcenter.people import attributes
from callcenter.tables import file_faults

# What others use of imports comes from here.
__all__ = [
    "COPY_NAME", "COUNTS", "LEASE", "MAX_ATTEMPTS", "OPEN_STATES", "UPLOADS", "ImportBatch", "OpenList", "Progress",
    "RefusedRow", "bring_in", "cancel", "check_running", "clean_up", "count_attempt", "create", "fail", "forget_file",
    "get", "open_list", "recent", "refused_by_reason", "refused_rows", "renew", "sha256", "start", "sweep", "take_back",
    "undo", "undo_preview",
]  # fmt: skip


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
    set_running(batch)
    audit.record(session, user_id, "imports.start", f"import/{import_id}")
    enqueue_later(session, "callcenter.lists.import_jobs.run_import", import_id, queue="bulk")


def fail(session: Session, import_id: int, fault: InvalidInput) -> None:
    """End a batch that cannot be imported, with the reason; nothing of it stays."""
    batch = get(session, import_id)
    if batch.state in ("done", "cancelled"):
        return
    batch.state, batch.error, batch.finished_at, batch.lease_until = (
        "failed", file_faults.stored(fault), real_now(), None,
    )  # fmt: skip
    clean_up(session, import_id)
    tell_later(session, f"import/{import_id}")


def cancel(session: Session, import_id: int, user_id: int | None) -> None:
    """Stop a batch that is not done; its worker sees it at the next block."""
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
    enqueue_later(session, "callcenter.lists.import_jobs.undo_import", import_id, queue="bulk")
    tell_later(session, f"import/{import_id}")


def clean_up(session: Session, import_id: int) -> None:
    """What a batch leaves behind that did not come in goes: refused rows of an earlier trial."""
    session.execute(delete(RefusedRow).where(RefusedRow.import_id == import_id))


def sweep(session: Session) -> int:
    """Enqueue again every batch whose worker is gone (its lease has run out); returns how many."""
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
        enqueue_later(session, f"callcenter.lists.import_jobs.{OPEN_STATES[batch.state]}", batch.id, queue="bulk")
    return len(late)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
