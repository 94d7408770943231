"""Tables as people send them: CSV in any delimiter and encoding, XLSX, ODS, and each of these alone in a ZIP.

Read row by row, never whole, never trusted."""

import csv
import io
import math
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from callcenter.tables import ods_sheets, text_tables, xlsx_sheets
from callcenter.tables.file_faults import N_, UnreadableFileError
from callcenter.tables.table_limits import (
    CHUNK,
    MAX_RATIO,
    MAX_STRINGS_BYTES,
    MAX_UNPACKED_BYTES,
    Row,
    Score,
    bomb,
    check_size,
    damaged,
    unpacked_size,
)
from callcenter.tables.text_tables import HEAD_ROWS
from callcenter.tables.xlsx_sheets import Sheet

__all__ = ("ENDINGS", "HEAD_ROWS", "Row", "Score", "TableFile", "csv_line", "harmless", "open_table", "printable")

ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".ods", ".zip")
_ODS_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"
_SHEETS = {"xlsx": xlsx_sheets.sheets, "ods": ods_sheets.sheets}
_ROWS = {"xlsx": xlsx_sheets.rows, "ods": ods_sheets.rows}
_NAMED = 8  # files of an archive that a sentence lists


class Copy:
    """A list out of a ZIP, in a file without a name: gone with whoever reads it, however a worker ends."""

    def __init__(self, folder: Path) -> None:
        # Beside the upload when we may write there: a folder for temporary files may be small.
        self.file = tempfile.TemporaryFile(dir=folder if os.access(folder, os.W_OK) else None)  # noqa: SIM115
        self.path = Path(f"/proc/{os.getpid()}/fd/{self.file.fileno()}")

    def __del__(self) -> None:
        self.file.close()


@dataclass(frozen=True)
class TableFile:
    """A file that was found readable. `kind`: csv | xlsx | ods. `sheet`: of a workbook, the one that holds the table.

    `member`: its name in the ZIP it came in; `path` is then a nameless copy that lives as long as this object.
    `odd_lines`: lines of Windows-1252 in a file that is mostly UTF-8. `empty_formulas` fills while rows are read: the
    columns (from 0) in which a formula stood without the value it had, and the first row of each."""

    path: Path
    kind: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: tuple[Sheet, ...] = ()
    member: str = ""
    odd_lines: int = 0
    empty_formulas: dict[int, int] = field(default_factory=dict, compare=False)
    copy: Copy | None = field(default=None, compare=False, repr=False)

    def rows(self) -> Iterator[Row]:
        """Every row that has a cell, with its number. Raises UnreadableFileError at the row that cannot be read."""
        # A generator of its own: whoever reads rows holds this object, and with it the copy that they are read from.
        if self.kind == "csv":
            yield from text_tables.rows(self.path, self.encoding, self.delimiter)
        else:
            yield from _ROWS[self.kind](self.path, self.sheet, self.empty_formulas)


def open_table(path: Path, score: Score, *, sheet: str | None = None) -> TableFile:
    """Find out what `path` is. `sheet`: of a workbook, the one wanted; else the visible one that shows the most known
    names. Raises UnreadableFileError with a sentence when it is no table that can be read."""
    with path.open("rb") as file:
        head = file.read(8192)
        if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
            raise UnreadableFileError(N_("The file is empty."))
        if not head.startswith(b"PK"):
            text_tables.refuse_binary(head)
            letters = text_tables.letters_of(file)
            delimiter = text_tables.delimiter_of(path, letters.encoding, score)
            return TableFile(path, "csv", letters.encoding, delimiter, odd_lines=letters.odd_lines)
        kind = _kind_of_archive(file)
        if kind != "zip":
            return _workbook(path, kind, score, sheet)
        member, copy = _unpack(file, path.parent)
    return _unpacked(member, copy, score, sheet)


