"""The ledger of messages: one row a message, written for a whole segment at once, moved forward only."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from campaigns.segments import Segment


class MessageCampaign(Base):
    """`state`: draft | running | paused | finished | stopped. `text` has placeholders: {name}, {section}."""

    __tablename__ = "message_campaigns"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    channel: Mapped[str] = mapped_column(default="sms")
    purpose: Mapped[str]
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id"))
    text: Mapped[str]
    sender: Mapped[str]
    carrier: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    state_reason: Mapped[str | None]
    launched_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    segment: Mapped[Segment] = relationship(lazy="joined")


class Message(Base):
    """A message is an attempt (same id). `state`: planned → sending → accepted → sent → delivered | undelivered | failed;
    `unknown` after a read time-out or 5xx; `excluded` when the gate said no (`refusal`)."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("campaign_id", "contact_id"),
        Index("ix_messages_campaign_id_state", "campaign_id", "state"),
        Index("ix_messages_provider_ref", "provider_ref"),
    )
    id: Mapped[UUID] = mapped_column(ForeignKey("attempts.id", ondelete="CASCADE"), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("message_campaigns.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"))
    state: Mapped[str] = mapped_column(default="planned")
    refusal: Mapped[str | None]
    parts: Mapped[int | None]
    provider_ref: Mapped[str | None]
    error_code: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    attempt: Mapped[Attempt] = relationship(lazy="joined")


class MessageReceipt(Base):
    """What the provider said of a message, raw. The same key twice is one receipt."""

    __tablename__ = "message_receipts"
    __table_args__ = (UniqueConstraint("message_id", "key"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    key: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=real_now)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
