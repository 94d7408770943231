"""A survey's results as one readable whole: headline, tables and the chain that leads from gross to effective.

Made of what the process keeps of the responses (at most two seconds old) with the weights and the vote recipe in force,
and kept beside them: many readers of one page cost one count.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base.clock import campaign_now
from callcenter.base.errors import Refused
from surveys import responses, results
from surveys.fieldwork.interview_ledger import Answer, Interview, is_present
from surveys.questionnaire import current, find
from surveys.responses import KEPT_SECONDS, Responses
from surveys.results import BREAKDOWNS, HIDDEN_BELOW, MARKED_BELOW, Filters
from surveys.vote import vote_options, vote_recipes
from surveys.vote.group_labels import group_label
from surveys.vote.vote_recipe import Percents, Recipe
from surveys.weighting import weighing
from surveys.weighting.intervals import margin
from surveys.weighting.weighing import Weighing

if TYPE_CHECKING:
    from surveys.vote.vote_ballots import Ballots
    from surveys.vote.vote_chain import Chain, Lead, Shares

CACHE_SECONDS = KEPT_SECONDS


@dataclass(frozen=True)
class Wanted:
    """Which figures: `is_weighted` where there are weights in force; `question`: a face-off, None: the vote."""

    filters: Filters = field(default_factory=Filters)
    is_weighted: bool = True
    question: str | None = None


@dataclass(frozen=True)
class Line:
    """One answer in one group. Shares are 0–1 or None (small cell, or not a candidate). `n` is never weighted."""

    option: str
    label: str
    role: str
    n: int | None
    share: float | None
    low: float | None
    high: float | None
    effective: float | None
    effective_low: float | None
    effective_high: float | None


@dataclass(frozen=True)
class Table:
    """One group's lines. `cell`: ok | small | hidden; the margins are 0–1, at a share of one half and with the design
    effect (`deff`) of the weights."""

    group: str
    label: str
    base: int
    effective_base: int
    cell: str
    deff: float
    margin: float | None
    effective_margin: float | None
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Report:
    """`as_of` is campaign time; `version` names the numbers: the same version, the same pictures. `chain` is None while
    there are too few interviews to be shown. `recipe_version`: of the vote recipe; None: the standard one."""

    survey_id: int
    name: str
    question: str
    wording: str
    total: Table
    breakdowns: Mapping[str, tuple[Table, ...]]
    first_at: datetime | None
    last_at: datetime | None
    as_of: datetime
    wanted: Wanted
    weighing: Weighing
    recipe: Recipe
    recipe_version: int | None
    chain: "Chain | None"
    version: str

    @property
    def filters(self) -> Filters:
        return self.wanted.filters

    @property
    def percents(self) -> Percents:
        return self.recipe.writes

    def lead(self, kind: str) -> "tuple[Line, Line, Lead] | None":
        """The first two candidates, gross or effective, and how far they are apart."""
        shares = None if self.chain is None else self.chain.gross if kind == "gross" else self.chain.effective
        if shares is None or shares.lead is None or shares.base < HIDDEN_BELOW:
            return None
        lines = {line.option: line for line in self.total.lines}
        return lines[shares.lead.first], lines[shares.lead.second], shares.lead


def read(session: Session, survey_id: int, wanted: Wanted | None = None) -> Report:
    """The report as of now, or as of up to two seconds ago. Raises NotFound, Refused("no_vote_question")."""
    wanted = wanted or Wanted()
    survey = find(session, survey_id)
    found = responses.kept(session, survey_id)
    signed = vote_recipes.signed_version(session, survey_id)
    recipe = signed.recipe if signed is not None else vote_recipes.standard(session, survey_id)
    weighed = weighing.weigh(session, found, wanted=wanted.is_weighted and not found.frame.is_empty())
    numbers = signed and signed.version, weighed.recipe and weighed.recipe.version
    key = ("report", wanted, recipe, numbers, survey.name, str(get_locale()))
    with found.memo.setdefault("report lock", Lock()):
        if key not in found.memo:
            made = make(found, survey.name, wanted, recipe, weighed)
            found.memo[key] = replace(made, recipe_version=signed.version if signed is not None else None)
    kept: Report = found.memo[key]
    return replace(kept, as_of=found.as_of)


def snapshot(session: Session, survey_id: int) -> dict[str, Any]:
    """For the live topic `survey/<id>`: {"survey", "n", "as_of"}; the page then asks for what changed."""
    vote = current(session, survey_id).items.get("vote_question")
    if not vote:
        raise Refused("no_vote_question", _("This questionnaire asks for no vote."))
    counted = select(func.count()).select_from(Interview).join(Answer, is_present(Answer, vote))
    n = session.scalar(counted.where(Interview.survey_id == survey_id, Interview.state != "void", Answer.value != ""))
    return {"survey": survey_id, "n": n, "as_of": campaign_now(session).isoformat()}


def make(found: Responses, name: str, wanted: Wanted, recipe: Recipe, weighed: Weighing) -> Report:
    """The report of these responses; no database."""
    from surveys.vote import vote_ballots, vote_chain
    from surveys.weighting import raking

    question = vote_options.require(found, wanted.question)
    item = found.items[question]
    weights = weighed.weights or raking.unweighted(found.frame.height)
    recipe = vote_recipes.possible(found, vote_recipes.of_question(recipe, question))
    groups = {by: results.group_codes(found.frame, by) for by in BREAKDOWNS}
    marks = {by: codes for by, (_names, codes) in groups.items()}
    if wanted.filters.wave is not None:
        marks["wave"] = found.frame["wave"].eq_missing(wanted.filters.wave).cast(int).to_numpy()
    everybody = vote_ballots.read(found.frame, found.items, weights, recipe, marks)
    shown = _among(everybody, {by: names for by, (names, _codes) in groups.items()}, wanted.filters)
    chain = vote_chain.follow(shown, recipe)
    first_at, last_at = _days(found, item.column, wanted.filters)
    total = _table("", str(_("All")), shown, chain)
    breakdowns = {by: tuple(_groups(shown, names, recipe, by)) for by, (names, _codes) in groups.items()}
    digest = hashlib.sha256(f"{total}{breakdowns}{weighed.words()}{recipe}{get_locale()}".encode()).hexdigest()[:16]
    return Report(
        found.survey_id, name, question, item.words(_language()), total, breakdowns, first_at,
        last_at, found.as_of, wanted, weighed, recipe, None, chain if total.cell != "hidden" else None, digest,
    )  # fmt: skip


def _among(ballots: "Ballots", names: Mapping[str, Sequence[str]], filters: Filters) -> "Ballots":
    """The people whom the filters let through; nobody, where a group has nobody."""
    if filters.wave is not None:
        ballots = ballots.among(ballots.marks["wave"] == 1)
    for by in BREAKDOWNS:
        if (value := getattr(filters, by)) is not None:
            place = names[by].index(value) if value in names[by] else -1
            ballots = ballots.among(ballots.marks[by] == place)
    return ballots


def _days(found: Responses, column: str, filters: Filters) -> tuple[datetime | None, datetime | None]:
    """Campaign time of the first and the last interview that answered."""
    answered = found.frame[column].is_not_null()
    chosen = filters.of(found.frame)
    times = found.frame["at"].filter(answered if chosen is None else answered & chosen)
    return cast("datetime | None", times.min()), cast("datetime | None", times.max())


def _groups(ballots: "Ballots", names: Sequence[str], recipe: Recipe, by: str) -> Iterator[Table]:
    from surveys.vote import vote_chain

    for place, group in enumerate(names):
        part = ballots.only((ballots.marks[by] == place) & (ballots.codes >= 0))
        if len(part.codes):
            yield _table(group, group_label(by, group), part, vote_chain.follow(part, recipe))


def _table(group: str, label: str, ballots: "Ballots", chain: "Chain") -> Table:
    gross, effective = chain.gross, chain.effective
    lines = [_line(option, gross, effective) for option in ballots.options]
    order = [option.role for option in ballots.options]
    first = {role: order.index(role) for role in order}
    return Table(
        group, label, gross.base, effective.base,
        "hidden" if gross.base < HIDDEN_BELOW else "small" if gross.base < MARKED_BELOW else "ok",
        gross.deff,
        _figure(margin(gross.base, design_effect=gross.deff)),
        _figure(margin(effective.base, design_effect=effective.deff)),
        tuple(sorted(lines, key=lambda line: (first[line.role], -(line.share or 0.0), -(line.n or 0)))),
    )  # fmt: skip


def _line(option: vote_options.Option, gross: "Shares", effective: "Shares") -> Line:
    said, counted = gross.of[option.code], effective.of.get(option.code)
    if gross.base < HIDDEN_BELOW:
        return Line(option.code, option.words(), option.role, *[None] * 7)
    if counted is None or effective.base < HIDDEN_BELOW:
        rest: tuple[float | None, ...] = (None, None, None)
    else:
        rest = _figure(counted.share), _figure(counted.low), _figure(counted.high)
    figures = _figure(said.share), _figure(said.low), _figure(said.high)
    return Line(option.code, option.words(), option.role, said.n, *figures, *rest)


def _figure(value: float) -> float | None:
    return None if value != value else float(value)


def _language() -> str:
    locale = get_locale()
    return locale.language if locale else "es"
