"""Messages that people send us: kept once each, and obeyed when they say BAJA."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class InboundMessage(Base):
    """`provider_ref` makes a webhook that comes twice harmless. `is_opt_out`: it was understood as BAJA."""

    __tablename__ = "inbound_messages"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    provider_ref: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]
    phone: Mapped[str] = mapped_column(index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"), index=True)
    text: Mapped[str]
    is_opt_out: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=real_now)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
