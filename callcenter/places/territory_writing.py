"""How each kind of territorial file is written: upserts by key, a new map that closes the old one, and the way back."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from flask_babel import gettext as _
from sqlalchemy import delete, func, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter.base.errors import InvalidInput, Refused
from callcenter.places.past_results import ElectionResult, PastElection
from callcenter.territory import VALID_FROM, District, Municipality, NominalCount, Section, place_people

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Target:
    """Where a file goes: its batch (None: a command without one), and what a person said of it."""

    session: Session
    batch_id: int | None
    valid_from: date | None
    as_of: date | None
    election: str
    held_on: date | None


class Writer(Protocol):
    """Takes a file's records chunk by chunk; `finish` says what came of them."""

    def add(self, rows: Rows) -> None: ...
    def finish(self) -> dict[str, int]: ...


class _Areas:
    """Sections, municipalities or districts. What a file does not say of an area that stands, stays."""

    def __init__(self, target: Target, model: Any, key: tuple[str, ...]) -> None:
        self.target, self.model, self.key = target, model, key
        self.columns = [getattr(model, name) for name in key]
        standing = target.session.execute(select(*self.columns, model.valid_from).where(model.valid_to.is_(None)))
        self.standing = {tuple(row[:-1]): row[-1] for row in standing}
        self.seen: list[tuple[Any, ...]] = []
        self.created = 0

    def add(self, rows: Rows) -> None:
        for row in rows:
            key = tuple(row[name] for name in self.key)
            self.seen.append(key)
            since = self.standing.get(key)
            row["valid_from"] = self.target.valid_from or since or VALID_FROM
            row["batch_id"] = self.target.batch_id
            if since and since > row["valid_from"]:
                raise InvalidInput(_("A newer map is in force since %(date)s; this one comes too late.", date=since))
            self.created += since != row["valid_from"]
        kept = [name for name in rows[0] if name not in (*self.key, "valid_from", "batch_id")]
        _upsert(self.target.session, self.model, rows, (*self.key, "valid_from"), kept, keeps_known=True)

    def finish(self) -> dict[str, int]:
        closed = self._close() if self.target.valid_from else 0
        return {"created": self.created, "updated": len(self.seen) - self.created, "closed": closed}

    def _close(self) -> int:
        """What stood in the places that the new map shows, and is not of it, ends the day it begins."""
        model, session = self.model, self.target.session
        values: dict[str, Any] = {"valid_to": self.target.valid_from}
        if model is Section:
            values["closed_by"] = self.target.batch_id
        ended = session.execute(
            update(model)
            .where(model.valid_to.is_(None), model.valid_from < self.target.valid_from, self._is_shown())
            .values(values)
            .returning(model.id)
            .execution_options(synchronize_session=False)
        ).all()
        return len(ended)

    def _is_shown(self) -> Any:
        states = {key[self.key.index("state")] for key in self.seen}
        of_kind = {key[0] for key in self.seen} if self.model is District else set()
        shown = self.model.state.in_(states)
        return shown & self.model.kind.in_(of_kind) if of_kind else shown


class _Sections(_Areas):
    """Sections. A new map replaces those of the municipalities it shows, and whatever else bears one of its numbers."""

    def __init__(self, target: Target) -> None:
        super().__init__(target, Section, ("state", "number"))
        self.municipalities: set[tuple[int, int]] = set()

    def add(self, rows: Rows) -> None:
        self.municipalities.update((row["state"], row["municipality_code"]) for row in rows)
        super().add(rows)

    def finish(self) -> dict[str, int]:
        counts = super().finish()
        session = self.target.session
        if self.target.valid_from:
            session.execute(text(_INHERIT), {"since": self.target.valid_from})
        _attach(session)
        return counts

    def _is_shown(self) -> Any:
        place = tuple_(Section.state, Section.municipality_code).in_(sorted(self.municipalities))
        return place | tuple_(Section.state, Section.number).in_(self.seen)


class _Nominal:
    """The nominal list of a date. The newest one is also what a section itself says."""

    def __init__(self, target: Target) -> None:
        self.target, self.written = target, 0

    def add(self, rows: Rows) -> None:
        for row in rows:
            row["section_number"] = row.pop("number")
            row |= {"as_of": self.target.as_of, "batch_id": self.target.batch_id}
        key = ("state", "section_number", "as_of")
        _upsert(self.target.session, NominalCount, rows, key, [name for name in rows[0] if name not in key])
        self.written += len(rows)

    def finish(self) -> dict[str, int]:
        _attach(self.target.session)
        return {"written": self.written, "unplaced": _unplaced(self.target, NominalCount)}


class _Results:
    """The results of one election, station by station."""

    def __init__(self, target: Target) -> None:
        self.target, self.written = target, 0
        upsert = insert(PastElection).values(name=target.election, held_on=target.held_on)
        upsert = upsert.on_conflict_do_update(index_elements=["name", "held_on"], set_={"name": target.election})
        self.election_id = target.session.execute(upsert.returning(PastElection.id)).scalar_one()

    def add(self, rows: Rows) -> None:
        for row in rows:
            row["section_number"] = row.pop("number")
            row |= {"election_id": self.election_id, "batch_id": self.target.batch_id}
        key = ("election_id", "state", "section_number", "station")
        _upsert(self.target.session, ElectionResult, rows, key, [name for name in rows[0] if name not in key])
        self.written += len(rows)

    def finish(self) -> dict[str, int]:
        _attach(self.target.session)
        return {"written": self.written, "unplaced": _unplaced(self.target, ElectionResult)}


