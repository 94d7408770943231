"""The log of operators: one row for each change of state. Attendance and pauses are read from it, never counted up."""

from datetime import datetime

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, ForeignKey, Identity, Index
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.db import Base

# Why somebody was logged off.
LEAVINGS: dict[str, LazyString] = {
    "own": _l("Ended the shift"),
    "supervisor": _l("Logged out by a supervisor"),
    "silent": _l("The page was silent for two minutes"),
}


class OperatorChange(Base):
    """From `at` (real time) on the operator is in `state`, until their next row. `reason`: of a pause its code, of
    `offline` a code of LEAVINGS. A trigger of the table `operators` writes it."""

    __tablename__ = "operator_changes"
    __table_args__ = (Index("ix_operator_changes_operator_id_at", "operator_id", "at"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    state: Mapped[str]
    reason: Mapped[str | None]


def leaving(code: str | None) -> str:
    """Why somebody was logged off, in the reader's language; '' when it is not known."""
    return str(LEAVINGS[code]) if code in LEAVINGS else ""
