"""What a file of people is found to be before anything of it is kept: its table, its columns, its first rows. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

from callcenter.base.clock import real_now
from callcenter.lists import import_columns, import_content
from callcenter.lists.import_columns import Header
from callcenter.lists.import_rows import RowReader, is_data
from callcenter.people.attributes import Attribute
from callcenter.tables.file_faults import N_, UnreadableFileError
from callcenter.tables.table_files import HEAD_ROWS, Row, TableFile, open_table

SAMPLE_ROWS = 500
Sample = list[Row]


@dataclass(frozen=True)
class Inspection:
    """What a file was found to be: where its names are, which column is taken for what, which are never kept.

    `dropped`: column → name | shape, the reason. `suggested`: the columns of `mapping` that only their cells spoke for.
    `sample`: the first data rows with their numbers in the file."""

    table: TableFile
    header: Header
    mapping: dict[int, str]
    dropped: dict[int, str]
    suggested: frozenset[int] = frozenset()
    sample: Sample = field(default_factory=list)

    @property
    def dropped_names(self) -> list[str]:
        return [self.header.names[at] for at in self.dropped]

    def reader(self, sex_letters: str | None, attributes: Mapping[str, Attribute] | None = None) -> RowReader:
        return RowReader(self.mapping, self.header.names, sex_letters, real_now().date(), attributes or {})

    def rows(self) -> Iterator[Row]:
        """The data rows: what stands below the names and is no total and no blank."""
        return _data(self.table.rows(), self.header)


def inspect(path: Path, mapping: dict[int, str] | None = None, *, sheet: str | None = None) -> Inspection:
    """Find the table, its names and its columns in a file. Raises InvalidInput when it cannot be imported at all.

    Without `mapping` the columns are guessed by their names, then by their cells, and a list without phones is not
    refused yet. `sheet`: of a workbook, the one that a person chose."""
    table = open_table(path, import_columns.known_names, sheet=sheet)
    rows = table.rows()  # one pass: a workbook's few rows may lie among a million empty ones
    head = list(islice(rows, HEAD_ROWS))
    header = _header(head)
    sample = list(islice(_data(chain(head, rows), header), SAMPLE_ROWS))
    cells = [row for _number, row in sample]
    header = import_columns.name_blanks(header, cells)
    dropped = import_columns.sensitive_columns(header, cells)
    if mapping is not None:
        return Inspection(table, header, mapping, dropped, sample=sample)
    named = {at: known for at, known in import_columns.guess(header).items() if at not in dropped}
    looked = import_content.suggest(header, dict.fromkeys(dropped, "") | named, cells)
    return Inspection(table, header, named | looked, dropped, frozenset(looked), sample)


def _header(head: Sample) -> Header:
    """By the names we know; in a list whose names nobody knows, the row above the phones."""
    header = import_columns.find_header(head)
    if header is None and (above := import_content.header_above_phones(head)):
        header = import_columns.header_of(*above)
    if header is None:
        raise UnreadableFileError(
            N_("No row with column names was found in the first rows. Name the columns: NOMBRE, CELULAR, SECCION…")
        )
    return header


def _data(rows: Iterable[Row], header: Header) -> Iterator[Row]:
    for number, cells in rows:
        if number > header.row and is_data(cells, header.spelled):
            yield number, cells
