"""The keys of deleted people and attempts, so that copies of these tables learn what is gone (triggers write them)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, delete, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base

KEPT_FOR = timedelta(days=7)  # a copy that was not brought up to date for this long is made anew
_TRANSACTION = text("(pg_current_xact_id()::text::bigint)")


class RemovedPerson(Base):
    """`change_id`: the transaction that deleted the person. `at`: real time."""

    __tablename__ = "removed_people"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_id: Mapped[int] = mapped_column(BigInteger)
    change_id: Mapped[int] = mapped_column(BigInteger, server_default=_TRANSACTION, index=True)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class RemovedAttempt(Base):
    """As RemovedPerson, for an attempt."""

    __tablename__ = "removed_attempts"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    attempt_id: Mapped[UUID]
    change_id: Mapped[int] = mapped_column(BigInteger, server_default=_TRANSACTION, index=True)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))


def forget(session: Session) -> int:
    """Drop the keys that every copy in use has heard of; returns how many."""
    too_old: Any = real_now() - KEPT_FOR
    gone = [session.connection().execute(delete(kind).where(kind.at < too_old)) for kind in _KINDS]
    return sum(result.rowcount for result in gone)


_KINDS: tuple[type[RemovedPerson] | type[RemovedAttempt], ...] = (RemovedPerson, RemovedAttempt)
