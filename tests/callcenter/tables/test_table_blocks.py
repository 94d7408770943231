"""A file read by blocks holds the rows that it holds when it is read line by line."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.tables import table_blocks
from callcenter.tables.file_faults import UnreadableFileError
from callcenter.tables.table_blocks import read_blocks
from callcenter.tables.table_files import TableFile
from callcenter.tables.table_limits import MAX_COLUMNS

Row = tuple[int, tuple[str, ...]]


def by_lines(table: TableFile, width: int) -> list[Row] | str:
    try:
        return [(number, tuple((cells + [""] * width)[:width])) for number, cells in table.rows()]
    except UnreadableFileError as fault:
        return str(fault)


def by_blocks(table: TableFile, width: int) -> list[Row] | str:
    found: list[Row] = []
    try:
        for block in read_blocks(table, width):
            found += [(row[-1], tuple(cell or "" for cell in row[:-1])) for row in block.cells.rows()]
    except UnreadableFileError as fault:
        return str(fault)
    return sorted(found)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(alphabet='ab",\n\r\t ñ\0|', max_size=60),
    width=st.sampled_from([1, 2, 3]),
    block=st.sampled_from([5, 9, 17, 1000]),
    encoding=st.sampled_from(["utf-8", "cp1252"]),
    few=st.sampled_from([0.2, 100]),
)
def test_any_text_has_the_same_rows_either_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, width: int, block: int, encoding: str, few: float
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(table_blocks, "BLOCK_BYTES", block)
        patched.setattr(table_blocks, "_QUOTES_FEW", few)
        (tmp_path / "x").write_bytes(text.encode(encoding))
        table = TableFile(tmp_path / "x", "csv", encoding, ",")
        assert by_blocks(table, width) == by_lines(table, width)


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n" + "x," * MAX_COLUMNS + "\n",
        'a,b\n"' + "x," * MAX_COLUMNS + '"\nc,d\n',
        "a,b\n1," + "y" * 140_000 + "\n",
        'a,b\n1,"never closed\n' + "y\n" * 80_000,
        "a,b\r1,2\r3,4",
        "\ufeffa,b\n1,2\n",
    ],
    ids=["columns", "quoted commas", "long cell", "open quote", "returns", "mark"],
)
def test_limits_and_odd_files_are_the_same_either_way(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_bytes(text.encode())
    table = TableFile(tmp_path / "x", "csv", "utf-8-sig" if text.startswith("\ufeff") else "utf-8", ",")
    assert by_blocks(table, 2) == by_lines(table, 2)


def test_a_block_says_where_the_next_one_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 50)
    (tmp_path / "x").write_text("".join(f'{n},"row\n{n}"\n' if n % 7 == 0 else f"{n},ñ\n" for n in range(100)))
    written = (tmp_path / "x").read_bytes()
    table = TableFile(tmp_path / "x", "csv", "utf-8", ",")
    blocks = list(read_blocks(table, 2))
    assert len(blocks) > 4
    for block, following in pairwise(blocks):
        assert block.offset is not None
        assert block.next_row == written[: block.offset].count(b"\n") + 1 == min(following.cells["row"])
    assert blocks[-1].offset == len(written)
