"""A table of cells as people write it or paste it from a sheet: a head with the strata and the target, a cell a line.

    sexo;edad;meta
    H;18-29;120
    M;60+;95

Pure. Every fault names its line and says what to do."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput
from callcenter.tables.table_files import harmless
from surveys.fieldwork import quota_words
from surveys.fieldwork.quota_cells import FIELDS, Cell, Dimension, Values, band
from surveys.forms.items import Items

MOST_BYTES = 200_000
SHOWN = 8  # faults told at once
_DELIMITERS = "\t;,|"
_RANGE = re.compile(r"(?:de )?(\d{1,9})\s*(?:-|–|—|a|to)\s*(\d{1,9})(?: (?:años|years))?", re.IGNORECASE)
_FROM = re.compile(r"(?:de )?(\d{1,9})\s*(?:\+|y más|o más|y mas|o mas|and over|or more)(?: años)?", re.IGNORECASE)


@dataclass
class _Faults:
    found: list[str] = field(default_factory=list)

    def add(self, line: int, sentence: str) -> None:
        self.found.append(str(_("Line %(line)s: %(fault)s", line=line, fault=sentence)))

    def stop_if_any(self) -> None:
        if self.found:
            more = len(self.found) - SHOWN
            rest = [str(_("And %(n)s more lines.", n=more))] if more > 0 else []
            raise InvalidInput({"cells": " ".join(self.found[:SHOWN] + rest)})


def read(text: str, items: Items | None) -> tuple[tuple[Dimension, ...], tuple[Cell, ...]]:
    """Strata and cells of a table. `items`: the questionnaire, whose questions may be strata; None: none may.

    Raises InvalidInput({"cells": sentences})."""
    if len(text) > MOST_BYTES:
        raise InvalidInput({"cells": _("The table is too long; join small cells.")})
    rows = list(_rows(text))
    if not rows:
        raise InvalidInput({"cells": _("Write a line with the strata and the target, and below it one line a cell.")})
    faults = _Faults()
    head, dimensions = _head(rows[0], items, faults)
    faults.stop_if_any()
    cells = [_cell(row, head, dimensions, items, faults) for row in rows[1:]]
    faults.stop_if_any()
    found = [(line, cell) for (line, _cells), cell in zip(rows[1:], cells, strict=True) if cell is not None]
    _refuse_twice(dimensions, found, faults)
    _refuse_overlaps(dimensions, found, faults)
    faults.stop_if_any()
    joined = tuple(_joined(one, place, found, items) for place, one in enumerate(dimensions))
    return joined, tuple(cell for _line, cell in found)


def write(dimensions: Sequence[Dimension], cells: Sequence[Cell]) -> str:
    """The table of these cells; `read` makes the same of it. A stratum that is asked goes by its question's name."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    writer.writerow([*(one.item or one.field for one in dimensions), "target"])
    for cell in cells:
        writer.writerow([*map(harmless, cell.values), "" if cell.target is None else cell.target])
    return out.getvalue()


