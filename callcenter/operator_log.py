"""The log of operators: one row for each change of state. Attendance and pauses are read from it, never counted up."""

from datetime import datetime

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.db import Base

# Why somebody was logged off.
LEAVINGS: dict[str, LazyString] = {
    "own": _l("Ended the shift"),
    "supervisor": _l("Logged out by a supervisor"),
    "silent": _l("The page was silent for two minutes"),
}


class OperatorChange(Base):
    """From `at` (real time) on the operator is in `state`, until their next row. `reason`: of a pause its code, of
    `offline` a code of LEAVINGS."""

    __tablename__ = "operator_changes"
    __table_args__ = (Index("ix_operator_changes_operator_id_at", "operator_id", "at"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    state: Mapped[str]
    reason: Mapped[str | None]


def note(session: Session, operator_id: int, at: datetime, state: str, reason: str | None) -> None:
    """Keep that a state begins."""
    session.add(OperatorChange(operator_id=operator_id, at=at, state=state, reason=reason))


def last(session: Session, operator_id: int) -> OperatorChange | None:
    """The newest change of this operator; None for one who never worked."""
    own = select(OperatorChange).where(OperatorChange.operator_id == operator_id)
    return session.scalar(own.order_by(OperatorChange.at.desc(), OperatorChange.id.desc()).limit(1))


def leaving(code: str | None) -> str:
    """Why somebody was logged off, in the reader's language; '' when it is not known."""
    return str(LEAVINGS[code]) if code in LEAVINGS else ""
