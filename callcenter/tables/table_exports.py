"""Tables as CSV and XLSX files; a cell that a spreadsheet would take for a formula is made plain text."""

from collections.abc import Iterable, Sequence
from io import BytesIO

from callcenter.tables.table_files import csv_line, harmless

Cell = str | int | float | None


def csv_bytes(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with a byte-order mark, so that Excel reads the accents."""
    return (csv_line(header) + "".join(map(csv_line, rows))).encode("utf-8-sig")


def xlsx_bytes(title: str, header: Sequence[str], rows: Iterable[Sequence[Cell]], notes: Sequence[str]) -> bytes:
    """A workbook with one sheet: the notes (base, dates, margin), then the table."""
    import openpyxl
    from openpyxl.styles import Font

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "".join(char for char in title if char not in "[]:*?/\\")[:31] or "table"
    for note in notes:
        sheet.append([harmless(note)])
    sheet.append([harmless(cell) for cell in header])
    for cell in sheet[sheet.max_row]:
        cell.font = Font(bold=True)
    for row in rows:
        sheet.append([harmless(cell) for cell in row])
    content = BytesIO()
    book.save(content)
    return content.getvalue()
