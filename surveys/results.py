"""Vote intention, counted: gross (every answer by its role, none merged) and effective (candidates alone, rebased).

Not weighted yet, so every interview counts once and the design effect is 1. An interview counts as soon as its vote
question is answered, until it is declared void; an answer that no longer applies does not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Integer, Select, case, func, select
from sqlalchemy.orm import Session, aliased

from callcenter.base.errors import InvalidInput, Refused
from surveys.intervals import wilson
from surveys.interview_ledger import Answer, Interview, is_present
from surveys.items import ROLES
from surveys.questionnaire import Questionnaire, versions

if TYPE_CHECKING:
    import pandas as pd

BREAKDOWNS = ("sex", "age_band", "section_kind")
AGE_BANDS = (("18-29", 18, 29), ("30-44", 30, 44), ("45-59", 45, 59), ("60+", 60, 200))
GROUPS: dict[str, tuple[str, ...]] = {
    "sex": ("H", "M", "X"),
    "age_band": tuple(band for band, _low, _high in AGE_BANDS),
    "section_kind": ("U", "M", "R"),
}
UNKNOWN = "unknown"
HIDDEN_BELOW, MARKED_BELOW = 10, 30


@dataclass(frozen=True)
class Option:
    """An answer of the vote question. `label`: language -> words."""

    code: str
    role: str
    label: Mapping[str, str]


@dataclass(frozen=True)
class Filters:
    """Which interviews: None means all of them."""

    sex: str | None = None
    age_band: str | None = None
    section_kind: str | None = None

    def __post_init__(self) -> None:
        for breakdown in BREAKDOWNS:
            value = getattr(self, breakdown)
            if value is not None and value not in (*GROUPS[breakdown], UNKNOWN):
                known = ", ".join((*GROUPS[breakdown], UNKNOWN))
                raise InvalidInput({breakdown: _("“%(value)s” is not one of %(known)s.", value=value, known=known)})


def tally(session: Session, survey_id: int, by: str | None = None, filters: Filters | None = None) -> "pd.DataFrame":
    """Vote intention of a survey, in one SELECT; a row for each option in each group, also for options nobody chose.

    columns: group ('' without `by`), option, role, n (count), base (n of the group), share (0–1), low, high (Wilson,
    95 %), effective_base, effective (0–1), effective_low, effective_high, cell (ok | small: base < 30 | hidden:
    base < 10, figures NaN), first_at, last_at (campaign time of the group's first and last interview).
    """
    import pandas as pd

    options = vote_options(session, survey_id)
    vote = vote_question(session, survey_id)
    counts = session.execute(_counts(survey_id, vote, by, filters or Filters())).all()
    groups: dict[str, dict[str, int]] = {} if by else {"": {}}
    dates: dict[str, list[datetime]] = {}
    for group, option, n, first_at, last_at in counts:
        groups.setdefault(group, {})[option] = n
        dates.setdefault(group, []).extend((first_at, last_at))
    order = [*GROUPS[by], UNKNOWN] if by else [""]
    rows = [
        row | {"first_at": min(dates.get(group, [pd.NaT])), "last_at": max(dates.get(group, [pd.NaT]))}
        for group in sorted(groups, key=lambda name: order.index(name) if name in order else len(order))
        for row in group_rows(group, groups[group], options)
    ]
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


def vote_question(session: Session, survey_id: int) -> str:
    """The item that asks for the vote. Raises Refused("no_vote_question")."""
    newest = _versions(session, survey_id)[0]
    if not newest.items.get("vote_question"):
        sentence = _("This questionnaire asks for no vote: name the question in its sheet “settings”, vote_question.")
        raise Refused("no_vote_question", sentence)
    return str(newest.items["vote_question"])


def vote_options(session: Session, survey_id: int) -> list[Option]:
    """The answers of the vote question in every version, the newest wording first; candidates before the others."""
    name = vote_question(session, survey_id)
    options: dict[str, Option] = {}
    for version in _versions(session, survey_id):
        for item in version.items["items"]:
            for choice in item["choices"] if item["name"] == name else ():
                option = Option(choice["name"], choice["role"] or "candidate", choice["label"])
                options.setdefault(option.code, option)
    return sorted(options.values(), key=lambda option: ROLES.index(option.role))


def _versions(session: Session, survey_id: int) -> list[Questionnaire]:
    found = versions(session, survey_id)
    if not found:
        raise InvalidInput(_("There is no survey %(id)s.", id=survey_id))
    return found


def _counts(survey_id: int, vote: str, by: str | None, filters: Filters) -> Select[Any]:
    """group, option, n, first and last interview (campaign time)."""
    if by is not None and by not in BREAKDOWNS:
        known = ", ".join(BREAKDOWNS)
        raise InvalidInput({"by": _("“%(value)s” is not one of %(known)s.", value=by, known=known)})
    chosen, sex, age = aliased(Answer), aliased(Answer), aliased(Answer)
    groups = _groups(sex, age)
    group = groups[by] if by else func.coalesce("")
    query = (
        select(group.label("group"), chosen.value, func.count(), func.min(Interview.at), func.max(Interview.at))
        .select_from(Interview)
        .join(chosen, is_present(chosen, vote))
        .where(Interview.survey_id == survey_id, Interview.state != "void", chosen.value != "")
        .outerjoin(sex, is_present(sex, "sex"))
        .outerjoin(age, is_present(age, "age"))
        .group_by("group", chosen.value)
    )
    for breakdown in BREAKDOWNS:
        if (value := getattr(filters, breakdown)) is not None:
            query = query.where(groups[breakdown] == value)
    return query


def _groups(sex: type[Answer], age: type[Answer]) -> dict[str, ColumnElement[Any]]:
    """What the person said, else what the call's record knew, else `unknown`."""
    said = func.coalesce(func.nullif(age.value, ""), Interview.hidden["age"].astext)
    years = case((said.regexp_match(r"^\d{1,3}$"), said.cast(Integer)))
    bands = [(years.between(low, high), band) for band, low, high in AGE_BANDS]
    return {
        "sex": func.coalesce(func.nullif(sex.value, ""), Interview.hidden["sex"].astext, UNKNOWN),
        "age_band": case(*bands, else_=UNKNOWN),
        "section_kind": func.coalesce(Interview.hidden["section_kind"].astext, UNKNOWN),
    }
