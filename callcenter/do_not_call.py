"""The register of those who want no advertising: files of phones, kept as the same keyed hashes as suppressions."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


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
