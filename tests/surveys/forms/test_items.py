"""A form's faults are told by sheet, row and column, with what to do."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from callcenter.base.errors import InvalidInput
from surveys import engine
from surveys.forms.items import Items, read_items
from surveys.forms.sheets import language_of
from surveys.forms.xlsform import read_workbook
from surveys.questionnaire import read_form
from tests.surveys.survey_forms import SAMPLE, Rows, workbook

HEAD = ["type", "name", "label", "relevant", "constraint", "calculation"]
CHOICES: Rows = [["list_name", "name", "label", "role"], ["yn", "yes", "Sí", ""], ["yn", "no", "No", ""]]


def faults(
    survey: Rows, choices: Rows | None = None, settings: Rows | None = None, head: list[str] = HEAD
) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        read_items(read_workbook(workbook([head, *survey], choices or CHOICES, settings)))
    return caught.value.faults


def test_the_sample_has_its_languages_roles_and_named_questions(sample_items: Items) -> None:
    assert sample_items["languages"] == ["es", "en"]
    assert sample_items["vote_question"] == "vote"
    assert sample_items["consent_question"] == "consent"
    vote = next(item for item in sample_items["items"] if item["name"] == "vote")
    assert [choice["role"] for choice in vote["choices"]] == [
        "candidate", "candidate", "candidate", "candidate", "none", "void", "wont_vote", "undecided", "dk", "refused",
    ]  # fmt: skip
    assert vote["randomize"]


def test_pyxform_makes_an_odk_form_of_the_sample() -> None:
    form = read_form(SAMPLE.name, SAMPLE.read_bytes())
    assert form.form.startswith("<?xml")
    assert 'nodeset="/data/vote"' in form.form or "/data/vote" in form.form


@pytest.mark.parametrize(
    ("row", "place", "words"),
    [
        (["integer", "age", "Edad", "${consent} = ", "", ""], "survey!D2", "relevant"),
        (["integer", "age", "Edad", "${nobody} = 'x'", "", ""], "survey!D2", "nobody"),
        (["integer", "age", "Edad", "", ". >= frob(1)", ""], "survey!E2", "frob"),
        (["select_one nolist", "q", "Q", "", "", ""], "survey!A2", "nolist"),
        (["select_one", "q", "Q", "", "", ""], "survey!A2", "list"),
        (["select_one yn or_other", "q", "Q", "", "", ""], "survey!A2", "or_other"),
        (["geopoint", "q", "Q", "", "", ""], "survey!A2", "geopoint"),
        (["text", "", "Q", "", "", ""], "survey!B2", "name"),
        (["text", "1 q", "Q", "", "", ""], "survey!B2", "letter"),
        (["text", "q", "", "", "", ""], "survey!C2", "label"),
        (["text", "q", "Hola ${nobody}", "", "", ""], "survey!C2", "nobody"),
        (["calculate", "q", "", "", "", ""], "survey!F2", "calculation"),
        (["end_group", "", "", "", "", ""], "survey!A2", "begin_group"),
        (["begin_group", "g", "", "", "", ""], "survey!A2", "end_group"),
        (["text", "q", "Q", "${q} = 1", "", ""], "survey!D2", "circle"),
        (["text", "my\u00a0question", "Q", "", "", ""], "survey!B2", "my_question"),
        (["integer", "q", "Q", "", ". >= pulldata('a', 'b')", ""], "survey!E2", "pulldata"),
        (["end_repeat", "", "", "", "", ""], "survey!A2", "begin_group"),
    ],
)
def test_a_fault_names_sheet_row_and_column(row: list[str], place: str, words: str) -> None:
    told = faults([row])
    assert place in told
    sentence = told[place]
    assert "“survey”, row 2" in sentence
    assert words in sentence


def test_a_name_used_twice_names_the_first_row() -> None:
    told = faults([["text", "q", "Q"], ["text", "q", "Q"]])
    assert "row 2" in told["survey!B3"]


def test_questions_that_need_each_other_are_a_circle() -> None:
    told = faults([["text", "a", "A", "${b} = 1"], ["text", "b", "B", "${a} = 1"]])
    assert "a → b → a" in " ".join(told.values()) or "b → a → b" in " ".join(told.values())


def test_a_vote_question_needs_a_role_for_every_answer() -> None:
    told = faults([["select_one yn", "vote", "¿Por quién?"]], CHOICES, [["vote_question"], ["vote"]])
    assert "yes, no" in told["settings!A2"]


def test_a_wrong_role_names_the_roles_there_are() -> None:
    told = faults([["select_one yn", "q", "Q"]], [CHOICES[0], ["yn", "yes", "Sí", "candidato"]])
    assert "candidate" in told["choices!D2"]


def test_all_faults_are_told_together() -> None:
    assert len(faults([["geopoint", "a", "A"], ["text", "b", ""], ["select_one x", "c", "C"]])) == 3


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02", b"PK\x03\x04 broken", b"type,name\ntext,q\n"])
def test_what_is_no_workbook_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"\.xlsx"):
        read_workbook(content)


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 61_000_000)
    with pytest.raises(InvalidInput, match="60 MB"):
        read_workbook(bomb.getvalue())


def test_a_workbook_without_the_survey_sheet_names_the_sheets_it_has() -> None:
    with pytest.raises(InvalidInput, match="choices"):
        read_workbook(workbook(None, CHOICES))


@pytest.mark.parametrize(
    ("heading", "code"), [("Español (es)", "es"), ("English (en-US)", "en"), ("Náhuatl", "náhuatl"), ("", "")]
)
def test_a_language_is_its_code(heading: str, code: str) -> None:
    assert language_of(heading) == code


@hypothesis_settings(deadline=None)  # a busy machine is no fault of a form
@given(st.lists(st.lists(st.text(max_size=12), min_size=3, max_size=6), max_size=6))
def test_any_rows_make_a_form_or_sentences(rows: list[list[str]]) -> None:
    clean = [["".join(char for char in cell if char.isprintable()) for cell in row] for row in rows]
    try:
        read_items(read_workbook(workbook([HEAD, *clean], CHOICES)))
    except InvalidInput as fault:
        sentences = list(fault.faults.values())
        assert all(sentences)


def test_spaces_that_do_not_show_break_neither_names_nor_expressions() -> None:
    rows: Rows = [
        ["text", "\ufeffq\u200b", "Q"],
        ["integer", "age\u00a0", "Edad", "${q}\u00a0=\u00a0’x’"],
        ["select_one\u00a0yn", "why", "Sí"],
    ]
    items = read_items(read_workbook(workbook([HEAD, *rows], CHOICES)))
    assert [item["name"] for item in items["items"]] == ["q", "age", "why"]
    assert items["items"][1]["relevant"] == ["${q} = 'x'"]


def test_a_choice_without_words_is_a_fault_at_its_own_row() -> None:
    told = faults([["select_one yn", "q", "Q"]], [CHOICES[0], ["yn", "yes", "", ""], ["yn", "no", "No", ""]])
    assert list(told) == ["choices!C2"]
    assert "words" in told["choices!C2"]


def test_a_choice_may_not_name_a_question_that_is_not_there() -> None:
    told = faults([["select_one yn", "q", "Q"]], [CHOICES[0], ["yn", "yes", "Sí, ${nobody}", ""]])
    assert "nobody" in told["choices!C2"]


def test_a_heading_that_stands_twice_is_a_fault_because_one_of_its_columns_would_be_lost() -> None:
    content = workbook([["type", "name", "label", "label"], ["text", "q", "Q", "Otra"]])
    with pytest.raises(InvalidInput) as caught:
        read_items(read_workbook(content))
    assert "twice" in caught.value.faults["survey!D1"]


def test_two_thousand_questions_are_read_and_asked() -> None:
    rows = [["integer", "q0", "Pregunta"]]
    rows += [["integer", f"q{number}", "Pregunta", f"${{q{number - 1}}} > 1"] for number in range(1, 2000)]
    items = read_items(read_workbook(workbook([HEAD, *rows])))
    assert len(items["items"]) == 2000
    question = engine.next_question(items, {"q0": "2", "q1": "2"})
    assert question is not None
    assert (question.name, question.place, question.total) == ("q2", 3, 3)


def test_a_form_beyond_all_measure_is_refused() -> None:
    rows: Rows = [["begin_repeat", "r", "R", "", "", "", "20"], *([["text", f"q{n}", "Q"] for n in range(300)])]
    rows.append(["end_repeat"])
    told = faults([[*row, *[""] * (7 - len(row))] for row in rows], head=[*HEAD, "repeat_count"])
    assert "5000" in " ".join(told.values())
