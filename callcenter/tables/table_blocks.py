"""Table files as blocks of text columns, for Polars: a national list is read at the speed of its disk.

`tables.table_files` says what a file is and how its rows are read one by one; a block holds exactly those rows.
Lines without a quotation mark mean the same to Polars as to the csv module, and only these are left to Polars; lines
with one go through the csv module. What is no plain text (workbooks, UTF-16) is read row by row.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import polars as pl

from callcenter.tables.table_files import TableFile
from callcenter.tables.table_limits import MAX_COLUMNS, MAX_LINE_CHARS, too_long, too_many_columns, unclosed

BLOCK_BYTES = 12 << 20
BLOCK_ROWS = 20_000  # of a file that is read row by row
_BY_BLOCKS = ("utf-8", "utf-8-sig", "cp1252")
_LINE = re.compile(rb"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+\Z")
_TOTAL = b"total"
_QUOTES_FEW = 0.2  # quotation marks a line, up to which lines with one are taken out of the block


@dataclass(frozen=True)
class Block:
    """Some rows of a file. `cells`: String columns "0", "1"…, null where a cell is empty or missing, and `row`, the
    number in the file. `may_total`: may a row be a TOTAL? `offset`: the byte at which the next block begins, None where
    that is not known, and `next_row` its first row's number."""

    cells: pl.DataFrame
    may_total: bool
    offset: int | None
    next_row: int


def read_blocks(table: TableFile, width: int) -> Iterator[Block]:
    """The file's rows. `width`: how many columns are wanted.

    Raises UnreadableFileError at the row that cannot be read."""
    if table.kind == "csv" and table.encoding in _BY_BLOCKS:
        return _text_blocks(table, width)
    return _row_blocks(table, width)


def _row_blocks(table: TableFile, width: int) -> Iterator[Block]:
    rows = table.rows()
    while some := list(islice(rows, BLOCK_ROWS)):
        cells = _frame([number for number, _ in some], [cells for _, cells in some], width)
        yield Block(cells, may_total=True, offset=None, next_row=some[-1][0] + 1)


def _text_blocks(table: TableFile, width: int) -> Iterator[Block]:
    reader = _LineReader(table.encoding, table.delimiter, width)
    with table.path.open("rb") as file:
        offset, row = _mark_length(file.read(3)), 1
        file.seek(offset)
        left, is_last = b"", False
        size = max(1, BLOCK_BYTES // 8)  # of the first, so that whoever writes what is read begins soon
        while not is_last:
            chunk, size = file.read(size), BLOCK_BYTES
            is_last = not chunk
            body, left = _whole_lines(left + chunk, row, is_last=is_last)
            if not body:
                continue
            cells, lines, unread = reader.read(body, row, is_last=is_last)
            left, row, offset = body[len(body) - unread :] + left, row + lines, offset + len(body) - unread
            yield Block(cells, _TOTAL in body.lower(), offset, row)


def _mark_length(start: bytes) -> int:
    return len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0


def _whole_lines(data: bytes, row: int, *, is_last: bool) -> tuple[bytes, bytes]:
    """`data` up to the end of its last line, and the rest."""
    if is_last:
        return data, b""
    cut = data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, len(data) - 1) + 1
    if not cut and len(data) >= 4 * MAX_LINE_CHARS:
        raise too_long(row)
    return data[:cut], data[cut:]


class _Lines:
    """The lines of some bytes from `at` on, decoded. `count`: how many were given; `is_asked_on`: one was asked for
    after the last."""

    def __init__(self, body: bytes, at: int, encoding: str, row: int) -> None:
        self.at, self.count, self.is_asked_on = at, 0, False
        self._body, self._encoding, self._row = body, encoding, row

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        found = _LINE.match(self._body, self.at)
        if not found:
            self.is_asked_on = True
            raise StopIteration
        line = found.group().decode(self._encoding)
        if len(line) >= MAX_LINE_CHARS:
            raise too_long(self._row + self.count)
        self.at, self.count = found.end(), self.count + 1
        return line.replace("\x00", "")


