"""Files of the territory on their way in: looked at, confirmed by a person, written in one transaction, undone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, ForeignKey, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import imports
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.places import territory_import, territory_writing
from callcenter.places.territory_import import Choices
from callcenter.tables import file_faults

LEASE = timedelta(minutes=10)  # without news of progress; then the work is given to another worker
MAX_FAULTS = 500  # kept and shown; of more there is the count


class TerritoryBatch(Base):
    """One file. `state`: uploaded → ready (looked at; a person confirms) → running → done (→ undone), or failed.

    `options` are the person's choices (territory_import.Choices.stored); `preview` what was recognised; `faults` the
    rows that were left out: [{"row", "message", "values"}]."""

    __tablename__ = "territory_batches"
    __table_args__ = (
        CheckConstraint("state IN ('uploaded', 'ready', 'running', 'done', 'failed', 'undone')", name="state"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    file_name: Mapped[str]
    file: Mapped[str]
    file_sha256: Mapped[str]
    layout: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="uploaded")
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    preview: Mapped[dict[str, Any] | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    faults: Mapped[list[Any]] = mapped_column(default=list)
    rows_done: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]  # callcenter.tables.file_faults.stored
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    finished_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]


def create(session: Session, path: Path, file_name: str, user_id: int | None) -> TerritoryBatch:
    """A batch for a file that lies in var/uploads (or, for a command, wherever it is)."""
    batch = TerritoryBatch(
        file_name=file_name, file=str(path), file_sha256=imports.sha256(path), created_by=user_id,
        lease_until=real_now() + LEASE,
    )  # fmt: skip
    session.add(batch)
    session.flush()
    audit.record(session, user_id, "territory.create", f"territory/{batch.id}", sha256=batch.file_sha256)
    return batch


def get(session: Session, batch_id: int) -> TerritoryBatch:
    """The batch, fresh from the database; raises NotFound."""
    batch = session.get(TerritoryBatch, batch_id, populate_existing=True)
    if batch is None:
        raise NotFound(_("There is no import %(number)s.", number=batch_id))
    return batch


def recent(session: Session, limit: int = 50) -> list[TerritoryBatch]:
    return list(session.scalars(select(TerritoryBatch).order_by(TerritoryBatch.id.desc()).limit(limit)))


def inspect(session: Session, batch_id: int) -> None:
    """Look at an uploaded file: what it is, how many rows, which are at fault. A file that is none of ours fails."""
    batch = get(session, batch_id)
    if batch.state != "uploaded":
        return
    try:
        looked = territory_import.look_at(Path(batch.file))
    except InvalidInput as fault:
        fail(session, batch_id, fault)
        return
    batch.layout, batch.preview = looked.layout, looked.preview
    batch.faults = [file_fault(fault) for fault in looked.faults[:MAX_FAULTS]]
    batch.state, batch.lease_until = "ready", None
    tell_later(session, f"territory/{batch_id}")


def start(session: Session, batch_id: int, choices: Choices, user_id: int | None) -> None:
    """The person has confirmed: run. Raises InvalidInput for choices that cannot be, Refused when it is not waiting."""
    batch = get(session, batch_id)
    if batch.state != "ready" or batch.layout is None:
        raise Refused("not_waiting", _("This import is not waiting for you."))
    choices.check(batch.layout)
    batch.options, batch.state, batch.lease_until = choices.stored(), "running", real_now() + LEASE
    audit.record(session, user_id, "territory.start", f"territory/{batch_id}", layout=batch.layout)
    enqueue_later(session, "callcenter.places.territory_jobs.run_territory", batch_id, queue="bulk")


def run(
    session: Session, batch_id: int, told: Callable[[int], None] = lambda _rows: None, *, strict: bool = False
) -> None:
    """Write the file's rows in the caller's one transaction. Raises InvalidInput when the file cannot be read.

    `told` hears how many rows are done; `strict`: a row at fault refuses the whole."""
    batch = get(session, batch_id)
    choices = replace(Choices.read(batch.options), strict=strict)
    done = territory_import.write(session, Path(batch.file), choices, batch_id, told)
    batch = get(session, batch_id)
    batch.layout, batch.counts = done.layout, done.counts
    batch.faults = [file_fault(fault) for fault in done.faults[:MAX_FAULTS]]
    batch.rows_done = done.counts["rows"]
    batch.state, batch.finished_at, batch.lease_until = "done", real_now(), None
    audit.record(session, batch.created_by, "territory.done", f"territory/{batch_id}", rows=done.counts["rows"])
    tell_later(session, f"territory/{batch_id}")


def note_progress(session: Session, batch_id: int, rows: int) -> None:
    """How far a running batch has come; its worker lives."""
    done = {"rows_done": rows, "lease_until": real_now() + LEASE}
    session.execute(update(TerritoryBatch).where(TerritoryBatch.id == batch_id).values(done))
    tell_later(session, f"territory/{batch_id}")


def fail(session: Session, batch_id: int, fault: InvalidInput) -> None:
    """End a batch that cannot be imported, with the reason; nothing of it stays."""
    batch = get(session, batch_id)
    batch.state, batch.error = "failed", file_faults.stored(fault)
    batch.finished_at, batch.lease_until = real_now(), None
    tell_later(session, f"territory/{batch_id}")


def undo(session: Session, batch_id: int, user_id: int | None) -> None:
    """Take back what a batch wrote: counts, results, a new map. Raises Refused where that is not possible any more."""
    batch = get(session, batch_id)
    if batch.state != "done":
        raise Refused("not_done", _("Only an import that is done can be undone."))
    territory_writing.undo(session, batch_id, str(batch.layout))
    batch.state = "undone"
    audit.record(session, user_id, "territory.undo", f"territory/{batch_id}")
    tell_later(session, f"territory/{batch_id}")


def forget_file(batch: TerritoryBatch) -> None:
    """A batch that has ended needs no copy of its file; that of a command is left where it is."""
    path = Path(batch.file)
    if path.parent.name == imports.UPLOADS and imports.COPY_NAME.fullmatch(path.name):
        path.unlink(missing_ok=True)


def sweep(session: Session) -> int:
    """Enqueue again every batch whose worker is gone (its lease has run out); returns how many."""
    late = session.scalars(
        select(TerritoryBatch)
        .where(
            TerritoryBatch.state.in_(("uploaded", "running")),
            or_(TerritoryBatch.lease_until.is_(None), TerritoryBatch.lease_until < real_now()),
        )
        .with_for_update(skip_locked=True)
    ).all()
    for batch in late:
        batch.lease_until = real_now() + LEASE
        job = "inspect_territory" if batch.state == "uploaded" else "run_territory"
        enqueue_later(session, f"callcenter.places.territory_jobs.{job}", batch.id, queue="bulk")
    return len(late)


def file_fault(fault: Any) -> dict[str, Any]:
    """A row's fault as a batch keeps it."""
    return {"row": fault.row, "message": fault.message, "values": fault.values}
