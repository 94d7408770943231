"""Operators: presence, the room each one holds, and which answered call goes to whom."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Index, Table, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.auth import User
from callcenter.base.db import Base
from sqlalchemy.orm import relationship

STATES = ("offline", "paused", "available", "in_call", "wrap_up")

operator_queues = Table(
    "operator_queues",
    Base.metadata,
    Column("operator_id", ForeignKey("operators.id", ondelete="CASCADE"), primary_key=True),
    Column("queue_id", ForeignKey("call_queues.id", ondelete="CASCADE"), primary_key=True),
)


class Operator(Base):
    """The working place of one user. `state_since` (real time) orders who has waited longest.

    `room_ref` is the carrier's reference of their permanent leg; None while the room is not open.
    """

    __tablename__ = "operators"
    __table_args__ = (
        Index("ix_operators_waiting", "state_since", postgresql_where=text("state = 'available'")),
        Index("uq_operators_call_id", "call_id", unique=True),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), unique=True)
    state: Mapped[str] = mapped_column(default="offline", server_default="offline")
    state_since: Mapped[datetime]
    pause_reason: Mapped[str | None]
    leave_after_call: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("calls.id", use_alter=True))
    room_ref: Mapped[str | None]
    last_seen_at: Mapped[datetime | None]
    user: Mapped[User] = relationship(lazy="joined")
