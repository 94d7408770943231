"""How a survey is weighed: versions, a second person, and who is weighed at all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.base.errors import InvalidInput, NotFound, Refused
from surveys.analysis.response_items import Choice, Item
from surveys.questionnaire import Survey
from surveys.responses import Responses
from surveys.weighting import weight_recipe, weight_recipes
from surveys.weighting.raking import CannotWeigh, Margin, Targets
from surveys.weighting.weight_recipe import Recipe

TARGETS = Targets((Margin("sex", {"H": 0.5, "M": 0.5}, {"M": ("M", "X")}),))
RECIPE = Recipe(TARGETS, cap=5.0, source="Invented census of 2020")
VOTE = Item("vote", "select_one", {"es": "¿?"}, (Choice("p", "candidate", {}), Choice("q", "candidate", {})))


def interviews(**columns: list[Any]) -> Responses:
    """Twelve interviews: the last two did not come to the vote, the last was screened out."""
    frame = pl.DataFrame({
        "state": ["complete"] * 8 + ["partial"] * 3 + ["screened"],
        "d_sex": ["H"] * 3 + ["M"] * 6 + ["X"] + ["M"] * 2,
        "vote": ["p", "q"] * 5 + [None, None],
        "wave": ["1"] * 6 + ["2"] * 6,
        "base_weight": [1.0] * 12,
    } | columns)  # fmt: skip
    return Responses(1, frame, {"vote": VOTE}, datetime(2027, 5, 10, tzinfo=UTC), "vote")


def test_a_recipe_survives_its_way_through_json() -> None:
    crossed = Margin("b*c", {"z*1": 0.7, "a*2": 0.3})
    targets = Targets((*TARGETS.margins, crossed), keep_missing=True)
    whole = replace(RECIPE, targets=targets, by_wave=True, base="complete", version=3)
    again = weight_recipe.from_json(weight_recipe.to_json(whole))
    assert again == whole
    assert list(again.targets.margins[1].shares) == ["z*1", "a*2"]  # in the writer's order


def test_who_did_not_come_to_the_vote_is_not_weighed() -> None:
    weights = weight_recipes.weigh(RECIPE, interviews())
    assert weights.values[10:].tolist() == [0, 0]
    assert weights.n == 10
    assert weights.values[:3].sum() == pytest.approx(5)
    assert weights.values.sum() == pytest.approx(10)


def test_complete_interviews_alone_may_be_weighed() -> None:
    weights = weight_recipes.weigh(replace(RECIPE, base="complete"), interviews())
    assert np.flatnonzero(weights.values).tolist() == list(range(8))


def test_without_a_vote_question_all_but_the_screened_are_weighed() -> None:
    weights = weight_recipes.weigh(RECIPE, replace(interviews(), vote_question=None))
    assert weights.n == 11


def test_base_weights_of_the_sample_are_where_raking_begins() -> None:
    weights = weight_recipes.weigh(RECIPE, interviews(base_weight=[2.0, 1.0, 1.0] + [1.0] * 9)).values
    assert weights[0] == pytest.approx(2 * weights[1])


def test_each_wave_may_be_weighed_by_itself() -> None:
    weights = weight_recipes.weigh(replace(RECIPE, by_wave=True), interviews(d_sex=["H", "M", "M"] * 4))
    for wave in (slice(0, 6), slice(6, 10)):
        assert weights.values[wave].mean() == pytest.approx(1)
    assert weights.values[[0, 3]].sum() == pytest.approx(3)
    assert weights.cells is not None
    assert weights.cells.levels[0].tolist() == [0, 1, 2, 3]


def test_a_wave_that_cannot_be_weighed_is_named() -> None:
    with pytest.raises(CannotWeigh, match="Wave 2: sex, level H"):
        weight_recipes.weigh(replace(RECIPE, by_wave=True), interviews())


def test_weights_are_made_once_for_the_same_interviews() -> None:
    found = interviews()
    assert weight_recipes.weigh(RECIPE, found) is weight_recipes.weigh(RECIPE, found)
    assert weight_recipes.weigh(RECIPE, interviews()) is not weight_recipes.weigh(RECIPE, found)


@pytest.fixture
def pollsters(session: Session) -> Callable[[str], int]:
    def make(name: str) -> int:
        user = User(username=name, full_name=name.title(), password="x", fs_uniquifier=name)
        session.add(user)
        session.flush()
        return user.id

    return make


def test_a_version_holds_when_a_second_person_signed_it(
    session: Session, survey: Survey, pollsters: Callable[[str], int]
) -> None:
    ana, beto = pollsters("ana.weights"), pollsters("beto.weights")
    row = weight_recipes.keep(session, survey.id, RECIPE, ana)
    assert weight_recipes.in_force(session, survey.id) is None
    with pytest.raises(Refused, match="second person"):
        weight_recipes.sign(session, survey.id, row.version, ana)
    weight_recipes.sign(session, survey.id, row.version, beto)
    assert weight_recipes.in_force(session, survey.id) == replace(RECIPE, version=1)
    weight_recipes.sign(session, survey.id, row.version, beto)  # harmless twice
    acts = select(AuditEntry.action).where(AuditEntry.action.startswith("weights.")).order_by(AuditEntry.id)
    assert session.scalars(acts).all() == ["weights.keep", "weights.sign"]


def test_results_go_on_with_the_signed_version_while_a_newer_one_waits(
    session: Session, survey: Survey, pollsters: Callable[[str], int]
) -> None:
    ana, beto = pollsters("ana.weights"), pollsters("beto.weights")
    weight_recipes.keep(session, survey.id, RECIPE, ana)
    weight_recipes.sign(session, survey.id, 1, beto)
    weight_recipes.keep(session, survey.id, replace(RECIPE, cap=3.0), beto)
    held = weight_recipes.in_force(session, survey.id)
    assert held is not None
    assert (held.version, held.cap) == (1, 5.0)
    weight_recipes.keep(session, survey.id, replace(RECIPE, cap=2.5), beto)
    with pytest.raises(Refused, match="newer version"):
        weight_recipes.sign(session, survey.id, 2, ana)


def test_signing_that_everybody_counts_once_takes_weights_off(
    session: Session, survey: Survey, pollsters: Callable[[str], int]
) -> None:
    ana, beto = pollsters("ana.weights"), pollsters("beto.weights")
    weight_recipes.keep(session, survey.id, RECIPE, ana)
    weight_recipes.sign(session, survey.id, 1, beto)
    weight_recipes.keep(session, survey.id, Recipe(Targets(()), method="none", source="A decision"), ana)
    weight_recipes.sign(session, survey.id, 2, beto)
    assert weight_recipes.in_force(session, survey.id) is None


@pytest.mark.parametrize(("change", "field"), [
    ({"source": "  "}, "source"), ({"method": "magic"}, "method"), ({"base": "all"}, "base"),
    ({"targets": Targets(())}, "targets"),
    ({"method": "post_stratification", "targets": Targets((*TARGETS.margins, Margin("b", {"x": 1.0})))}, "targets"),
])  # fmt: skip
def test_a_recipe_that_says_too_little_is_not_kept(
    session: Session, survey: Survey, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        weight_recipes.keep(session, survey.id, replace(RECIPE, **change), 1)
    assert list(refusal.value.faults) == [field]


def test_there_is_nothing_to_sign_where_nothing_was_written(session: Session, survey: Survey) -> None:
    with pytest.raises(NotFound):
        weight_recipes.sign(session, survey.id, 1, 1)
    with pytest.raises(NotFound):
        weight_recipes.keep(session, 987_654, RECIPE, 1)
