"""Sheets of Excel workbooks, row by row: memory holds one row and the workbook's table of texts, never a sheet.

Written for lists: a million styled empty rows are passed over, a formula gives the value it had when it was saved."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO
from xml.etree import ElementTree
from xml.parsers import expat

from callcenter.tables import sheet_cells
from callcenter.tables.table_limits import CHUNK, MAX_COLUMNS, MAX_LINE_CHARS, Row, bomb, damaged, too_many_columns

_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
# What holds nothing: cells that are only styled, and rows without any other. How the tag ends is asked first, and once:
# a tag of a million attributes must not be gone through a million times.
_EMPTY_CELL = re.compile(rb'<c (?=[^<>]*+(?<=/)>)(?:[^<>]*? )?r="[A-Z]{1,3}\d+"[^<>]*+>')
_EMPTY_ROW = re.compile(rb'<row (?=[^<>]*+(?:(?<=/)>|>\s*+</row>))(?:[^<>]*? )?r="\d+"[^<>]*+>(?:(?<=/>)|\s*+</row>)')
MAX_ROWS = 1 << 20  # of a sheet
_BUILTIN_DATES = frozenset((*range(14, 18), 22, *range(27, 37), *range(50, 59)))
_TEXTS_IN = frozenset(("v", "t", "f"))


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook. `part`: where it lies in the file."""

    name: str
    is_hidden: bool = False
    part: str = ""


def sheets(path: Path) -> list[Sheet]:
    """Every sheet that holds cells, in the order of its tabs."""
    with _archive(path) as archive:
        return _sheets(archive)


def rows(path: Path, sheet: str, empty_formulas: dict[int, int]) -> Iterator[Row]:
    """The rows of a sheet that have a cell, with their numbers; see TableFile for `empty_formulas`."""
    with _archive(path) as archive:
        part = next((one.part for one in _sheets(archive) if one.name == sheet), None)
        if part is None:
            raise damaged()
        reader = _Reader(_texts(archive), _date_styles(archive), _is_1904(archive), empty_formulas)
        with archive.open(part) as stream:
            yield from _parsed(stream, reader)


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, expat.ExpatError, RuntimeError, EOFError) as error:
        raise damaged() from error


def _sheets(archive: zipfile.ZipFile) -> list[Sheet]:
    parts = {
        one.get("Id"): one.get("Target", "")
        for one in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))  # noqa: S314  # no declarations
    }
    held = set(archive.namelist())
    found = []
    for one in _tree(archive, "xl/workbook.xml").iter():
        if one.tag.endswith("}sheet"):
            target = parts.get(one.get(_RELATION), "").lstrip("/")
            part = target if target.startswith("xl/") else f"xl/{target}"
            is_hidden = one.get("state", "visible") != "visible"
            if part in held and "chartsheet" not in part:
                found.append(Sheet(one.get("name", ""), is_hidden, part))
    return found


def _tree(archive: zipfile.ZipFile, part: str) -> ElementTree.Element:
    # check_size and unpacked_size have looked at it: nothing in it declares entities.
    return ElementTree.fromstring(archive.read(part))  # noqa: S314


def _texts(archive: zipfile.ZipFile) -> list[str]:
    """The workbook's table of texts; the readings beside Japanese words are no part of them."""
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    found: list[str] = []
    with archive.open("xl/sharedStrings.xml") as stream:
        inside = 0
        pieces: list[str] = []
        for event, one in ElementTree.iterparse(stream, ("start", "end")):  # noqa: S314
            tag = one.tag.rpartition("}")[2]
            if tag == "rPh":
                inside += 1 if event == "start" else -1
            elif event == "end" and tag == "t" and not inside:
                pieces.append(one.text or "")
            elif event == "end" and tag == "si":
                found.append("".join(pieces))
                pieces = []
                one.clear()
    return found


def _date_styles(archive: zipfile.ZipFile) -> frozenset[str]:
    """The numbers of the styles under which a number is a date."""
    if "xl/styles.xml" not in archive.namelist():
        return frozenset()
    tree = _tree(archive, "xl/styles.xml")
    own = {
        one.get("numFmtId"): re.sub(r'"[^"]*"|\[[^\]]*\]|\\.|_.', "", one.get("formatCode", ""))
        for one in tree.iter()
        if one.tag.endswith("}numFmt")
    }
    formats = next((one for one in tree if one.tag.endswith("}cellXfs")), None)
    dates = set()
    for at, style in enumerate(formats if formats is not None else ()):
        number = style.get("numFmtId", "0")
        is_own = number in own and re.search(r"[dy]", own[number], re.IGNORECASE) is not None
        if is_own or (number not in own and number.isdigit() and int(number) in _BUILTIN_DATES):
            dates.add(str(at))
    return frozenset(dates)


