"""Blocks of a list become the people, the phones and the refused rows that its rows become one by one."""

import csv
import json
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.contacts import name_key, text_key
from callcenter.lists.import_frames import FrameReader
from callcenter.lists.import_rows import Person, Refused, RowReader, is_data
from callcenter.people.attributes import Attribute
from callcenter.tables.table_blocks import read_blocks
from callcenter.tables.table_files import TableFile
from tests.callcenter.list_cells import phones, words

FIELDS = {
    "FOLIO": "folio", "NOMBRE": "name", "AP": "surname", "AM": "second_surname", "SEXO": "sex", "EDAD": "age",
    "NAC": "birth_date", "COL": "neighborhood", "MUN": "municipality", "EDO": "state", "SEC": "section",
    "CEL": "mobile",
    "TEL": "phone", "CASA": "landline", "PROM": "promoter", "ORG": "organization", "MIEMBRO": "is_member",
    "CARGO": "holds_post", "ACEPTA": "consent", "FORM": "folio_compromiso", "FECHA": "fecha_compromiso",
    "A1": "attr:n", "A2": "attr:c", "A3": "attr:t", "A4": "attr:d", "A5": "attr:y",
}  # fmt: skip
NAMES = list(FIELDS)
KINDS = {"n": "number", "c": "choice", "t": "text", "d": "date", "y": "yes_no"}
ATTRIBUTES = {
    key: Attribute(key=key, kind=kind, label=key, choices=["Rojo", "Azul"] if kind == "choice" else [])
    for key, kind in KINDS.items()
}
READER = RowReader(dict(enumerate(FIELDS.values())), NAMES, "HM", date(2026, 11, 21), ATTRIBUTES)
NUMBERS = st.sampled_from(["", "23", "2301", "2301.0", "0", "abc", "33", "años 30", "30 años", "150"])
DATES = st.sampled_from(["", "1990-05-31", "31/05/1990", "31-5-1990", "1990-13-45", "x", "2020-01-01 00:00"])
FLAGS = st.sampled_from(["", "SI", "no", "Sí", "x", "1", "acepta"])
OTHERS = {
    "mobile": phones, "phone": phones, "landline": phones, "age": NUMBERS, "state": NUMBERS, "section": NUMBERS,
    "birth_date": DATES, "fecha_compromiso": DATES, "is_member": FLAGS, "holds_post": FLAGS, "consent": FLAGS,
    "sex": st.sampled_from(["", "H", "M", "hombre", "F", "Mujer", "x", "?"]),
    **dict.fromkeys(
        ("attr:n", "attr:c", "attr:d", "attr:y"),
        st.sampled_from(["", "1", "1,000", "rojo", "AZUL", "verde", "2026-01-01", "N/A", "nan", "1e3", "inf"]),
    ),
}  # fmt: skip
ROWS = st.one_of(
    st.tuples(*(OTHERS.get(field, words) for field in FIELDS.values())).map(list),
    st.lists(words, max_size=12),
    st.sampled_from([NAMES, ["Gran Total", "", "5"], ["", "  ", ""], ["TOTAL:", *NAMES[1:11], "2281234567"]]),
)


def one_by_one(table: TableFile) -> tuple[list[dict[str, Any]], list[tuple[Any, ...]], list[Refused], Counter[str]]:
    read = [READER.read(number, cells) for number, cells in table.rows() if number > 1 and is_data(cells, NAMES)]
    people = [one for one in read if isinstance(one, Person)]
    further = [
        (one.row, at, number.e164, number.extension, number.line_kind)
        for one in people
        for at, number in enumerate(one.phones[1:], start=1)
    ]
    bad = Counter(key for one in people for key in one.bad)
    return [staged(one) for one in people], further, [one for one in read if isinstance(one, Refused)], bad


def staged(person: Person) -> dict[str, Any]:
    first = person.phones[0]
    said = {name: value for name, value in vars(person).items() if name not in ("row", "phones", "section", "bad")}
    return said | {
        "row_number": person.row, "phone": first.e164, "extension": first.extension, "line_kind": first.line_kind,
        "section_number": person.section, "attributes": dict(person.attributes) or None,
        "promoter_key": person.promoter and text_key(person.promoter),
        "organization_key": person.organization and text_key(person.organization),
    }  # fmt: skip


def by_blocks(table: TableFile) -> tuple[list[dict[str, Any]], list[tuple[Any, ...]], list[Refused], Counter[str]]:
    people: list[dict[str, Any]] = []
    further: list[tuple[Any, ...]] = []
    refused: list[Refused] = []
    bad = Counter[str]()
    for block in read_blocks(table, len(NAMES)):
        frame = FrameReader(READER, NAMES).read(replace(block, cells=block.cells.filter(pl.col("row") > 1)))
        people += frame.people.to_dicts()
        further += frame.phones.rows()
        refused += frame.refused
        bad += frame.bad
    for person in people:
        person["attributes"] = json.loads(person["attributes"]) if person["attributes"] else None
    return (
        sorted(people, key=lambda one: int(one["row_number"])),
        sorted(further),
        sorted(refused, key=lambda one: one.row),
        bad,
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(ROWS, min_size=1, max_size=25), is_quoted=st.booleans())
def test_any_list_has_the_same_outcome_either_way(tmp_path: Path, rows: list[list[str]], is_quoted: bool) -> None:
    path = tmp_path / "list.csv"
    with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL)
        writer.writerows([NAMES, *rows])
    table = TableFile(path, "csv", "utf-8", ",")
    assert by_blocks(table) == one_by_one(table)


@given(st.text(), st.text())
def test_the_key_of_two_names_is_their_keys(one: str, other: str) -> None:
    assert name_key(f"{one} {other}") == " ".join(filter(None, (name_key(one), name_key(other))))


@pytest.mark.parametrize("cell", ["PEAA900531MVZRNN09", "x ABDAGA90010130H700 y"])
def test_keys_of_the_voter_card_are_cut_out_of_every_text(tmp_path: Path, cell: str) -> None:
    texts = ("NOMBRE", "COL", "PROM", "ORG", "A3", "FORM")
    line = ",".join(cell if name in texts else "2281234567" if name == "CEL" else "" for name in NAMES)
    (tmp_path / "x").write_text(f"{','.join(NAMES)}\n{line}\n{line.replace('2281234567', '12')}\n")
    people, _phones, refused, _bad = by_blocks(TableFile(tmp_path / "x", "csv", "utf-8", ","))
    assert "900" not in json.dumps([people, [one.cells for one in refused]], default=str)
