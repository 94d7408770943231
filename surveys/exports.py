"""Tables as CSV and XLSX files; a cell that a spreadsheet would take for a formula is made plain text."""

import csv
import math
from collections.abc import Iterable, Sequence
from io import BytesIO, StringIO

Cell = str | int | float | None
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(cell: Cell) -> Cell:
    """`=1+1` -> `'=1+1`; numbers stay numbers, and what is not a number is an empty cell."""
    if isinstance(cell, float) and math.isnan(cell):
        return None
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with a byte-order mark, so that Excel reads the accents."""
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([safe(cell) for cell in header])
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def xlsx_bytes(title: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], notes: Sequence[str]) -> bytes:
    """A workbook with one sheet: the notes (base, dates, margin), then the table."""
    import openpyxl
    from openpyxl.styles import Font

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "".join(char for char in title if char not in "[]:*?/\\")[:31] or "table"
    for note in notes:
        sheet.append([safe(note)])
    sheet.append([safe(cell) for cell in header])
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)
    for row in rows:
        sheet.append([safe(cell) for cell in row])
    content = BytesIO()
    book.save(content)
    return content.getvalue()
