"""Calling campaigns: a segment frozen into a queue, and the life of that queue."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.queues import CallQueue
from campaigns.segments import Segment


class CallCampaign(Base):
    """What a strategist launches. Its state is its queue's; `frozen_at` is when the segment became entries."""

    __tablename__ = "call_campaigns"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id"))
    segment_version: Mapped[int]
    queue_id: Mapped[int] = mapped_column(ForeignKey("call_queues.id"), unique=True)
    frozen_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    queue: Mapped[CallQueue] = relationship(lazy="joined")
    segment: Mapped[Segment] = relationship(lazy="joined")
