"""What a vote recipe makes of the interviews there are now: its chain, the ways beside it, in the reader's words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask_babel import LazyString, format_decimal, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from surveys.responses import Responses
from surveys.results import HIDDEN_BELOW
from surveys.vote import vote_options
from surveys.vote.vote_recipe import LIKELY, UNDECIDED, Recipe
from surveys.weighting.weighing import Weighing

if TYPE_CHECKING:
    from surveys.vote.vote_chain import Alternative, Chain, Step

ROLE_WORDS: dict[str, LazyString] = {
    "undecided": _l("undecided"),
    "dk": _l("doesn't know"),
    "refused": _l("no answer"),
}


@dataclass(frozen=True)
class Look:
    """`chain` is None while fewer than ten people answered; `alternatives` are then empty."""

    recipe: Recipe
    people: int
    options: tuple[vote_options.Option, ...]
    chain: "Chain | None"
    alternatives: "Sequence[Alternative]"

    @property
    def candidates(self) -> list[vote_options.Option]:
        return [option for option in self.options if option.role == "candidate"]

    @property
    def is_effective_shown(self) -> bool:
        return self.chain is not None and self.chain.effective.base >= HIDDEN_BELOW

    def spread(self, code: str) -> float:
        """How far the ways beside each other are apart for a candidate (0–1): what the choice of a recipe is worth."""
        shares = [way.effective[code] for way in self.alternatives]
        return max(shares) - min(shares) if shares else 0.0


def look(found: Responses, weighed: Weighing, recipe: Recipe) -> Look:
    """Kept beside the responses. Raises InvalidInput where nobody was asked what the recipe needs."""
    key = ("look", recipe, weighed.recipe and weighed.recipe.version, weighed.weights is None)
    if key not in found.memo:
        found.memo[key] = _look(found, weighed, recipe)
    made: Look = found.memo[key]
    return made


def _look(found: Responses, weighed: Weighing, recipe: Recipe) -> Look:
    from surveys.vote import vote_ballots, vote_chain
    from surveys.weighting import raking

    weights = weighed.weights or raking.unweighted(found.frame.height)
    ballots = vote_ballots.read(found.frame, found.items, weights, recipe)
    people = round(float(ballots.mass.people[ballots.codes >= 0].sum()))
    if people < HIDDEN_BELOW:
        return Look(recipe, people, ballots.options, None, ())
    chain = vote_chain.follow(ballots, recipe)
    asked = vote_options.leanings(found, recipe.question)
    if asked and not recipe.leaning:  # a way that nobody uses is shown, too
        ballots = vote_ballots.read(found.frame, found.items, weights, replace(recipe, leaning=asked[0].name))
    return Look(recipe, people, ballots.options, chain, vote_chain.alternatives(ballots, recipe))


def step_words(step: "Step", look: Look) -> str:
    """One sentence of what a step did."""
    number = format_decimal(step.people)
    counted = str(ngettext("%(number)s person counts", "%(number)s people count", step.people, number=number))
    said = step.parameters
    if step.name == "gross":
        return str(_("Every answer by its role, none merged with another; %(counted)s.", counted=counted))
    if step.name == "likely":
        return f"{likely_words(look.recipe)}; {counted}."
    if step.name == "undecided":
        return f"{undecided_words(look.recipe, said['shared'])}."
    return str(_("Candidates alone: what the others said is taken out of the base."))


def likely_words(recipe: Recipe) -> str:
    """Who counts how much."""
    if recipe.likely != "threshold":
        return str(LIKELY[recipe.likely])
    least = format_decimal(recipe.threshold)
    return str(_("Only who is sure enough to vote counts: %(least)s of 10 or more", least=least))


def undecided_words(recipe: Recipe, shared: Sequence[str]) -> str:
    """How the undecided are treated, and who they are."""
    if recipe.undecided == "left_out":
        return str(UNDECIDED["left_out"])
    who = ", ".join(str(ROLE_WORDS[role]) for role in shared)
    return f"{UNDECIDED[recipe.undecided]} ({who})"