def decoded(content: bytes) -> str:
    """The text of an uploaded file: UTF-8, else Windows-1252. Raises InvalidInput when it is no text, or too long."""
    if len(content) > MOST_BYTES or b"\x00" in content:
        raise InvalidInput({"cells": _("This file is no table of text. Save it as CSV and upload it again.")})
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells) of every line that says something."""
    text = text.lstrip("\ufeff")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as fault:
            raise InvalidInput({"cells": _("The table cannot be read after line %(line)s; a quotation mark may stand "
                                           "alone.", line=reader.line_num)}) from fault  # fmt: skip
        cells = [cell.strip().removeprefix("'") for cell in row]
        if any(cells):
            yield reader.line_num, cells


def _head(row: tuple[int, list[str]], items: Items | None, faults: _Faults) -> tuple[int, list[Dimension]]:
    """The column of the target and the strata, in the order of the other columns."""
    line, names = row
    dimensions: list[Dimension] = []
    target = -1
    for place, name in enumerate(names):
        column = quota_words.column_of(name)
        if column == "target" and name not in _questions(items):
            if target >= 0:
                faults.add(line, _("there are two columns of targets; leave one."))
            target = place
            continue
        found = _dimension(name, column, items)
        if found is None:
            faults.add(line, _unknown_column(name, items))
        elif found.name in [one.name for one in dimensions]:
            faults.add(line, _("«%(name)s» stands twice; leave one.", name=name))
        else:
            dimensions.append(found)
    if target < 0:
        faults.add(line, _("there is no column of targets; call it «meta»."))
    if not dimensions and not faults.found:
        faults.add(line, _("there is no stratum; name one in a column of its own, for example «sexo»."))
    return target, dimensions


def _questions(items: Items | None) -> dict[str, dict[str, Any]]:
    usable = ("select_one", "integer")
    return {item["name"]: item for item in items["items"] if item["type"] in usable} if items else {}


def _dimension(name: str, column: str | None, items: Items | None) -> Dimension | None:
    questions = _questions(items)
    if column in FIELDS:
        item = next((each for each in (name, name.lower(), column) if each in questions), "")
        return Dimension(column, item, FIELDS[column])
    if name in questions:
        return Dimension("", name, "number" if questions[name]["type"] == "integer" else "code")
    return None


def _unknown_column(name: str, items: Items | None) -> str:
    known = [words[0] if len(words) == 1 else words[1] for key, words in quota_words.COLUMNS.items() if key != "target"]
    asked = ", ".join(_questions(items))
    if asked:
        return str(_("«%(name)s» is no stratum. What a record knows: %(fields)s. Questions of this questionnaire: "
                     "%(questions)s.", name=name, fields=", ".join(known), questions=asked))  # fmt: skip
    return str(_("«%(name)s» is no stratum. What a record knows: %(fields)s.", name=name, fields=", ".join(known)))


def _cell(
    row: tuple[int, list[str]], target: int, dimensions: list[Dimension], items: Items | None, faults: _Faults
) -> Cell | None:
    line, cells = row
    if len(cells) != len(dimensions) + 1:
        faults.add(line, _("it has %(n)s cells and the head %(wanted)s; one for each column, please.",
                           n=len(cells), wanted=len(dimensions) + 1))  # fmt: skip
        return None
    written = cells[:target] + cells[target + 1 :]
    values = [_value(one, text, items) for one, text in zip(dimensions, written, strict=True)]
    for one, text, value in zip(dimensions, written, values, strict=True):
        if value is None:
            faults.add(line, _no_value(one, text, items))
    wanted = cells[target].replace(" ", "")
    if wanted and not (wanted.isascii() and wanted.isdigit() and len(wanted) < 8):
        faults.add(line, _("«%(text)s» is no target; write a whole number, or nothing for as many as come.",
                           text=cells[target]))  # fmt: skip
        return None
    if None in values:
        return None
    return Cell(tuple(value or "" for value in values), int(wanted) if wanted else None)


def _value(one: Dimension, written: str, items: Items | None) -> str | None:
    """The value as the cells keep it; None when it is none of this stratum's."""
    if not written or len(written) > 120:
        return None
    if one.kind == "number":
        return _band(written)
    if one.field:
        return written if one.kind == "text" else quota_words.code_of(one.field, written)
    choices = _questions(items)[one.item]["choices"]
    for choice in choices:
        if written in (choice["name"], *choice["label"].values()):
            return str(choice["name"])
    return None


def _band(written: str) -> str | None:
    """`18-29` of `18 a 29`, `60+` of `60 y más`."""
    if match := _RANGE.fullmatch(written):
        written = f"{int(match[1])}-{int(match[2])}"
    elif match := _FROM.fullmatch(written):
        written = f"{int(match[1])}+"
    return written if band(written) else None


def _no_value(one: Dimension, written: str, items: Items | None) -> str:
    if one.kind == "number":
        return str(_("«%(text)s» is no value of «%(name)s»; write 18-29, 60+ or one number.", text=written,
                     name=one.name))  # fmt: skip
    choices = _questions(items).get(one.item, {"choices": ()})["choices"]
    codes = quota_words.VALUES.get(one.field) or [choice["name"] for choice in choices]
    return str(_("«%(text)s» is no value of «%(name)s»; it has %(codes)s.", text=written, name=one.name,
                 codes=", ".join(codes)))  # fmt: skip


def _refuse_twice(dimensions: list[Dimension], found: list[tuple[int, Cell]], faults: _Faults) -> None:
    lines: dict[Values, int] = {}
    for line, cell in found:
        key = tuple(one.key(value) for one, value in zip(dimensions, cell.values, strict=True))
        if key in lines:
            faults.add(line, _("this cell stands already in line %(first)s; leave one.", first=lines[key]))
        lines.setdefault(key, line)


def _refuse_overlaps(dimensions: list[Dimension], found: list[tuple[int, Cell]], faults: _Faults) -> None:
    """A person is in one cell: bands of one stratum do not overlap."""
    for place, one in enumerate(dimensions):
        if one.kind != "number":
            continue
        first_line: dict[str, int] = {}
        for line, cell in found:
            first_line.setdefault(cell.values[place], line)
        bands = sorted((band(value) or (0, 0), value) for value in first_line)
        for (low, value), (high, following) in pairwise(bands):
            if high[0] <= low[1]:
                faults.add(first_line[following], _("«%(one)s» and «%(other)s» overlap; a person is in one of them.",
                                                    one=value, other=following))  # fmt: skip


def _joined(one: Dimension, place: int, found: list[tuple[int, Cell]], items: Items | None) -> Dimension:
    """A stratum of the record that the questionnaire asks for, too, where both speak of the same values."""
    if not (one.field and one.item):
        return one
    asked = _questions(items)[one.item]
    codes = {choice["name"] for choice in asked["choices"]}
    fits = asked["type"] == "integer" if one.kind == "number" else {cell.values[place] for _l, cell in found} <= codes
    return one if fits else Dimension(one.field, "", one.kind)
