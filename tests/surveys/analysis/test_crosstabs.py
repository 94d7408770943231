"""Tables: counted, weighed, compared; and what small columns do not show."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surveys.analysis import crosstabs, table_counts, table_variables
from surveys.analysis.crosstabs import Settings, Table
from surveys.analysis.table_variables import Coded, Variable
from surveys.responses import Responses
from surveys.weighting import variances
from tests.surveys.response_cast import item, responses

VOTE = item("vote", "azul", "rojo", "dk", dk="dk")
PROBLEMS = item("problems", "water", "jobs", "crime", kind="select_multiple")
AGE = item("age", kind="integer")


def _pair(found: Responses, name: str) -> tuple[Variable, Coded]:
    variables = table_variables.questions(found, "es") | table_variables.facts(found)
    return variables[name], table_variables.coded(found, variables[name])


def _table(found: Responses, question: str, by: str | None = "d_sex", **given: Any) -> Table:
    return crosstabs.cross(_pair(found, question), [_pair(found, by)] if by else [], **given)


def _votes(*counts: tuple[str, str | None, int]) -> Responses:
    """So many men or women with each vote."""
    votes = [vote for _sex, vote, times in counts for _ in range(times)]
    sexes = [sex for sex, _vote, times in counts for _ in range(times)]
    return responses([VOTE], {"vote": votes, "d_sex": sexes})


SPLIT = _votes(("H", "azul", 60), ("H", "rojo", 40), ("M", "azul", 40), ("M", "rojo", 50), ("M", "dk", 10),
               ("M", None, 7))  # fmt: skip


def test_shares_are_of_who_answered_and_the_total_comes_first() -> None:
    table = _table(SPLIT, "vote")
    assert [(column.label, column.letter, column.n) for column in table.columns] == [
        ("", "", 200), ("Men", "A", 100), ("Women", "B", 100),
    ]  # fmt: skip
    assert [[cell.share for cell in row.cells] for row in table.rows] == [
        [0.5, 0.6, 0.4], [0.45, 0.4, 0.5], [0.05, 0.0, 0.1],
    ]  # fmt: skip


def test_letters_stand_where_a_share_is_above_and_p_values_are_beside_them() -> None:
    table = _table(SPLIT, "vote")
    assert [[cell.letters for cell in row.cells] for row in table.rows] == [["", "B", ""], ["", "", ""], ["", "", ""]]
    assert table.rows[0].cells[1].tests == {"B": pytest.approx(0.0046777, abs=1e-7)}


def test_who_does_not_know_may_be_left_out_of_the_base() -> None:
    table = _table(SPLIT, "vote", settings=Settings(only_valid=True))
    assert [row.code for row in table.rows] == ["azul", "rojo"]
    assert [column.n for column in table.columns] == [190, 100, 90]
    assert [cell.share for cell in table.rows[0].cells] == [100 / 190, 0.6, 40 / 90]


def test_weights_move_shares_and_shrink_the_base() -> None:
    weights = np.where(SPLIT.frame["d_sex"].to_numpy() == "M", 1.5, 0.5)
    table = _table(SPLIT, "vote", weights=weights)
    total = table.columns[0]
    assert (total.n, total.base) == (200, 200.0)
    assert total.effective == pytest.approx(160.0)
    assert table.rows[0].cells[0].share == pytest.approx((60 * 0.5 + 40 * 1.5) / 200)
    assert table.rows[0].cells[1].share == pytest.approx(0.6)
    assert table.deff == pytest.approx(1.25)


def test_a_weight_of_nothing_leaves_a_person_out() -> None:
    weights = np.where(SPLIT.frame["d_sex"].to_numpy() == "M", 0.0, 1.0)
    assert [column.n for column in _table(SPLIT, "vote", weights=weights).columns] == [100, 100, 0]


def test_a_filter_looks_at_some_people_alone() -> None:
    among = SPLIT.frame["d_sex"].to_numpy() == "H"
    assert [column.n for column in _table(SPLIT, "vote", among=among).columns] == [100, 100, 0]


def test_columns_under_thirty_are_marked_and_not_compared_and_under_ten_are_hidden() -> None:
    found = _votes(("H", "azul", 300), ("H", "rojo", 20), ("M", "rojo", 29), ("X", "azul", 9))
    table = _table(found, "vote")
    assert [column.cell for column in table.columns] == ["ok", "ok", "small", "hidden"]
    assert [cell.letters for row in table.rows for cell in row.cells] == [""] * 12
    hidden = table.rows[0].cells[3]
    assert (hidden.n, hidden.share, hidden.low, hidden.high) == (None, None, None, None)


def test_an_answer_nobody_gave_keeps_its_row_and_its_interval() -> None:
    cell = _table(_votes(("H", "azul", 50), ("M", "azul", 50)), "vote").rows[1].cells[0]
    assert (cell.n, cell.share, cell.low) == (0, 0.0, 0.0)
    assert cell.high == pytest.approx(0.0369935, abs=1e-6)


def test_of_several_answers_each_is_a_share_of_people() -> None:
    found = responses(
        [PROBLEMS],
        {"problems": [["water", "jobs"]] * 60 + [["water"]] * 40 + [None] * 5,
         "d_sex": ["H"] * 50 + ["M"] * 50 + ["H"] * 5},
    )  # fmt: skip
    table = _table(found, "problems")
    assert [[cell.share for cell in row.cells] for row in table.rows] == [
        [1.0, 1.0, 1.0], [0.6, 1.0, 0.2], [0.0, 0.0, 0.0],
    ]  # fmt: skip
    assert [column.n for column in table.columns] == [100, 50, 50]
    assert table.groups[1].test is None


def test_people_who_stand_in_several_columns_are_not_compared() -> None:
    found = responses(
        [VOTE, PROBLEMS],
        {"vote": ["azul"] * 40 + ["rojo"] * 40, "problems": [["water", "jobs"]] * 40 + [["water"]] * 40},
    )
    table = _table(found, "vote", "problems")
    assert [column.n for column in table.columns] == [80, 80, 40, 0]
    assert [cell.share for cell in table.rows[0].cells] == [0.5, 0.5, 1.0, None]
    assert not any(cell.letters for row in table.rows for cell in row.cells)
    assert table.groups[1].test is None


def test_a_number_has_its_mean_with_letters() -> None:
    found = responses([AGE], {"age": [20, 30] * 30 + [40, 60] * 30 + [None], "d_sex": ["H"] * 60 + ["M"] * 60 + ["H"]})
    (row,) = _table(found, "age").rows
    assert row.is_mean
    assert [cell.share for cell in row.cells] == [37.5, 25.0, 50.0]
    assert [cell.letters for cell in row.cells] == ["", "", "A"]
    # Men: variance 60/59 · 25, so 1.96 √(25.42 / 60) = 1.276 around 25.
    assert (row.cells[1].low, row.cells[1].high) == pytest.approx((23.724, 26.276), abs=1e-3)


def test_without_weights_rao_scott_is_that_of_the_adapter_to_svy() -> None:
    found = _table(SPLIT, "vote").groups[1].test
    expected = variances.table_test(SPLIT.frame["vote"], SPLIT.frame["d_sex"], None)
    assert found is not None
    assert (found.f, found.df1, found.df2, found.p) == pytest.approx(
        (expected.f, expected.df1, expected.df2, expected.p)
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 4), st.integers(2, 4))
def test_with_any_weights_rao_scott_is_that_of_the_adapter_to_svy(seed: int, rows: int, columns: int) -> None:
    dice = np.random.default_rng(seed)
    down, across = dice.integers(0, rows, 120), dice.integers(0, columns, 120)
    weights = dice.uniform(0.2, 4, 120)
    cells = down * columns + across
    counts = [np.bincount(cells, each, minlength=rows * columns).reshape(rows, columns).astype(float)
              for each in (None, weights, weights**2)]  # fmt: skip
    found = table_counts.rao_scott(*counts, sample=120)
    expected = variances.table_test([str(each) for each in down], [str(each) for each in across], weights)
    assert found is not None
    assert (found.f, found.df1, found.p) == pytest.approx((expected.f, expected.df1, expected.p), rel=1e-8)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_shares_of_single_answers_add_up_and_groups_add_up_to_the_total(seed: int, is_weighted: bool) -> None:
    dice = np.random.default_rng(seed)
    people = 200
    votes = [(*VOTE.codes, None)[number] for number in dice.integers(0, 4, people)]
    found = responses([VOTE], {"vote": votes, "d_sex": dice.choice(["H", "M"], people).tolist()})
    weights = dice.uniform(0.1, 5, people) if is_weighted else None
    table = _table(found, "vote", weights=weights)
    for at, column in enumerate(table.columns):
        assert sum(row.cells[at].share or 0 for row in table.rows) == pytest.approx(1)
        assert sum(row.cells[at].n or 0 for row in table.rows) == column.n
    assert table.columns[0].base == pytest.approx(sum(column.base for column in table.columns[1:]))


def test_empty_cells_leave_a_test_of_the_others() -> None:
    found = _votes(("H", "azul", 60), ("H", "rojo", 40), ("M", "azul", 40), ("M", "dk", 50), ("X", "rojo", 30))
    test = _table(found, "vote").groups[1].test
    assert test is not None
    assert test.p < 1e-6
    assert test.df1 > 1


def test_a_table_whose_rows_are_its_columns_has_no_test() -> None:
    test = _table(_votes(("H", "azul", 50), ("M", "rojo", 50)), "vote").groups[1].test
    assert test is not None
    assert np.isnan(test.p)
