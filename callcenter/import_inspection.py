"""What a file of people is found to be before anything of it is kept: its table, its columns, its first rows. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from callcenter import import_columns
from callcenter.base.clock import real_now
from callcenter.import_rows import Person, Refused, RowReader, is_data, sex_is_ambiguous
from callcenter.table_files import HEAD_ROWS, TableFile, open_table

SAMPLE_ROWS = 500
PREVIEW_ROWS = 50


@dataclass(frozen=True)
class Inspection:
    """What a file was found to be: where its names are, which column is taken for what, which are never kept."""

    table: TableFile
    header: import_columns.Header
    mapping: dict[int, str]
    dropped: tuple[int, ...]

    @property
    def dropped_names(self) -> list[str]:
        return [self.header.names[at] for at in self.dropped]

    def reader(self, sex_letters: str | None) -> RowReader:
        return RowReader(self.mapping, self.header.names, sex_letters, real_now().date())

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """The data rows: what stands below the names and is no total and no blank."""
        for number, cells in self.table.rows():
            if number > self.header.row and is_data(cells, self.header.names):
                yield number, cells


def inspect(path: Path, mapping: dict[int, str] | None = None) -> Inspection:
    """Find the table, its names and its columns in a file. Raises InvalidInput when it cannot be imported at all.

    Without `mapping` the columns are guessed by their names, and a list without phones is not refused yet."""
    table = open_table(path, import_columns.known_names)
    header = import_columns.find_header(islice(table.rows(), HEAD_ROWS))
    below = (cells for number, cells in table.rows() if number > header.row)
    dropped = import_columns.sensitive_columns(header, list(islice(below, SAMPLE_ROWS)))
    if mapping is None:
        mapping = {at: field for at, field in import_columns.guess(header).items() if at not in dropped}
    return Inspection(table, header, mapping, tuple(dropped))


def describe(inspection: Inspection, sex_letters: str | None = None) -> dict[str, Any]:
    """The preview: names, what each column is taken for, and the first rows with what would become of them."""
    reader = inspection.reader(sex_letters)
    rows: list[dict[str, Any]] = []
    letters: set[str] = set()
    sex_at = next((at for at, field in inspection.mapping.items() if field == "sex"), None)
    for number, cells in islice(inspection.rows(), SAMPLE_ROWS):
        if sex_at is not None and sex_at < len(cells):
            letters.add(cells[sex_at].strip()[:2])
        if len(rows) < PREVIEW_ROWS:
            rows.append(_preview_row(reader.read(number, cells), number))
    return {
        "names": list(inspection.header.names),
        "mapping": {str(at): field for at, field in inspection.mapping.items()},
        "dropped": inspection.dropped_names,
        "asks_sex": sex_is_ambiguous(letters),
        "rows": rows,
    }


def _preview_row(read: Person | Refused, number: int) -> dict[str, Any]:
    if isinstance(read, Refused):
        return {"row": number, "reason": read.reason, "cells": list(read.cells.values())}
    return {
        "row": number,
        "reason": None,
        "name": read.name,
        "phones": [one.e164 for one in read.phones],
        "section": read.section,
        "answer": read.answer,
    }
