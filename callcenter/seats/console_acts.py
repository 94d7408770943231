"""Acts of a console that were done already: a page repeats what got no answer; the second time changes nothing."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, Index, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base

KEPT = timedelta(hours=1)  # a page gives up repeating long before


class ConsoleAct(Base):
    """One act, by the key that the page gave it. Written in the same transaction as what it did."""

    __tablename__ = "console_acts"
    __table_args__ = (Index("ix_console_acts_operator_id_at", "operator_id", "at"),)
    key: Mapped[UUID] = mapped_column(primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(default=real_now)


def is_first(session: Session, operator_id: int, key: UUID) -> bool:
    """Claim the key; False when the act was done before. Two at once: the second waits for the first's commit."""
    session.execute(delete(ConsoleAct).where(ConsoleAct.operator_id == operator_id, ConsoleAct.at < real_now() - KEPT))
    row = {"key": key, "operator_id": operator_id, "at": real_now()}
    claimed = insert(ConsoleAct).values(row).on_conflict_do_nothing().returning(ConsoleAct.key)
    return session.scalar(claimed) is not None
