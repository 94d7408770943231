"""Who did what to what: one row for each sensitive act. Never a phone number, a name or a message in it."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Select, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.db import Base


class AuditEntry(Base):
    """`action` is noun.verb (`contacts.export`), `subject` the thing's kind and id (`contact/17`)."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_subject_at", "subject", "at"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=real_now, index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


def record(session: Session, user_id: int | None, action: str, subject: str, **detail: Any) -> None:
    """Add an audit row to the caller's transaction."""
    session.add(AuditEntry(user_id=user_id, action=action, subject=subject, detail=detail))


def search(who: str = "", action: str = "", subject: str = "") -> Select[AuditEntry, str]:
    """Newest first: entries of people whose name or user name holds `who`, whose action begins so, about this subject.

    columns: AuditEntry, the person's full name (None: the system or a command)
    """
    query = (
        select(AuditEntry, User.full_name)
        .join(User, User.id == AuditEntry.user_id, isouter=True)
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
    )
    if who:
        by_name = User.full_name.icontains(who, autoescape=True)
        query = query.where(or_(by_name, User.username.icontains(who, autoescape=True)))
    if action:
        query = query.where(AuditEntry.action.startswith(action, autoescape=True))
    if subject:
        query = query.where(AuditEntry.subject == subject)
    return query
