"""Electoral sections: where people live and how many may vote there."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, UniqueConstraint, case, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.contacts import Contact
from callcenter.import_columns import column_key
from callcenter.table_files import HEAD_ROWS, open_table

SECTION_KINDS: dict[str, LazyString] = {"U": _l("Urban"), "M": _l("Mixed"), "R": _l("Rural")}
VALID_FROM = date(2017, 1, 1)  # the sections of the electoral map in use; a redrawn map closes them by valid_to


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
    valid_from: Mapped[date] = mapped_column(default=VALID_FROM)
    valid_to: Mapped[date | None]


FEWEST = 5  # a count of people below this is not shown: somebody could be recognised
MAX_GEOJSON_BYTES = 200_000_000
_NEEDED = ("entidad", "municipio", "seccion", "tipo", "lista_nominal")
_OPTIONAL = ("hombres", "mujeres", "participacion_2017", "casillas", "nombre_municipio")


@dataclass(frozen=True)
class SectionCount:
    """What we know of one section's people. A count of fewer than five is None."""

    contacts: int | None
    opted_in: int | None
    mobiles: int | None


def import_sections(session: Session, csv_file: Path, geojson: Path | None = None) -> int:
    """Create or correct the sections of a CSV, with outlines from a GeoJSON file; returns how many. Again is harmless.

    People who were imported before their sections find them. Raises InvalidInput naming the row at fault."""
    outlines = _outlines(geojson) if geojson else {}
    rows = [
        {**row, "geometry": outlines.get((row["state"], row["number"])), "valid_from": VALID_FROM}
        for row in _section_rows(csv_file)
    ]
    for start in range(0, len(rows), 1000):
        session.execute(_upsert(rows[start : start + 1000]))
    session.execute(
        text(
            # A person whose list named no state is placed when the number exists once.
            "UPDATE contacts c SET section_id = s.id, state = s.state FROM sections s"
            " WHERE c.section_id IS NULL AND s.valid_to IS NULL AND s.number = c.section_number"
            " AND (s.state = c.state OR c.state IS NULL AND NOT EXISTS (SELECT FROM sections o"
            "  WHERE o.number = s.number AND o.valid_to IS NULL AND o.id <> s.id))"
        )
    )
    return len(rows)


def find(session: Session, state: int, number: int) -> Section:
    """The section as it stands today; raises NotFound."""
    section = session.scalar(
        select(Section).where(Section.state == state, Section.number == number, Section.valid_to.is_(None))
    )
    if section is None:
        raise NotFound(_("There is no section %(number)s in state %(state)s.", number=number, state=state))
    return section


def current(session: Session, *, after: int = 0, limit: int = 200) -> list[tuple[Section, int | None]]:
    """Today's sections by number, each with its people (None when they are few), from the one after `after` on."""
    people = select(func.count()).where(Contact.section_id == Section.id).scalar_subquery()
    rows = session.execute(
        select(Section, people)
        .where(Section.valid_to.is_(None), Section.number > after)
        .order_by(Section.number)
        .limit(limit)
    )
    return [(section, _not_few(count)) for section, count in rows]


def count_people(session: Session, section_id: int) -> SectionCount:
    """Our people in a section, by what matters; small counts hidden."""
    row = session.execute(
        select(
            func.count(),
            func.count(case((Contact.consent == "opted_in", 1))),
            func.count(case((Contact.line_kind == "mobile", 1))),
        ).where(Contact.section_id == section_id)
    ).one()
    return SectionCount(*map(_not_few, row))


def _not_few(count: int) -> int | None:
    return None if 0 < count < FEWEST else count


def _section_rows(csv_file: Path) -> Iterator[dict[str, Any]]:
    def known(cells: list[str]) -> int:
        return len({column_key(cell) for cell in cells} & {*_NEEDED, *_OPTIONAL})

    table = open_table(csv_file, known)
    head = max(islice(table.rows(), HEAD_ROWS), key=lambda row: known(row[1]))
    names = [column_key(cell) for cell in head[1]]
    missing = [name for name in _NEEDED if name not in names]
    if missing:
        raise InvalidInput(_("The sections' file lacks the columns %(names)s.", names=", ".join(missing)))
    for number, cells in table.rows():
        if number > head[0] and any(cell.strip() for cell in cells):
            yield _section_row(number, dict(zip(names, map(str.strip, cells), strict=False)))


def _section_row(row_number: int, said: dict[str, str]) -> dict[str, Any]:
    try:
        row: dict[str, Any] = {
            "state": int(said["entidad"]),
            "municipality_code": int(said["municipio"]),
            "municipality": said.get("nombre_municipio") or None,
            "number": int(said["seccion"]),
            "kind": said["tipo"].upper()[:1],
            "nominal_list": _whole(said["lista_nominal"]),
            "men": _whole(said.get("hombres") or "0"),
            "women": _whole(said.get("mujeres") or "0"),
            "stations": _whole(said["casillas"]) if said.get("casillas") else None,
            "past_turnout": float(said["participacion_2017"]) if said.get("participacion_2017") else None,
        }
    except (KeyError, ValueError) as error:
        raise InvalidInput(_("Row %(row)s of the sections has a cell that is no number.", row=row_number)) from error
    if row["kind"] not in SECTION_KINDS or not 1 <= row["state"] <= 32:
        raise InvalidInput(_("Row %(row)s: the kind must be U, M or R and the state 1 to 32.", row=row_number))
    return row


def _whole(cell: str) -> int:
    return int(cell.replace(",", ""))


def _outlines(geojson: Path) -> dict[tuple[int, int], dict[str, Any]]:
    if geojson.stat().st_size > MAX_GEOJSON_BYTES:
        raise InvalidInput(_("The GeoJSON file is larger than 200 MB; simplify its outlines."))
    try:
        features = json.loads(geojson.read_bytes())["features"]
        return {
            (int(one["properties"]["entidad"]), int(one["properties"]["seccion"])): one["geometry"] for one in features
        }
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(_("The GeoJSON file is no collection of sections with entidad and seccion.")) from error


def _upsert(rows: list[dict[str, Any]]) -> Any:
    upsert = insert(Section).values(rows)
    kept = {"state", "number", "valid_from"}
    changed: dict[str, Any] = {name: upsert.excluded[name] for name in rows[0] if name not in kept}
    for optional in ("geometry", "municipality"):
        changed[optional] = func.coalesce(upsert.excluded[optional], getattr(Section, optional))
    return upsert.on_conflict_do_update(index_elements=["state", "number", "valid_from"], set_=changed)
