"""Recipes of a survey's vote intention: versions that are never changed, each signed by a second person before its
figures are the ones in force. Without one the standard holds: everybody counts once, candidates alone."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from surveys.questionnaire import current, find
from surveys.responses import Responses
from surveys.vote import vote_options, vote_recipe
from surveys.vote.vote_recipe import Recipe

NOTE_LENGTH = 500


class VoteRecipe(Base):
    """`parameters`: the JSON of a `vote_recipe.Recipe`. In force is the newest version that is signed."""

    __tablename__ = "vote_recipes"
    __table_args__ = (
        UniqueConstraint("survey_id", "version"),
        CheckConstraint("signed_by <> made_by", name="two_people"),
        CheckConstraint("(signed_at IS NULL) = (signed_by IS NULL)", name="signed"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id", ondelete="CASCADE"))
    version: Mapped[int]
    parameters: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(default="", server_default=text("''"))
    made_by: Mapped[int] = mapped_column(ForeignKey("users.id"))
    made_at: Mapped[datetime] = mapped_column(default=real_now)
    signed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    signed_at: Mapped[datetime | None]

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
    return session.scalar(
        select(VoteRecipe)
        .where(VoteRecipe.survey_id == survey_id, VoteRecipe.signed_at.is_not(None))
        .order_by(VoteRecipe.version.desc())
        .limit(1)
    )


def versions(session: Session, survey_id: int) -> list[VoteRecipe]:
    """Every version, the newest first."""
    query = select(VoteRecipe).where(VoteRecipe.survey_id == survey_id).order_by(VoteRecipe.version.desc())
    return list(session.scalars(query))


def version(session: Session, survey_id: int, number: int) -> VoteRecipe:
    """Raises NotFound."""
    found = session.scalar(select(VoteRecipe).filter_by(survey_id=survey_id, version=number))
    if found is None:
        raise NotFound(_("There is no version %(number)s of this recipe.", number=number))
    return found


def keep(session: Session, responses: Responses, given: Recipe, note: str, user_id: int) -> VoteRecipe:
    """The next version of a survey's recipe, not signed yet; audited. Raises InvalidInput for what cannot be done."""
    check(responses, given)
    if len(note) > NOTE_LENGTH:
        raise InvalidInput({"note": _("Write at most %(n)s characters.", n=NOTE_LENGTH)})
    survey = find(session, responses.survey_id)
    session.refresh(survey, with_for_update=True)
    newest = session.scalar(select(func.max(VoteRecipe.version)).where(VoteRecipe.survey_id == survey.id)) or 0
    row = VoteRecipe(
        survey_id=survey.id, version=newest + 1, parameters=given.as_json(), note=note.strip(), made_by=user_id
    )
    session.add(row)
    session.flush()
    audit.record(session, user_id, "vote_recipe.keep", f"survey/{survey.id}", version=row.version, **row.parameters)
    return row


def sign(session: Session, survey_id: int, number: int, user_id: int) -> VoteRecipe:
    """A second person takes responsibility: from now on this version is in force. Harmless twice.

    Raises NotFound; Refused("own_work") for its author, ("old_version") once a newer one is signed."""
    row = version(session, survey_id, number)
    session.refresh(row, with_for_update=True)
    if row.signed_at is not None:
        return row
    if row.made_by == user_id:
        raise Refused("own_work", _("A second person has to sign it: you made this version."))
    in_force_now = signed_version(session, survey_id)
    if in_force_now is not None and in_force_now.version > number:
        raise Refused("old_version", _("Version %(number)s is signed already.", number=in_force_now.version))
    row.signed_by, row.signed_at = user_id, real_now()
    audit.record(session, user_id, "vote_recipe.sign", f"survey/{survey_id}", version=number)
    return row


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
