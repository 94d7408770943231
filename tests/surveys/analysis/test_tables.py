"""Which tables an address asks for, and what they look at."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from callcenter.base.errors import InvalidInput
from surveys.analysis import table_variables, tables
from surveys.analysis.table_variables import Level, Variable
from surveys.analysis.tables import Choices, Wanted
from tests.surveys.response_cast import item, responses

VOTE = item("vote", "azul", "rojo", "dk", dk="dk")
WAVE = item("wave", "yes", "no")
AGE = item("age", kind="integer")
FOUND = responses(
    [VOTE, WAVE, AGE],
    {
        "vote": ["azul"] * 40 + ["rojo"] * 30 + ["dk"] * 10,
        "age": [30, 50] * 40,
        "d_sex": (["H"] * 20 + ["M"] * 20) * 2,
        "h_local_district": (["10"] * 20 + ["2"] * 20) * 2,
        "face": ["screen"] * 80,
    },
)


@pytest.fixture
def choices() -> Choices:
    questions = table_variables.questions(FOUND, "es")
    return Choices(questions, table_variables.facts(FOUND) | {"vote": questions["vote"]})


def _read(choices: Choices, *pairs: tuple[str, str]) -> Wanted:
    return tables.read(MultiDict(pairs), choices, "vote")


@pytest.mark.usefixtures("app")
def test_there_are_questions_with_choices_and_numbers_and_facts_that_tell_people_apart(choices: Choices) -> None:
    assert list(choices.questions) == ["vote", "q_wave", "age"]
    assert list(choices.by) == ["d_sex", "h_local_district", "vote"]  # all of one face: nothing to compare
    assert [level.code for level in choices.by["h_local_district"].levels] == ["2", "10"]


@pytest.mark.usefixtures("app")
def test_an_empty_address_shows_the_vote_by_what_is_usual(choices: Choices) -> None:
    wanted = _read(choices)
    assert (wanted.questions, wanted.by, wanted.weighted) == (("vote",), ("d_sex",), True)


@pytest.mark.usefixtures("app")
def test_an_address_says_all_and_is_written_again_as_it_was_read(choices: Choices) -> None:
    pairs = [("q", "vote"), ("q", "age"), ("by", "d_sex"), ("only", "vote:azul"), ("weights", "no"), ("base", "valid"),
             ("adjust", "no"), ("p", "1"), ("only", "")]  # fmt: skip
    wanted = _read(choices, *pairs)
    assert wanted.only == (("vote", "azul"),)
    assert (wanted.weighted, wanted.settings.only_valid, wanted.settings.adjust, wanted.with_tests) == (
        False, True, False, True,
    )  # fmt: skip
    again = tables.read(MultiDict(wanted.query()), choices, "vote")
    assert again == wanted


@pytest.mark.usefixtures("app")
def test_questions_without_groups_are_shown_for_everybody_alone(choices: Choices) -> None:
    assert _read(choices, ("q", "age")).by == ()


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("pair", "field", "named"),
    [
        (("q", "nobody"), "q", "nobody"),
        (("by", "age"), "by", "age"),
        (("only", "d_sex:Z"), "only", "H, M"),
        (("only", "nobody:1"), "only", "nobody"),
    ],
)
def test_what_is_not_there_is_refused_by_name(choices: Choices, pair: tuple[str, str], field: str, named: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        _read(choices, pair)
    assert named in refused.value.faults[field]


@pytest.mark.usefixtures("app")
def test_too_many_tables_are_refused() -> None:
    many = {str(number): Variable(str(number), "", "single", (Level("a", "a"),)) for number in range(20)}
    with pytest.raises(InvalidInput) as refused:
        tables.read(MultiDict([("q", name) for name in many]), Choices(many, {}), None)
    assert "12" in refused.value.faults["q"]


def test_a_filter_holds_for_every_table_and_a_question_is_not_crossed_with_itself(
    session: Session, app: Flask, choices: Choices
) -> None:
    wanted = Wanted(("vote", "age"), ("d_sex", "vote"), (("vote", "azul"), ("d_sex", "M")))
    vote, age = tables.make(session, FOUND, wanted, choices, None)
    assert [group.variable.name if group.variable else "" for group in vote.groups] == ["", "d_sex"]
    assert [group.variable.name if group.variable else "" for group in age.groups] == ["", "d_sex", "vote"]
    assert vote.columns[0].n == age.columns[0].n == 20


@pytest.mark.usefixtures("app")
def test_standard_tables_are_all_questions_by_the_usual_groups() -> None:
    found = tables.standard(FOUND, None)
    assert [table.question.name for table in found] == ["vote", "q_wave", "age"]
    assert {len(table.groups) for table in found} == {2}


@pytest.mark.usefixtures("app")
def test_codes_of_open_answers_are_counted_like_choices() -> None:
    variable = Variable("why_coded", "¿Por qué?", "multiple", (Level("a", "Agua"), Level("b", "Luz")))
    given: dict[Any, tuple[str, ...]] = {"i0": ("a", "b"), "i1": ("b",), "i2": (), "strange": ("a",)}
    codes = table_variables.coded_mentions(FOUND, given, variable)
    assert int(codes.has_answer.sum()) == 3
    assert sorted(zip(codes.at.tolist(), codes.codes.tolist(), strict=True)) == [(0, 0), (0, 1), (1, 1)]  # type: ignore[union-attr]
    single = table_variables.coded_mentions(FOUND, {"i0": ("a",)}, Variable("x", "", "single", variable.levels))
    assert single.codes.tolist()[:2] == [0, -1]


@pytest.mark.usefixtures("app")
def test_who_only_does_not_know_has_not_answered_where_the_base_says_so() -> None:
    several = item("p", "a", "dk", kind="select_multiple", dk="dk")
    found = responses([several], {"p": [["a"], ["dk"], ["a", "dk"], None]})
    variable = table_variables.questions(found, "es")["p"]
    left = table_variables.without_missing(table_variables.coded(found, variable), variable)
    assert left.has_answer.tolist() == [True, False, False, False]
    assert left.codes.tolist() == [0]
