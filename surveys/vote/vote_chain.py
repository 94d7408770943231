"""From gross to effective as a chain of named steps, each of which says what it moved. Pure: arrays in, figures out.

gross      every answer by its role, none merged
likely     each person counts as much as they are likely to vote; who said that they will not vote counts nothing
undecided  the vote of the undecided is left out, or goes where they lean, or as the decided of their group vote
effective  candidates alone

Every step turns the people's linearised votes (people × options) and what they count in the base into new ones, so that
at each step the totals are sums over people and the errors follow from the same rows (`share_errors`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput
from surveys.vote import vote_ballots
from surveys.vote.vote_ballots import Ballots
from surveys.vote.vote_recipe import LIKELY, SHARED_ROLES, TOP, UNDECIDED, Recipe
from surveys.weighting import share_errors
from surveys.weighting.intervals import Z95
from surveys.weighting.share_errors import Codes, Estimate, Floats

if TYPE_CHECKING:
    import polars as pl

    from surveys.responses import Item
    from surveys.weighting.raking import Weights

STEPS = ("gross", "likely", "undecided", "effective")


@dataclass(frozen=True)
class Step:
    """`before` and `after`: code -> share (0–1) of what counts there; `moved`: the difference. `people` counted."""

    name: str
    parameters: Mapping[str, Any]
    before: Mapping[str, float]
    after: Mapping[str, float]
    people: int

    @property
    def moved(self) -> dict[str, float]:
        return {code: self.after.get(code, 0.0) - self.before.get(code, 0.0) for code in {**self.before, **self.after}}


@dataclass(frozen=True)
class Lead:
    """How far the first candidate is before the second (0–1), and the margin of that difference at 95 %."""

    first: str
    second: str
    difference: float
    margin: float

    @property
    def is_too_close(self) -> bool:
        return not self.difference > self.margin


@dataclass(frozen=True)
class Shares:
    """Estimates by code over `base` people; `deff`: Kish's of the weights they count with."""

    base: int
    deff: float
    of: Mapping[str, Estimate]
    lead: Lead | None


@dataclass(frozen=True)
class Chain:
    recipe: Recipe
    steps: tuple[Step, ...]
    gross: Shares
    effective: Shares


@dataclass(frozen=True)
class Alternative:
    """The effective shares that another choice would give; `is_used` marks the recipe's own."""

    likely: str
    undecided: str
    effective: Mapping[str, float]
    is_used: bool


@dataclass(frozen=True)
class _Count:
    """`votes`: people × options, linearised; `base`: what each counts in the base; `said`: the place of the answer that
    they count under, -1: none."""

    votes: Floats
    base: Floats
    said: Codes

    def shares(self, ballots: Ballots) -> dict[str, float]:
        total = float(ballots.mass.weights @ self.base)
        sums = ballots.mass.weights @ self.votes
        return {option.code: float(sums[at] / total) if total else 0.0 for at, option in enumerate(ballots.options)}


def run(frame: "pl.DataFrame", items: Mapping[str, "Item"], weights: "Weights", recipe: Recipe) -> Chain:
    """`follow` of a frame of responses, their items (surveys.responses) and weights (surveys.weighting.raking)."""
    return follow(vote_ballots.read(frame, items, weights, recipe), recipe)


def follow(ballots: Ballots, recipe: Recipe) -> Chain:
    """The whole chain. Raises InvalidInput when the recipe asks for what these ballots do not hold."""
    counts = _counts(ballots, recipe)
    steps = tuple(_steps(ballots, recipe, counts))
    effective = _estimates(ballots, counts[-1], ballots.places(("candidate",)))
    return Chain(recipe, steps, _estimates(ballots, counts[0], range(len(ballots.options))), effective)


