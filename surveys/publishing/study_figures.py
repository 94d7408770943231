"""Every figure of a study, reckoned from its open data and its recipes alone. Pure.

The package keeps what comes out; `flask surveys reproduce` reckons it again from the package and compares. So nothing
here may ask the database, the clock or the reader's language, and every figure is plain JSON (NaN is null).
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from surveys.analysis import order_effects, tables
from surveys.analysis.crosstabs import Table
from surveys.analysis.response_items import Item
from surveys.responses import Responses
from surveys.vote import vote_chain
from surveys.vote.vote_chain import Chain, Shares
from surveys.vote.vote_recipe import Recipe
from surveys.weighting import variances
from surveys.weighting.intervals import margin
from surveys.weighting.raking import Weights
from surveys.weighting.variances import Share

if TYPE_CHECKING:
    import polars as pl

GROUPS = ("d_sex", "d_age_band", "h_section_kind")
HIDDEN_BELOW, MARKED_BELOW = 10, 30
DIGITS = 12  # the rest is noise of the order in which sums are made
TOLERANCE = 1e-9
Figures = dict[str, Any]


@dataclass(frozen=True)
class Method:
    """With what the interviews are counted. `recipe`: None where the questionnaire asks for no vote."""

    weights: Weights
    recipe: Recipe | None


def figures(responses: Responses, method: Method) -> Figures:
    """All of them: {"field", "weights", "vote", "questions", "groups", "order", "tables"}; shares are 0–1."""
    counted = method.weights.values > 0
    chain = _chain(responses, method)
    return {
        "field": _field(responses.frame, counted),
        "weights": _weights(method.weights, int(counted.sum())),
        "vote": _vote(responses, chain) if chain else None,
        "questions": [_question(responses.frame, item, method) for item in responses.items.values() if item.is_coded],
        "groups": [_groups(responses, name, method) for name in GROUPS if chain and name in responses.frame.columns],
        "order": [_order(responses.frame, item, method) for item in _rotating(responses)],
        "tables": [_table(table) for table in tables.standard(responses, method.weights.values)],
    }


def _chain(responses: Responses, method: Method) -> Chain | None:
    if method.recipe is None or method.recipe.question not in responses.items:
        return None
    return vote_chain.run(responses.frame, responses.items, method.weights, method.recipe)


def _field(frame: "pl.DataFrame", counted: Any) -> Figures:
    import polars as pl

    days = frame["day"].drop_nulls()
    faces = frame.group_by("face").len().sort("face")
    states = frame.group_by("state").len().sort("state")
    return {
        "n": int(counted.sum()),
        "interviews": frame.height,
        "first_day": days.min() if len(days) else None,
        "last_day": days.max() if len(days) else None,
        "faces": dict(faces.iter_rows()),
        "states": dict(states.iter_rows()),
        "interviewers": int(frame["interviewer"].n_unique() - frame["interviewer"].has_nulls()),
        "minutes": _number(frame.select(pl.col("seconds").median() / 60).item()),
    }


def _weights(weights: Weights, n: int) -> Figures:
    values = weights.values[weights.values > 0]
    return {
        "deff": _number(weights.deff),
        "n_effective": _number(weights.n_effective),
        "least": _number(values.min()) if n else None,
        "most": _number(values.max()) if n else None,
        "sweeps": weights.sweeps,
        "capped": weights.capped,
        # At one half, where the error of a share is largest, with the design effect of the weights.
        "margin": _number(margin(n, design_effect=weights.deff)) if n else None,
        "fits": [
            {"variable": fit.variable, "level": fit.level, "n": fit.n, "before": _number(fit.before),
             "target": _number(fit.target), "after": _number(fit.after)}
            for fit in weights.fits
        ],
    }  # fmt: skip


def _vote(responses: Responses, chain: Chain) -> Figures:
    item = responses.items[chain.recipe.question]
    roles: dict[str, float] = {}
    for choice in item.choices:
        role = choice.role or "candidate"
        roles[role] = roles.get(role, 0.0) + _nothing(chain.gross.of[choice.code].share)
    steps = [
        {"name": step.name, "parameters": dict(step.parameters), "people": step.people,
         "before": _all(step.before), "after": _all(step.after), "moved": _all(step.moved)}
        for step in chain.steps
    ]  # fmt: skip
    return {
        "question": item.name,
        "gross": _estimates(chain.gross),
        "effective": _estimates(chain.effective),
        "roles": _all(roles),
        "steps": steps,
    }


def _estimates(shares: Shares) -> Figures:
    rows = [
        {"code": code, "n": one.n, "share": _number(one.share), "se": _number(one.se), "deff": _number(one.deff),
         "low": _number(one.low), "high": _number(one.high)}
        for code, one in shares.of.items()
    ]  # fmt: skip
    lead = None
    if shares.lead is not None:
        lead = {"first": shares.lead.first, "second": shares.lead.second,
                "difference": _number(shares.lead.difference), "margin": _number(shares.lead.margin)}  # fmt: skip
    most = margin(shares.base, design_effect=shares.deff) if shares.base else math.nan
    return {"base": shares.base, "deff": _number(shares.deff), "margin": _number(most), "lead": lead, "rows": rows}


def _question(frame: "pl.DataFrame", item: Item, method: Method) -> Figures:
    column = frame[item.column]
    base = int((column.is_not_null().to_numpy() & (method.weights.values > 0)).sum())
    rows = []
    if base >= HIDDEN_BELOW:
        found = _several(column, item, method) if item.is_multiple else variances.shares(
            column, item.codes, method.weights)  # fmt: skip
        rows = [_row(code, found[code]) for code in item.codes]
    most = margin(base, design_effect=method.weights.deff) if base else math.nan
    return {"name": item.name, "base": base, "cell": _cell(base), "margin": _number(most), "rows": rows}


def _several(column: "pl.Series", item: Item, method: Method) -> dict[str, Share]:
    """Of a question of several answers, each answer is a share of its own."""
    import polars as pl

    found = {}
    for code in item.codes:
        mentioned = column.list.contains(code).cast(pl.Int8).cast(pl.String)
        found[code] = variances.shares(mentioned, ("1",), method.weights)["1"]
    return found


def _groups(responses: Responses, name: str, method: Method) -> Figures:
    """Vote intention by group, gross and among candidates; small groups are marked or hidden."""
    assert method.recipe is not None
    item, column = responses.items[method.recipe.question], responses.frame[name]
    candidates = [choice.code for choice in item.choices if (choice.role or "candidate") == "candidate"]
    return {"column": name, "groups": list(_each_group(responses, item, column, candidates, method))}


def _each_group(
    responses: Responses, item: Item, column: "pl.Series", candidates: list[str], method: Method
) -> Iterator[Figures]:
    import polars as pl

    vote = responses.frame[item.column].cast(pl.String)
    text = column.cast(pl.String)
    for group in sorted(text.drop_nulls().unique().to_list()):
        votes = pl.select(pl.when(text == group).then(vote)).to_series()
        base = int((votes.is_not_null().to_numpy() & (method.weights.values > 0)).sum())
        named = pl.select(pl.when(votes.is_in(candidates)).then(votes)).to_series()
        effective_base = int((named.is_not_null().to_numpy() & (method.weights.values > 0)).sum())
        shown, shown_named = base >= HIDDEN_BELOW, effective_base >= HIDDEN_BELOW
        gross = variances.shares(votes, item.codes, method.weights) if shown else {}
        effective = variances.shares(named, candidates, method.weights) if shown and shown_named else {}
        yield {
            "group": group, "base": base, "effective_base": effective_base, "cell": _cell(base),
            "gross": [_row(code, gross[code]) for code in item.codes if code in gross],
            "effective": [_row(code, effective[code]) for code in candidates if code in effective],
        }  # fmt: skip


def _table(table: Table) -> Figures:
    """A question by sex, age and kind of section, with the letters of the columns that each one is above."""
    columns = [
        {"by": group.variable.name if group.variable else "", "code": column.code, "letter": column.letter,
         "n": column.n if column.cell != "hidden" else None, "cell": column.cell,
         "effective": _number(column.effective) if column.cell != "hidden" else None}
        for group in table.groups for column in group.columns
    ]  # fmt: skip
    tests = {group.variable.name: {"f": _number(group.test.f), "p": _number(group.test.p)}
             for group in table.groups if group.variable and group.test}  # fmt: skip
    rows = [
        {"code": row.code, "cells": [[cell.n, _number(cell.share), _number(cell.low), _number(cell.high), cell.letters]
                                     for cell in row.cells]}
        for row in table.rows
    ]  # fmt: skip
    return {"question": table.question.name, "columns": columns, "tests": tests, "rows": rows}


def _rotating(responses: Responses) -> list[Item]:
    return order_effects.questions(list(responses.items.values()), responses.frame.columns)


def _order(frame: "pl.DataFrame", item: Item, method: Method) -> Figures:
    """How much more often an answer is given by those who were shown it first; of few people nothing is told."""
    effects = [
        {"code": one.code, "first_n": one.first_n, "first": _number(one.first), "later": _number(one.later),
         "difference": _number(one.difference), "low": _number(one.low), "high": _number(one.high)}
        for one in order_effects.measure(frame, item, method.weights.values).effects
        if one.first_n >= HIDDEN_BELOW
    ]  # fmt: skip
    return {"question": item.name, "effects": effects}


def _cell(base: int) -> str:
    return "hidden" if base < HIDDEN_BELOW else "small" if base < MARKED_BELOW else "ok"


def _row(code: str, share: Share) -> Figures:
    return {"code": code, "n": share.n, "share": _number(share.share), "low": _number(share.low),
            "high": _number(share.high)}  # fmt: skip


def _all(shares: Mapping[str, float]) -> dict[str, float | None]:
    return {code: _number(share) for code, share in shares.items()}


def _number(value: Any) -> float | None:
    if value is None or not np.isfinite(value):
        return None
    return round(float(value), DIGITS)


def _nothing(share: float) -> float:
    return 0.0 if math.isnan(share) else share


@dataclass(frozen=True)
class Difference:
    """A figure that came out otherwise. `place`: its way through the figures, `vote.gross.rows.0.share`."""

    place: str
    kept: Any
    found: Any


def compare(kept: Any, found: Any, place: str = "") -> tuple[int, list[Difference]]:
    """(how many figures were compared, those that differ) of figures kept and figures found."""
    if isinstance(kept, dict) and isinstance(found, dict):
        pairs = [(str(key), kept.get(key), found.get(key)) for key in {**kept, **found}]
    elif isinstance(kept, list) and isinstance(found, list) and len(kept) == len(found):
        pairs = [(str(at), *both) for at, both in enumerate(zip(kept, found, strict=True))]
    else:
        return 1, [] if _same(kept, found) else [Difference(place, kept, found)]
    compared, differences = 0, list[Difference]()
    for key, one, other in pairs:
        number, differ = compare(one, other, f"{place}.{key}" if place else key)
        compared += number
        differences += differ
    return compared, differences


def _same(kept: Any, found: Any) -> bool:
    both_numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (kept, found))
    return math.isclose(kept, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE) if both_numbers else bool(kept == found)
