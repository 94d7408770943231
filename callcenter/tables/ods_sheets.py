"""Sheets of OpenDocument workbooks (LibreOffice), row by row; memory holds one row."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from callcenter.tables import sheet_cells
from callcenter.tables.table_limits import CHUNK, MAX_COLUMNS, MAX_LINE_CHARS, Row, bomb, damaged, too_many_columns
from callcenter.tables.xlsx_sheets import Sheet

MAX_ROWS = 1 << 20  # of a sheet; one row may say that it stands for a million
_CELLS = frozenset(("table-cell", "covered-table-cell"))


def sheets(path: Path) -> list[Sheet]:
    """Every sheet, in the order of its tabs. Passes through the whole document, of which it keeps the names."""
    names = _Names()
    for _step in _heard(path, names):
        pass
    return [Sheet(name, style in names.hidden_styles) for name, style in names.found]


def rows(path: Path, sheet: str, empty_formulas: dict[int, int]) -> Iterator[Row]:
    """The rows of a sheet that have a cell, with their numbers; see TableFile for `empty_formulas`."""
    reader = _Reader(sheet, empty_formulas)
    for _step in _heard(path, reader):
        yield from reader.take()
        if reader.is_over:
            return


def _heard(path: Path, listener: "_Names") -> Iterator[None]:
    """Let `listener` hear the document, and stop after each piece of it."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = listener.start, listener.end
    parser.CharacterDataHandler = listener.text
    try:
        with zipfile.ZipFile(path) as archive, archive.open("content.xml") as document:
            while chunk := document.read(CHUNK):
                parser.Parse(chunk)
                yield
            parser.Parse(b"", True)
            yield
    except (zipfile.BadZipFile, KeyError, expat.ExpatError, RuntimeError, EOFError) as error:
        raise damaged() from error


class _Names:
    """Hears the names of the sheets, and which style hides a sheet."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self.hidden_styles: set[str] = set()
        self._style = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "style:style":
            self._style = attributes.get("style:name", "")
        elif tag == "style:table-properties" and attributes.get("table:display") == "false":
            self.hidden_styles.add(self._style)
        elif tag == "table:table":
            self.found.append((attributes.get("table:name", ""), attributes.get("table:style-name", "")))

    def end(self, tag: str) -> None:
        pass

    def text(self, data: str) -> None:
        pass


class _Reader(_Names):
    """Hears the cells of one sheet and makes rows of them."""

    def __init__(self, sheet: str, empty_formulas: dict[int, int]) -> None:
        super().__init__()
        self._sheet, self._empty_formulas = sheet, empty_formulas
        self.is_over = False
        self._is_here = False
        self._done: list[Row] = []
        self._row, self._row_times, self._cells = 1, 1, list[str]()
        self._times, self._attributes = 1, dict[str, str]()
        self._words: list[str] | None = None
        self._length, self._in_note = 0, 0

    def take(self) -> list[Row]:
        """The rows that are whole."""
        done, self._done = self._done, []
        return done

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        room, _colon, name = tag.partition(":")
        if tag == "table:table" and not self._is_here:
            self._is_here = attributes.get("table:name") == self._sheet
        if not self._is_here:
            return
        if name == "table-row":
            self._row_times, self._cells = _times(attributes, "table:number-rows-repeated"), []
        elif name in _CELLS and room == "table":
            self._times, self._attributes = _times(attributes, "table:number-columns-repeated"), attributes
            self._words, self._length = [], 0
        elif name == "annotation":
            self._in_note += 1
        elif tag == "text:p" and self._words and not self._in_note:
            self._words.append("\n")
        elif tag in ("text:s", "text:tab"):
            self.text(" " * min(_times(attributes, "text:c"), MAX_LINE_CHARS))

    def text(self, data: str) -> None:
        if self._words is not None and not self._in_note:
            self._length += len(data)
            if self._length > MAX_LINE_CHARS:
                raise bomb()
            self._words.append(data)

    def end(self, tag: str) -> None:
        name = tag.partition(":")[2]
        if not self._is_here:
            return
        if name == "annotation":
            self._in_note -= 1
        elif name in _CELLS and self._words is not None:
            self._end_cell(_cell(self._attributes, "".join(self._words).strip()))
        elif name == "table-row":
            self._end_row()
        elif tag == "table:table":
            self._is_here, self.is_over = False, True

    def _end_cell(self, cell: str) -> None:
        self._words = None
        if not cell and "table:formula" in self._attributes:
            self._empty_formulas.setdefault(len(self._cells), self._row)
        times = self._times if cell else min(self._times, MAX_COLUMNS + 1)
        if cell and len(self._cells) + times > MAX_COLUMNS:
            raise too_many_columns(self._row, len(self._cells) + times)
        if len(self._cells) + times <= MAX_COLUMNS * 2:
            self._cells.extend([cell] * times)

    def _end_row(self) -> None:
        while self._cells and not self._cells[-1]:
            self._cells.pop()
        if self._cells:
            if self._row + self._row_times > MAX_ROWS + 1 or self._row_times * len(self._cells) > MAX_ROWS:
                raise bomb()
            self._done.extend((self._row + more, list(self._cells)) for more in range(self._row_times))
        self._row += self._row_times


def _times(attributes: dict[str, str], name: str) -> int:
    written = attributes.get(name, "1")
    return int(written) if written.isascii() and written.isdigit() and len(written) < 9 else 1


def _cell(attributes: dict[str, str], words: str) -> str:
    kind = attributes.get("office:value-type", "")
    if kind in ("float", "percentage", "currency"):
        return sheet_cells.number(attributes.get("office:value", words))
    if kind == "date":
        return attributes.get("office:date-value", words)[:10]
    if kind == "boolean":
        return "TRUE" if attributes.get("office:boolean-value") == "true" else "FALSE"
    return attributes.get("office:string-value", words) if kind == "string" else words
