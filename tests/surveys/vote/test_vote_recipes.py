"""Recipes in versions: kept as they were written, in force once a second person signed."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.base.errors import InvalidInput, NotFound, Refused
from surveys import responses
from surveys.questionnaire import Survey
from surveys.vote import vote_recipes
from tests.surveys.vote_cast import second_person, signed


@pytest.fixture(autouse=True)
def page(app: Flask) -> Iterator[None]:
    """A request, in whose language faults are told."""
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield


def test_without_a_recipe_the_standard_of_the_questionnaire_holds(session: Session, survey: Survey) -> None:
    recipe = vote_recipes.in_force(session, survey.id)
    assert (recipe.question, recipe.likely_question) == ("vote", "likely")
    assert (recipe.likely, recipe.undecided) == ("everybody", "left_out")
    assert vote_recipes.signed_version(session, survey.id) is None


def test_a_version_holds_once_a_second_person_signed_it(session: Session, survey: Survey, rosa: User) -> None:
    found = responses.read(session, survey.id)
    recipe = replace(vote_recipes.standard(session, survey.id), likely="threshold", threshold=7.0)
    row = vote_recipes.keep(session, found, recipe, " as in May ", rosa.id)
    assert (row.version, row.note, row.recipe) == (1, "as in May", recipe)
    assert vote_recipes.in_force(session, survey.id).likely == "everybody"
    with pytest.raises(Refused) as refused:
        vote_recipes.sign(session, survey.id, 1, rosa.id)
    assert refused.value.code == "own_work"
    second = second_person(session)
    vote_recipes.sign(session, survey.id, 1, second.id)
    assert vote_recipes.in_force(session, survey.id) == recipe
    acts = session.scalars(select(AuditEntry.action).where(AuditEntry.action.startswith("vote_recipe"))).all()
    assert sorted(acts) == ["vote_recipe.keep", "vote_recipe.sign"]


def test_signing_twice_changes_nothing(session: Session, survey: Survey, rosa: User) -> None:
    row = signed(session, survey.id, rosa.id, undecided="groups")
    first = (row.signed_by, row.signed_at)
    vote_recipes.sign(session, survey.id, row.version, second_person(session).id)
    assert (row.signed_by, row.signed_at) == first


def test_a_version_older_than_the_one_in_force_cannot_be_signed(session: Session, survey: Survey, rosa: User) -> None:
    found = responses.read(session, survey.id)
    vote_recipes.keep(session, found, vote_recipes.standard(session, survey.id), "", rosa.id)
    assert signed(session, survey.id, rosa.id, undecided="groups").version == 2
    with pytest.raises(Refused) as refused:
        vote_recipes.sign(session, survey.id, 1, second_person(session).id)
    assert refused.value.code == "replaced"
    assert [row.version for row in vote_recipes.versions(session, survey.id)] == [2, 1]
    with pytest.raises(NotFound):
        vote_recipes.sign(session, survey.id, 3, rosa.id)


def test_what_the_questionnaire_does_not_ask_cannot_be_in_a_recipe(session: Session, survey: Survey) -> None:
    found = responses.read(session, survey.id)
    standard = vote_recipes.standard(session, survey.id)
    for said, field in (
        ({"question": "second"}, "question"),
        ({"likely": "probability", "likely_question": ""}, "likely"),
        ({"undecided": "leaning", "leaning": "opinion_azul"}, "leaning"),
    ):
        with pytest.raises(InvalidInput) as refused:
            vote_recipes.check(found, replace(standard, **said))  # type: ignore[arg-type]
        assert set(refused.value.faults) == {field}
    vote_recipes.check(found, replace(standard, undecided="leaning", leaning="second"))


def test_a_face_off_is_cooked_alike_but_for_the_leaning_of_another_question(session: Session, survey: Survey) -> None:
    recipe = replace(vote_recipes.standard(session, survey.id), undecided="leaning", leaning="second", threshold=6.0)
    other = vote_recipes.of_question(recipe, "azul_or_rojo")
    assert (other.question, other.undecided, other.leaning, other.threshold) == ("azul_or_rojo", "left_out", "", 6.0)
    assert vote_recipes.of_question(recipe, "vote") is recipe
