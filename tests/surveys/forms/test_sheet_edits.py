"""Changes to a form's source, one at a time."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surveys.forms import sheet_edits
from surveys.forms.sheets import Source
from surveys.forms.xlsform import read_workbook
from tests.surveys.survey_forms import SAMPLE, workbook

ROWS = [
    ["type", "name", "label::Español (es)", "relevant"],
    ["text", "a", "A", ""],
    ["begin group", "g", "", "${a} = 'x'"],
    ["text", "b", "B", ""],
    ["begin_repeat", "r", "", ""],
    ["text", "c", "C", ""],
    ["end_repeat", "", "", ""],
    ["end group", "", "", ""],
    ["select_one yn", "d", "D ${a}", "${a} = 'y'"],
]
CHOICES = [["list_name", "value", "label::Español (es)"], ["yn", "1", "Sí"], ["z", "1", "Z"], ["yn", "2", "No"]]


@pytest.fixture
def source() -> Source:
    return read_workbook(workbook(ROWS, CHOICES, [["vote_question"], ["d"]])).source


def names(source: Source) -> str:
    return " ".join(line[1] or line[0] for line in source["survey"]["lines"])


@pytest.mark.parametrize(
    ("place", "to", "then"),
    [
        (0, 1, "g a b r c end_repeat end group d"),
        (0, 99, "g b r c end_repeat end group d a"),
        (7, 0, "d a g b r c end_repeat end group"),
        (1, 0, "g b r c end_repeat end group a d"),
        (1, 2, "a d g b r c end_repeat end group"),
        (3, 2, "a g r c end_repeat b end group d"),
        (2, 1, "a b g r c end_repeat end group d"),
        (0, -1, "a g b r c end_repeat end group d"),
    ],
)
def test_a_line_moves_and_a_group_takes_what_is_in_it_along(source: Source, place: int, to: int, then: str) -> None:
    sheet_edits.move(source, place, to)
    assert names(source) == then


def test_a_group_that_goes_leaves_what_was_in_it(source: Source) -> None:
    sheet_edits.remove(source, 1)
    assert names(source) == "a b r c end_repeat d"
    sheet_edits.remove(source, 0)
    assert names(source) == "b r c end_repeat d"


def test_a_new_line_has_a_cell_in_every_column(source: Source) -> None:
    sheet_edits.add(source, 1, {"type": "note", "name": "n", "hint::Español (es)": "H", "constraint": ""})
    assert source["survey"]["headings"][-1] == "hint::Español (es)"
    assert source["survey"]["lines"][1] == ["note", "n", "", "", "H"]
    assert {len(line) for line in source["survey"]["lines"]} == {5}


def test_who_is_renamed_is_renamed_wherever_somebody_refers_to_it(source: Source) -> None:
    sheet_edits.rename(source, "a", "alpha")
    sheet_edits.rename(source, "d", "delta")
    assert sheet_edits.value(source, 1, "relevant") == "${alpha} = 'x'"
    assert sheet_edits.value(source, 7, "label::Español (es)") == "D ${alpha}"
    assert sheet_edits.settings(source) == {"vote_question": "delta"}


def test_a_list_is_written_where_it_stood_and_others_stay(source: Source) -> None:
    assert [row["name"] for row in sheet_edits.choices(source, "yn")] == ["1", "2"]
    sheet_edits.set_choices(source, "yn", [{"name": "3", "label::Español (es)": "Quizá", "role": "dk"}, {"name": "1"}])
    assert source["choices"]["lines"] == [
        ["yn", "3", "Quizá", "dk"], ["yn", "1", "", ""], ["z", "1", "Z", ""],
    ]  # fmt: skip


def test_a_new_list_stands_at_the_end_even_in_a_form_without_lists() -> None:
    bare = read_workbook(workbook(ROWS)).source
    sheet_edits.set_choices(bare, "new", [{"name": "1", "label": "Uno"}])
    assert bare["choices"] == {"headings": ["list_name", "name", "label"], "lines": [["new", "1", "Uno"]]}


def test_who_offers_a_list_is_known(source: Source) -> None:
    assert sheet_edits.users_of(source, "yn") == ["d"]
    assert sheet_edits.list_of(source, 7) == "yn"
    assert sheet_edits.list_of(source, 0) == ""


def test_languages_are_those_of_the_labels() -> None:
    source = read_workbook(SAMPLE.read_bytes()).source
    assert [(one.code, one.mark) for one in sheet_edits.languages(source)] == [
        ("es", "::Español (es)"), ("en", "::English (en)"),
    ]  # fmt: skip


def test_one_more_language_has_its_columns_and_words_without_one_become_spanish() -> None:
    bare = read_workbook(workbook([["type", "name", "label", "hint"], ["text", "q", "Q", "H"]])).source
    sheet_edits.add_language(bare, "English (en)")
    assert bare["survey"]["headings"][2:] == ["label::Español (es)", "hint::Español (es)", "label::English (en)"]
    assert bare["survey"]["lines"] == [["text", "q", "Q", "H", ""]]
    assert [one.code for one in sheet_edits.languages(bare)] == ["es", "en"]


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(-2, 12)), max_size=8))
def test_moving_loses_nothing(moves: list[tuple[int, int]]) -> None:
    source = read_workbook(workbook(ROWS, CHOICES)).source
    before = copy.deepcopy(source["survey"]["lines"])
    for place, to in moves:
        sheet_edits.move(source, place, to)
    assert sorted(source["survey"]["lines"]) == sorted(before)
