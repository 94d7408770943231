"""Files as people send them: what is read, and what is refused with a sentence before it can do harm."""

import time
import tracemalloc
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from callcenter.base.errors import InvalidInput
from callcenter.lists import import_columns, import_inspection
from callcenter.tables import table_files
from callcenter.tables.table_files import csv_line, open_table

HEAD = "NOMBRE{d}CELULAR{d}SECCION\n"


def rows_of(path: Path) -> list[list[str]]:
    return [cells for _number, cells in open_table(path, import_columns.known_names).rows()]


@pytest.mark.parametrize("delimiter", ["|", ";", "\t", ","])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_any_delimiter_and_encoding_is_read(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = tmp_path / "lista.csv"
    path.write_bytes((HEAD + "Begoña Núñez{d}2281234567{d}2301\n").format(d=delimiter).encode(encoding))
    assert rows_of(path)[1] == ["Begoña Núñez", "2281234567", "2301"]


def test_a_quoted_cell_over_two_lines_is_one_row_with_the_number_of_its_first(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_text(HEAD.format(d=",") + '"Ana\nPérez",2281234567,1\nEva,2281234568,2\n')
    assert [number for number, _cells in open_table(path, import_columns.known_names).rows()] == [1, 2, 4]


def workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[Any]]], *, hidden: str = "") -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        if name == hidden:
            sheet.sheet_state = "hidden"
    book.save(path)
    return path


def test_a_workbook_gives_numbers_as_they_are_typed_from_its_visible_sheet(tmp_path: Path) -> None:
    hidden: list[list[Any]] = [["NOMBRE", "CELULAR", "SECCION", "EDAD"]]
    lista: list[list[Any]] = [["NOMBRE", "CELULAR", "FECHA", "ACEPTA"], ["Ana", 2281234567.0, date(1990, 5, 31), True]]
    path = workbook(tmp_path / "lista.xlsx", {"Antes": hidden, "Lista": lista}, hidden="Antes")
    assert rows_of(path) == [["NOMBRE", "CELULAR", "FECHA", "ACEPTA"], ["Ana", "2281234567", "1990-05-31", "TRUE"]]
    table = open_table(path, import_columns.known_names)
    assert [(one.name, one.is_hidden) for one in table.sheets] == [("Antes", True), ("Lista", False)]


def test_any_sheet_can_be_asked_for_and_a_missing_one_is_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "lista.xlsx", {"Uno": [["NOMBRE", "CELULAR"]], "Dos": [["x"]]}, hidden="Dos")
    asked = open_table(path, import_columns.known_names, sheet="Dos")
    assert list(asked.rows()) == [(1, ["x"])]
    with pytest.raises(InvalidInput, match="no sheet «Tres»"):
        open_table(path, import_columns.known_names, sheet="Tres")


