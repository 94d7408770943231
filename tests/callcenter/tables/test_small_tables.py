"""Nobody reckons a count of one to four from a table of two ways, whatever sums they know."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from callcenter.tables.small_counts import FEWEST
from callcenter.tables.small_tables import Table, hide

COLUMNS = ("delivered", "failed", "excluded")
tables = st.dictionaries(
    st.tuples(st.integers(0, 7), st.sampled_from(COLUMNS)), st.integers(0, 14), min_size=1, max_size=24
)


def test_rows_of_few_people_stand_together() -> None:
    table = hide({("north", "delivered"): 40, ("east", "delivered"): 3, ("west", "delivered"): 9}, COLUMNS)
    assert list(table.rows) == ["north"]
    assert table.few == 2
    assert table.rest is not None
    assert table.rest.total == 12


def test_a_column_of_few_is_added_to_another() -> None:
    counts = {(row, column): 20 for row in "abc" for column in ("delivered", "excluded")} | {("a", "failed"): 2}
    table = hide(counts, COLUMNS)
    assert table.columns == [("delivered",), ("failed", "excluded")] or table.columns == [
        ("delivered", "failed"),
        ("excluded",),
    ]
    assert table.rows["a"].total == 42


def test_where_almost_everybody_had_one_end_only_the_sums_are_told() -> None:
    table = hide({("a", "delivered"): 50, ("b", "delivered"): 60, ("b", "failed"): 1}, COLUMNS)
    assert table.columns == []
    assert {row: one.total for row, one in table.rows.items()} == {"a": 50, "b": 61}


def test_so_few_people_that_nothing_may_be_told() -> None:
    assert hide({("a", "delivered"): 2}, COLUMNS) == Table([], {}, 1, None)


@given(tables)
def test_no_small_count_follows_from_what_is_shown(counts: dict[tuple[int, str], int]) -> None:
    table = hide(counts, COLUMNS)
    lines = [*table.rows.values(), *([table.rest] if table.rest else [])]
    assert all(line.total == 0 or line.total >= FEWEST for line in lines)
    true_cells = _true_cells(table, counts)
    hidden = [key for key in true_cells if _shown(table, key) is None]
    for key, people in true_cells.items():
        assert _shown(table, key) in (None, people)
        assert _shown(table, key) is None or people == 0 or people >= FEWEST
    if not hidden:
        return
    sums = [[float(key[0] == row) for key in hidden] for row in {key[0] for key in hidden}]
    sums += [[float(key[1] == column) for key in hidden] for column in {key[1] for key in hidden}]
    known = np.array(sums)
    for at, key in enumerate(hidden):
        unit = np.eye(len(hidden))[at]
        weights = np.linalg.lstsq(known.T, unit, rcond=None)[0]
        is_certain = bool(np.allclose(known.T @ weights, unit, atol=1e-8))
        assert not is_certain or true_cells[key] >= FEWEST


def _true_cells(
    table: Table[int, str], counts: dict[tuple[int, str], int]
) -> dict[tuple[int | None, tuple[str, ...]], int]:
    found: dict[tuple[int | None, tuple[str, ...]], int] = {}
    for row in {key[0] for key in counts}:
        for group in table.columns:
            place = (row if row in table.rows else None), group
            found[place] = found.get(place, 0) + sum(counts.get((row, column), 0) for column in group)
    return found


def _shown(table: Table[int, str], key: tuple[int | None, tuple[str, ...]]) -> int | None:
    line = table.rest if key[0] is None else table.rows[key[0]]
    assert line is not None
    return line.cells[key[1]]
