"""Clicks: who opened the link of a message, and when."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, SmallInteger, exists, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.db import Base
from campaigns.messages import Message

ONCE = timedelta(seconds=10)  # within them the same link opened again is one click: people tap twice
MOST = 50  # clicks of one message that are kept: nobody fills the table by opening a link again and again


class MessageClick(Base):
    """One opening of a message's link. `at` is campaign time. `position`: which of the campaign's addresses."""

    __tablename__ = "message_clicks"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    position: Mapped[int] = mapped_column(SmallInteger, default=1, server_default="1")


def record(session: Session, message_id: UUID, at: datetime, position: int = 1) -> bool:
    """Keep a click (`at`: campaign time). False when nobody is behind the message any more, or it was kept already."""
    click = MessageClick
    just_now = exists().where(click.message_id == message_id, click.position == position, click.at > at - ONCE)
    kept = select(func.count()).where(click.message_id == message_id).scalar_subquery()
    person = select(Message.contact_id, Message.id, literal(at), literal(position)).where(
        Message.id == message_id, Message.contact_id.is_not(None), ~just_now, kept < MOST
    )
    row = insert(click).from_select(["contact_id", "message_id", "at", "position"], person).returning(click.id)
    return session.scalar(row) is not None
