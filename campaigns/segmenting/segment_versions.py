"""Every version that a segment has had, so that a change can be read in words and taken back."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound


class SegmentVersion(Base):
    """A segment as it was saved once. Versions are never changed."""

    __tablename__ = "segment_versions"
    __table_args__ = (UniqueConstraint("segment_id", "version"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id", ondelete="CASCADE"))
    version: Mapped[int]
    name: Mapped[str]
    rule: Mapped[dict[str, Any]]
    saved_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    saved_at: Mapped[datetime] = mapped_column(default=real_now)


def keep(session: Session, segment_id: int, version: int, name: str, rule: dict[str, Any], user_id: int | None) -> None:
    """Keep this version; what is kept already stays as it is."""
    row = {"segment_id": segment_id, "version": version, "name": name, "rule": rule, "saved_by": user_id,
           "saved_at": real_now()}  # fmt: skip
    session.execute(insert(SegmentVersion).values(row).on_conflict_do_nothing())


def history(session: Session, segment_id: int) -> list[SegmentVersion]:
    """Every version, the newest first."""
    versions = select(SegmentVersion).where(SegmentVersion.segment_id == segment_id)
    return list(session.scalars(versions.order_by(SegmentVersion.version.desc())))


def get(session: Session, segment_id: int, version: int) -> SegmentVersion:
    """One version; raises NotFound."""
    found = session.scalar(
        select(SegmentVersion).where(SegmentVersion.segment_id == segment_id, SegmentVersion.version == version)
    )
    if found is None:
        raise NotFound(_("The segment has no version %(number)s.", number=version))
    return found