def _unpacked(member: str, copy: Copy, score: Score, sheet: str | None) -> TableFile:
    copy.file.seek(0)
    if copy.file.read(2) == b"PK" and _kind_of_archive(copy.file) == "zip":
        raise UnreadableFileError(N_("There is a ZIP in the ZIP. Unpack it and send the list itself."))
    found = open_table(copy.path, score, sheet=sheet)
    return TableFile(
        found.path, found.kind, found.encoding, found.delimiter, found.sheet, found.sheets, member, found.odd_lines,
        copy=copy,
    )  # fmt: skip


def _workbook(path: Path, kind: str, score: Score, wanted: str | None) -> TableFile:
    """The sheet that was asked for, else the visible one whose head shows the most known names; the first of equals."""
    sheets = tuple(_SHEETS[kind](path))
    if wanted is not None and wanted not in [one.name for one in sheets]:
        raise UnreadableFileError(N_("There is no sheet «%(name)s» in the workbook."), name=wanted[:100])
    visible = [one.name for one in sheets if not one.is_hidden]
    if wanted is None and not visible:
        raise UnreadableFileError(N_("The workbook has no visible sheet."))

    def merit(name: str) -> int:
        return max((score(cells) for _number, cells in islice(_ROWS[kind](path, name, {}), HEAD_ROWS)), default=0)

    chosen = wanted or (visible[0] if len(visible) == 1 else max(visible, key=merit))
    return TableFile(path, kind, sheet=chosen, sheets=sheets)


# ── archives ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _kind_of_archive(file: IO[bytes]) -> str:
    """xlsx | ods | zip. Refuses what would unpack into more than a table can be: declared and in fact."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            check_size(archive)
            if "xl/workbook.xml" in names:
                kind = "xlsx"
            elif "content.xml" in names and archive.read("mimetype")[:100].startswith(_ODS_TYPE):
                kind = "ods"
            else:
                return "zip"
            left = MAX_UNPACKED_BYTES
            for member in archive.infolist():
                is_held = member.filename.endswith("sharedStrings.xml")
                left -= unpacked_size(archive, member, min(left, MAX_STRINGS_BYTES) if is_held else left)
            return kind
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, KeyError) as error:
        raise damaged() from error


def _unpack(file: IO[bytes], folder: Path) -> tuple[str, Copy]:
    """The name of the one file of a ZIP, and what is in it."""
    try:
        with zipfile.ZipFile(file) as archive:
            member = _only_member(archive)
            copy = Copy(folder)
            with archive.open(member) as stream:
                size = 0
                while chunk := stream.read(CHUNK):
                    size += len(chunk)
                    if size > MAX_UNPACKED_BYTES or size > max(10 * CHUNK, member.compress_size * MAX_RATIO):
                        raise bomb()
                    copy.file.write(chunk)
            copy.file.flush()
            return printable(Path(member.filename).name), copy
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise UnreadableFileError(N_("The ZIP is damaged or has a password. Send the list itself.")) from error


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    files = [one for one in archive.infolist() if not one.is_dir() and not _is_litter(one.filename)]
    if not files:
        raise UnreadableFileError(N_("The ZIP is empty."))
    names = [printable(Path(one.filename).name) for one in files]
    if len(files) > 1:
        listed = ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
        sentence = N_("The ZIP holds %(count)s files (%(names)s). Send one list at a time.")
        raise UnreadableFileError(sentence, count=len(names), names=listed)
    if not names[0].lower().endswith(ENDINGS):
        sentence = N_("The ZIP holds «%(name)s», which is no list. Send a CSV, .xlsx or .ods file.")
        raise UnreadableFileError(sentence, name=names[0])
    return files[0]


def _is_litter(name: str) -> bool:
    """What Macs and Windows add to an archive by themselves."""
    last = name.rpartition("/")[2]
    return name.startswith("__MACOSX/") or last.startswith(".") or last.lower() in ("thumbs.db", "desktop.ini")


def printable(name: str) -> str:
    """A name from a file, fit for a sentence."""
    return "".join(c if c.isprintable() else "?" for c in name)[:80]


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
