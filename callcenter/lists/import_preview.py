"""What would become of a list: its columns as they are taken now, and the first rows with the outcome of each.

Computed in a worker from the file's first rows and the people there are; it says what would happen, and does nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import imports
from callcenter.base import audit
from callcenter.base.errors import InvalidInput
from callcenter.base.outbox import tell_later
from callcenter.imports import ImportBatch
from callcenter.lists import import_columns, import_content, import_corrections
from callcenter.lists import import_outcomes as outcomes
from callcenter.lists import saved_mappings as saved
from callcenter.lists.import_columns import PHONES
from callcenter.lists.import_inspection import Inspection, inspect
from callcenter.lists.import_rows import Person, Refused, sex_is_ambiguous, tidy
from callcenter.people import attributes
from callcenter.phones import normalise
from callcenter.tables import file_faults

PREVIEW_ROWS = 50
SAMPLES, SAMPLE_CHARS = 3, 60
Columns = dict[int, str]


@dataclass(frozen=True)
class Look:
    """One look at a file: what was found, and what of its batch follows from it."""

    inspection: Inspection
    policies: Mapping[str, str]
    sex_letters: str | None
    remembered: str | None = None
    corrected: ImportBatch | None = None


def keep(session: Session, import_id: int) -> None:
    """Look at an uploaded file, or again after a change on its mapping page, and keep what was found for the page.

    A file that is no table fails with the reason; a choice that cannot be read leaves the page with the reason. What
    was found is forgotten when the person has gone on meanwhile."""
    batch = imports.get(session, import_id)
    version = batch.options.get("version", 0)
    if batch.state not in ("uploaded", "mapping"):
        return
    look: Look | InvalidInput
    try:
        look, preview = _described(session, batch)
    except InvalidInput as fault:
        look = fault
    session.refresh(batch, with_for_update=True)
    if batch.state not in ("uploaded", "mapping") or batch.options.get("version", 0) != version:
        return
    if isinstance(look, Look):
        _keep_look(session, batch, look, preview | {"version": version})
    elif batch.preview is None:
        imports.fail(session, import_id, look)
        return
    else:
        batch.preview = batch.preview | {"version": version, "fault": file_faults.stored(look)}
    batch.state = "mapping"
    tell_later(session, f"import/{import_id}")


def _keep_look(session: Session, batch: ImportBatch, look: Look, preview: dict[str, Any]) -> None:
    _note_dropped(session, batch, look.inspection)
    batch.preview, batch.sex_letters = preview, look.sex_letters
    batch.mapping = {str(at): field for at, field in look.inspection.mapping.items()}
    batch.options = batch.options | {"policies": dict(look.policies)}
    if look.corrected is not None:
        import_corrections.take_over(batch, look.corrected)


def same_file(session: Session, batch: ImportBatch) -> ImportBatch | None:
    """Another import of the very same file that is done, or on its way."""
    states = ("uploaded", "mapping", "running", "done")
    return session.scalars(
        select(ImportBatch)
        .where(ImportBatch.file_sha256 == batch.file_sha256, ImportBatch.id != batch.id, ImportBatch.state.in_(states))
        .order_by(ImportBatch.id.desc())
        .limit(1)
    ).first()


def _described(session: Session, batch: ImportBatch) -> tuple[Look, dict[str, Any]]:
    look = _look(session, batch)
    return look, describe(session, look)


def _look(session: Session, batch: ImportBatch) -> Look:
    """The file as the person takes it; at first, as the list it corrects or its source's last list was taken."""
    path, sheet = Path(batch.file), batch.options.get("sheet")
    policies, letters = batch.options.get("policies", {}), batch.sex_letters
    if batch.mapping:
        chosen = {int(at): field for at, field in batch.mapping.items()}
        inspection = inspect(path, chosen, sheet=sheet)
        for at in chosen.keys() & inspection.dropped.keys():
            del chosen[at]  # whatever a form says: such a column is not even looked at
        return Look(inspection, policies, letters, (batch.preview or {}).get("remembered"))
    inspection = inspect(path, sheet=sheet)
    corrected = import_corrections.original(session, inspection.header)
    if corrected is not None:
        known = dict(corrected.options.get("columns", ()))
        policies, letters = corrected.options.get("policies", {}), letters or corrected.sex_letters
        return Look(_remembering(inspection, known), policies, letters, corrected=corrected)
    earlier = saved.find(session, batch.source, inspection.header.names)
    if earlier is None:
        return Look(inspection, policies, letters)
    again = _remembering(inspection, earlier.fields)
    return Look(again, earlier.policies, letters or earlier.sex_letters, earlier.saved_at.isoformat())


