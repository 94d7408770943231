"""Recipes of a survey's vote intention: versions that are never changed, each signed by a second person before its
figures are the ones in force. Without one the standard holds: everybody counts once, candidates alone."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, Refused
from surveys import signed_versions
from surveys.questionnaire import current
from surveys.responses import Responses
from surveys.signed_versions import SignedVersion
from surveys.vote import vote_options, vote_recipe
from surveys.vote.vote_recipe import Recipe

NOTE_LENGTH = 500


class VoteRecipe(SignedVersion, Base):
    """`parameters`: the JSON of a `vote_recipe.Recipe`."""

    __tablename__ = "vote_recipes"
    parameters: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(default="", server_default=text("''"))

    @property
    def recipe(self) -> Recipe:
        return vote_recipe.read(self.parameters)


def standard(session: Session, survey_id: int) -> Recipe:
    """What holds without a recipe. Raises Refused("no_vote_question"), NotFound."""
    items = current(session, survey_id).items
    if not items.get("vote_question"):
        raise Refused("no_vote_question", _("This questionnaire asks for no vote."))
    return Recipe(question=items["vote_question"], likely_question=items.get("likely_question") or "")


def in_force(session: Session, survey_id: int) -> Recipe:
    """The newest signed recipe, else the standard."""
    signed = signed_version(session, survey_id)
    return signed.recipe if signed is not None else standard(session, survey_id)


def signed_version(session: Session, survey_id: int) -> VoteRecipe | None:
    """The version in force; None while the standard holds."""
    return signed_versions.in_force(session, VoteRecipe, survey_id)


def versions(session: Session, survey_id: int) -> Sequence[VoteRecipe]:
    """Every version, the newest first."""
    return signed_versions.listed(session, VoteRecipe, survey_id)


def version(session: Session, survey_id: int, number: int) -> VoteRecipe:
    """Raises NotFound."""
    return signed_versions.named(session, VoteRecipe, survey_id, number)


def keep(session: Session, responses: Responses, given: Recipe, note: str, user_id: int) -> VoteRecipe:
    """The next version of a survey's recipe, not signed yet; audited. Raises InvalidInput for what cannot be done."""
    check(responses, given)
    if len(note) > NOTE_LENGTH:
        raise InvalidInput({"note": _("Write at most %(n)s characters.", n=NOTE_LENGTH)})
    survey_id = responses.survey_id
    number = signed_versions.next_number(session, VoteRecipe, survey_id)
    row = VoteRecipe(
        survey_id=survey_id, version=number, parameters=given.as_json(), note=note.strip(), made_by=user_id
    )
    session.add(row)
    session.flush()
    audit.record(session, user_id, "vote_recipe.keep", f"survey/{survey_id}", version=number, **row.parameters)
    return row


def sign(session: Session, survey_id: int, number: int, user_id: int) -> VoteRecipe:
    """A second person puts this version in force. Raises as signed_versions.sign."""
    return signed_versions.sign(session, VoteRecipe, survey_id, number, user_id, "vote_recipe.sign")


def check(responses: Responses, given: Recipe) -> None:
    """Raises InvalidInput where the recipe asks for what this questionnaire does not."""
    faults = {}
    if given.question != vote_options.vote_question(responses):
        faults["question"] = _("No question is called “%(name)s”.", name=given.question)
    if given.likely != "everybody" and given.likely_question not in responses.items:
        faults["likely"] = _(
            "No question asks how sure people are to vote: name it in the sheet “settings”, likely_question."
        )
    known = {item.name for item in vote_options.leanings(responses, given.question)} if not faults else set()
    if given.undecided == "leaning" and not faults and given.leaning not in known:
        faults["leaning"] = _("No question of this questionnaire asks the undecided for one of the candidates.")
    if faults:
        raise InvalidInput(faults)


def of_question(recipe: Recipe, question: str) -> Recipe:
    """The recipe for a face-off: to whom the undecided of the vote lean says nothing of it."""
    if question == recipe.question:
        return recipe
    undecided = "left_out" if recipe.undecided == "leaning" else recipe.undecided
    return replace(recipe, question=question, undecided=undecided, leaning="")


def possible(found: Responses, recipe: Recipe) -> Recipe:
    """The recipe without what these people could not say yet: before anybody said how sure they are to vote, everybody
    counts once; without the question that tells a leaning, the undecided are left out."""
    item = found.items.get(recipe.likely_question)
    is_asked = item is not None and found.frame[item.column].null_count() < found.frame.height
    likely = recipe.likely if is_asked else "everybody"
    leaves_out = recipe.undecided == "leaning" and recipe.leaning not in found.items
    return replace(recipe, likely=likely, undecided="left_out" if leaves_out else recipe.undecided)


def from_form(responses: Responses, given: Mapping[str, Any], shared: list[str]) -> Recipe:
    """The recipe as a form says it. Raises InvalidInput with a sentence for each fault."""
    try:
        threshold, decimals = float(given.get("threshold") or 8), int(given.get("decimals") or 0)
    except ValueError as error:
        raise InvalidInput({"threshold": _("Write a number above 0 and up to 10.")}) from error
    return Recipe(
        question=vote_options.vote_question(responses),
        likely_question=responses.likely_question or "",
        likely=given.get("likely", ""),
        threshold=threshold,
        undecided=given.get("undecided", ""),
        shared=tuple(shared),
        leaning=given.get("leaning", ""),
        percents=given.get("percents", ""),
        decimals=decimals,
    )
