"""The tables of the call queues. What may be done with them stands in callcenter.queues."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class CallQueue(Base):
    """`state`: draft | running | paused | finished. `script`: `survey/17` or `operator`. `why_idle`: the dialer's last
    word, a code of WHY_IDLE; None while it dials. `wrap_up_seconds`: to write a call up; the operator may take more.
    `only_callbacks`: it closes: promised callbacks are kept, nobody else is called (queueing.promised_callbacks)."""

    __tablename__ = "call_queues"
    __table_args__ = (
        CheckConstraint("recording = 'off' OR recording_notice_id IS NOT NULL", name="recorded_with_notice"),
        CheckConstraint("abandon_limit BETWEEN 0 AND 0.03 AND ratio >= 1", name="pace"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    purpose: Mapped[str]
    script: Mapped[str] = mapped_column(default="operator")
    carrier: Mapped[str]
    caller_id: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    state_reason: Mapped[str | None]
    mode: Mapped[str] = mapped_column(default="progressive")  # with what follows: callcenter.queueing.queue_pace
    abandon_limit: Mapped[float] = mapped_column(default=0.01, server_default=text("0.01"))
    ratio: Mapped[float] = mapped_column(default=1.5, server_default=text("1.5"))
    gives_up: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    calls_per_second: Mapped[int | None]
    falls_back: Mapped[str | None]
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))  # queueing.queue_rules
    only_callbacks: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    wrap_up_seconds: Mapped[int] = mapped_column(default=60, server_default=text("60"))
    answered_by: Mapped[str] = mapped_column(default="operator", server_default="operator")  # operator | recording
    machine_detection: Mapped[str] = mapped_column(default="off", server_default="off")  # off | on | shadow
    voicemail_text: Mapped[str | None]  # what answering machines hear after the tone (callcenter.ledger.voicemails)
    recording: Mapped[str] = mapped_column(default="off", server_default="off")  # off | notice | ask
    recording_notice_id: Mapped[int | None] = mapped_column(ForeignKey("recording_notices.id"))
    sessions: Mapped[int | None]  # of a recorded survey: conversations held at once; None: as many as the switch takes
    script_text: Mapped[str | None]  # what the operator reads when there is no survey
    on_behalf_of: Mapped[str]
    privacy_notice_url: Mapped[str]
    why_idle: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=real_now)


class QueueEntry(Base):
    """One person in one queue. `state`: waiting | calling | done | excluded; `reason` says why it is done or excluded.

    `not_before` (campaign time) holds retries and callbacks; of who waits without one, the turn is now. A callback that
    one operator promised names them. `attempts`: tries that counted, as the ledger had them when the last one ended.
    `pass_number`: how often the list has come to this person, since `pass_began_at` (real time; None: always).
    `urgency` and `hour_group`: the standing of their section and of people like them (callcenter.queueing.queue_order).
    `phone_id`: the phone of the next try; None: the person's first.
    """

    __tablename__ = "queue_entries"
    __table_args__ = (
        UniqueConstraint("queue_id", "contact_id"),
        Index("ix_queue_entries_callbacks", "queue_id", "not_before", "id",
              postgresql_where=text("state = 'waiting' AND is_callback")),
        # Whose turn is now. What rests stands in an index of its own, so that nobody walks past it.
        Index("ix_queue_entries_ready", "queue_id", "priority", "urgency", "pass_number", "hour_group", "id",
              postgresql_where=text("state = 'waiting' AND NOT is_callback AND not_before IS NULL")),
        Index("ix_queue_entries_resting", "queue_id", "not_before", "id",
              postgresql_where=text("state = 'waiting' AND NOT is_callback AND not_before IS NOT NULL")),
        Index("ix_queue_entries_completed", "queue_id", "contact_id",
              postgresql_where=text("state = 'done' AND reason = 'completed'")),
        Index("ix_queue_entries_abandoned", "queue_id", "not_before", "id",
              postgresql_where=text("state = 'waiting' AND reason = 'abandoned'")),
        Index("ix_queue_entries_phone_id", "phone_id", postgresql_where=text("phone_id IS NOT NULL")),
        Index("ix_queue_entries_voted", "contact_id", postgresql_where=text("reason = 'voted'")),
        Index("ix_queue_entries_promised", "callback_operator_id", "not_before",
              postgresql_where=text("state = 'waiting' AND is_callback")),
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
    pass_number: Mapped[int] = mapped_column(SmallInteger, default=1, server_default=text("1"))
    pass_began_at: Mapped[datetime | None]
    urgency: Mapped[int] = mapped_column(SmallInteger, default=0, server_default=text("0"))
    hour_group: Mapped[int] = mapped_column(SmallInteger, default=0, server_default=text("0"))
    phone_id: Mapped[int | None] = mapped_column(ForeignKey("contact_phones.id", ondelete="SET NULL"))
