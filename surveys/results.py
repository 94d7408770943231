"""Vote intention, counted: gross (every answer by its role, none merged) and effective (candidates alone, rebased).

The plain count, where every interview counts once; weighted figures and recipes are `vote.report`'s. An interview
counts as soon as its vote question is answered, until it is declared void; an answer that no longer applies does not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter.base.errors import InvalidInput
from surveys import responses
from surveys.responses import AGE_BANDS, SEXES
from surveys.vote.vote_options import Option, options, vote_question
from surveys.weighting.intervals import wilson

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl
    from numpy.typing import NDArray

# Breakdown -> the column of the responses that says it.
BREAKDOWNS = {"sex": "d_sex", "age_band": "d_age_band", "section_kind": "h_section_kind"}
GROUPS: dict[str, tuple[str, ...]] = {
    "sex": SEXES,
    "age_band": tuple(band for band, _low, _high in AGE_BANDS),
    "section_kind": ("U", "M", "R"),
}
UNKNOWN = "unknown"
HIDDEN_BELOW, MARKED_BELOW = 10, 30

__all__ = ["AGE_BANDS", "BREAKDOWNS", "GROUPS", "HIDDEN_BELOW", "MARKED_BELOW", "UNKNOWN", "Filters", "effective",
           "group_codes", "group_column", "group_rows", "groups", "tally"]  # fmt: skip


@dataclass(frozen=True)
class Filters:
    """Which interviews: None means all of them. `wave`: the code of one."""

    sex: str | None = None
    age_band: str | None = None
    section_kind: str | None = None
    wave: str | None = None

    def __post_init__(self) -> None:
        for breakdown in BREAKDOWNS:
            value = getattr(self, breakdown)
            if value is not None and value not in (*GROUPS[breakdown], UNKNOWN):
                known = ", ".join((*GROUPS[breakdown], UNKNOWN))
                raise InvalidInput({breakdown: _("“%(value)s” is not one of %(known)s.", value=value, known=known)})

    def of(self, frame: "pl.DataFrame") -> "pl.Series | None":
        """Whom they let through, as a column of booleans; None: everybody."""
        chosen = None if self.wave is None else frame["wave"].eq_missing(self.wave)
        for breakdown in BREAKDOWNS:
            if (value := getattr(self, breakdown)) is not None:
                of_group = group_column(frame, breakdown) == value
                chosen = of_group if chosen is None else chosen & of_group
        return chosen


def group_column(frame: "pl.DataFrame", breakdown: str) -> "pl.Series":
    """Each interview's group: what the person said, else what the call's record knew, else `unknown`."""
    import polars as pl

    name = BREAKDOWNS[breakdown]
    if name not in frame.columns:
        return pl.repeat(UNKNOWN, frame.height, dtype=pl.String, eager=True)
    return frame[name].cast(pl.String).fill_null(UNKNOWN)


def groups(frame: "pl.DataFrame", breakdown: str) -> list[str]:
    """The groups that somebody is in, in their order; codes that a questionnaire added come last but `unknown`."""
    order = [*GROUPS[breakdown], UNKNOWN]
    return sorted(
        group_column(frame, breakdown).unique().to_list(),
        key=lambda group: (order.index(group) if group in order else len(order) - 1.5, group),
    )


def group_codes(frame: "pl.DataFrame", breakdown: str) -> "tuple[list[str], NDArray[np.int64]]":
    """(the groups that somebody is in, each interview's place among them)."""
    from surveys.weighting import level_codes

    names = groups(frame, breakdown)
    column = frame[BREAKDOWNS[breakdown]] if BREAKDOWNS[breakdown] in frame.columns else group_column(frame, breakdown)
    found = level_codes.indexes(column, {name: place for place, name in enumerate(names)})
    return names, found if not len(found) or found.min() >= 0 else _with(found, names.index(UNKNOWN))


def _with(places: "NDArray[np.int64]", unknown: int) -> "NDArray[np.int64]":
    places = places.copy()
    places[places < 0] = unknown
    return places


def tally(session: Session, survey_id: int, by: str | None = None, filters: Filters | None = None) -> "pd.DataFrame":
    """Vote intention of a survey, not weighted; a row for each option in each group, also for options nobody chose.

    columns: group ('' without `by`), option, role, n (count), base (n of the group), share (0–1), low, high (Wilson,
    95 %), effective_base, effective (0–1), effective_low, effective_high, cell (ok | small: base < 30 | hidden:
    base < 10, figures NaN), first_at, last_at (campaign time of the group's first and last interview).
    """
    import pandas as pd

    if by is not None and by not in BREAKDOWNS:
        known = ", ".join(BREAKDOWNS)
        raise InvalidInput({"by": _("“%(value)s” is not one of %(known)s.", value=by, known=known)})
    found = responses.read(session, survey_id)
    vote = found.items[vote_question(found)]
    answered = found.frame.filter(found.frame[vote.column].is_not_null())
    if filters is not None and (chosen := filters.of(answered)) is not None:
        answered = answered.filter(chosen)
    parts = [("", answered)]
    if by:
        parts = [(group, answered.filter(group_column(answered, by) == group)) for group in groups(answered, by)]
    rows = []
    for group, people in parts:
        counts = {str(code): int(n) for code, n in people[vote.column].value_counts().iter_rows()}
        times = {"first_at": people["at"].min() or pd.NaT, "last_at": people["at"].max() or pd.NaT}
        rows += [row | times for row in group_rows(group, counts, options(vote))]
    return pd.DataFrame(rows, columns=COLUMNS)


COLUMNS = [
    "group", "option", "role", "n", "base", "share", "low", "high",
    "effective_base", "effective", "effective_low", "effective_high", "cell", "first_at", "last_at",
]  # fmt: skip


def group_rows(group: str, counts: Mapping[str, int], options: Sequence[Option]) -> Iterator[dict[str, Any]]:
    """The rows of one group from its counts by option."""
    base = sum(counts.values())
    effective_base = sum(counts.get(option.code, 0) for option in options if option.role == "candidate")
    for option in options:
        n = counts.get(option.code, 0)
        low, high = wilson(n, base)
        row = {
            "group": group, "option": option.code, "role": option.role, "n": float(n), "base": base,
            "share": n / base if base else float("nan"), "low": low, "high": high, "effective_base": effective_base,
            "effective": float("nan"), "effective_low": float("nan"), "effective_high": float("nan"), "cell": "ok",
        }  # fmt: skip
        if option.role == "candidate" and effective_base:
            row["effective"] = n / effective_base
            row["effective_low"], row["effective_high"] = wilson(n, effective_base)
        yield _guarded(row)


def _guarded(row: dict[str, Any]) -> dict[str, Any]:
    """Small groups say too little and may point at a person: marked below 30, hidden below 10."""
    if row["base"] < HIDDEN_BELOW:
        figures = ("n", "share", "low", "high", "effective", "effective_low", "effective_high")
        return row | dict.fromkeys(figures, float("nan")) | {"cell": "hidden"}
    if row["effective_base"] < HIDDEN_BELOW:
        row |= dict.fromkeys(("effective", "effective_low", "effective_high"), float("nan"))
    return row | {"cell": "small"} if row["base"] < MARKED_BELOW else row


def effective(shares: Mapping[str, float], candidates: Sequence[str]) -> dict[str, float]:
    """Shares of the candidates alone: what the others said is taken out of the base."""
    base = sum(shares[code] for code in candidates)
    return {code: shares[code] / base for code in candidates} if base else {}
