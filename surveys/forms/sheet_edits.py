"""Changes to a form's source, one at a time, as the builder makes them. Pure: each changes the source that it is given.

A place is the index of a line in the sheet `survey`, from 0; in the exported workbook it is row place + 2.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surveys.forms.sheets import TRANSLATED, Source, cleaned, column_of

Sheet = dict[str, Any]
FIRST_LANGUAGE = "Español (es)"
BEGINS = {"begin_group": "end_group", "begin_repeat": "end_repeat"}


@dataclass(frozen=True)
class Language:
    """`code`: as the engine knows it ('' for columns without one); `mark`: what its headings end with."""

    code: str
    mark: str


def languages(source: Source) -> list[Language]:
    """The languages of the labels, in the order of their columns; one without a name when there is none."""
    found: dict[str, Language] = {}
    for sheet in ("survey", "choices"):
        for heading in source[sheet]["headings"]:
            column, code = column_of(heading)
            if column == "label":
                mark = heading[heading.index(":") :] if code is not None else ""
                found.setdefault(code or "", Language(code or "", mark))
    return list(found.values()) or [Language("", "")]


def add_language(source: Source, name: str) -> None:
    """Columns for the words of one more language, `English (en)`; words without one are Spanish from now on."""
    for sheet in ("survey", "choices"):
        headings = source[sheet]["headings"]
        for at, heading in enumerate(headings):
            column, code = column_of(heading)
            if column in TRANSLATED and code is None:
                headings[at] = f"{column}::{FIRST_LANGUAGE}"
        if headings:
            _widen(source[sheet], f"label::{name}")


def kind_of(source: Source, place: int) -> str:
    """The type of a line, `begin_group` for «begin group»."""
    text = " ".join(value(source, place, "type").split())
    bracket = text.lower().replace(" ", "_")
    return bracket if bracket in (*BEGINS, *BEGINS.values()) else text


def value(source: Source, place: int, heading: str) -> str:
    """The cell of a line below this heading; '' where there is no such column."""
    sheet = source["survey"]
    at = _column(sheet["headings"], heading)
    return str(sheet["lines"][place][at]) if at is not None else ""


def put(source: Source, place: int, cells: Mapping[str, str]) -> None:
    """Write cells of one line; a heading that does not exist becomes a new column when it has something to hold."""
    _put(source["survey"], source["survey"]["lines"][place], cells)


def add(source: Source, place: int, cells: Mapping[str, str]) -> None:
    """A new line at this place; the lines from there on go down."""
    sheet = source["survey"]
    line = [""] * len(sheet["headings"])
    sheet["lines"].insert(place, line)
    _put(sheet, line, cells)


def remove(source: Source, place: int) -> None:
    """The line goes; with the beginning of a group its end goes too, what is in it stays."""
    lines = source["survey"]["lines"]
    end = end_of(source, place) if kind_of(source, place) in BEGINS else None
    for at in sorted({place, place if end is None else end}, reverse=True):
        del lines[at]


def end_of(source: Source, place: int) -> int | None:
    """Where the group or repeat that begins here ends; None when nothing ends it."""
    depth = 0
    for at in range(place, len(source["survey"]["lines"])):
        kind = kind_of(source, at)
        depth += (kind in BEGINS) - (kind in BEGINS.values())
        if depth == 0:
            return at
    return None


def move(source: Source, place: int, to: int) -> int:
    """Put the line (a group with all that is in it) where it then stands at place `to`; returns that."""
    lines = source["survey"]["lines"]
    end = end_of(source, place) if kind_of(source, place) in BEGINS else place
    length = (place if end is None else end) - place + 1
    block = lines[place : place + length]
    del lines[place : place + length]
    to = min(max(0, to), len(lines))
    lines[to:to] = block
    return to


def list_of(source: Source, place: int) -> str:
    """The list of choices that a line names; '' for none."""
    words = (
        value(source, place, "type").replace("select one", "select_one").replace("select multiple", "select_multiple")
    )
    kind, _space, name = " ".join(words.split()).partition(" ")
    return name.removeprefix("from ").strip() if kind.startswith("select") else ""


def choices(source: Source, name: str) -> list[dict[str, str]]:
    """The lines of one list: heading -> text, headings as column names (`name`, `role`, `label::…`)."""
    sheet = source["choices"]
    at = _column(sheet["headings"], "list_name")
    if at is None:
        return []
    keys = [_key(heading) for heading in sheet["headings"]]
    return [dict(zip(keys, line, strict=True)) for line in sheet["lines"] if line[at] == name]


def set_choices(source: Source, name: str, rows: Sequence[Mapping[str, str]]) -> None:
    """The list has these choices now, in this order, where it stood before, else at the end."""
    sheet = source["choices"]
    filled = [{"list_name": name, **{key: text for key, text in row.items() if text}} for row in rows]
    for row in filled:
        for heading in row:
            _widen(sheet, heading)
    at = _widen(sheet, "list_name")
    first = next((place for place, line in enumerate(sheet["lines"]) if line[at] == name), len(sheet["lines"]))
    before = [line for line in sheet["lines"][:first] if line[at] != name]
    after = [line for line in sheet["lines"][first:] if line[at] != name]
    made = []
    for row in filled:
        made.append([""] * len(sheet["headings"]))
        _put(sheet, made[-1], row)
    sheet["lines"] = [*before, *made, *after]


def users_of(source: Source, name: str) -> list[str]:
    """Names of the questions that offer this list."""
    places = range(len(source["survey"]["lines"]))
    return [value(source, place, "name") for place in places if name and list_of(source, place) == name]


def rename(source: Source, old: str, new: str) -> None:
    """The question has another name; whatever refers to it says the new one."""
    named = re.compile(rf"\$\{{\s*{re.escape(old)}\s*\}}")
    for sheet in source.values():
        sheet["lines"] = [[named.sub(f"${{{new}}}", text) for text in line] for line in sheet["lines"]]
    changed = {key: new for key, text in settings(source).items() if key.endswith("_question") and text == old}
    if changed:
        set_settings(source, changed)


def settings(source: Source) -> dict[str, str]:
    """The settings by column."""
    sheet = source["settings"]
    keys = [_key(heading) for heading in sheet["headings"]]
    return dict(zip(keys, sheet["lines"][0], strict=True)) if sheet["lines"] else {}


def set_settings(source: Source, cells: Mapping[str, str]) -> None:
    """Write these settings; the others stay."""
    sheet = source["settings"]
    if not sheet["lines"]:
        sheet["lines"].append([""] * len(sheet["headings"]))
    _put(sheet, sheet["lines"][0], cells)


def _key(heading: str) -> str:
    """The heading without its other spellings: `value` is `name`; a text keeps its language."""
    column, code = column_of(heading)
    return heading if code is not None and column in TRANSLATED else column


def _column(headings: Sequence[str], heading: str) -> int | None:
    wanted = column_of(heading)
    return next((at for at, one in enumerate(headings) if column_of(one) == wanted), None)


def _widen(sheet: Sheet, heading: str) -> int:
    """The index of this column, made when it is not there."""
    at = _column(sheet["headings"], heading)
    if at is None:
        at = len(sheet["headings"])
        sheet["headings"].append(heading)
        for line in sheet["lines"]:
            line.append("")
    return at


def _put(sheet: Sheet, line: list[str], cells: Mapping[str, str]) -> None:
    for heading, text in cells.items():
        at = _column(sheet["headings"], heading)
        if at is None and text:
            at = _widen(sheet, heading)
        if at is not None:
            line[at] = cleaned(text)
