"""XLSForms for the tests: the sample, and workbooks made of rows."""

from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl

SAMPLE = Path(__file__).parents[1] / "data" / "encuesta_intencion.xlsx"
Rows = list[list[Any]]


def workbook(survey: Rows | None, choices: Rows | None = None, settings: Rows | None = None) -> bytes:
    """An XLSForm of these rows, headings first."""
    book = openpyxl.Workbook()
    book.remove(book.active or book.create_sheet())
    for name, rows in (("survey", survey), ("choices", choices), ("settings", settings)):
        if rows is not None:
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
    content = BytesIO()
    book.save(content)
    return content.getvalue()
