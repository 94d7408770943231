"""Vote intention from period to period (waves, weeks or days of the field), and what cannot be compared.

A period is broken off from the one before when somebody said so of the wave, when the vote question was worded or
answered otherwise, or when people were reached in another way. Changes then still have figures, but no line joins them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from flask_babel import format_date
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter.base.clock import ZONE
from callcenter.base.errors import InvalidInput
from surveys.questionnaire import versions
from surveys.responses import Responses
from surveys.results import HIDDEN_BELOW, MARKED_BELOW
from surveys.sampling import waves
from surveys.vote import vote_options, vote_recipes
from surveys.vote.vote_recipe import Recipe
from surveys.weighting import weighing
from surveys.weighting.weighing import Weighing

if TYPE_CHECKING:
    import polars as pl

    from surveys.vote.vote_ballots import Ballots
    from surveys.vote.vote_chain import Chain, Shares

BY = ("wave", "week", "day")
MOST_PERIODS = 60
NO_WAVE = "*"  # no wave is called so: their codes are letters, digits and -_.
# A way of asking with less than this share of a period's interviews does not make it another measurement.
FEW_OF_A_WAY = 0.05
# Faces that are one way of asking: what the person does is the same.
WAYS = {"screen": "operator", "agi": "recorded", "twiml": "recorded", "web": "web"}


@dataclass(frozen=True)
class Period:
    """One measurement. `chain` is None below ten interviews; `cell`: ok | small | hidden; `breaks`: why it cannot be
    compared with the period before, in sentences."""

    code: str
    label: str
    base: int
    cell: str
    first_at: datetime | None
    last_at: datetime | None
    chain: "Chain | None"
    breaks: tuple[str, ...]

    def shares(self, kind: str) -> "Shares | None":
        """Gross or effective; None where they may not be shown."""
        if self.chain is None:
            return None
        found = self.chain.gross if kind == "gross" else self.chain.effective
        return found if found.base >= HIDDEN_BELOW else None


@dataclass(frozen=True)
class Series:
    """The periods in the order of their days. `is_weighted`: by the recipe in force."""

    by: str
    recipe: Recipe
    options: tuple[vote_options.Option, ...]
    periods: tuple[Period, ...]
    weighing: Weighing


def read(session: Session, found: Responses, by: str = "wave", *, is_weighted: bool = True) -> Series:
    """The survey's trend by the recipes in force. Raises InvalidInput, Refused("no_vote_question")."""
    if by not in BY:
        raise InvalidInput({"by": _("“%(value)s” is not one of %(known)s.", value=by, known=", ".join(BY))})
    recipe = vote_recipes.in_force(session, found.survey_id)
    weighed = weighing.weigh(session, found, wanted=is_weighted and not found.frame.is_empty())
    known = tuple((wave.code, wave.label, wave.break_reason) for wave in waves.listed(session, found.survey_id))
    key = ("trend", by, recipe, weighed.recipe and weighed.recipe.version, weighed.weights is None, known)
    if key not in found.memo:
        worded = {form.version: _asked(form.items, recipe.question) for form in versions(session, found.survey_id)}
        found.memo[key] = Series(by, recipe, vote_options.options(found.items[recipe.question]),
                                 _periods(found, recipe, weighed, by, known, worded), weighed)  # fmt: skip
    made: Series = found.memo[key]
    return made


def _asked(items: Mapping[str, Any], question: str) -> str:
    """What a version asks, so that another wording is seen: its label and the answers that it offers."""
    item = next((item for item in items["items"] if item["name"] == question), None)
    if item is None:
        return ""
    answers = sorted((choice["name"], str(choice["role"]), str(choice["label"])) for choice in item["choices"])
    return f"{item['label']}{answers}"


