"""Call queues: who is to be called for what, through which carrier, and when each person may be tried again."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class CallQueue(Base):
    """`state`: draft | running | paused | finished. `script`: `survey/17` or `operator`. `why_idle`: the dialer's last word."""

    __tablename__ = "call_queues"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    purpose: Mapped[str]
    script: Mapped[str] = mapped_column(default="operator")
    carrier: Mapped[str]
    caller_id: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    state_reason: Mapped[str | None]
    mode: Mapped[str] = mapped_column(default="progressive")
    max_attempts: Mapped[int] = mapped_column(default=3)
    retry_minutes: Mapped[dict[str, Any]] = mapped_column(default=dict)  # outcome -> minutes until the next try
    script_text: Mapped[str | None]  # what the operator reads when there is no survey
    on_behalf_of: Mapped[str]
    privacy_notice_url: Mapped[str]
    why_idle: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=real_now)


class QueueEntry(Base):
    """One person in one queue. `state`: waiting | calling | done | excluded; `reason` says why it is done or excluded.

    `not_before` (campaign time) holds retries and callbacks; a callback promised by one operator names them.
    """

    __tablename__ = "queue_entries"
    __table_args__ = (
        UniqueConstraint("queue_id", "contact_id"),
        Index("ix_queue_entries_ready", "queue_id", "is_callback", "priority", "not_before", "id",
              postgresql_where=text("state = 'waiting'")),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("call_queues.id", ondelete="CASCADE"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(default="waiting", server_default="waiting")
    reason: Mapped[str | None]
    priority: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    not_before: Mapped[datetime | None]
    is_callback: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    callback_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))
    callback_note: Mapped[str | None]
