"""Sheets: what an author wrote, kept and written again."""

import io

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.base.errors import InvalidInput
from surveys.forms import old_forms, xlsform
from surveys.forms.items import Items, read_items
from surveys.forms.sheets import NAMES, column_of, letter_of, workbook_of
from surveys.forms.xlsform import read_workbook, write_workbook
from tests.surveys.survey_forms import SAMPLE, workbook

cells = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=8)
table = st.lists(st.lists(cells, min_size=4, max_size=4), max_size=5)


def without_rows(items: Items) -> Items:
    return {**items, "items": [{**item, "row": 0} for item in items["items"]]}


def test_the_sample_written_out_and_read_again_is_the_same_form() -> None:
    source = read_workbook(SAMPLE.read_bytes()).source
    again = read_workbook(write_workbook(source))
    assert again.source == source
    assert read_items(again) == read_items(workbook_of(source)) == read_items(read_workbook(SAMPLE.read_bytes()))


def test_columns_that_are_not_understood_are_kept() -> None:
    content = workbook(
        [["type", "name", "label", "colour of the page"], ["text", "q", "Q", "green"], [], ["text", "p", "P", ""]]
    )
    source = read_workbook(write_workbook(read_workbook(content).source)).source
    assert source["survey"]["headings"][3] == "colour of the page"
    assert source["survey"]["lines"] == [["text", "q", "Q", "green"], ["text", "p", "P", ""]]


def test_words_that_begin_like_a_formula_stay_words() -> None:
    source = read_workbook(workbook([["type", "name", "label"], ["text", "q", "x"]])).source
    source["survey"]["lines"][0][2] = "=1+1"
    assert read_workbook(write_workbook(source)).source == source


@settings(deadline=None)
@given(table)
def test_any_sheet_kept_as_source_reads_as_itself(rows: list[list[str]]) -> None:
    content = workbook([["type", "name", "label::Español (es)", "hint"], *rows])
    first = read_workbook(content)
    second = workbook_of(first.source)
    assert second.source == first.source
    assert [(row.cells, row.texts) for row in second.survey.rows] == [
        (row.cells, row.texts) for row in first.survey.rows
    ]


def test_a_form_of_which_only_the_items_were_kept_asks_the_same_again(sample_items: Items) -> None:
    source = old_forms.source_of(sample_items)
    assert set(source) == set(NAMES)
    assert without_rows(read_items(workbook_of(source))) == without_rows(sample_items)


def test_rows_beyond_the_limit_are_told_and_not_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsform, "MAX_ROWS", 3)
    rows = [["type", "name", "label"], ["text", "a", "A"], ["text", "b", "B"]]
    assert len(read_workbook(workbook(rows)).survey.rows) == 2
    with pytest.raises(InvalidInput, match="3 rows"):
        read_workbook(workbook([*rows, ["text", "c", "C"]]))


def test_empty_rows_with_a_colour_are_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsform, "MAX_ROWS", 3)
    book = openpyxl.load_workbook(io.BytesIO(workbook([["type", "name", "label"], ["text", "a", "A"]])))
    for number in range(3, 9):
        book["survey"].cell(number, 1).fill = openpyxl.styles.PatternFill("solid", fgColor="FFFF00")
    content = io.BytesIO()
    book.save(content)
    assert len(read_workbook(content.getvalue()).survey.rows) == 1


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("label::Español (es)", ("label", "es")),
        ("Label", ("label", None)),
        ("media::audio::Español (es)", ("audio", "es")),
        ("media::audio", ("audio", None)),
        ("calculate", ("calculation", None)),
        ("hint:English (en)", ("hint", "en")),
    ],
)
def test_a_heading_is_read_in_every_spelling(heading: str, column: tuple[str, str | None]) -> None:
    assert column_of(heading) == column


@pytest.mark.parametrize(
    ("place", "letter"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")]
)
def test_columns_have_letters(place: int, letter: str) -> None:
    assert letter_of(place) == letter
