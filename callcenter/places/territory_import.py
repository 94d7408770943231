"""Files of the territory become rows: recognised, counted, written in the caller's one transaction, taken back.

Rows at fault are left out and told one by one; a file that breaks off leaves nothing behind.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from flask_babel import gettext as _
from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter import territory
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput
from callcenter.places import territory_tables, territory_writing
from callcenter.places.territory_rows import Fault, Record, Skipped
from callcenter.places.territory_shapes import has_layer, read_geojson, read_shapefile
from callcenter.places.territory_writing import Target
from callcenter.tables.file_faults import N_, UnreadableFileError

CHUNK = 1000
PREVIEW_ROWS = 20
TELL_EVERY = 5000  # rows
_LOCK = 30_0719  # pg_advisory_xact_lock: one territorial import at a time
_KEYS = {
    "sections": ("state", "number"),
    "municipalities": ("state", "ine_code"),
    "districts": ("kind", "state", "number"),
    "nominal_list": ("state", "number"),
    "results": ("state", "number", "station"),
}


class AnyLayout(Protocol):
    """A table or a layer of outlines that was recognised."""

    @property
    def kind(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def columns(self) -> dict[str, int]: ...
    @property
    def options(self) -> dict[str, int]: ...
    def records(self) -> Iterator[Record | Fault | Skipped]: ...


@dataclass(frozen=True)
class Choices:
    """What only a person knows of a file. `valid_from`: a new map, in force since then (None: it corrects today's).

    `as_of`: the date of a nominal list. `election`, `held_on`: whose results these are. `layer`: of a ZIP with several.
    `strict`: a row at fault refuses the whole file."""

    valid_from: date | None = None
    as_of: date | None = None
    election: str = ""
    held_on: date | None = None
    layer: str = ""
    strict: bool = False

    def check(self, layout: str) -> None:
        """Raises InvalidInput when these choices cannot be for such a file."""
        today, faults = real_now().date(), {}
        for name, at in (("valid_from", self.valid_from), ("as_of", self.as_of), ("held_on", self.held_on)):
            if at and not date(1990, 1, 1) <= at <= today:
                faults[name] = _("The date must lie between 1990 and today.")
        if layout == "nominal_list" and not self.as_of:
            faults["as_of"] = _("Say of which date the nominal list is; the file's title tells it.")
        if layout == "results" and not self.held_on:
            faults["held_on"] = _("Say on which day the election was held.")
        if layout == "results" and not self.election.strip():
            faults["election"] = _("Name the election, for example «Municipal councils 2021».")
        if faults:
            raise InvalidInput(faults)

    def stored(self) -> dict[str, Any]:
        """As a batch keeps them."""
        dates = {"valid_from": self.valid_from, "as_of": self.as_of, "held_on": self.held_on}
        told = {name: at.isoformat() for name, at in dates.items() if at}
        return {**told, "election": self.election.strip(), "layer": self.layer}

    @classmethod
    def read(cls, kept: dict[str, Any]) -> "Choices":
        valid_from, as_of, held_on = (
            date.fromisoformat(kept[name]) if kept.get(name) else None for name in ("valid_from", "as_of", "held_on")
        )
        return cls(valid_from, as_of, kept.get("election", ""), held_on, kept.get("layer", ""))


@dataclass
class Outcome:
    """`counts`: rows, taken, faults, duplicates, totals, abroad, and what the writing added."""

    layout: str
    counts: dict[str, int]
    faults: list[Fault] = field(default_factory=list)
    preview: dict[str, Any] = field(default_factory=dict)


def open_layout(path: Path, layer: str = "") -> AnyLayout:
    """Find out what `path` is, by its content: a table, a GeoJSON, a ZIP with a shapefile. Raises InvalidInput."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return read_geojson(path)
    if head.startswith(b"PK") and has_layer(path):
        return read_shapefile(path, layer)
    return territory_tables.recognise(path)


def look_at(path: Path, layer: str = "") -> Outcome:
    """Read the whole file and write nothing: what it is, its counts, its first rows, its rows at fault."""
    layout = open_layout(path, layer)
    seen = _Sieve(layout)
    first: list[dict[str, Any]] = []
    for record in seen.records():
        if len(first) < PREVIEW_ROWS:
            first.append({name: _brief(value) for name, value in record.said.items() if value is not None})
    seen.check_any()
    preview = {
        "columns": {role: layout.names[at] for role, at in layout.columns.items() if at < len(layout.names)},
        "used": [layout.names[at] for at in sorted({*layout.columns.values()}) if at < len(layout.names)],
        "order": [name for name in (first[0] if first else {}) if name != "votes"],
        "options": list(layout.options),
        "left": [name for name in layout.names if name not in _used(layout)],
        "source": getattr(layout, "source", ""),
        "rows": first,
        "counts": seen.counts(),
    }
    return Outcome(layout.kind, seen.counts(), seen.faults, preview)


def write(
    session: Session,
    path: Path,
    choices: Choices,
    batch_id: int | None,
    told: Callable[[int], None] = lambda _rows: None,
) -> Outcome:
    """Write the file's rows. `told` hears how many rows are done. Raises InvalidInput: then the caller rolls back."""
    layout = open_layout(path, choices.layer)
    choices.check(layout.kind)
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    target = Target(session, batch_id, choices.valid_from, choices.as_of, choices.election.strip(), choices.held_on)
    seen, chunk = _Sieve(layout, told), []
    writer = territory_writing.WRITERS[layout.kind](target)
    for record in seen.records():
        chunk.append(record.said)
        if len(chunk) == CHUNK:
            writer.add(chunk)
            chunk = []
    seen.check_any()
    if choices.strict and seen.faults:
        raise _first_fault(seen.faults[0])
    if chunk:
        writer.add(chunk)
    counts = {**seen.counts(), **writer.finish(), "without_section": territory.place_people(session)}
    return Outcome(layout.kind, counts, seen.faults)


def import_sections(session: Session, table: Path, geojson: Path | None = None) -> int:
    """Create or correct today's sections from a table, then give them the outlines of a GeoJSON; returns how many.

    Again is harmless. One row at fault refuses the whole: raises InvalidInput naming it."""
    done = write(session, table, Choices(strict=True), None)
    if done.layout != "sections":
        raise InvalidInput(
            _("The columns are those of %(found)s, not of %(kind)s.", found=done.layout, kind="sections")
        )
    if geojson is not None:
        write(session, geojson, Choices(strict=True), None)
    return done.counts["taken"]


class _Sieve:
    """The records of a file, each key once; what is left out is counted, what is at fault is kept."""

    def __init__(self, layout: AnyLayout, told: Callable[[int], None] = lambda _rows: None) -> None:
        self.layout, self.told = layout, told
        self.faults: list[Fault] = []
        self.taken, self.rows = 0, 0
        self._left: Counter[str] = Counter()
        self._first: dict[tuple[Any, ...], tuple[int, int]] = {}

    def records(self) -> Iterator[Record]:
        for row in self.layout.records():
            if isinstance(row, Skipped):
                self._left[row.why] += 1
                continue
            self.rows += 1
            if self.rows % TELL_EVERY == 0:
                self.told(self.rows)
            if isinstance(row, Fault):
                self.faults.append(row)
            elif self._is_first(row):
                self.taken += 1
                yield row

    def _is_first(self, row: Record) -> bool:
        key = tuple(row.said[name] for name in _KEYS[self.layout.kind])
        content = hash(repr({name: value for name, value in row.said.items() if name != "remarks"}))
        first = self._first.setdefault(key, (row.row, content))
        if first[0] == row.row:
            return True
        self._left["duplicates"] += 1
        if first[1] != content:
            message = N_("Row %(first)s says the same place with other figures; that one was taken. Leave only one.")
            self.faults.append(Fault(row.row, message, {"first": first[0]}))
        return False

    def counts(self) -> dict[str, int]:
        left = {why: self._left[why] for why in ("duplicates", "totals", "abroad")}
        return {"rows": self.rows, "taken": self.taken, "faults": len(self.faults), **left}

    def check_any(self) -> None:
        """Raises UnreadableFileError when not one row could be taken."""
        if self.taken:
            return
        if self.faults:
            raise _first_fault(self.faults[0])
        raise UnreadableFileError(N_("The file has column names, and no row below them."))


def _first_fault(fault: Fault) -> UnreadableFileError:
    sentence = _(fault.message, **fault.values)
    return UnreadableFileError(N_("Row %(row)s: %(fault)s"), row=fault.row, fault=sentence)


def _used(layout: AnyLayout) -> set[str]:
    used = {*layout.columns.values(), *layout.options.values()}
    return {layout.names[at] for at in used if at < len(layout.names)}


def _brief(value: Any) -> Any:
    if isinstance(value, dict) and "coordinates" in value:
        return value["type"]
    return value
