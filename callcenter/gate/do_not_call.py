"""The register of those who want no advertising: files of phones, kept as the same keyed hashes as suppressions."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path

from flask_babel import gettext as _
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, delete, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import suppressions
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.phones import normalise
from callcenter.tables import table_files
from callcenter.tables.file_faults import N_, UnreadableFileError, stored

HEAD_ROWS = 200  # looked at to find out in which columns the phones stand
CHUNK = 5_000  # rows between two news of progress
UPLOADS = "do_not_call"  # folder below the data folder
OPEN_STATES = ("uploaded", "running")
LEASE = timedelta(minutes=2)


class DoNotCallList(Base):
    """One uploaded file of the register. `state`: uploaded | running | done | failed | replaced.

    `replaces`: the file is the whole register anew; else it adds to what is there. `made_on`: the date of the file."""

    __tablename__ = "do_not_call_lists"
    __table_args__ = (CheckConstraint("state IN ('uploaded', 'running', 'done', 'failed', 'replaced')", name="state"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    made_on: Mapped[date]
    replaces: Mapped[bool]
    file_name: Mapped[str]
    path: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="uploaded", server_default="uploaded")
    rows_done: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    phones: Mapped[int | None] = mapped_column(BigInteger)  # new in the register through this file
    refused: Mapped[int | None] = mapped_column(BigInteger)  # rows without one phone that can be dialled
    error: Mapped[str | None]
    uploaded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    uploaded_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))
    touched_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))
    finished_at: Mapped[datetime | None]


class DoNotCallPhone(Base):
    """A phone of the register. `list_id`: the file that brought it."""

    __tablename__ = "do_not_call_phones"
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    list_id: Mapped[int] = mapped_column(ForeignKey("do_not_call_lists.id", ondelete="CASCADE"), index=True)


@dataclass(frozen=True)
class Upload:
    """A file of the register as somebody sends it. `replaces`: it is the whole register, not an addition."""

    path: Path
    source: str
    made_on: date
    replaces: bool
    file_name: str


def create(session: Session, upload: Upload, user_id: int | None) -> DoNotCallList:
    """Keep the upload and let a worker load it; audited. Raises InvalidInput."""
    faults = {}
    if not upload.source.strip():
        faults["source"] = _("Name where the list comes from.")
    if upload.made_on > real_now().date() + timedelta(days=1):
        faults["made_on"] = _("This day is still to come.")
    if faults:
        raise InvalidInput(faults)
    values = upload.__dict__ | {"path": str(upload.path), "source": upload.source.strip()[:200]}
    row = DoNotCallList(**values, uploaded_by=user_id)
    session.add(row)
    session.flush()
    audit.record(session, user_id, "do_not_call.upload", f"do-not-call/{row.id}", source=row.source,
                 replaces=row.replaces, made_on=str(row.made_on))  # fmt: skip
    enqueue_later(session, "callcenter.gate.do_not_call_jobs.load", row.id, queue="bulk")
    return row


def get(session: Session, list_id: int) -> DoNotCallList:
    """Raises NotFound."""
    row = session.get(DoNotCallList, list_id, populate_existing=True)
    if row is None:
        raise NotFound(_("There is no such file of the register."))
    return row


def recent(session: Session, limit: int = 50) -> list[DoNotCallList]:
    """The files of the register, the newest first."""
    return list(session.scalars(select(DoNotCallList).order_by(DoNotCallList.id.desc()).limit(limit)))


def size(session: Session) -> int:
    """How many phones the register holds."""
    return session.scalar(select(func.count()).select_from(DoNotCallPhone)) or 0


def load(session: Session, list_id: int) -> Iterator[int]:
    """Put the file's phones into the register; yields how many rows are read. One transaction, which the caller
    commits at the end: until then the register is as it was. Raises UnreadableFileError."""
    row = get(session, list_id)
    table = table_files.open_table(Path(row.path or ""), _phones_in)
    read_phones = _reader(table)
    if row.replaces:
        session.execute(delete(DoNotCallPhone))
        session.execute(update(DoNotCallList).where(DoNotCallList.state == "done").values(state="replaced"))
    done = new = refused = 0
    rows = table.rows()
    while chunk := list(islice(rows, CHUNK)):
        found = [read_phones(cells) for _number, cells in chunk if any(map(str.strip, cells))]
        refused += sum(not phones for phones in found)
        new += _insert(session, list_id, {phone for phones in found for phone in phones})
        done += len(chunk)
        yield done
    row.rows_done, row.phones, row.refused = done, new, refused
    row.state, row.finished_at, row.error = "done", real_now(), None
    session.flush()
    tell_later(session, f"do-not-call/{list_id}")


def fail(session: Session, list_id: int, fault: InvalidInput) -> None:
    """The file could not be read: nothing of it is in the register."""
    row = get(session, list_id)
    row.state, row.error, row.finished_at = "failed", stored(fault), real_now()
    session.flush()
    tell_later(session, f"do-not-call/{list_id}")


def note_progress(session: Session, list_id: int, rows_done: int) -> None:
    """Say how far the worker is; also that it lives."""
    values = {"state": "running", "rows_done": rows_done, "touched_at": real_now()}
    open_one = (DoNotCallList.id == list_id, DoNotCallList.state.in_(OPEN_STATES))
    session.execute(update(DoNotCallList).where(*open_one).values(**values))
    tell_later(session, f"do-not-call/{list_id}")


def sweep(session: Session) -> int:
    """Enqueue again every file whose worker is gone; returns how many."""
    silent = (DoNotCallList.state.in_(OPEN_STATES), DoNotCallList.touched_at < real_now() - LEASE)
    late = session.scalars(select(DoNotCallList).where(*silent).with_for_update(skip_locked=True)).all()
    for row in late:
        row.touched_at = real_now()
        enqueue_later(session, "callcenter.gate.do_not_call_jobs.load", row.id, queue="bulk")
    return len(late)


def _insert(session: Session, list_id: int, phones: Iterable[str]) -> int:
    hashes = sorted(suppressions.phone_hash(phone) for phone in phones)
    if not hashes:
        return 0
    rows = text(
        "INSERT INTO do_not_call_phones (phone_hash, list_id)"
        " SELECT hash, :list_id FROM unnest(CAST(:hashes AS bytea[])) AS hash ON CONFLICT DO NOTHING"
    )
    return session.connection().execute(rows, {"list_id": list_id, "hashes": hashes}).rowcount


# ── where the phones stand in a row ───────────────────────────────────────────────────────────────────────────────────

Reader = Callable[[list[str]], list[str]]


def _phones_in(cells: list[str]) -> int:
    return sum(bool(_read(cell)) for cell in cells)


def _reader(table: table_files.TableFile) -> Reader:
    """How the rows of this file are read: one column of phones, several, or an area code beside its number."""
    head = [cells for _number, cells in islice(table.rows(), HEAD_ROWS)]
    width = max(map(len, head), default=0)
    whole = [sum(bool(_read(_cell(cells, at))) for cells in head) for at in range(width)]
    if any(whole):
        columns = [at for at, hits in enumerate(whole) if hits * 2 >= max(whole)]
        return lambda cells: [phone for at in columns for phone in _read(_cell(cells, at))]
    halves = [sum(bool(_read(_joined(cells, at))) for cells in head) for at in range(width - 1)]
    if not any(halves):
        raise UnreadableFileError(N_("No column of this file holds phones of ten digits."))
    area = halves.index(max(halves))
    return lambda cells: _read(_joined(cells, area))


def _read(cell: str) -> list[str]:
    return [number.e164 for number in normalise(cell).numbers]


def _cell(cells: list[str], at: int) -> str:
    return cells[at] if at < len(cells) else ""


def _joined(cells: list[str], at: int) -> str:
    return "".join(filter(str.isdigit, _cell(cells, at) + _cell(cells, at + 1)))
