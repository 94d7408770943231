"""The short way: strata are asked before anybody is sent away, and nobody is asked anything before consent."""

from surveys.engine import Look
from surveys.fieldwork import screening
from surveys.fieldwork.quota_cells import Cell, Dimension, QuotaPlan, Screen
from surveys.forms.items import Items

PLAN = QuotaPlan(
    (Dimension("sex", "sex", "code"), Dimension("age", "age", "number")),
    (Cell(("M", "18-29"), 1), Cell(("H", "18-29"), 1)),
)
FULL = Screen(PLAN, frozenset({("M", "18-29")}), {})


def walk(items: Items, answers: dict[str, str], only: frozenset[str]) -> list[str]:
    asked = []
    given: dict[str, str] = {}
    while (question := screening.next_question(Look(items, given, 7), only)) is not None:
        asked.append(question.name)
        given[question.name] = answers.get(question.name, "")
    return asked


def test_the_short_way_is_the_introduction_consent_and_the_strata(sample_items: Items) -> None:
    only = screening.short_way(sample_items, PLAN.strata)
    assert walk(sample_items, {"consent": "yes", "age": "20", "sex": "M"}, only) == ["intro", "consent", "age", "sex"]
    assert walk(sample_items, {"consent": "no"}, only) == ["intro", "consent"]


def test_places_are_counted_along_the_short_way(sample_items: Items) -> None:
    only = screening.short_way(sample_items, PLAN.strata)
    question = screening.next_question(Look(sample_items, {"intro": "", "consent": "yes"}, 7), only)
    assert question is not None
    assert (question.name, question.place, question.total) == ("age", 3, 4)


def test_without_a_question_of_consent_the_notes_at_the_beginning_stay(sample_items: Items) -> None:
    items = {**sample_items, "consent_question": None}
    assert screening.short_way(items, frozenset({"age"})) == {"intro", "age"}


def test_all_strata_are_asked_even_when_the_first_one_tells_enough(sample_items: Items) -> None:
    women = Screen(PLAN, frozenset({("M", "18-29"), ("H", "18-29")}), {})
    answers = {"intro": "", "consent": "yes", "age": "20"}
    only = screening.only(women, sample_items, answers)
    assert only is not None
    assert not screening.is_finished(Look(sample_items, answers, 7), only)
    assert screening.is_finished(Look(sample_items, {**answers, "sex": "M"}, 7), only)


def test_a_campaign_that_asks_everything_sends_nobody_away(sample_items: Items) -> None:
    answers = {"consent": "yes", "age": "20", "sex": "M"}
    assert screening.only(FULL, sample_items, answers) is not None
    finish = Screen(QuotaPlan(PLAN.dimensions, PLAN.cells, "finish"), FULL.full, {})
    assert screening.only(finish, sample_items, answers) is None
    assert screening.only(None, sample_items, answers) is None
