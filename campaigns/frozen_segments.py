"""Frozen lists: the people whom a segment meant at one moment, kept under a number."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound


class FrozenSegment(Base):
    """`rule` is the segment's as it was frozen, at `segment_version`; `as_of` is campaign time, `frozen_at` real time.

    `people`: how many there were; who is deleted since then is in no answer any more."""

    __tablename__ = "frozen_segments"
    id: Mapped[int] = mapped_column(primary_key=True)
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("segments.id", ondelete="SET NULL"), index=True)
    segment_name: Mapped[str]
    segment_version: Mapped[int]
    rule: Mapped[dict[str, Any]]
    people: Mapped[int] = mapped_column(default=0)
    as_of: Mapped[datetime]
    frozen_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    frozen_at: Mapped[datetime] = mapped_column(default=real_now)


class FrozenMember(Base):
    """One person of a frozen list. No foreign key on the person: checking a million of them takes longer than writing
    them, and every reader joins the people anyway."""

    __tablename__ = "frozen_members"
    frozen_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    contact_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


def get(session: Session, frozen_id: int) -> FrozenSegment:
    """The frozen list; raises NotFound."""
    frozen = session.get(FrozenSegment, frozen_id)
    if frozen is None:
        raise NotFound(_("There is no frozen list %(number)s.", number=frozen_id))
    return frozen
