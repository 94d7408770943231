"""Refused rows, sent out to be corrected and taken in again: the file says which import it corrects.

Its first two columns are «Row of import 12» and «Reason», in the language of whoever downloaded it; a spreadsheet may
save it in any format. When it comes back, those columns are left out, and source and mapping are the first import's.
"""

import io
import re
from collections.abc import Iterable, Iterator, Sequence

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter.imports import ImportBatch
from callcenter.lists.import_columns import Header, column_key
from callcenter.tables.table_files import csv_line, harmless

# The name of the column of row numbers, in each of our languages.
_ROW_OF = re.compile(r"(?:row_of_import|renglon_de_la_importacion)_(\d{1,9})\Z")
MAX_SHEET_ROWS = 1_000_000  # a sheet takes 1,048,576


def head(import_id: int, names: Sequence[str]) -> list[str]:
    """The names of the columns of a file of refused rows."""
    return [_("Row of import %(number)s", number=import_id), _("Reason"), *names]


def original(session: Session, header: Header) -> ImportBatch | None:
    """The import whose refused rows this file corrects, when it is such a file and the import is known."""
    numbers = [found[1] for name in header.names if (found := _ROW_OF.match(column_key(name)))]
    return session.get(ImportBatch, int(numbers[0])) if len(numbers) == 1 else None


def take_over(batch: ImportBatch, corrected: ImportBatch) -> None:
    """The corrected rows are of the first list's source and notice."""
    batch.source = corrected.source
    batch.notice_version = batch.notice_version or corrected.notice_version
    batch.options = batch.options | {"corrects": corrected.id}


def as_csv(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Lines of CSV that Excel opens in the right letters."""
    yield "\ufeff"
    for row in rows:
        yield csv_line(row)


def as_workbook(rows: Iterable[Sequence[object]]) -> bytes:
    """The same as an .xlsx whose cells are all text, so that no phone becomes 2.28E+09 on the way back."""
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    sheet = book.create_sheet(_("Rows refused"))
    for number, row in enumerate(rows):
        if number <= MAX_SHEET_ROWS:
            # A control character that a file held has no place in a workbook: without it the rest can be read.
            plain = (ILLEGAL_CHARACTERS_RE.sub("", str(cell)) if cell is not None else None for cell in row)
            sheet.append([harmless(cell) for cell in plain])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
