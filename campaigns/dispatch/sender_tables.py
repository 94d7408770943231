"""Senders: the numbers and accounts that messages come from, the pools that share work, and who is written to by which.

What a sender may carry now is `dispatch.sender_budget`; how they are made and changed, `dispatch.senders`."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base

ACTIVE, PAUSED, BLOCKED = "active", "paused", "blocked"


class Sender(Base):
    """`address`: what the provider calls it (a number, a name, a Messaging Service). `parts_per_second`: what it may
    carry, in parts. `daily_people`: how many different people a day the provider allows (None: any number).
    `state_reason`: why it is paused or blocked, a code of ours or the provider's error. `quality`: the provider's word.
    `is_alphanumeric`: nobody can answer to it, so its texts name another way out.

    `free_at` (real time): up to when its parts per second are spoken for. `setbacks`: how often in a row the provider
    asked it to wait."""

    __tablename__ = "senders"
    __table_args__ = (
        UniqueConstraint("channel", "address", "carrier"),
        CheckConstraint("state IN ('active', 'paused', 'blocked')", name="state"),
        CheckConstraint("parts_per_second > 0", name="parts_per_second"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    address: Mapped[str]
    carrier: Mapped[str]
    name: Mapped[str] = mapped_column(default="", server_default="")
    parts_per_second: Mapped[float]
    daily_people: Mapped[int | None]
    state: Mapped[str] = mapped_column(default=ACTIVE, server_default=ACTIVE)
    state_reason: Mapped[str | None]
    quality: Mapped[str | None]
    is_alphanumeric: Mapped[bool] = mapped_column(default=False, server_default=false())
    free_at: Mapped[datetime | None]
    setbacks: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(default=real_now)


class SenderPool(Base):
    """Senders of one channel that share the work of a campaign."""

    __tablename__ = "sender_pools"
    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str]
    name: Mapped[str] = mapped_column(unique=True)


class PoolMember(Base):
    __tablename__ = "sender_pool_members"
    pool_id: Mapped[int] = mapped_column(ForeignKey("sender_pools.id", ondelete="CASCADE"), primary_key=True)
    sender_id: Mapped[int] = mapped_column(ForeignKey("senders.id", ondelete="CASCADE"), primary_key=True)


class StickySender(Base):
    """Which senders have written to a person, and when last (real time): the newest of a pool writes again."""

    __tablename__ = "sticky_senders"
    __table_args__ = (Index("ix_sticky_senders_sender_id_last_at", "sender_id", "last_at"),)
    contact_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True)
    sender_id: Mapped[int] = mapped_column(ForeignKey("senders.id", ondelete="CASCADE"), primary_key=True)
    last_at: Mapped[datetime]