def alternatives(ballots: Ballots, recipe: Recipe) -> list[Alternative]:
    """Every way from these ballots to effective shares, side by side; only ways that the questions allow."""
    few = ballots.together()
    found = []
    for likely, undecided in product(LIKELY, UNDECIDED):
        if (likely != "everybody" and few.likely is None) or (undecided == "leaning" and few.leaning is None):
            continue
        leaning, shared = recipe.leaning or "asked", recipe.shared or SHARED_ROLES[:2]
        other = replace(recipe, likely=likely, undecided=undecided, leaning=leaning, shared=shared)
        shares = _counts(few, other)[-1].shares(few)
        candidates = {few.options[at].code: shares[few.options[at].code] for at in few.places(("candidate",))}
        is_used = (likely, undecided) == (recipe.likely, recipe.undecided)
        found.append(Alternative(likely, undecided, candidates, is_used))
    return found


def change(before: Shares, after: Shares, code: str) -> tuple[float, float]:
    """(difference, its margin at 95 %) of one option between two waves that asked different people."""
    one, other = before.of[code], after.of[code]
    return other.share - one.share, float(np.hypot(_half(one), _half(other)))


def _half(found: Estimate) -> float:
    """Half the width of the interval; where there is no error of its own (0 %), how far the interval reaches."""
    if found.se > 0:
        return Z95 * found.se
    return max(found.high - found.share, found.share - found.low)


def _counts(ballots: Ballots, recipe: Recipe) -> list[_Count]:
    gross = _gross(ballots)
    likely = _likely(ballots, recipe, gross)
    decided = _decided(ballots, recipe, likely)
    return [gross, likely, decided, _effective(ballots, decided)]


def _gross(ballots: Ballots) -> _Count:
    votes = np.zeros((len(ballots.codes), len(ballots.options)))
    answered = np.flatnonzero(ballots.codes >= 0)
    votes[answered, ballots.codes[answered]] = 1.0
    return _Count(votes, (ballots.codes >= 0).astype(float), ballots.codes)


def _likely(ballots: Ballots, recipe: Recipe, before: _Count) -> _Count:
    if recipe.likely == "everybody":
        return before
    if ballots.likely is None:
        sentence = _("No question asks how sure people are to vote: name it in the sheet “settings”, likely_question.")
        raise InvalidInput({"likely": sentence})
    sure = np.nan_to_num(ballots.likely, nan=0.0)
    # Answers are whole tenths: a hair below the threshold is the threshold.
    factor = (sure >= recipe.threshold / TOP - 1e-9).astype(float) if recipe.likely == "threshold" else sure
    factor = np.where(np.isin(ballots.codes, ballots.places(("wont_vote",))), 0.0, factor)
    return _Count(before.votes * factor[:, None], before.base * factor, before.said)


def _decided(ballots: Ballots, recipe: Recipe, before: _Count) -> _Count:
    if recipe.undecided == "left_out":
        return before
    is_open = np.isin(ballots.codes, ballots.places(recipe.shared))
    if recipe.undecided == "groups":
        return _as_their_group(ballots, before, is_open)
    if ballots.leaning is None:
        sentence = _("No question of this questionnaire asks the undecided for one of the candidates.")
        raise InvalidInput({"leaning": sentence})
    leans = np.flatnonzero(is_open & (ballots.leaning >= 0))
    votes, said = before.votes.copy(), before.said.copy()
    votes[leans] = 0.0
    votes[leans, ballots.leaning[leans]] = before.base[leans]
    said[leans] = ballots.leaning[leans]
    return _Count(votes, before.base, said)


def _as_their_group(ballots: Ballots, before: _Count, is_open: Any) -> _Count:
    """The undecided of a group vote as its decided do. A group without decided people votes as all of them."""
    candidates = ballots.places(("candidate",))
    groups = ballots.groups if ballots.groups is not None else np.zeros(len(ballots.codes), dtype=np.int64)
    named = before.votes[:, candidates]
    split, factor = _splits(named, before.base * is_open, groups, ballots.mass.weights)
    if not split.any():
        return before
    own, is_named = split[groups], named.sum(axis=1)
    votes = before.votes.copy()
    votes[is_open] = 0.0
    # Linearised: who names a candidate also moves the proportions in which their group's undecided are split.
    votes[:, candidates] = (
        factor[groups, None] * (named - own * is_named[:, None])
        + own * is_named[:, None]
        + own * (before.base * is_open)[:, None]
    )
    return _Count(votes, before.base, before.said)


