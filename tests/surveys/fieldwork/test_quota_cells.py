"""Cells of quotas: who belongs where, which are full, and what error the sample has."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.fieldwork.quota_cells import (
    UNCOVERED,
    Cell,
    Dimension,
    QuotaPlan,
    Screen,
    Values,
    band,
    design_effect,
    error,
    errors_if_full,
    full_cells,
)

SEX, AGE, TOWN = (
    Dimension("sex", "sex", "code"),
    Dimension("age", "age", "number"),
    Dimension("municipality", "", "text"),
)
PLAN = QuotaPlan(
    (SEX, AGE),
    (Cell(("M", "18-29"), 10), Cell(("M", "60+"), 5), Cell(("H", "18-29"), 10), Cell(("H", "60+"), None)),
)


@pytest.mark.parametrize(
    ("written", "found"),
    [("18-29", (18, 29)), ("60+", (60, 1_000_000_000)), ("7", (7, 7)), ("29-18", None), ("-1", None), ("", None),
     ("x", None), ("18-", None)],
)  # fmt: skip
def test_a_band_is_two_numbers_one_or_from_one_on(written: str, found: tuple[int, int] | None) -> None:
    assert band(written) == found


@pytest.mark.parametrize(
    ("known", "cells"),
    [
        (["M", "18"], [("M", "18-29")]),
        (["M", "29"], [("M", "18-29")]),
        (["M", "30"], []),  # between the bands
        (["M", None], [("M", "18-29"), ("M", "60+")]),
        ([None, "75"], [("M", "60+"), ("H", "60+")]),
        (["X", "18"], []),
        (["M", "dk"], []),
        ([None, None], [("M", "18-29"), ("M", "60+"), ("H", "18-29"), ("H", "60+")]),
    ],
)
def test_a_person_may_belong_to_every_cell_that_what_is_known_allows(
    known: list[str | None], cells: list[tuple[str, ...]]
) -> None:
    assert [cell.values for cell in PLAN.matching(known)] == cells


def test_towns_are_compared_without_accents_and_case() -> None:
    plan = QuotaPlan((TOWN,), (Cell(("Minatitlán",), 3),))
    assert plan.cell_of(["MINATITLAN"]) == Cell(("Minatitlán",), 3)
    assert plan.cell_of(["Acayucan"]) is None


def test_a_cell_is_full_at_its_target_and_never_without_one() -> None:
    done: dict[Values, int] = {("M", "18-29"): 10, ("M", "60+"): 4, ("H", "60+"): 99}
    assert full_cells(PLAN, done) == {("M", "18-29")}
    assert full_cells(QuotaPlan((SEX,), (Cell(("M",), 0),)), {}) == {("M",)}


@pytest.mark.parametrize(
    ("answers", "is_over"),
    [
        ({}, True),  # the record says a woman of 20, and that cell is full
        ({"sex": "H"}, False),  # what the person says goes first
        ({"sex": "M", "age": "65"}, False),
        ({"sex": "M", "age": "29"}, True),
        ({"sex": "X", "age": "20"}, False),  # of no cell: nobody sends them away
        ({"sex": "M", "age": ""}, True),  # not answered: the record again
    ],
)
def test_somebody_is_over_the_quota_when_every_cell_they_may_be_in_is_full(
    answers: dict[str, str], is_over: bool
) -> None:
    screen = Screen(PLAN, frozenset({("M", "18-29")}), {"sex": "M", "age": "20"})
    assert screen.is_over(answers) is is_over


def test_nobody_is_over_while_an_open_cell_is_possible() -> None:
    screen = Screen(PLAN, frozenset({("M", "18-29"), ("M", "60+"), ("H", "18-29")}), {})
    assert not screen.is_over({})
    assert screen.is_over({"sex": "M"})


def test_the_design_effect_is_kishs() -> None:
    assert design_effect([(50, 500), (50, 500)]) == pytest.approx(1.0)
    # Two halves of the population, 80 and 20 interviews: weights 0.625 and 2.5; n·Σw²/(Σw)² by hand.
    by_hand = 100 * (80 * 0.625**2 + 20 * 2.5**2) / (80 * 0.625 + 20 * 2.5) ** 2
    assert design_effect([(80, 1), (20, 1)]) == pytest.approx(by_hand)
    assert design_effect([(80, 1), (0, 1)]) is None
    assert design_effect([(48, 96), (0, 4)]) == pytest.approx(1.0)  # a gap of four in a hundred weighs nothing
    assert design_effect([(48, 94), (0, 6)]) is None
    assert design_effect([(80, 1), (3, 0)]) == pytest.approx(1.0)  # a cell that wants nobody weighs nothing


def test_the_margin_is_that_of_the_interviews_weighted_to_the_targets() -> None:
    plan = QuotaPlan((SEX,), (Cell(("M",), 600), Cell(("H",), 600)))
    assert error(plan, {("M",): 600, ("H",): 600}) == pytest.approx(0.02829, abs=1e-5)  # ±2.8 points of 1,200
    assert error(plan, {("M",): 600}) is None
    lopsided = error(plan, {("M",): 900, ("H",): 300})
    assert lopsided is not None
    assert lopsided > 0.0282
    unlimited = QuotaPlan((SEX,), (Cell(("M",), None), Cell(("H",), None)))
    assert error(unlimited, {("M",): 1000, ("H",): 200}) == pytest.approx(0.02829, abs=1e-5)
    assert error(unlimited, {}) is None


def test_what_filling_a_cell_would_bring_is_the_margin_with_it_filled() -> None:
    plan = QuotaPlan((SEX,), (Cell(("M",), 600), Cell(("H",), 600)))
    done: dict[Values, int] = {("M",): 900, ("H",): 300}
    assert errors_if_full(plan, done) == {
        ("M",): pytest.approx(error(plan, done)),
        ("H",): pytest.approx(error(plan, {("M",): 900, ("H",): 600})),
    }
    assert errors_if_full(plan, {}) == {("M",): None, ("H",): None}


counted = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 400)), min_size=1, max_size=12)


@given(counted)
def test_weighting_never_makes_a_sample_better_than_a_simple_one(counts: list[tuple[int, int]]) -> None:
    effect = design_effect(counts)
    wanted = sum(target for _done, target in counts)
    covered = sum(target for done, target in counts if done)
    assert (effect is None) == (covered == 0 or 1 - covered / wanted > UNCOVERED)
    assert effect is None or effect >= 1 - 1e-9


@given(counted)
def test_the_margins_with_one_cell_filled_are_those_of_that_sample(counts: list[tuple[int, int]]) -> None:
    cells = tuple(Cell((str(place),), target) for place, (_done, target) in enumerate(counts))
    plan = QuotaPlan((Dimension("", "q", "code"),), cells)
    done = {cell.values: n for cell, (n, _target) in zip(cells, counts, strict=True)}
    found = errors_if_full(plan, done)
    assert set(found) == {cell.values for cell in cells if cell.target}
    for cell in cells:
        if cell.target:
            expected = error(plan, {**done, cell.values: max(done[cell.values], cell.target)})
            said = found[cell.values]
            assert (said is None) == (expected is None)
            assert said is None or expected is None or math.isclose(said, expected, rel_tol=1e-9)
