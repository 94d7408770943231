"""An XLSForm workbook as rows that know where they stand, so that every fault can name sheet, row and column."""

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput

MAX_BYTES = 5_000_000
MAX_UNPACKED = 60_000_000
MAX_ROWS = 20_000
MAX_COLUMNS = 200
MAX_FAULTS = 25
# Columns that XLSForm writes in more than one way (https://xlsform.org/en/ref-table/).
ALIASES = {
    "relevance": "relevant", "constraint message": "constraint_message", "calculate": "calculation",
    "list name": "list_name", "value": "name", "choice filter": "choice_filter", "required message": "required_message",
    "media::audio": "audio", "media::image": "image", "media::video": "video",
}  # fmt: skip
TRANSLATED = ("label", "hint", "constraint_message", "required_message", "audio")


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
    """`headers`: column -> its letter and its heading as the person wrote it."""

    name: str
    rows: list[Row] = field(default_factory=list)
    headers: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass
class Workbook:
    survey: Sheet
    choices: Sheet
    settings: Sheet


class Faults:
    """Everything wrong with a form, told together: {"survey!G12": sentence}."""

    def __init__(self, workbook: Workbook) -> None:
        self._sheets = {sheet.name: sheet for sheet in (workbook.survey, workbook.choices, workbook.settings)}
        self._told: dict[str, str] = {}

    def add(self, row: Row, column: str, problem: str) -> None:
        letter, heading = self._sheets[row.sheet].headers.get(column, ("", column))
        if len(self._told) < MAX_FAULTS:
            self._told.setdefault(
                f"{row.sheet}!{letter}{row.number}",
                _(
                    "Sheet “%(sheet)s”, row %(row)s, column “%(column)s”: %(problem)s.",
                    sheet=row.sheet,
                    row=row.number,
                    column=heading,
                    problem=problem,
                ),
            )

    def stop_if_any(self) -> None:
        if self._told:
            raise InvalidInput(self._told)


def read_workbook(content: bytes) -> Workbook:
    """The three sheets of an XLSForm. Raises InvalidInput when it is no such file, too large or lacks a sheet."""
    _check_container(content)
    import openpyxl

    try:  # openpyxl lets errors of zip, of XML and its own through: all of them mean a bad file
        book = openpyxl.load_workbook(BytesIO(content), read_only=True, data_only=True)
    except Exception as error:
        raise _no_workbook() from error
    sheets = {name.strip().lower(): book[name] for name in book.sheetnames}
    if "survey" not in sheets:
        raise InvalidInput(
            _(
                "The file has no sheet called “survey”; it has %(sheets)s. Rename the sheet with the questions.",
                sheets=", ".join(f"“{name}”" for name in book.sheetnames),
            )
        )
    read = {name: _read_sheet(name, sheets[name]) if name in sheets else Sheet(name) for name in _NAMES}
    book.close()
    return Workbook(**read)


_NAMES = ("survey", "choices", "settings")


def language_of(heading: str) -> str:
    """`Español (es)` -> `es`; a language written without its code is its name in small letters."""
    code = re.search(r"\(([A-Za-z]{2,3})(?:[-_]\w+)?\)\s*$", heading)
    return code[1].lower() if code else heading.strip().lower()


def _check_container(content: bytes) -> None:
    if not content:
        raise InvalidInput(_("The file is empty. Choose the XLSForm (.xlsx) again."))
    if len(content) > MAX_BYTES:
        raise InvalidInput(_("The file is larger than 5 MB. Remove pictures and other sheets from it."))
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise _no_workbook() from error
    if unpacked > MAX_UNPACKED:
        raise InvalidInput(_("The file unpacks to more than 60 MB. Save the questionnaire alone in a new workbook."))


def _no_workbook() -> InvalidInput:
    return InvalidInput(_("This is not an Excel workbook (.xlsx). Save the questionnaire as “Excel Workbook (.xlsx)”."))


def _read_sheet(name: str, worksheet: Any) -> Sheet:
    sheet = Sheet(name)
    # The size that a file states of itself may be a lie: read on until there is nothing, up to our own limits.
    worksheet.reset_dimensions()
    lines = enumerate(worksheet.iter_rows(values_only=True, max_row=MAX_ROWS, max_col=MAX_COLUMNS), start=1)
    columns: dict[int, tuple[str, str | None]] = {}
    for number, values in lines:
        if not columns:
            columns = dict(_headings(sheet, values))
            continue
        row = _read_row(name, number, columns, values)
        if row.cells or row.texts:
            sheet.rows.append(row)
    return sheet


def _headings(sheet: Sheet, values: tuple[Any, ...]) -> Iterator[tuple[int, tuple[str, str | None]]]:
    from openpyxl.utils import get_column_letter

    for index, value in enumerate(values):
        heading = _text(value)
        if not heading:
            continue
        column, language = _column(heading)
        letter = get_column_letter(index + 1)
        sheet.headers.setdefault(column, (letter, heading))
        yield index, (column, language)


def _column(heading: str) -> tuple[str, str | None]:
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


def _read_row(name: str, number: int, columns: dict[int, tuple[str, str | None]], values: tuple[Any, ...]) -> Row:
    row = Row(name, number, {}, {})
    for index, (column, language) in columns.items():
        text = _text(values[index]) if index < len(values) else ""
        if not text:
            continue
        if column in TRANSLATED:
            row.texts.setdefault(column, {})[language or ""] = text
        else:
            row.cells[column] = text
    return row


def _text(value: Any) -> str:
    """A cell as text: whole numbers without a point, typographic quotes (Excel makes them) as plain ones."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).replace("\x00", "").strip()
