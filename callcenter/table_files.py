"""Tables as people send them: CSV in any delimiter and encoding, XLSX. Read row by row, never whole, never trusted."""

import codecs
import csv
import io
import math
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from callcenter.file_faults import N_, UnreadableFileError

Row = tuple[int, list[str]]  # the row's number in the file, from 1, and its cells
Score = Callable[[list[str]], int]  # how many known column names a row holds

MAX_COLUMNS = 300
MAX_LINE_CHARS = 1_000_000
MAX_UNPACKED_BYTES = 1_500_000_000
MAX_STRINGS_BYTES = 300_000_000  # of a workbook's table of texts, the one part that is held in memory whole
MAX_RATIO = 250  # a full sheet packs 10 to 40 times; a bomb a thousand times
DELIMITERS = "|;\t,"
HEAD_ROWS = 50
_CHUNK = 1 << 20
_DECLARATION = re.compile(rb"<\0?!\0?(?:D\0?O\0?C\0?T\0?Y\0?P\0?E|E\0?N\0?T\0?I\0?T\0?Y)")  # in UTF-16, too
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class TableFile:
    """A file that was found readable. `kind`: csv | xlsx. `sheet`: of a workbook, the one that holds the table."""

    path: Path
    kind: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""

    def rows(self) -> Iterator[Row]:
        """Every row with its number. Raises UnreadableFileError at the row that cannot be read."""
        return _workbook_rows(self.path, self.sheet) if self.kind == "xlsx" else _text_rows(self)


def open_table(path: Path, score: Score) -> TableFile:
    """Find out what `path` is. Raises UnreadableFileError with a sentence when it is no table that can be read."""
    with path.open("rb") as file:
        head = file.read(8192)
        if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
            raise UnreadableFileError(N_("The file is empty."))
        if head.startswith(b"PK"):
            _check_archive(file)
            return TableFile(path, "xlsx", sheet=_choose_sheet(path, score))
        _refuse_binary(head)
        encoding = _encoding(file)
    return TableFile(path, "csv", encoding, _delimiter(path, encoding, score))


# ── text ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _refuse_binary(head: bytes) -> None:
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableFileError(N_("This is an old Excel file (.xls). Open it and save it as .xlsx or CSV."))
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return
    controls = sum(byte < 32 and byte not in (9, 10, 12, 13) for byte in head)
    if b"\x00" in head or controls > len(head) // 50 or head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff")):
        raise UnreadableFileError(N_("This is not a table: it looks like a binary file. Send a CSV or an .xlsx file."))


def _encoding(file: BinaryIO) -> str:
    """A byte-order mark, else UTF-8 when every byte is, else Windows-1252 (what Excel in Spanish saves)."""
    file.seek(0)
    start = file.read(4)
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    for name in ("utf-8", "cp1252"):
        file.seek(0)
        decoder = codecs.getincrementaldecoder(name)()
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return name
    raise UnreadableFileError(N_("The letters of this file are in no encoding we know. Save it again as «CSV UTF-8»."))


def _delimiter(path: Path, encoding: str, score: Score) -> str:
    """The delimiter under which a row of the head shows the most known column names; of equals the one used most."""
    with _text(path, encoding) as file:
        lines = [line for _number, line in islice(_lines(file), HEAD_ROWS)]
    if not lines:
        raise UnreadableFileError(N_("The file is empty."))

    def merit(delimiter: str) -> tuple[int, int]:
        rows = csv.reader(lines, delimiter=delimiter)
        try:
            best = max((score(row) for row in rows), default=0)
        except csv.Error:
            best = 0
        return best, sum(line.count(delimiter) for line in lines)

    return max(DELIMITERS, key=merit)


@contextmanager
def _text(path: Path, encoding: str) -> Iterator[io.TextIOWrapper]:
    with path.open(encoding=encoding, newline="") as file:
        yield file


def _lines(file: io.TextIOWrapper) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one longer than any table's raises UnreadableFileError before it fills the memory."""
    number = 0
    try:
        while line := file.readline(MAX_LINE_CHARS):
            number += 1
            if len(line) >= MAX_LINE_CHARS:
                raise UnreadableFileError(
                    N_("Line %(number)s is longer than a table's can be. Check how the file was saved."), number=number
                )
            yield number, line.replace("\x00", "")
    except UnicodeDecodeError as error:
        raise UnreadableFileError(
            N_("After line %(number)s the letters are in another encoding. Save it again as «CSV UTF-8»."),
            number=number,
        ) from error