def _is_1904(archive: zipfile.ZipFile) -> bool:
    properties = (one for one in _tree(archive, "xl/workbook.xml").iter() if one.tag.endswith("}workbookPr"))
    return any(one.get("date1904") in ("1", "true") for one in properties)


def _parsed(stream: IO[bytes], reader: "_Reader") -> Iterator[Row]:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    held = b""
    while chunk := stream.read(CHUNK):
        # No tag is cut in two: what begins with the last "<" waits for the next chunk.
        whole, cut, held = (held + chunk).rpartition(b"<")
        if len(held) > MAX_LINE_CHARS * 4:
            raise bomb()
        parser.Parse(_EMPTY_ROW.sub(b"", _EMPTY_CELL.sub(b"", whole)))
        held = cut + held
        yield from reader.take()
    parser.Parse(held, True)
    yield from reader.take()


def _row_number(written: str) -> int:
    if not (written.isascii() and written.isdigit() and 0 < int(written[:9]) <= MAX_ROWS and len(written) < 9):
        raise damaged()
    return int(written)


class _Reader:
    """Hears the tags of a sheet and makes rows of them."""

    def __init__(self, texts: list[str], dates: frozenset[str], is_1904: bool, empty_formulas: dict[int, int]) -> None:
        self._texts, self._dates, self._empty_formulas = texts, dates, empty_formulas
        self._epoch = datetime(1904, 1, 1) if is_1904 else datetime(1899, 12, 30)  # noqa: DTZ001  # a sheet's days
        self._done: list[Row] = []
        self._row, self._cells = 0, dict[int, str]()
        self._at, self._kind, self._style = -1, "n", ""
        self._value: list[str] | None = None
        self._is_formula = self._is_read = self._is_reading = False
        self._length = 0

    def take(self) -> list[Row]:
        """The rows that are whole."""
        done, self._done = self._done, []
        return done

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "c":
            reference = attributes.get("r")
            self._at = sheet_cells.place(reference) if reference else self._at + 1
            self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._value, self._is_formula, self._length = [], False, 0
        elif tag == "row":
            self._row = _row_number(attributes.get("r", str(self._row + 1)))
            self._at, self._cells = -1, {}
        elif tag in _TEXTS_IN and self._value is not None:
            self._is_formula |= tag == "f"
            self._is_read = tag != "f" and not self._is_reading
        elif tag == "rPh":
            self._is_reading = True

    def text(self, data: str) -> None:
        if self._is_read and self._value is not None:
            self._length += len(data)
            if self._length > MAX_LINE_CHARS:
                raise bomb()
            self._value.append(data)

    def end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        if tag in _TEXTS_IN:
            self._is_read = False
        elif tag == "c":
            self._end_cell()
        elif tag == "row" and self._cells:
            last = max(self._cells)
            if last >= MAX_COLUMNS:
                raise too_many_columns(self._row, last + 1)
            self._done.append((self._row, [self._cells.get(at, "") for at in range(last + 1)]))
        elif tag == "rPh":
            self._is_reading = False

    def _end_cell(self) -> None:
        raw = "".join(self._value or ())
        self._value = None
        if self._is_formula and not raw and self._kind != "str":
            self._empty_formulas.setdefault(self._at, self._row)
        cell = self._cell(raw) if raw else ""
        if cell and self._at >= 0:
            self._cells[self._at] = cell

    def _cell(self, raw: str) -> str:
        if self._kind == "s":
            return self._texts[int(raw)] if raw.isdigit() and int(raw) < len(self._texts) else ""
        if self._kind == "b":
            return "TRUE" if raw.strip() == "1" else "FALSE"
        if self._kind == "e":
            return ""
        if self._kind == "d":
            return raw[:10]
        if self._kind == "n":
            return self._date(raw) if self._style in self._dates else sheet_cells.number(raw.strip())
        return raw

    def _date(self, raw: str) -> str:
        """A serial day as YYYY-MM-DD; a number that is no day of our calendar stays a number."""
        try:
            moment = self._epoch + timedelta(days=float(raw))
        except (ValueError, OverflowError):
            return sheet_cells.number(raw.strip())
        return moment.date().isoformat()
