"""Electoral sections: where people live and how many may vote there."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.db import Base

SECTION_KINDS = ("U", "M", "R")  # urban, mixed, rural


class Section(Base):
    """One electoral section; unique within its state (`state` 1–32). Municipality codes are INE's, not INEGI's."""

    __tablename__ = "sections"
    __table_args__ = (
        UniqueConstraint("state", "number", "valid_from"),
        CheckConstraint("kind IN ('U', 'M', 'R')", name="kind"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[int]
    number: Mapped[int]
    municipality_code: Mapped[int]
    municipality: Mapped[str | None]
    kind: Mapped[str]
    nominal_list: Mapped[int]
    men: Mapped[int]
    women: Mapped[int]
    stations: Mapped[int | None]
    past_turnout: Mapped[float | None]  # share, 0–1
    geometry: Mapped[dict[str, Any] | None]  # GeoJSON geometry, EPSG:4326
    valid_from: Mapped[date] = mapped_column(default=date(2017, 1, 1))
    valid_to: Mapped[date | None]
