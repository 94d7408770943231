"""What somebody has written of a segment and not saved: kept at every change, so that a reload loses nothing."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base

NEW = 0  # the segment that has no number yet


class SegmentDraft(Base):
    """One a person and segment (`segment_id` 0: a new one). `form`: name, purpose, the tree and what was removed."""

    __tablename__ = "segment_drafts"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    segment_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    form: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime] = mapped_column(default=real_now)


def keep(session: Session, user_id: int, segment_id: int | None, form: dict[str, Any]) -> None:
    """Keep the form as it stands now."""
    row = {"user_id": user_id, "segment_id": segment_id or NEW, "form": form, "updated_at": real_now()}
    upsert = insert(SegmentDraft).values(row)
    session.execute(
        upsert.on_conflict_do_update(
            index_elements=["user_id", "segment_id"],
            set_={"form": upsert.excluded.form, "updated_at": upsert.excluded.updated_at},
        )
    )


def find(session: Session, user_id: int, segment_id: int | None) -> SegmentDraft | None:
    return session.get(SegmentDraft, (user_id, segment_id or NEW), populate_existing=True)


def forget(session: Session, user_id: int, segment_id: int | None) -> None:
    """After the segment was saved, or when the person begins anew."""
    session.execute(
        delete(SegmentDraft).where(SegmentDraft.user_id == user_id, SegmentDraft.segment_id == (segment_id or NEW))
    )
