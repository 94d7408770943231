"""Files as people send them: what is read, and what is refused with a sentence before it can do harm."""

import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from callcenter import import_columns, import_inspection, table_files
from callcenter.base.errors import InvalidInput
from callcenter.table_files import csv_line, open_table

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


def test_a_workbook_gives_numbers_as_they_are_typed_from_its_visible_sheet(tmp_path: Path) -> None:
    book, path = Workbook(), tmp_path / "lista.xlsx"
    hidden = book.active
    assert hidden is not None
    hidden.append(["NOMBRE", "CELULAR", "SECCION", "EDAD"])
    hidden.sheet_state = "hidden"
    sheet = book.create_sheet("Lista")
    sheet.append(["NOMBRE", "CELULAR"])
    sheet.append(["Ana", 2281234567.0])
    book.save(path)
    assert rows_of(path) == [["NOMBRE", "CELULAR"], ["Ana", "2281234567"]]


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


def test_a_zip_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lista.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lista.csv", "NOMBRE,CELULAR\n")
    with pytest.raises(InvalidInput, match="without an Excel workbook"):
        rows_of(path)


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
