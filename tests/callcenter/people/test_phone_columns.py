"""A column of phones says of every cell what `phones.normalise` says of it."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.people.phone_columns import read_column
from callcenter.phones import normalise
from tests.callcenter.list_cells import phones
from tests.callcenter.test_phones import ACCEPTED, REFUSED


def agrees(cells: list[str]) -> None:
    numbers, reasons = read_column(pl.Series(cells, dtype=pl.String))
    read: dict[int, list[tuple[str, str | None, str]]] = {}
    for cell, _at, phone, extension, kind in numbers.sort("cell", "at").rows():
        read.setdefault(cell, []).append((phone, extension, kind))
    said = {row[0]: row[1] for row in reasons.rows()}
    for at, text in enumerate(cells):
        true = normalise(text)
        assert read.get(at, []) == [(one.e164, one.extension, one.line_kind) for one in true.numbers], text
        assert said.get(at) == (true.reason if text else None), text


@settings(max_examples=300, deadline=None)
@given(st.lists(phones, min_size=1, max_size=30))
def test_every_cell_means_what_it_means_alone(cells: list[str]) -> None:
    agrees(cells)


def test_the_table_of_the_domain_page_is_read_alike() -> None:
    agrees([text for text, *_ in ACCEPTED] + [text for text, _ in REFUSED])


@pytest.mark.parametrize("text", ["", " ", "S/N", "\u00a0", "0", "+", "()"])
def test_nothing_is_nothing(text: str) -> None:
    agrees([text, text])