def test_titles_over_merged_cells_stand_above_the_names(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"] = "PADRÓN DE PROMOVIDOS"
    sheet.merge_cells("A1:C2")
    sheet["A4"], sheet["B4"] = "NOMBRE", "CELULAR"
    sheet["A5"], sheet["B5"] = "Ana", "228 123 4567"
    book.save(tmp_path / "lista.xlsx")
    found = import_inspection.inspect(tmp_path / "lista.xlsx")
    assert (found.header.row, found.header.names, found.sample) == (
        4, ("NOMBRE", "CELULAR"), [(5, ["Ana", "228 123 4567"])],
    )  # fmt: skip


def test_a_formula_gives_the_value_it_was_saved_with_and_one_without_is_named(tmp_path: Path) -> None:
    sheet = (
        '<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>NOMBRE</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>CELULAR</t></is></c></row>'
        '<row r="2"><c r="A2" t="str"><f>UPPER("ana")</f><v>ANA</v></c><c r="B2"><f>B9*1</f><v>2281234567</v></c></row>'
        '<row r="3"><c r="A3" t="inlineStr"><is><t>Eva</t></is></c><c r="B3"><f>B9*1</f></c></row>'
        "</sheetData></worksheet>"
    )
    path = bare_workbook(tmp_path / "lista.xlsx", sheet)
    table = open_table(path, import_columns.known_names)
    assert [cells for _row, cells in table.rows()] == [["NOMBRE", "CELULAR"], ["ANA", "2281234567"], ["Eva"]]
    assert table.empty_formulas == {1: 3}


def bare_workbook(path: Path, sheet: str) -> Path:
    """As a program writes that knows no more of the format than it must."""
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns:r="{relation}" xmlns="x"><sheets><sheet name="Hoja" r:id="r1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    return path


def test_a_million_empty_rows_cost_neither_time_nor_memory(tmp_path: Path) -> None:
    """Excel keeps the style of every row that was ever touched; a list of two people may bring them all."""
    head = (
        '<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>NOMBRE</t></is></c>'
        '<c r="B1" t="inlineStr"><is><t>CELULAR</t></is></c></row>'
        '<row r="2"><c r="A2" t="inlineStr"><is><t>Ana</t></is></c><c r="B2"><v>2281234567</v></c></row>'
    )
    empty = "".join(f'<row r="{n}" s="1"><c r="A{n}" s="1"/><c r="B{n}" s="1"/></row>' for n in range(3, 1_048_577))
    path = bare_workbook(tmp_path / "lista.xlsx", head + empty + "</sheetData></worksheet>")
    del empty
    began = time.process_time()
    found = import_inspection.inspect(path)
    assert time.process_time() - began < 10  # two seconds; read cell by cell it would be half a minute
    tracemalloc.start()
    rows = list(islice(found.rows(), 1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.sample, rows) == ([(2, ["Ana", "2281234567"])],) * 2
    assert peak < 30_000_000


# ruff: noqa: E501  # a document as the program writes it
ODS = """<?xml version="1.0"?><office:document-content
 xmlns:office="o" xmlns:table="t" xmlns:text="x" xmlns:style="s"><office:automatic-styles>
<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style></office:automatic-styles>
<office:body><office:spreadsheet>
<table:table table:name="Vieja" table:style-name="ta2"><table:table-row><table:table-cell
 office:value-type="string"><text:p>x</text:p></table:table-cell></table:table-row></table:table>
<table:table table:name="Lista" table:style-name="ta1">
<table:table-row><table:table-cell table:number-columns-spanned="3" office:value-type="string"><text:p>PADRÓN</text:p>
</table:table-cell><table:covered-table-cell table:number-columns-repeated="2"/></table:table-row>
<table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p>NOMBRE</text:p></table:table-cell><table:table-cell
 office:value-type="string"><text:p>CELULAR</text:p></table:table-cell><table:table-cell office:value-type="string">
<office:annotation><text:p>nota</text:p></office:annotation><text:p>FECHA_NAC</text:p></table:table-cell></table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p>Ana<text:s text:c="2"/>Peña</text:p></table:table-cell>
<table:table-cell office:value-type="float" office:value="2281234567"><text:p>2.28E+09</text:p></table:table-cell>
<table:table-cell office:value-type="date" office:date-value="1990-05-31T00:00:00"><text:p>31/05/90</text:p>
</table:table-cell></table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p>Eva</text:p></table:table-cell><table:table-cell
 table:formula="of:=[.Z1]"/></table:table-row>
<table:table-row table:number-rows-repeated="1048569"><table:table-cell table:number-columns-repeated="16384"/>
</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"""


def opendocument(path: Path, content: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    return path


def test_an_opendocument_sheet_is_read_like_any_other(tmp_path: Path) -> None:
    table = open_table(opendocument(tmp_path / "lista.ods", ODS), import_columns.known_names)
    assert (table.kind, table.sheet) == ("ods", "Lista")
    assert [(one.name, one.is_hidden) for one in table.sheets] == [("Vieja", True), ("Lista", False)]
    assert list(table.rows()) == [
        (1, ["PADRÓN"]), (4, ["NOMBRE", "CELULAR", "FECHA_NAC"]), (5, ["Ana  Peña", "2281234567", "1990-05-31"]),
        (6, ["Eva"]),
    ]  # fmt: skip
    assert table.empty_formulas == {1: 6}


@pytest.mark.parametrize(
    ("attribute", "word"),
    [('table:number-rows-repeated="900000"', "unpacks into more"), ("", "columns; the limit is 300")],
)
def test_an_opendocument_cell_that_stands_for_millions_is_refused(tmp_path: Path, attribute: str, word: str) -> None:
    cells = '<table:table-cell table:number-columns-repeated="{}" office:value-type="string"><text:p>x</text:p></table:table-cell>'
    content = (
        '<d xmlns:table="t" xmlns:office="o" xmlns:text="x"><table:table table:name="A">'
        f"<table:table-row {attribute}>{cells.format(200 if attribute else 16384)}</table:table-row></table:table></d>"
    )
    with pytest.raises(InvalidInput, match=word):
        rows_of(opendocument(tmp_path / "lista.ods", content))


def test_a_list_put_together_from_two_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    utf8 = "".join(f"Begoña {n},22812345{n}\n" for n in range(10, 20))
    path.write_bytes(HEAD.format(d=",").encode() + utf8.encode() + "Núñez,2281234599\n".encode("cp1252"))
    table = open_table(path, import_columns.known_names)
    assert (table.encoding, table.odd_lines) == ("mixed", 1)
    names = [cells[0] for _row, cells in table.rows()]
    assert (names[1], names[-1]) == ("Begoña 10", "Núñez")


def test_a_line_of_a_mixed_list_in_no_known_letters_is_named(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    utf8 = "".join(f"Begoña {n},22812345{n}\n" for n in range(10, 20))
    path.write_bytes(HEAD.format(d=",").encode() + utf8.encode() + b"N\x81\x8d,2281234599\n")
    with pytest.raises(InvalidInput, match="After line 11"):
        rows_of(path)


def test_a_windows_list_with_a_broken_letter_that_looks_like_utf8_stays_a_windows_list(tmp_path: Path) -> None:
    path = tmp_path / "lista.csv"
    path.write_bytes("NOMBRE,CELULAR\nBegoña,1\nNúñez,2\nPeÃ±a,3\n".encode("cp1252"))
    assert [row[0] for row in rows_of(path)[1:]] == ["Begoña", "Núñez", "PeÃ±a"]


def bomb(path: Path, *, lies: bool = False) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * 60_000_000)
    if lies:
        # The declared size of the sheet becomes one byte, in its own header and in the directory.
        packed = path.read_bytes()
        path.write_bytes(packed.replace((60_000_000).to_bytes(4, "little"), (1).to_bytes(4, "little")))
    return path


def test_what_is_no_table_is_refused_with_a_sentence(tmp_path: Path) -> None:
    files = {
        "empty": (b"", "empty"),
        "blank": (b" \n\r\n", "empty"),
        "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 30, "binary"),
        "zeros": (b"NOMBRE,CELULAR\n" + b"\x00" * 4000, "binary"),
        "old.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "old Excel"),
        "letters": (b"NOMBRE,CELULAR\n" + b"\x81\x8d\x8f\x90\x9d,228\n", "encoding"),
        "broken.xlsx": (b"PK\x03\x04" + b"x" * 600, "damaged"),
        "wide": (HEAD.format(d=",").encode() + b"x," * 400 + b"\n", "columns"),
        "quote": (HEAD.format(d=",").encode() + b'"' + b"a,b\n" * 60_000, "quotation mark"),
    }
    for name, (content, word) in files.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InvalidInput, match=word):
            rows_of(path)


def zip_of(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


LIST = "NOMBRE;CELULAR\nBegoña;2281234567\n".encode()


def test_a_zip_of_one_list_is_that_list(tmp_path: Path) -> None:
    files = {"carpeta/": b"", "carpeta/lista.csv": LIST, "__MACOSX/carpeta/._lista.csv": b"x", ".DS_Store": b"x"}
    path = zip_of(tmp_path / "lista.zip", files)
    table = open_table(path, import_columns.known_names)
    assert (table.kind, table.member, table.delimiter) == ("csv", "lista.csv", ";")
    assert rows_of(path) == [["NOMBRE", "CELULAR"], ["Begoña", "2281234567"]]
    assert [one.name for one in tmp_path.iterdir()] == ["lista.zip"]


def test_a_workbook_in_a_zip_is_that_workbook(tmp_path: Path) -> None:
    book = workbook(tmp_path / "lista.xlsx", {"Lista": [["NOMBRE", "CELULAR"], ["Ana", 2281234567]]})
    path = zip_of(tmp_path / "lista.zip", {"lista.xlsx": book.read_bytes()})
    assert rows_of(path)[1] == ["Ana", "2281234567"]


def test_a_zip_of_anything_else_is_refused_with_a_sentence_that_names_it(tmp_path: Path) -> None:
    inner = zip_of(tmp_path / "inner.zip", {"lista.csv": LIST}).read_bytes()
    zips: dict[str, tuple[dict[str, bytes], str]] = {
        "two": ({"enero.csv": LIST, "febrero.csv": LIST}, r"2 files \(enero\.csv, febrero\.csv\)"),
        "none": ({"carpeta/": b""}, "ZIP is empty"),
        "other": ({"leeme.pdf": b"%PDF"}, r"«leeme\.pdf», which is no list"),
        "nested": ({"inner.zip": inner}, "a ZIP in the ZIP"),
        "bomb": ({"lista.csv": b"0" * 60_000_000}, "unpacks into more"),
        "many": ({f"{n}/": b"" for n in range(6000)}, "unpacks into more"),
    }
    for name, (files, word) in zips.items():
        with pytest.raises(InvalidInput, match=word):
            rows_of(zip_of(tmp_path / f"{name}.zip", files))


@pytest.mark.parametrize("lies", [False, True])
def test_a_zip_bomb_is_refused_by_what_it_declares_and_by_what_it_does(tmp_path: Path, lies: bool) -> None:
    with pytest.raises(InvalidInput, match=r"unpacks into more|damaged"):
        rows_of(bomb(tmp_path / "bomb.xlsx", lies=lies))


@pytest.mark.parametrize(("before", "encoding"), [("", "utf-8"), (" " * 2_000_000, "utf-8"), ("", "utf-16")])
def test_a_workbook_that_declares_entities_is_refused(tmp_path: Path, before: str, encoding: str) -> None:
    path = tmp_path / "lista.xlsx"
    document = f'<?xml version="1.0"?>{before}<!DOCTYPE x [<!ENTITY a "aaaa">]><workbook/>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", document.encode(encoding))
    with pytest.raises(InvalidInput, match="unpacks into more"):
        rows_of(path)


def test_a_table_of_texts_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_files, "MAX_STRINGS_BYTES", 100_000)
    path = tmp_path / "lista.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/sharedStrings.xml", "<sst>" + "x" * 100_000)
    with pytest.raises(InvalidInput, match="unpacks into more"):
        rows_of(path)


def test_two_hundred_megabytes_in_one_line_are_refused_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    with path.open("wb") as file:
        for _ in range(200):
            file.write(b"a" * 1_000_000)
    with pytest.raises(InvalidInput, match="longer than"):
        import_inspection.inspect(path)


def test_an_export_cannot_start_a_formula() -> None:
    assert csv_line(["=1+1", "+52", "-1", "@x", "ok", None, 7]) == "'=1+1,'+52,'-1,'@x,ok,,7\r\n"


@pytest.mark.parametrize("number", ["x", "-5", "0", "1048577", "99999999999999999999", ""])
def test_a_row_that_no_sheet_has_is_a_damaged_workbook(tmp_path: Path, number: str) -> None:
    path = bare_workbook(tmp_path / "x.xlsx", f'<row r="{number}"><c r="A1"><v>7</v></c></row>')
    with pytest.raises(InvalidInput):
        rows_of(path)


@pytest.mark.parametrize("tag", ['c r="A1"' + ' r="A1"' * 100_000, 'row r="1"' + ' r="1"' * 100_000])
def test_a_tag_of_a_hundred_thousand_attributes_costs_no_quadratic_time(tmp_path: Path, tag: str) -> None:
    path = bare_workbook(tmp_path / "x.xlsx", f'<row r="1"><{tag}>')
    before = time.process_time()
    with pytest.raises(InvalidInput):
        rows_of(path)
    assert time.process_time() - before < 5  # it took minutes
