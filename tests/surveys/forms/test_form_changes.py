"""What differs between two versions."""

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from surveys.forms.form_changes import Difference, changes
from surveys.forms.items import Items
from tests.surveys.forms.test_repeats import HOUSEHOLD, form


def test_a_version_does_not_differ_from_itself(sample_items: Items) -> None:
    assert changes(sample_items, deepcopy(sample_items)) == []


def test_words_added_removed_and_moved_questions_are_told_apart(sample_items: Items) -> None:
    new = deepcopy(sample_items)
    named = {item["name"]: item for item in new["items"]}
    named["age"]["label"]["es"] = "¿Qué edad tiene?"
    new["items"].remove(named["why"])
    new["items"].insert(3, new["items"].pop(new["items"].index(named["vote"])))
    new["items"].append({**named["bye"], "name": "thanks"})
    told = {(change.kind, change.name): change for change in changes(sample_items, new, "es")}
    assert set(told) == {("changed", "age"), ("moved", "vote"), ("removed", "why"), ("added", "thanks")}
    assert told["changed", "age"].differences == (
        Difference("label", "es", "¿Cuántos años cumplidos tiene?", "¿Qué edad tiene?"),
    )
    assert not told["changed", "age"].breaks


def test_other_answers_other_roles_and_other_conditions_break_a_series(sample_items: Items) -> None:
    new = deepcopy(sample_items)
    vote = next(item for item in new["items"] if item["name"] == "vote")
    vote["choices"] = [*vote["choices"][1:], {**vote["choices"][0], "name": "nuevo"}]
    vote["choices"][0] = {**vote["choices"][0], "role": "none"}
    vote["relevant"] = ["${age} > 20"]
    vote["required"] = False
    (change,) = changes(sample_items, new, "es")
    found = {(one.what, one.where): one for one in change.differences}
    assert {key for key, one in found.items() if one.breaks} == {
        ("choice", "nuevo"), ("choice", "azul"), ("role", "rojo"), ("relevant", ""),
    }  # fmt: skip
    assert (found["choice", "azul"].before, found["choice", "azul"].after) == ("Ana Robles, Partido Azul", "")
    assert (found["required", ""].before, found["required", ""].after) == ("yes", "")


def test_another_vote_question_is_a_change_of_the_settings(sample_items: Items) -> None:
    (change,) = changes(sample_items, {**sample_items, "vote_question": "second"})
    assert (change.kind, change.breaks) == ("settings", True)


def test_a_question_of_a_repeat_changes_once_and_not_once_a_turn() -> None:
    new = deepcopy(HOUSEHOLD)
    new[4][2] = "¿Edad?"
    (change,) = changes(form(HOUSEHOLD), form(new))
    assert (change.name, change.kind) == ("age", "changed")


@given(st.permutations(range(12)))
def test_only_what_changed_its_place_among_the_others_has_moved(order: list[int]) -> None:
    items = form([["note", f"n{number}", "N"] for number in range(12)])
    moved = {**items, "items": [items["items"][place] for place in order]}
    told = {change.name for change in changes(items, moved)}
    stayed = [place for place in order if f"n{place}" not in told]
    assert stayed == sorted(stayed)
    assert len(told) < 12