def _remembering(inspection: Inspection, columns: Mapping[str, str]) -> Inspection:
    """The inspection with the fields that these names had before; as it is when none of them is there."""
    known = {import_columns.column_key(name): field for name, field in columns.items()}
    fields = [known.get(import_columns.column_key(name)) for name in inspection.header.names]
    mapping = {at: field for at, field in enumerate(fields) if field and at not in inspection.dropped}
    if not mapping:
        return inspection
    return Inspection(
        inspection.table, inspection.header, mapping, inspection.dropped, frozenset(), inspection.sample
    )  # fmt: skip


def describe(session: Session, look: Look) -> dict[str, Any]:
    """All that the mapping page shows, as JSON: columns, sheets, notes, totals, and the first rows with outcomes."""
    inspection = look.inspection
    reader = inspection.reader(look.sex_letters, {one.key: one for one in attributes.all_attributes(session)})
    read = [(cells, reader.read(number, cells)) for number, cells in inspection.sample]
    kept = outcomes.of(session, read, inspection.mapping, look.policies)
    return {
        **_columns(inspection, read),
        **_table(inspection),
        "remembered": look.remembered,
        "asks_sex": sex_is_ambiguous(_letters(inspection)),
        "sampled": len(read),
        "totals": dict(Counter(one.code for one in kept)),
        "reasons": dict(Counter(one.reason for one in kept if one.reason)),
        "rows": [_row(*both) for both in zip(read[:PREVIEW_ROWS], kept[:PREVIEW_ROWS], strict=True)],
    }


def _columns(inspection: Inspection, read: Sequence[outcomes.Read]) -> dict[str, Any]:
    names, cells = inspection.header.names, [row for _number, row in inspection.sample]
    looks = import_content.kinds(inspection.header, cells)
    return {
        "names": list(names),
        "samples": {str(at): _samples(cells, at) for at in range(len(names)) if at not in inspection.dropped},
        "looks": {str(at): kind for at, kind in looks.items() if at not in inspection.dropped},
        "suggested": sorted(inspection.suggested),
        "dropped": {str(at): why for at, why in inspection.dropped.items()},
        "readings": _readings(inspection.mapping, read),
    }


def _table(inspection: Inspection) -> dict[str, Any]:
    table, names = inspection.table, inspection.header.names
    return {
        "kind": table.kind,
        "encoding": table.encoding,
        "odd_lines": table.odd_lines,
        "member": table.member,
        "sheet": table.sheet,
        "sheets": [{"name": one.name, "is_hidden": one.is_hidden} for one in table.sheets],
        "header_row": inspection.header.row,
        "empty_formulas": {
            names[at]: row for at, row in sorted(table.empty_formulas.items()) if at < len(names) and names[at]
        },
    }


def _samples(rows: Sequence[Sequence[str]], at: int) -> list[str]:
    """The first different values of a column, without what may not be kept."""
    found: dict[str, None] = {}
    for cells in rows:
        if at < len(cells) and cells[at].strip() and len(found) < SAMPLES:
            found[import_columns.without_keys(" ".join(cells[at].split()))[:SAMPLE_CHARS]] = None
    return list(found)


def _readings(mapping: Columns, read: Sequence[outcomes.Read]) -> dict[str, dict[str, int]]:
    """Of each imported column: how many cells are filled, and how many of these can be read as what it is. What a
    refused row says counts for phones only."""
    found = {}
    for at, field in mapping.items():
        filled = [(cells[at], row) for cells, row in read if at < len(cells) and tidy(cells[at])]
        if field in PHONES:
            understood = [bool(normalise(cell).numbers) for cell, _row in filled]
        else:
            understood = [outcomes.is_read(field, row) for _cell, row in filled if isinstance(row, Person)]
        found[str(at)] = {"filled": len(understood), "read": sum(understood)}
    return found


def _letters(inspection: Inspection) -> set[str]:
    at = next((at for at, field in inspection.mapping.items() if field == "sex"), None)
    if at is None:
        return set()
    return {cells[at].strip()[:2] for _number, cells in inspection.sample if at < len(cells)}


def _row(read: outcomes.Read, outcome: outcomes.Outcome) -> dict[str, Any]:
    _cells, row = read
    said: dict[str, Any] = {"row": row.row, "outcome": outcome.code, "reason": outcome.reason}
    if isinstance(row, Refused):
        return said | {"cells": [import_columns.without_keys(cell) for cell in row.cells.values() if cell.strip()]}
    return said | {
        "name": import_columns.without_keys(row.name),
        "phones": [one.e164 for one in row.phones],
        "section": row.section,
        "answer": row.answer,
        "changes": list(outcome.changes),
    }


def _note_dropped(session: Session, batch: ImportBatch, inspection: Inspection) -> None:
    """An audit row for the columns that are dropped, once for each set of them."""
    names = inspection.dropped_names
    before = batch.preview or {}
    if names and names != [before["names"][int(at)] for at in before.get("dropped", ())]:
        audit.record(session, batch.created_by, "imports.drop_columns", f"import/{batch.id}", columns=names)
