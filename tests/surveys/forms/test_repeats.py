"""Loop groups: laid out once a turn, asked as often as they apply, seen from outside as a whole."""

from collections.abc import Sequence

import pytest

from callcenter.base.errors import InvalidInput
from surveys import engine
from surveys.forms.items import Items, read_items
from surveys.forms.xlsform import read_workbook
from surveys.questionnaire import read_form
from tests.surveys.survey_forms import Rows, workbook

HEAD = ["type", "name", "label", "relevant", "constraint", "calculation", "repeat_count", "repeat_max"]
HOUSEHOLD: Rows = [
    ["integer", "people", "¿Cuántas personas viven aquí?"],
    ["begin repeat", "person", "Persona", "", "", "", "${people}", "3"],
    ["calculate", "turn", "", "", "", "position(..)"],
    ["text", "who", "¿Cómo le dicen a la persona ${turn}?"],
    ["integer", "age", "¿Qué edad tiene ${who}?", "${who} != ''", ". < 120"],
    ["end repeat"],
    ["calculate", "oldest", "", "", "", "max(${age})"],
    ["calculate", "last", "", "", "", "indexed-repeat(${who}, ${person}, ${people})"],
    ["calculate", "many", "", "", "", "count(${person})"],
    ["note", "bye", "Viven ${many}; la última es ${last}; la mayor edad es ${oldest}."],
]


def content(rows: Sequence[Sequence[str]]) -> bytes:
    return workbook([HEAD, *([*row, *[""] * (len(HEAD) - len(row))] for row in rows)])


def form(rows: Sequence[Sequence[str]]) -> Items:
    return read_items(read_workbook(content(rows)))


def faults(*rows: list[str]) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        form([*HOUSEHOLD[:-1], *rows])
    return caught.value.faults


def walk(items: Items, given: dict[str, str], face: str = "screen") -> list[tuple[str, str]]:
    """(name, words) of every question on the way of these answers."""
    answers: dict[str, str] = {}
    asked = []
    while (question := engine.next_question(items, answers, face=face)) is not None:
        asked.append((question.name, question.label))
        answers[question.name] = engine.read_answer(items, answers, question.name, given.get(question.name, ""))
    return asked


def test_a_repeat_is_asked_as_often_as_an_answer_says() -> None:
    given = {"people": "2", "who.1": "Ana", "age.1": "61", "who.2": "Luis", "age.2": "9"}
    assert walk(form(HOUSEHOLD), given) == [
        ("people", "¿Cuántas personas viven aquí?"),
        ("who.1", "¿Cómo le dicen a la persona 1?"),
        ("age.1", "¿Qué edad tiene Ana?"),
        ("who.2", "¿Cómo le dicen a la persona 2?"),
        ("age.2", "¿Qué edad tiene Luis?"),
        ("bye", "Viven 2; la última es Luis; la mayor edad es 61."),
    ]


@pytest.mark.parametrize(("people", "turns"), [("", 0), ("0", 0), ("1", 1), ("3", 3), ("9", 3), ("-2", 0)])
def test_there_are_as_many_turns_as_counted_and_no_more_than_laid_out(people: str, turns: int) -> None:
    names = [name for name, _words in walk(form(HOUSEHOLD), {"people": people})]
    assert sum(name.startswith("who.") for name in names) == turns


def test_a_turn_sees_its_own_answers_only() -> None:
    names = [name for name, _words in walk(form(HOUSEHOLD), {"people": "2", "who.2": "Luis"})]
    assert "age.1" not in names
    assert "age.2" in names


def test_answers_of_turns_that_do_not_apply_any_more_are_not_counted() -> None:
    items = form(HOUSEHOLD)
    answers = {"people": "1", "who.1": "Ana", "age.1": "30", "who.2": "Luis", "age.2": "70"}
    standing = engine.stand(items, answers)
    assert (standing.values["oldest"], standing.values["many"]) == ("30", "1")
    assert "age.2" not in engine.Look(items, answers).applicable


def test_a_repeat_of_a_fixed_number_needs_no_count() -> None:
    rows = [["begin_repeat", "visit", "", "", "", "", "2"], ["text", "how", "¿Cómo?"], ["end_repeat"]]
    items = form([*rows, ["note", "sum", "Fueron ${n}"], ["calculate", "n", "", "", "", "count(${visit})"]])
    assert [item["name"] for item in items["items"]] == ["how.1", "how.2", "sum", "n"]
    assert walk(items, {})[-1] == ("sum", "Fueron 2")


def test_each_item_tells_of_which_repeat_and_turn_it_is() -> None:
    item = next(item for item in form(HOUSEHOLD)["items"] if item["name"] == "age.2")
    assert item["turn"] == {"of": "age", "repeat": "person", "number": 2}


def test_by_telephone_keys_the_same_turns_are_asked() -> None:
    names = [name for name, _words in walk(form(HOUSEHOLD), {"people": "2", "who.1": "x"}, face="agi")]
    assert names == ["people", "bye"]  # nobody writes with keys, so nobody has an age either


@pytest.mark.parametrize(
    ("row", "place", "words"),
    [
        (["note", "x", "Hola ${who}"], "survey!C11", "turn"),
        (["note", "x", "Hola", "${age} > 3"], "survey!D11", "turn"),
        (["note", "x", "Hola", "selected(${who}, 'x')"], "survey!D11", "turn"),
        (["note", "x", "Hola", "${person} = 1"], "survey!D11", "turn"),
        (["text", "person", "Hola"], "survey!B11", "row 3"),
        (["text", "age.1", "Hola"], "survey!B6", "age.1"),
        (["text", "person_count", "Hola"], "survey!B11", "row 3"),
        (["begin_repeat", "r", "", "", "", "", "25"], "survey!G11", "20"),
        (["begin_repeat", "r", "", "", "", "", ""], "survey!G11", "how often"),
        (["begin_repeat", "r", "", "", "", "", "${nobody}"], "survey!G11", "nobody"),
        (["begin_repeat", "r", "", "", "", "", "${people}", "x"], "survey!H11", "20"),
        (["begin_repeat", "r", "", "", "", "", "2"], "survey!A11", "end_repeat"),
        (["end_group"], "survey!A11", "begin_group"),
    ],
)
def test_a_fault_of_a_repeat_names_its_cell(row: list[str], place: str, words: str) -> None:
    assert words in faults(row)[place]


def test_a_repeat_inside_a_repeat_is_refused() -> None:
    told = faults(["begin_repeat", "a", "", "", "", "", "2"], ["begin_repeat", "b", "", "", "", "", "2"],
                  ["text", "q", "Q"], ["end_repeat"], ["end_repeat"])  # fmt: skip
    assert "inside" in told["survey!A12"]


def test_groups_and_repeats_end_with_their_own_kind() -> None:
    told = faults(["begin_group", "g"], ["text", "q", "Q"], ["end_repeat"])
    assert "end_group" in told["survey!A13"]


def test_the_odk_form_of_a_repeat_is_made_too() -> None:
    assert "<repeat" in read_form("casa.xlsx", content(HOUSEHOLD)).form
