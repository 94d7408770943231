"""The three sheets of an XLSForm as rows that know where they stand: every fault can name sheet, row and column.

A form's source is plain JSON, kept with each version: {"survey": {"headings": [text], "lines": [[text]]}, "choices": …,
"settings": …}. It is the form as its author wrote it, without empty rows: the builder changes it, the export writes it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput

MAX_FAULTS = 25
NAMES = ("survey", "choices", "settings")
# Columns that XLSForm writes in more than one way (https://xlsform.org/en/ref-table/).
ALIASES = {
    "relevance": "relevant", "constraint message": "constraint_message", "calculate": "calculation",
    "list name": "list_name", "value": "name", "choice filter": "choice_filter", "required message": "required_message",
    "repeat count": "repeat_count", "media::audio": "audio", "media::image": "image", "media::video": "video",
}  # fmt: skip
TRANSLATED = (
    "label", "hint", "guidance_hint", "constraint_message", "required_message", "audio", "image", "video",
)  # fmt: skip
EXPRESSIONS = ("relevant", "constraint", "calculation", "choice_filter", "required", "repeat_count", "parameters")
# What copying from a page or a text processor leaves behind: it does not show, and it breaks names and expressions.
_INVISIBLE = dict.fromkeys(
    [*map(ord, "\u200b\u2060\ufeff"), *(code for code in range(32) if chr(code) not in "\t\n\r")]
)
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u202f"), " ")
_QUOTES = {ord("‘"): "'", ord("’"): "'", ord("“"): '"', ord("”"): '"'}
Source = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One row of a sheet. `cells`: column -> text; translated columns are in `texts`: column -> language -> text."""

    sheet: str
    number: int
    cells: dict[str, str]
    texts: dict[str, dict[str, str]]

    def get(self, column: str) -> str:
        return self.cells.get(column, "")


@dataclass
class Sheet:
    """`headers`: column -> its letter and its heading as the person wrote it; `twice`: headings that come again, with
    their letter; `headings` and `lines`: the sheet's source."""

    name: str
    rows: list[Row] = field(default_factory=list)
    headers: dict[str, tuple[str, str]] = field(default_factory=dict)
    twice: list[tuple[str, str]] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    lines: list[list[str]] = field(default_factory=list)


@dataclass
class Workbook:
    survey: Sheet
    choices: Sheet
    settings: Sheet

    @property
    def source(self) -> Source:
        """The form as its author wrote it, to be kept."""
        sheets = (self.survey, self.choices, self.settings)
        return {sheet.name: {"headings": sheet.headings, "lines": sheet.lines} for sheet in sheets}


class Faults:
    """Everything wrong with a form, told together: {"survey!G12": sentence}."""

    def __init__(self, workbook: Workbook) -> None:
        self._sheets = {sheet.name: sheet for sheet in (workbook.survey, workbook.choices, workbook.settings)}
        self._told: dict[str, str] = {}

    def add(self, row: Row, column: str, problem: str) -> None:
        letter, heading = self._sheets[row.sheet].headers.get(column, ("", column))
        self.add_at(row.sheet, row.number, (letter, heading), problem)

    def add_at(self, sheet: str, number: int, column: tuple[str, str], problem: str) -> None:
        """`column`: its letter and its heading."""
        letter, heading = column
        if len(self._told) < MAX_FAULTS:
            self._told.setdefault(
                f"{sheet}!{letter}{number}",
                _(
                    "Sheet “%(sheet)s”, row %(row)s, column “%(column)s”: %(problem)s.",
                    sheet=sheet,
                    row=number,
                    column=heading,
                    problem=problem,
                ),
            )

    def stop_if_any(self) -> None:
        if self._told:
            raise InvalidInput(self._told)


def read_sheet(name: str, lines: Iterable[tuple[int, Sequence[str]]]) -> Sheet:
    """A sheet of its numbered lines of text, headings first; lines without any text are left out."""
    sheet = Sheet(name)
    columns: dict[int, tuple[str, str | None]] = {}
    for number, values in lines:
        if not columns:
            columns = dict(_headings(sheet, values))
            continue
        row = _read_row(name, number, columns, values)
        if row.cells or row.texts:
            sheet.rows.append(row)
            sheet.lines.append([cleaned(values[i]) if i < len(values) else "" for i in columns])
    return sheet


def workbook_of(source: Source) -> Workbook:
    """The sheets of a kept source; its rows are numbered as the export writes them."""
    read = {}
    for name in NAMES:
        sheet = source.get(name, {"headings": [], "lines": []})
        read[name] = read_sheet(name, enumerate([sheet["headings"], *sheet["lines"]], start=1))
    return Workbook(**read)


def language_of(heading: str) -> str:
    """`Español (es)` -> `es`; a language written without its code is its name in small letters."""
    code = re.search(r"\(([A-Za-z]{2,3})(?:[-_]\w+)?\)\s*$", heading)
    return code[1].lower() if code else heading.strip().lower()


def column_of(heading: str) -> tuple[str, str | None]:
    """`label::Español (es)` -> ("label", "es"); a column without translation has no language."""
    plain = heading.strip().lower()
    if plain in ALIASES:
        return ALIASES[plain], None
    base, colons, language = heading.partition("::")
    if base.strip().lower() == "media":
        base, colons, language = language.partition("::")
    if not colons and ":" in heading:
        base, colons, language = heading.partition(":")
    column = ALIASES.get(base.strip().lower(), base.strip().lower())
    return (column, language_of(language)) if colons and column in TRANSLATED else (ALIASES.get(plain, column), None)


def letter_of(place: int) -> str:
    """The letter of a column, counted from 0."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def cleaned(text: str) -> str:
    """A cell's text without what does not show."""
    return text.translate(_INVISIBLE).strip()


def _headings(sheet: Sheet, values: Sequence[str]) -> Iterator[tuple[int, tuple[str, str | None]]]:
    seen: set[tuple[str, str | None]] = set()
    for index, value in enumerate(values):
        heading = " ".join(cleaned(value).translate(_SPACES).split())
        if not heading:
            continue
        column = column_of(heading)
        if column in seen:
            sheet.twice.append((letter_of(index), heading))
        seen.add(column)
        sheet.headers.setdefault(column[0], (letter_of(index), heading))
        sheet.headings.append(heading)
        yield index, column


def _read_row(name: str, number: int, columns: dict[int, tuple[str, str | None]], values: Sequence[str]) -> Row:
    row = Row(name, number, {}, {})
    for index, (column, language) in columns.items():
        text = cleaned(values[index]) if index < len(values) else ""
        if not text:
            continue
        if column in TRANSLATED:
            row.texts.setdefault(column, {})[language or ""] = text
        else:
            plain = text.translate(_SPACES)
            row.cells[column] = (plain.translate(_QUOTES) if column in EXPRESSIONS else plain).strip()
    return row
