"""Clicks: who opened the link of a message, and when."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.db import Base
from campaigns.messages import Message


class MessageClick(Base):
    """One opening of a message's link. `at` is campaign time."""

    __tablename__ = "message_clicks"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]


def record(session: Session, message_id: UUID, at: datetime) -> bool:
    """Keep a click (`at`: campaign time). False when nobody is behind the message any more."""
    person = select(Message.contact_id, Message.id, literal(at)).where(
        Message.id == message_id, Message.contact_id.is_not(None)
    )
    row = insert(MessageClick).from_select(["contact_id", "message_id", "at"], person).returning(MessageClick.id)
    return session.scalar(row) is not None
