"""Attempts: one row for each try to reach a person, on any channel. Caps, history and stuck work are asked here."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, FetchedValue, ForeignKey, Index, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base

# A try that never left the house counts for no cap.
UNCOUNTED = ("refused_by_gate", "not_placed", "excluded", "cancelled", "canceled")
# The closed tries that count, in the words of the indexes from which the gate reads them without touching the table.
COUNTED = f"outcome <> ALL ('{{{','.join(UNCOUNTED)}}}'::text[])"


class Attempt(Base):
    """Committed before a provider hears of it; its id travels with the call or message.

    `at` is campaign time (caps and what people see), the others are real time. An open attempt past `deadline_at` is
    closed by a sweep. `outcome` is set once, when `closed_at` is (an operator's undo within ten seconds opens both;
    a supervisor's correction changes it).
    `change_id` is the transaction that wrote the row last (a trigger keeps it): how copies learn what is new.
    """

    __tablename__ = "attempts"
    __table_args__ = (
        CheckConstraint("(closed_at IS NULL) = (outcome IS NULL)", name="closed_with_outcome"),
        Index("ix_attempts_contact_id_at", "contact_id", "at"),
        Index("ix_attempts_phone_at", "phone", "at"),
        Index("ix_attempts_counted_phone_at", "phone", "at", postgresql_where=text(COUNTED)),
        Index("ix_attempts_counted_contact_id_at", "contact_id", "at", postgresql_where=text(COUNTED)),
        Index("ix_attempts_open_phone", "phone", postgresql_where=text("closed_at IS NULL")),
        Index("ix_attempts_open_contact_id", "contact_id", postgresql_where=text("closed_at IS NULL")),
        Index("ix_attempts_change_id", "change_id"),
        Index("ix_attempts_open_deadline", "deadline_at", postgresql_where=text("closed_at IS NULL")),
        Index("uq_attempts_open_call_phone", "phone", unique=True,
              postgresql_where=text("closed_at IS NULL AND channel = 'call'")),
    )  # fmt: skip
    id: Mapped[UUID] = mapped_column(primary_key=True)
    channel: Mapped[str]  # call | sms | whatsapp
    purpose: Mapped[str]
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"))
    phone: Mapped[str]
    at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    deadline_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    change_id: Mapped[int] = mapped_column(
        BigInteger, server_default=text("(pg_current_xact_id()::text::bigint)"), server_onupdate=FetchedValue()
    )


def history(session: Session, contact_id: int | None, *, limit: int = 5) -> list[Attempt]:
    """The person's closed tries on every channel, newest first, without those that never left the house."""
    unseen = ("refused_by_gate", "not_placed")
    return list(
        session.scalars(
            select(Attempt)
            .where(Attempt.contact_id == contact_id, Attempt.closed_at.is_not(None), Attempt.outcome.not_in(unseen))
            .order_by(Attempt.at.desc())
            .limit(limit)
        )
    )
