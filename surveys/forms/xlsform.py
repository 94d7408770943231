"""XLSForm workbooks: read into sheets (surveys.forms.sheets), and written again from a form's source."""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput
from surveys.forms.sheets import NAMES, Sheet, Source, Workbook, read_sheet

MAX_BYTES = 5_000_000
MAX_UNPACKED = 60_000_000
MAX_ROWS = 20_000
MAX_COLUMNS = 200
WIDTHS = {"type": 22, "name": 18, "list_name": 16}  # of columns, in characters
WIDE = 40


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
    read = {name: read_sheet(name, _lines(name, sheets[name])) if name in sheets else Sheet(name) for name in NAMES}
    book.close()
    return Workbook(**read)


def write_workbook(source: Source) -> bytes:
    """The XLSForm of a source: what `read_workbook` reads of it is the same form."""
    import openpyxl
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = openpyxl.Workbook()
    book.remove(book.active or book.create_sheet())
    for name in NAMES:
        sheet = book.create_sheet(name)
        for place, line in enumerate([source[name]["headings"], *source[name]["lines"]], start=1):
            for column, text in enumerate(line, start=1):
                if text:
                    cell = sheet.cell(place, column, text)
                    cell.data_type = "s"  # a label that begins with “=” is words, not a formula
                    cell.alignment = Alignment(vertical="top", wrap_text=True)
                    cell.font = Font(bold=place == 1)
        for column, heading in enumerate(source[name]["headings"], start=1):
            sheet.column_dimensions[get_column_letter(column)].width = WIDTHS.get(heading, WIDE)
        sheet.freeze_panes = "A2"
    content = BytesIO()
    book.save(content)
    return content.getvalue()


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


def _lines(name: str, worksheet: Any) -> Iterator[tuple[int, list[str]]]:
    # The size that a file states of itself may be a lie: read on until there is nothing, up to our own limits.
    worksheet.reset_dimensions()
    for number, values in enumerate(worksheet.iter_rows(values_only=True, max_col=MAX_COLUMNS), start=1):
        if number <= MAX_ROWS:
            yield number, [_text(value) for value in values]
        elif any(value is not None for value in values):  # empty rows with a colour may follow for ever
            raise InvalidInput(
                _(
                    "The sheet “%(sheet)s” has more than %(most)s rows. Split the questionnaire.",
                    sheet=name,
                    most=MAX_ROWS,
                )
            )


def _text(value: Any) -> str:
    """A cell as text: whole numbers without a point."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value)
