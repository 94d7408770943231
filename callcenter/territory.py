"""Territory: electoral sections, municipalities and districts, each with the dates between which it was so."""

from datetime import date
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.db import Base
from callcenter.base.errors import NotFound
from callcenter.contacts import Contact

SECTION_KINDS: dict[str, LazyString] = {"U": _l("Urban"), "M": _l("Mixed"), "R": _l("Rural")}
DISTRICT_KINDS: dict[str, LazyString] = {"federal": _l("Federal district"), "local": _l("Local district")}
VALID_FROM = date(2017, 1, 1)  # of sections whose file says no date: before any election we hold results of


class Section(Base):
    """One electoral section, as it was from `valid_from` until the day before `valid_to` (None: it stands today).

    Unique within its state (`state` 1–32). `municipality_code` is INE's, `inegi_code` INEGI's: they differ. The counts
    are the newest nominal list's; None is not known. `closed_by`: the batch whose map took its place."""

    __tablename__ = "sections"
    __table_args__ = (
        UniqueConstraint("state", "number", "valid_from"),
        CheckConstraint("kind IN ('U', 'M', 'R')", name="kind"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[int]
    number: Mapped[int]
    municipality_code: Mapped[int]
    inegi_code: Mapped[int | None]
    municipality: Mapped[str | None]
    federal_district: Mapped[int | None]
    local_district: Mapped[int | None]
    kind: Mapped[str | None]
    nominal_list: Mapped[int | None]
    men: Mapped[int | None]
    women: Mapped[int | None]
    stations: Mapped[int | None]
    past_turnout: Mapped[float | None]  # share, 0–1
    geometry: Mapped[dict[str, Any] | None]  # GeoJSON geometry, EPSG:4326
    valid_from: Mapped[date] = mapped_column(default=VALID_FROM)
    valid_to: Mapped[date | None]
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("territory_batches.id", ondelete="SET NULL"))
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("territory_batches.id", ondelete="SET NULL"))


class Municipality(Base):
    """One municipality. `ine_code` is what sections use; `inegi_code` what statistics use."""

    __tablename__ = "municipalities"
    __table_args__ = (UniqueConstraint("state", "ine_code", "valid_from"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[int]
    ine_code: Mapped[int]
    inegi_code: Mapped[int | None]
    name: Mapped[str]
    geometry: Mapped[dict[str, Any] | None]
    valid_from: Mapped[date] = mapped_column(default=VALID_FROM)
    valid_to: Mapped[date | None]
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("territory_batches.id", ondelete="SET NULL"))


class District(Base):
    """One electoral district. `kind`: federal | local. `name` is that of its seat."""

    __tablename__ = "districts"
    __table_args__ = (
        UniqueConstraint("kind", "state", "number", "valid_from"),
        CheckConstraint("kind IN ('federal', 'local')", name="kind"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[int]
    number: Mapped[int]
    name: Mapped[str | None]
    geometry: Mapped[dict[str, Any] | None]
    valid_from: Mapped[date] = mapped_column(default=VALID_FROM)
    valid_to: Mapped[date | None]
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("territory_batches.id", ondelete="SET NULL"))


class NominalCount(Base):
    """How many stood in a section's nominal list on a date: a number, never a person. `section_id`: the section that
    bore the number that day."""

    __tablename__ = "nominal_counts"
    __table_args__ = (UniqueConstraint("state", "section_number", "as_of"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[int]
    section_number: Mapped[int]
    section_id: Mapped[int | None] = mapped_column(ForeignKey("sections.id", ondelete="SET NULL"), index=True)
    as_of: Mapped[date]
    total: Mapped[int]
    men: Mapped[int | None]
    women: Mapped[int | None]
    non_binary: Mapped[int | None]
    batch_id: Mapped[int | None] = mapped_column(ForeignKey("territory_batches.id", ondelete="CASCADE"), index=True)


def find(session: Session, state: int, number: int) -> Section:
    """The section as it stands today; raises NotFound."""
    section = session.scalar(
        select(Section).where(Section.state == state, Section.number == number, Section.valid_to.is_(None))
    )
    if section is None:
        raise NotFound(_("There is no section %(number)s in state %(state)s.", number=number, state=state))
    return section


def history(session: Session, state: int, number: int) -> list[Section]:
    """Every section that ever bore this number, the newest map first."""
    rows = select(Section).where(Section.state == state, Section.number == number)
    return list(session.scalars(rows.order_by(Section.valid_from.desc())))


def nominal_counts(session: Session, state: int, number: int) -> list[NominalCount]:
    """The section's nominal lists, the newest first."""
    rows = select(NominalCount).where(NominalCount.state == state, NominalCount.section_number == number)
    return list(session.scalars(rows.order_by(NominalCount.as_of.desc())))


def neighbours(session: Session, section: Section) -> list[Section]:
    """Today's sections of the same municipality whose outline shares a corner with this one's."""
    corners = _corners(section.geometry)
    if not corners:
        return []
    others = session.scalars(
        select(Section)
        .where(
            Section.state == section.state, Section.municipality_code == section.municipality_code,
            Section.valid_to.is_(None), Section.id != section.id, Section.geometry.is_not(None),
        )
        .order_by(Section.number)
    )  # fmt: skip
    return [other for other in others if not corners.isdisjoint(_corners(other.geometry))]


def _corners(geometry: dict[str, Any] | None) -> set[tuple[float, float]]:
    if geometry is None:
        return set()
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return {(round(x, 5), round(y, 5)) for polygon in polygons for ring in polygon for x, y, *_z in ring}


def is_empty(session: Session) -> bool:
    """Is there no section at all?"""
    return session.scalar(select(Section.id).limit(1)) is None


def place_people(session: Session) -> int:
    """Give each person the section of today that bears their number; returns how many have a number without section.

    A person whose list named no state is placed when the number exists once. Harmless when repeated."""
    session.execute(text(_LEAVE_CLOSED))
    session.execute(text(_ENTER_CURRENT))
    lost = select(func.count()).where(Contact.section_number.is_not(None), Contact.section_id.is_(None))
    return session.scalar(lost) or 0


_LEAVE_CLOSED = """
    UPDATE contacts c SET section_id = NULL FROM sections s WHERE s.id = c.section_id AND s.valid_to IS NOT NULL"""

_ENTER_CURRENT = """
    UPDATE contacts c SET section_id = s.id, state = s.state FROM sections s
    WHERE c.section_id IS NULL AND s.valid_to IS NULL AND s.number = c.section_number
        AND (s.state = c.state OR c.state IS NULL AND NOT EXISTS (SELECT FROM sections o
            WHERE o.number = s.number AND o.valid_to IS NULL AND o.id <> s.id))"""
