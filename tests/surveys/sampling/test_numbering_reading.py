"""Numbering plans are read by the shape of their cells, whatever their header says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.tables.file_faults import UnreadableFileError
from surveys.sampling.numbering_reading import Range, area_code, read, score

HEADER = ["ZONA", "NUMERACION_INICIAL", "NUMERACION_FINAL", "OCUPACION", "MODALIDAD", "RAZON_SOCIAL"]


def numbered(rows: list[list[str]]) -> list[tuple[int, list[str]]]:
    return list(enumerate(rows, 1))


def row(first: int, last: int, kind: str = "CPP") -> list[str]:
    return ["4", str(first), str(last), str(last - first + 1), kind, "INVENTADA, S.A."]


def test_whole_numbers_are_read_with_their_kind_of_line() -> None:
    plan = read(numbered([HEADER, row(9225500000, 9225500999), row(9225502000, 9225502999, "FPP")]))
    assert plan.ranges == [Range(9225500000, 9225500999, "mobile"), Range(9225502000, 9225502999, "landline")]
    assert plan.counts == {
        "rows": 2, "refused": 0, "repeated": 0, "not_people": 0, "ranges": 2, "numbers": 2000, "mobile": 1000,
        "landline": 1000, "unknown": 0,
    }  # fmt: skip


def test_a_header_that_stands_one_column_beside_its_data_misleads_nobody() -> None:
    shifted = ["ZONA", "INICIAL", "FINAL", "MODALIDAD"]
    plan = read(numbered([shifted, ["9225500000", "9225500999", "1000", "CPP", "x"]]))
    assert plan.ranges == [Range(9225500000, 9225500999, "mobile")]


def test_area_code_series_and_last_digits_are_put_together() -> None:
    rows = [["CLAVE", "NIR", "SERIE", "NUMERACION_INICIAL", "NUMERACION_FINAL", "TIPO_RED", "MODALIDAD"],
            ["1", "922", "550", "0000", "0999", "MOVIL", "CPP"],
            ["2", "55", "1234", "0", "9999", "FIJO", ""]]  # fmt: skip
    plan = read(numbered(rows))
    assert plan.ranges == [Range(5512340000, 5512349999, "landline"), Range(9225500000, 9225500999, "mobile")]


def test_neighbours_of_one_kind_are_joined_and_a_repeated_range_counts_once() -> None:
    rows = [row(9225500000, 9225500999), row(9225501000, 9225501999), row(9225500000, 9225500999)]
    plan = read(numbered([HEADER, *rows]))
    assert plan.ranges == [Range(9225500000, 9225501999, "mobile")]
    assert plan.counts["repeated"] == 1


def test_numbers_that_no_person_has_are_left_out_and_counted() -> None:
    plan = read(numbered([HEADER, row(8001230000, 8001239999), row(9225500000, 9225500999)]))
    assert [one.first for one in plan.ranges] == [9225500000]
    assert plan.counts["not_people"] == 1


def test_a_row_at_fault_is_named_and_the_others_are_read() -> None:
    good = [row(9225500000 + 2000 * place, 9225500999 + 2000 * place) for place in range(40)]
    plan = read(numbered([HEADER, *good, row(9225599999, 9225590000)]))
    assert len(plan.ranges) == 40
    assert [(fault["row"], fault["values"]["first"]) for fault in plan.faults] == [(42, "9225599999")]


@pytest.mark.parametrize(
    "bad", [row(9225509999, 9225500000), row(9220000000, 9229999999), ["4", "x", "y", "", "CPP", ""]]
)
def test_a_file_with_too_many_rows_at_fault_is_refused_whole(bad: list[str]) -> None:
    with pytest.raises(UnreadableFileError, match="of 21 rows"):
        read(numbered([HEADER, *(row(9225500000 + 2000 * n, 9225500999 + 2000 * n) for n in range(18)), bad, bad, bad]))


def test_overlapping_ranges_are_a_fault_of_the_later_one() -> None:
    good = [row(9225500000 + 2000 * place, 9225500999 + 2000 * place) for place in range(40)]
    plan = read(numbered([HEADER, *good, row(9225500500, 9225501500)]))
    assert plan.counts["refused"] == 1
    assert plan.faults[0]["message"].startswith("The range overlaps")


@pytest.mark.parametrize("rows", [[], [["a", "b"], ["c", "d"]], [["2281234567", "nombre"]] * 30])
def test_what_is_no_plan_is_refused(rows: list[list[str]]) -> None:
    with pytest.raises(UnreadableFileError, match="No columns"):
        read(numbered(rows))


def test_area_codes_have_two_digits_in_four_cities_and_three_elsewhere() -> None:
    assert [area_code(number) for number in (5512345678, 3312345678, 9221234567)] == ["55", "33", "922"]


def test_a_row_of_a_plan_looks_like_one() -> None:
    assert score(row(9225500000, 9225500999)) > score(HEADER) == 0


_BLOCKS = st.lists(st.integers(0, 400), min_size=12, max_size=60, unique=True)


@given(_BLOCKS)
def test_every_number_of_the_file_is_in_the_plan_once(blocks: list[int]) -> None:
    rows = [row(9225000000 + 1000 * block, 9225000999 + 1000 * block, "CPP") for block in blocks]
    plan = read(numbered([HEADER, *rows]))
    assert plan.counts["numbers"] == 1000 * len(blocks)
    assert all(one.last < other.first for one, other in zip(plan.ranges, plan.ranges[1:], strict=False))


@given(st.lists(st.lists(st.text(max_size=12), max_size=8), max_size=30))
def test_any_table_is_read_or_refused_with_a_sentence(rows: list[list[str]]) -> None:
    said = ""
    try:
        counted = read(numbered(rows)).counts["rows"]
    except UnreadableFileError as fault:
        counted, said = -1, str(fault)
    assert bool(said) == (counted < 0)
