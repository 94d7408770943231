"""Tables in words and cells: how a page, a CSV and a workbook write them."""

import math
from collections.abc import Iterator, Sequence
from io import BytesIO

from flask_babel import format_decimal, format_percent
from flask_babel import gettext as _

from callcenter.tables.table_exports import Cell as FileCell
from callcenter.tables.table_files import harmless
from surveys.analysis.crosstabs import Cell, Column, Group, Row, Table
from surveys.weighting.variances import RaoScott

DASH = "–"


def figure(cell: Cell, row: Row) -> str:
    """A share as `37.4 %`, a mean as `6.21`; a dash where nothing is shown."""
    if cell.share is None:
        return DASH
    return mean(cell.share) if row.is_mean else percent(cell.share)


def interval(cell: Cell, row: Row) -> str:
    """`34.1 – 40.8`."""
    if cell.low is None or cell.high is None or math.isnan(cell.low):
        return DASH
    if row.is_mean:
        return f"{mean(cell.low)} – {mean(cell.high)}"
    return f"{percent(cell.low).removesuffix('%').strip()} – {percent(cell.high)}"


def percent(share: float) -> str:
    return str(format_percent(share, "#,##0.0 %"))


def mean(value: float) -> str:
    return str(format_decimal(value, "#,##0.00"))


def people(column: Column) -> str:
    """How many: of a hidden column only that they are few."""
    return "<10" if column.cell == "hidden" else str(format_decimal(column.n))


def effective(column: Column) -> str:
    return DASH if column.cell == "hidden" else str(format_decimal(round(column.effective)))


def p_value(p: float) -> str:
    """`p = 0.013`, or that it is below a thousandth."""
    if math.isnan(p):
        return "p = –"
    limit, exact = format_decimal(0.001, "0.000"), format_decimal(p, "0.000")
    return f"p < {limit}" if p < 0.001 else f"p = {exact}"


def test(found: RaoScott | None) -> str:
    """Rao and Scott's test of one group of columns."""
    if found is None or math.isnan(found.f):
        return DASH
    f = format_decimal(found.f, "#,##0.00")
    first, second = format_decimal(found.df1, "0.0"), format_decimal(found.df2, "#,##0")
    return f"F({first}; {second}) = {f}, {p_value(found.p)}"


def tests(cell: Cell) -> str:
    """The p-values behind the letters: `B p = 0.013; C p < 0.001`."""
    return "; ".join(f"{letter} {p_value(p)}" for letter, p in cell.tests.items())


def group_name(group: Group) -> str:
    return group.variable.label if group.variable else str(_("All"))


def column_name(column: Column) -> str:
    return column.label or str(_("All"))


def header() -> list[str]:
    """Of the flat file: one line for each answer in each column."""
    return [
        _("question"), _("wording"), _("answer"), _("code"), _("breakdown"), _("group"), _("letter"), _("n"),
        _("base"), _("weighted base"), _("effective base"), _("share"), _("low"), _("high"), _("above columns"),
        _("p-values"), _("cell"), _("Rao–Scott F"), _("Rao–Scott p"),
    ]  # fmt: skip


def flat(tables: Sequence[Table]) -> Iterator[list[FileCell]]:
    """The lines of the flat file."""
    for table in tables:
        places = [(group, column) for group in table.groups for column in group.columns]
        for row in table.rows:
            for (group, column), cell in zip(places, row.cells, strict=True):
                yield [
                    table.question.name, table.question.label, row_name(row), row.code, group_name(group),
                    column_name(column), column.letter, cell.n, *_bases(column), cell.share, cell.low, cell.high,
                    cell.letters, tests(cell), column.cell, *_test(group.test),
                ]  # fmt: skip


def row_name(row: Row) -> str:
    return str(_("mean")) if row.is_mean else row.label


def _bases(column: Column) -> tuple[FileCell, FileCell, FileCell]:
    if column.cell == "hidden":
        return None, None, None
    return column.n, round(column.base, 4), round(column.effective, 4)


def _test(found: RaoScott | None) -> tuple[FileCell, FileCell]:
    return (None, None) if found is None or math.isnan(found.f) else (found.f, found.p)


def workbook(tables: Sequence[Table], notes: Sequence[str]) -> bytes:
    """An XLSX with a sheet for each table as it looks on the page, shares as numbers, letters beside them."""
    import openpyxl
    from openpyxl.styles import Font

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for number, table in enumerate(tables, 1):
        sheet = book.create_sheet(f"{number} {_plain(table.question.name)}"[:31])
        for line in (table.question.label, *notes):
            sheet.append([harmless(line)])
        for line_of, is_bold in _lines(table):
            sheet.append([harmless(cell) for cell in line_of])
            for cell in sheet[sheet.max_row] if is_bold else ():
                cell.font = Font(bold=True)
        _formats(sheet, table)
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def _plain(name: str) -> str:
    return "".join(char for char in name if char not in "[]:*?/\\'")


def _lines(table: Table) -> Iterator[tuple[list[FileCell], bool]]:
    """The sheet's lines, and whether each is a heading. Each column is two: the figure and its letters."""
    columns = [(group, column) for group in table.groups for column in group.columns]
    yield ["", *(name for group, _column in columns for name in (group_name(group), ""))], True
    yield ["", *(name for _group, one in columns for name in (column_name(one), one.letter))], True
    yield [_("n"), *_pairs(_bases(column)[0] for _group, column in columns)], False
    yield [_("effective base"), *_pairs(_bases(column)[2] for _group, column in columns)], False
    for row in table.rows:
        yield [row_name(row), *(each for cell in row.cells for each in (cell.share, cell.letters))], False
    for group in table.groups:
        if group.test is not None:
            yield [f"{group_name(group)}: {test(group.test)}"], False


def _pairs(values: Iterator[FileCell]) -> Iterator[FileCell]:
    return (each for value in values for each in (value, ""))


def _formats(sheet: object, table: Table) -> None:
    """Shares as percentages in the spreadsheet, too; a wide first column."""
    from openpyxl.worksheet.worksheet import Worksheet

    assert isinstance(sheet, Worksheet)
    sheet.column_dimensions["A"].width = 38
    shares = [row for row in table.rows if not row.is_mean]
    if not shares:
        return
    tested = sum(group.test is not None for group in table.groups)
    last = sheet.max_row - tested
    for cells in sheet.iter_rows(min_row=last - len(table.rows) + 1, max_row=last, min_col=2):
        for cell in cells:
            if isinstance(cell.value, float):
                cell.number_format = "0.0%"
