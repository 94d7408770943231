"""Tables as text: which encoding, which delimiter, and its rows one by one."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from callcenter.tables.file_faults import N_, UnreadableFileError
from callcenter.tables.table_limits import (
    CHUNK,
    MAX_COLUMNS,
    MAX_LINE_CHARS,
    Row,
    Score,
    too_long,
    too_many_columns,
    unclosed,
)

DELIMITERS = "|;\t,"
HEAD_ROWS = 50
# What each byte may be in UTF-8: L leads a letter beyond ASCII, C continues one.
_CLASSES = bytes(76 if 0xC2 <= byte <= 0xF4 else 67 if 0x80 <= byte <= 0xBF else 46 for byte in range(256))
MIXED = "mixed"  # each line by itself: UTF-8, or else Windows-1252
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Letters:
    """How a file's bytes are letters. `odd_lines`: of a mixed file, how many lines are Windows-1252."""

    encoding: str
    odd_lines: int = 0


def refuse_binary(head: bytes) -> None:
    """Raises UnreadableFileError when the file's beginning is none of a text."""
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableFileError(N_("This is an old Excel file (.xls). Open it and save it as .xlsx or CSV."))
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return
    controls = sum(byte < 32 and byte not in (9, 10, 12, 13) for byte in head)
    if b"\x00" in head or controls > len(head) // 50 or head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff")):
        raise UnreadableFileError(N_("This is not a table: it looks like a binary file. Send a CSV or an .xlsx file."))


def letters_of(file: BinaryIO) -> Letters:
    """A byte-order mark, else UTF-8 when every byte is, else Windows-1252 (what Excel in Spanish saves).

    A list put together from two, with more lines of true UTF-8 than of anything else, is read line by line."""
    file.seek(0)
    start = file.read(4)
    for mark, name in _BOMS:
        if start.startswith(mark):
            if name == "utf-8-sig" and not _is_all(file, name):
                return Letters(MIXED, _count_lines(file)[1])
            return Letters(name)
    if _is_all(file, "utf-8"):
        return Letters("utf-8")
    utf8_lines, odd_lines = _count_lines(file)
    if utf8_lines > odd_lines:
        return Letters(MIXED, odd_lines)
    if _is_all(file, "cp1252"):
        return Letters("cp1252")
    raise UnreadableFileError(N_("The letters of this file are in no encoding we know. Save it again as «CSV UTF-8»."))


def _is_all(file: BinaryIO, encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _count_lines(file: BinaryIO) -> tuple[int, int]:
    """How many lines with letters beyond ASCII are UTF-8, and how many are not."""
    utf8 = odd = 0
    file.seek(0)
    while chunk := file.read(CHUNK):
        chunk += file.readline(MAX_LINE_CHARS)
        lines = [line for line in chunk.split(b"\n") if not line.isascii()]
        if b"LC" not in chunk.translate(_CLASSES):  # no letter of UTF-8 in it: the common case, at the disk's speed
            odd += len(lines)
            continue
        for line in lines:
            try:
                line.decode("utf-8")
                utf8 += 1
            except UnicodeDecodeError:
                odd += 1
    return utf8, odd


def delimiter_of(path: Path, encoding: str, score: Score) -> str:
    """The delimiter under which a row of the head shows the most known column names; of equals the one used most."""
    lines = [line for _number, line in islice(_lines(path, encoding), HEAD_ROWS)]
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


def rows(path: Path, encoding: str, delimiter: str) -> Iterator[Row]:
    """Every row with the number of its first line. Raises UnreadableFileError at the row that cannot be read."""
    counted = _Counted(_lines(path, encoding))
    reader = csv.reader(counted, delimiter=delimiter)
    while True:
        first = counted.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise unclosed(first) from error
        if len(cells) > MAX_COLUMNS:
            raise too_many_columns(first, len(cells))
        yield first, cells


def _lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one longer than any table's raises UnreadableFileError before it fills the memory."""
    number = 0
    try:
        if encoding == MIXED:
            yield from _mixed_lines(path)
            return
        with path.open(encoding=encoding, newline="") as file:
            while line := file.readline(MAX_LINE_CHARS):
                number += 1
                if len(line) >= MAX_LINE_CHARS:
                    raise too_long(number)
                yield number, line.replace("\x00", "")
    except UnicodeDecodeError as error:
        raise _other_letters(number) from error


def _mixed_lines(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(MAX_LINE_CHARS):
            number += 1
            if len(raw) >= MAX_LINE_CHARS:
                raise too_long(number)
            yield number, _line_of(raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw, number)


def _line_of(raw: bytes, number: int) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return raw.decode(encoding).replace("\x00", "")
        except UnicodeDecodeError:
            continue
    raise _other_letters(number - 1)


def _other_letters(number: int) -> UnreadableFileError:
    return UnreadableFileError(
        N_("After line %(number)s the letters are in another encoding. Save it again as «CSV UTF-8»."), number=number
    )


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