WRITERS: dict[str, Callable[[Target], Writer]] = {
    "sections": _Sections,
    "municipalities": lambda target: _Areas(target, Municipality, ("state", "ine_code")),
    "districts": lambda target: _Areas(target, District, ("kind", "state", "number")),
    "nominal_list": _Nominal,
    "results": _Results,
}


def _upsert(
    session: Session, model: Any, rows: Rows, key: tuple[str, ...], changed: list[str], *, keeps_known: bool = False
) -> None:
    """Write rows, or correct those whose key is there; `keeps_known`: what a row leaves open stays as it was."""
    table = model.__table__
    upsert = insert(table)
    said: dict[str, Any] = {name: upsert.excluded[name] for name in changed}
    if keeps_known:
        said = {name: func.coalesce(new, table.c[name]) for name, new in said.items()}
    # Through the connection: one prepared statement for all rows, where a list of VALUES is compiled for each chunk.
    session.connection().execute(upsert.on_conflict_do_update(index_elements=list(key), set_=said), rows)


def undo(session: Session, batch_id: int, layout: str) -> None:
    """Take back counts, results, or a new map; raises Refused for corrections of a map that stood before."""
    if layout == "nominal_list":
        session.execute(text(_FORGET_COUNTS), {"id": batch_id})
        session.execute(delete(NominalCount).where(NominalCount.batch_id == batch_id))
        _attach(session)
        return
    if layout == "results":
        session.execute(delete(ElectionResult).where(ElectionResult.batch_id == batch_id))
        is_empty = ~select(ElectionResult.id).where(ElectionResult.election_id == PastElection.id).exists()
        session.execute(delete(PastElection).where(is_empty))
        return
    if layout != "sections":
        raise Refused("not_undoable", _("Municipalities and districts are corrected by importing them again."))
    _reopen_map(session, batch_id)


def _reopen_map(session: Session, batch_id: int) -> None:
    closed = session.scalar(select(func.count()).where(Section.closed_by == batch_id, Section.valid_to.is_not(None)))
    replaced = session.scalar(select(func.count()).where(Section.batch_id == batch_id, Section.valid_to.is_not(None)))
    if not closed:
        raise Refused("not_undoable", _("This file corrected the sections that stood; import the right file over it."))
    if replaced:
        raise Refused("not_undoable", _("A newer map has replaced this one; undo that one first."))
    session.execute(
        text(
            "UPDATE contacts SET section_id = NULL WHERE section_id IN (SELECT id FROM sections WHERE batch_id = :id)"
        ),
        {"id": batch_id},
    )
    session.execute(delete(Section).where(Section.batch_id == batch_id))
    session.execute(update(Section).where(Section.closed_by == batch_id).values(valid_to=None, closed_by=None))
    _attach(session)
    place_people(session)


def _attach(session: Session) -> None:
    """Counts and results to the sections of their day; the newest count to the section itself."""
    for statement in (_DETACH_COUNTS, _ATTACH_COUNTS, _DETACH_RESULTS, _ATTACH_RESULTS, _NEWEST_COUNTS):
        session.execute(text(statement))


def _unplaced(target: Target, model: Any) -> int:
    """Rows whose section was on no map of that day."""
    rows = select(func.count()).where(model.batch_id == target.batch_id, model.section_id.is_(None))
    return target.session.scalar(rows) or 0


# A map of outlines seldom repeats what a section is called; its own predecessor says it.
_INHERIT = """
    UPDATE sections n SET kind = COALESCE(n.kind, o.kind), municipality = COALESCE(n.municipality, o.municipality),
        inegi_code = COALESCE(n.inegi_code, o.inegi_code)
    FROM sections o
    WHERE n.valid_from = :since AND o.valid_to = :since AND o.state = n.state AND o.number = n.number"""

# A map that came later may be the one of that day.
_DETACH_COUNTS = """
    UPDATE nominal_counts n SET section_id = NULL FROM sections s
    WHERE s.id = n.section_id AND NOT (s.valid_from <= n.as_of AND (s.valid_to IS NULL OR s.valid_to > n.as_of))"""

_DETACH_RESULTS = """
    UPDATE election_results r SET section_id = NULL FROM sections s, past_elections e
    WHERE s.id = r.section_id AND e.id = r.election_id
        AND NOT (s.valid_from <= e.held_on AND (s.valid_to IS NULL OR s.valid_to > e.held_on))"""

# Where no other list is left, none is known: the figure of a list that was taken back must not stay.
_FORGET_COUNTS = """
    UPDATE sections s SET nominal_list = NULL, men = NULL, women = NULL
    FROM nominal_counts n WHERE n.section_id = s.id AND n.batch_id = :id"""

_ATTACH_COUNTS = """
    UPDATE nominal_counts n SET section_id = s.id FROM sections s
    WHERE n.section_id IS NULL AND s.state = n.state AND s.number = n.section_number AND s.valid_from <= n.as_of
        AND (s.valid_to IS NULL OR s.valid_to > n.as_of)"""

_ATTACH_RESULTS = """
    UPDATE election_results r SET section_id = s.id FROM sections s, past_elections e
    WHERE r.section_id IS NULL AND e.id = r.election_id AND s.state = r.state AND s.number = r.section_number
        AND s.valid_from <= e.held_on AND (s.valid_to IS NULL OR s.valid_to > e.held_on)"""

_NEWEST_COUNTS = """
    UPDATE sections s SET nominal_list = n.total, men = n.men, women = n.women
    FROM (SELECT DISTINCT ON (section_id) section_id, total, men, women FROM nominal_counts
          WHERE section_id IS NOT NULL ORDER BY section_id, as_of DESC) n
    WHERE n.section_id = s.id AND (s.nominal_list, s.men, s.women) IS DISTINCT FROM (n.total, n.men, n.women)"""
