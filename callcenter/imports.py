"""Imports of contact lists: a batch, its progress, and the rows it refused."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class ImportBatch(Base):
    """One file on its way in. `state`: uploaded → running → done | failed | cancelled. `file`: its name under var/uploads."""

    __tablename__ = "import_batches"
    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    file_name: Mapped[str]
    file: Mapped[str]
    file_sha256: Mapped[str]
    state: Mapped[str] = mapped_column(default="uploaded")
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)  # column of the file -> field
    rows_total: Mapped[int | None]
    rows_done: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the outcome, as `flask contacts import --json` prints it
    error: Mapped[str | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]


class RefusedRow(Base):
    """A row that did not become a person: its number in the file, the reason's code, and its cells without sensitive ones."""

    __tablename__ = "refused_rows"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("import_batches.id", ondelete="CASCADE"), index=True)
    row_number: Mapped[int]
    reason: Mapped[str]
    cells: Mapped[dict[str, Any]]