@dataclass(frozen=True)
class _LineReader:
    """Reads whole lines of one file. Each way gives the rows, how many lines they took, and how many bytes at the end
    are a row that goes on in the next block."""

    encoding: str
    delimiter: str
    width: int

    def read(self, body: bytes, row: int, *, is_last: bool) -> tuple[pl.DataFrame, int, int]:
        quotes, has_odd_ends = body.count(b'"'), body.count(b"\r") != body.count(b"\r\n")
        if has_odd_ends or b"\0" in body or quotes > _QUOTES_FEW * body.count(b"\n") + 1:
            return self._quoted(body, row, is_last=is_last)
        return self._mixed(body, row, is_last=is_last)

    def _quoted(self, body: bytes, row: int, *, is_last: bool) -> tuple[pl.DataFrame, int, int]:
        """Every line through the csv module."""
        lines, begun = _Lines(body, 0, self.encoding, row), 0
        numbers: list[int] = []
        rows: list[list[str]] = []
        for number, cells in self._records(lines, row):
            if lines.is_asked_on and not is_last:
                return _frame(numbers, rows, self.width), number - row, len(body) - begun
            numbers.append(number)
            rows.append(cells)
            begun = lines.at
        return _frame(numbers, rows, self.width), lines.count, 0

    def _mixed(self, body: bytes, row: int, *, is_last: bool) -> tuple[pl.DataFrame, int, int]:
        """Lines with a quotation mark through the csv module, what stands between them through Polars."""
        at, number, unread = 0, row, 0
        numbers: list[int] = []
        rows: list[list[str]] = []
        plain: list[bytes] = []
        places = [np.empty(0, np.int64)]

        def keep_plain(end: int) -> None:
            nonlocal number
            plain.append(body[at:end])
            lines = plain[-1].count(b"\n") + (end > at and body[end - 1] != 10)
            places.append(np.arange(number, number + lines, dtype=np.int64))
            number += lines

        while (quote := body.find(b'"', at)) >= 0:
            start = max(body.rfind(b"\n", at, quote) + 1, at)
            keep_plain(start)
            lines = _Lines(body, start, self.encoding, number)
            first, cells = next(self._records(lines, number))
            if lines.is_asked_on and not is_last:
                at, unread = len(body), len(body) - start
                break
            numbers.append(first)
            rows.append(cells)
            at, number = lines.at, number + lines.count
        keep_plain(len(body))
        frames = [self._plain(b"".join(plain), np.concatenate(places)), _frame(numbers, rows, self.width)]
        return pl.concat(frames), number - row, unread

    def _plain(self, body: bytes, numbers: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> pl.DataFrame:
        """Lines without quotation marks: what stands between two delimiters is a cell."""
        self._check_lines(body, numbers)
        if self.encoding == "cp1252":
            body = body.decode("cp1252").encode()
        # Polars takes the number of columns from the first line: it is given one, and loses it again.
        first = self.delimiter.encode() * (self.width - 1) + (b"\n" if self.width > 1 else b"-\n")
        cells = pl.read_csv(
            io.BytesIO(first + body), has_header=False, separator=self.delimiter, quote_char=None,
            schema={str(at): pl.String for at in range(self.width)}, truncate_ragged_lines=True,
        ).slice(1)  # fmt: skip
        if cells.height != len(numbers):
            raise RuntimeError(f"Polars finds {cells.height} rows in {len(numbers)} lines")
        return cells.with_columns(row=pl.Series(numbers, dtype=pl.Int64))

    def _check_lines(self, body: bytes, numbers: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> None:
        """The limits of a line and of a cell, which Polars does not know."""
        array = np.frombuffer(body, np.uint8)
        ends = np.flatnonzero(array == ord("\n"))
        starts = np.concatenate(([0], ends + 1))[: len(numbers)]
        lengths = np.diff(starts, append=len(array))
        if lengths.max(initial=0) <= MAX_COLUMNS:
            return
        cells = np.add.reduceat(array == ord(self.delimiter), starts, dtype=np.int64) + 1
        for at in np.flatnonzero((cells > MAX_COLUMNS) | (lengths > csv.field_size_limit())):
            line = _Lines(body[starts[at] : starts[at] + lengths[at]], 0, self.encoding, int(numbers[at]))
            next(self._records(line, int(numbers[at])))

    def _records(self, lines: _Lines, row: int) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(lines, delimiter=self.delimiter)
        while True:
            first = row + lines.count
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise unclosed(first) from error
            if len(cells) > MAX_COLUMNS:
                raise too_many_columns(first, len(cells))
            yield first, cells


def _frame(numbers: list[int], rows: list[list[str]], width: int) -> pl.DataFrame:
    padding = [""] * width
    columns = zip(*((*cells, *padding)[:width] for cells in rows), strict=True) if rows else ([] for _ in padding)
    cells = {str(at): pl.Series(column, dtype=pl.String) for at, column in enumerate(columns)}
    empty = pl.when(pl.all() != "").then(pl.all())
    return pl.DataFrame(cells).select(empty).with_columns(row=pl.Series(numbers, dtype=pl.Int64))