def _periods(
    found: Responses, recipe: Recipe, weighed: Weighing, by: str,
    known: Sequence[tuple[str, str, str | None]], worded: Mapping[int, str],
) -> tuple[Period, ...]:  # fmt: skip
    from surveys.vote import vote_ballots
    from surveys.weighting import level_codes, raking

    codes = _period_codes(found.frame, by)
    facts = _facts(found.frame, codes, found.items[recipe.question].column, worded)
    places = {name: at for at, name in enumerate(facts)}
    # Who answered nothing, or long ago, stands in no period: behind all others.
    numbers = level_codes.indexes(codes, places)
    marks = {"period": np.where(numbers < 0, len(places), numbers)}
    weights = weighed.weights or raking.unweighted(found.frame.height)
    recipe = vote_recipes.possible(found, recipe)
    ballots = vote_ballots.read(found.frame, found.items, weights, recipe, marks)
    told = {code: (label, reason) for code, label, reason in known} if by == "wave" else {}
    made: list[Period] = []
    before: _Facts | None = None
    for name, now in facts.items():
        label, reason = told.get(name, (_label(name, by), None))
        breaks = tuple(_breaks(reason, now, before)) if before is not None else ()
        part = ballots.among(ballots.marks["period"] == places[name])
        made.append(_period(name, label, part, recipe, now, breaks))
        before = now
    return tuple(made)


def _period(
    code: str, label: str, part: "Ballots", recipe: Recipe, facts: "_Facts", breaks: tuple[str, ...]
) -> Period:  # fmt: skip
    from surveys.vote import vote_chain

    base = round(float(part.mass.people[part.codes >= 0].sum()))
    cell = "hidden" if base < HIDDEN_BELOW else "small" if base < MARKED_BELOW else "ok"
    chain = vote_chain.follow(part, recipe) if cell != "hidden" else None
    return Period(code, label, base, cell, facts.first_at, facts.last_at, chain, breaks)


@dataclass(frozen=True)
class _Facts:
    first_at: datetime | None
    last_at: datetime | None
    ways: frozenset[str]
    worded: frozenset[str]


def _facts(frame: "pl.DataFrame", codes: "pl.Series", column: str, worded: Mapping[int, str]) -> "dict[str, _Facts]":
    """Of the people who answered, by period: the last sixty in the order of their days."""
    answered = frame.select("at", "face", "version", codes.alias("period")).filter(frame[column].is_not_null())
    parts = sorted(answered.partition_by("period"), key=lambda part: (part["at"].min(), part["period"][0]))
    found = {}
    for part in parts[-MOST_PERIODS:]:
        ways: Counter[str] = Counter()
        for face, n in part["face"].value_counts().iter_rows():
            ways[WAYS.get(face, "chat")] += n
        found[str(part["period"][0])] = _Facts(
            cast("datetime | None", part["at"].min()),
            cast("datetime | None", part["at"].max()),
            frozenset(way for way, n in ways.items() if n >= FEW_OF_A_WAY * part.height),
            frozenset(worded.get(version, "") for version in part["version"].unique().to_list()),
        )
    return found


def _breaks(reason: str | None, now: _Facts, before: _Facts) -> list[str]:
    found = [reason] if reason else []
    if now.worded != before.worded:
        found.append(str(_("The vote question was worded or answered otherwise.")))
    if now.ways != before.ways:
        found.append(str(_("People were asked in another way (operator, recording, page or messages).")))
    return found


def _period_codes(frame: "pl.DataFrame", by: str) -> "pl.Series":
    """Each interview's period as text: the wave's code, or the first day of the week or day (campaign time)."""
    import polars as pl

    if by == "wave":
        return frame["wave"].cast(pl.String).fill_null(NO_WAVE)
    days = frame["at"].dt.convert_time_zone(str(ZONE)).dt.date()
    return (days if by == "day" else days.dt.truncate("1w")).cast(pl.String)


def _label(code: str, by: str) -> str:
    if by == "wave":
        return str(_("no wave")) if code == NO_WAVE else code
    return str(format_date(datetime.fromisoformat(code), "medium"))