def _text_rows(table: TableFile) -> Iterator[Row]:
    with _text(table.path, table.encoding) as file:
        counted = _Counted(_lines(file))
        reader = csv.reader(counted, delimiter=table.delimiter)
        while True:
            first = counted.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise UnreadableFileError(
                    N_("Row %(number)s cannot be read: a quotation mark opens there and is never closed."), number=first
                ) from error
            if len(cells) > MAX_COLUMNS:
                raise _too_many_columns(first, len(cells))
            yield first, cells


class _Counted:
    """The lines, and the number of the one last given."""

    def __init__(self, lines: Iterator[tuple[int, str]]) -> None:
        self.number = 0
        self._lines = lines

    def __iter__(self) -> "_Counted":
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        return line


def _too_many_columns(row: int, columns: int) -> UnreadableFileError:
    return UnreadableFileError(
        N_("Row %(row)s has %(columns)s columns; the limit is %(limit)s. Leave only the columns of the list."),
        row=row,
        columns=columns,
        limit=MAX_COLUMNS,
    )


# ── workbooks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _check_archive(file: BinaryIO) -> None:
    """Refuse what is no workbook, and what would unpack into more than a workbook can be: declared and in fact."""
    try:
        with zipfile.ZipFile(file) as archive:
            if "xl/workbook.xml" not in archive.namelist():
                raise UnreadableFileError(
                    N_("This is a ZIP file without an Excel workbook in it. Send the .xlsx or the CSV.")
                )
            declared = sum(member.file_size for member in archive.infolist())
            packed = sum(member.compress_size for member in archive.infolist())
            if declared > MAX_UNPACKED_BYTES or (declared > 10 * _CHUNK and declared > packed * MAX_RATIO):
                raise _bomb()
            left = MAX_UNPACKED_BYTES
            for member in archive.infolist():
                held = member.filename.endswith("sharedStrings.xml")
                left -= _unpacked_size(archive, member, min(left, MAX_STRINGS_BYTES) if held else left)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise UnreadableFileError(
            N_("The Excel file is damaged or has a password. Open it and save it again.")
        ) from error


def _unpacked_size(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limit: int) -> int:
    size, before = 0, b""
    is_xml = member.filename.endswith((".xml", ".rels", ".vml"))
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK):
            # No workbook declares entities; those who do want them expanded. In text "<" is always written &lt;.
            if is_xml and _DECLARATION.search(before + chunk):
                raise _bomb()
            size, before = size + len(chunk), chunk[-20:]
            if size > limit:
                raise _bomb()
    return size


def _bomb() -> UnreadableFileError:
    return UnreadableFileError(
        N_("The Excel file unpacks into more than we accept. Save the list as CSV and send that.")
    )


@contextmanager
def _workbook(path: Path) -> Iterator[Any]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError, SyntaxError, zipfile.BadZipFile) as error:
        raise UnreadableFileError(
            N_("The Excel file is damaged or has a password. Open it and save it again.")
        ) from error
    try:
        yield book
    finally:
        book.close()


def _choose_sheet(path: Path, score: Score) -> str:
    """The visible sheet whose head shows the most known column names; the first of equals."""
    with _workbook(path) as book:
        names = [sheet.title for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not names:
        raise UnreadableFileError(N_("The Excel file has no visible sheet."))

    def merit(name: str) -> int:
        return max((score(cells) for _number, cells in islice(_workbook_rows(path, name), HEAD_ROWS)), default=0)

    best: str = max(names, key=merit)
    return best


def _workbook_rows(path: Path, sheet: str) -> Iterator[Row]:
    with _workbook(path) as book:
        page = book[sheet]
        page.reset_dimensions()  # what a sheet says of its size is often wrong
        for number, values in enumerate(page.iter_rows(values_only=True), start=1):
            last = max((at for at, value in enumerate(values, start=1) if value is not None), default=0)
            if last > MAX_COLUMNS:
                raise _too_many_columns(number, last)
            yield number, [_cell(value) for value in values[:last]]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


# ── the way out ───────────────────────────────────────────────────────────────────────────────────────────────────────


def csv_line(cells: Iterable[Any]) -> str:
    """One line of CSV whose cells are `harmless`."""
    line = io.StringIO()
    csv.writer(line).writerow([harmless(cell) for cell in cells])
    return line.getvalue()


def harmless(cell: Any) -> Any:
    """`=1+1` -> `'=1+1`: no spreadsheet runs text as a formula. Numbers stay numbers; not-a-number is an empty cell."""
    if isinstance(cell, float) and math.isnan(cell):
        return None
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else cell
