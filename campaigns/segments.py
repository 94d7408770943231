"""Segments: saved rules over people, each compiled to one SELECT."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class Segment(Base):
    """`rule` is JSON: {"all": [{"field": "section", "op": "in", "value": [2301]}, …]} (docs/segments.md)."""

    __tablename__ = "segments"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    rule: Mapped[dict[str, Any]]
    version: Mapped[int] = mapped_column(default=1)
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    updated_at: Mapped[datetime] = mapped_column(default=real_now)