def _splits(named: Floats, undecided: Floats, groups: Codes, weights: Floats) -> tuple[Floats, Floats]:
    """(how each group's decided split among the candidates, by how much its undecided swell them)."""
    number = int(groups.max(initial=0)) + 1
    totals = np.stack([np.bincount(groups, weights * column, number) for column in named.T], axis=1)
    decided = totals.sum(axis=1)
    if not decided.sum():
        return np.zeros_like(totals), np.ones(number)
    everybody = totals.sum(axis=0) / decided.sum()
    safe = np.where(decided > 0, decided, 1.0)
    split = np.where(decided[:, None] > 0, totals / safe[:, None], everybody)
    swollen = 1 + np.bincount(groups, weights * undecided, number) / safe
    return split, np.where(decided > 0, swollen, 1.0)


def _effective(ballots: Ballots, before: _Count) -> _Count:
    candidates = ballots.places(("candidate",))
    votes = np.zeros_like(before.votes)
    votes[:, candidates] = before.votes[:, candidates]
    said = np.where(np.isin(before.said, candidates) & (before.base > 0), before.said, -1)
    return _Count(votes, votes.sum(axis=1), said)


def _steps(ballots: Ballots, recipe: Recipe, counts: Sequence[_Count]) -> list[Step]:
    said = recipe.as_json()
    parameters: dict[str, dict[str, Any]] = {
        "gross": {},
        "likely": {name: said[name] for name in ("likely", "threshold")},
        "undecided": {name: said[name] for name in ("undecided", "shared", "leaning", "groups")},
        "effective": {},
    }
    shares = [count.shares(ballots) for count in counts]
    return [
        Step(name, parameters[name], shares[max(at - 1, 0)], shares[at], _number(ballots, counts[at].base > 0))
        for at, name in enumerate(STEPS)
    ]


def _estimates(ballots: Ballots, count: _Count, places: Sequence[int]) -> Shares:
    """Who counts stands in the base with an answer; a person of the undecided who was split among all does not."""
    counted = (count.base > 0) & (count.said >= 0)
    base = _number(ballots, counted)
    total = float(ballots.mass.weights @ count.base)
    codes = [ballots.options[at].code for at in places]
    if not total:
        return Shares(0, 1.0, {code: share_errors.estimate(0, 0, np.nan, np.nan) for code in codes}, None)
    people = np.bincount(count.said[counted], ballots.mass.people[counted], len(ballots.options))
    kish = share_errors.kish(ballots.mass, np.where(counted, count.base, 0.0))
    votes = count.votes[:, places]
    shares = (ballots.mass.weights @ votes) / total
    influence = (votes - shares * count.base[:, None]) / total
    errors = share_errors.covariance(influence, ballots.mass, ballots.margins, base=base)
    of = {
        code: share_errors.estimate(
            int(people[places[at]]), base, float(shares[at]), float(errors[at, at]), otherwise=kish
        )
        for at, code in enumerate(codes)
    }
    return Shares(base, kish, of, _lead(ballots, places, shares, errors))


def _number(ballots: Ballots, counted: Any) -> int:
    return round(float(ballots.mass.people[counted].sum()))


def _lead(ballots: Ballots, places: Sequence[int], shares: Floats, errors: Floats) -> Lead | None:
    candidates = [at for at, place in enumerate(places) if ballots.options[place].role == "candidate"]
    if len(candidates) < 2:
        return None
    first, second = sorted(candidates, key=lambda at: -shares[at])[:2]
    variance = errors[first, first] + errors[second, second] - 2 * errors[first, second]
    one, other = (ballots.options[places[at]].code for at in (first, second))
    return Lead(one, other, float(shares[first] - shares[second]), share_errors.margin_of(float(variance)))
