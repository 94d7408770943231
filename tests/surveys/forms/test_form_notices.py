"""What a form seldom has, and what each face makes of a question."""

from surveys.forms.form_notices import notices
from surveys.forms.form_preview import preview
from surveys.forms.items import Items, read_items
from surveys.forms.xlsform import read_workbook
from tests.surveys.forms.test_repeats import HOUSEHOLD, form
from tests.surveys.survey_forms import SAMPLE, Rows, workbook

CHOICES: Rows = [
    ["list_name", "name", "label::Español (es)", "label::English (en)", "region"],
    ["yn", "yes", "Sí", "Yes", "1"],
    ["yn", "no", "No", "No", "2"],
    ["unused", "a", "A", "A", ""],
]


def told(survey: Rows, settings: Rows | None = None) -> str:
    book = read_workbook(workbook(survey, CHOICES, settings))
    return "\n".join(notices(book, read_items(book)))


def test_the_sample_has_nothing_to_be_noticed() -> None:
    book = read_workbook(SAMPLE.read_bytes())
    assert notices(book, read_items(book)) == []


def test_everything_unusual_is_said_and_holds_nobody_up() -> None:
    head = ["type", "name", "label::Español (es)", "label::English (en)", "relevnt", "required"]
    said = told([head, ["select_one yn", "q", "¿Sí?", "", "${q} = 1", "yes"], ["note", "n", "x" * 500, "N", "", ""]])
    for words in ("“consent”", "vote_question", "relevnt", "“q” has no words in the language “en”", "“unused”",
                  "“q” must be answered", "“n” is longer", "“region”"):  # fmt: skip
        assert words in said


def test_a_column_that_a_choice_filter_uses_is_understood() -> None:
    head = ["type", "name", "label::Español (es)", "label::English (en)", "choice_filter"]
    assert "region" not in told([head, ["select_one yn", "q", "¿Sí?", "Yes?", "./region = 1"]])


def test_a_question_is_shown_on_its_faces_whatever_it_depends_on(sample_items: Items) -> None:
    seen = preview(sample_items, "second", "en")
    assert seen.screen is not None
    assert seen.screen.label == "And as a second choice?"
    assert seen.keypad[0] == "And as a second choice?"
    assert any("press 1" in sentence for sentence in seen.keypad)
    assert "1) " in seen.message
    intro = preview(sample_items, "intro", "es")
    assert intro.screen is not None
    assert "[operator_name]" in intro.screen.label


def test_a_face_that_cannot_ask_says_nothing(sample_items: Items) -> None:
    assert preview(sample_items, "why", "es").keypad == ()
    assert preview(sample_items, "why_voice", "es").screen is None
    assert preview(sample_items, "why_voice", "es").message == ""
    assert preview(sample_items, "sponsor", "es").screen is None
    assert not preview(sample_items, "vote", "nah").knows_tongue


def test_of_a_repeat_the_first_turn_is_shown() -> None:
    seen = preview(form(HOUSEHOLD), "age", "es").screen
    assert seen is not None
    assert seen.label == "¿Qué edad tiene [who.1]?"
