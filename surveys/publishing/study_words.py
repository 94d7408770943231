"""The words of a study: what stands for a code, a group, a step, a way of asking; in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import LazyString, format_date, format_decimal, format_percent
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from surveys.analysis.response_items import Item
from surveys.publishing.codebook import LABELS, VALUES
from surveys.publishing.study_figures import Figures
from surveys.vote.vote_recipe import LIKELY, UNDECIDED, Percents, Recipe

ROLES: dict[str, LazyString] = {
    "candidate": _l("Candidates"),
    "none": _l("None of them"),
    "void": _l("Would spoil the ballot"),
    "wont_vote": _l("Would not vote"),
    "undecided": _l("Undecided"),
    "dk": _l("Does not know"),
    "refused": _l("Did not answer"),
}
STEPS: dict[str, LazyString] = {
    "gross": _l("Gross: every answer"),
    "likely": _l("Likely voters"),
    "undecided": _l("Undecided"),
    "effective": _l("Effective: candidates alone"),
}
FACES: dict[str, LazyString] = {
    "screen": _l("Telephone, by an interviewer"),
    "agi": _l("Telephone, by keypad"),
    "twiml": _l("Telephone, by keypad"),
    "web": _l("Link, answered alone"),
    "whatsapp": _l("WhatsApp"),
    "sms": _l("SMS"),
    "telegram": _l("Telegram"),
}
CELLS: dict[str, LazyString] = {
    "ok": _l("complete"),
    "small": _l("fewer than 30: read with care"),
    "hidden": _l("fewer than 10: not shown"),
}


@dataclass(frozen=True)
class Words:
    """`items`: the questions of the data; `percents`: how shares of the vote are written."""

    items: Mapping[str, Item]
    language: str
    percents: Percents

    def question(self, name: str) -> str:
        return self.items[name].words(self.language)

    def choice(self, name: str, code: str) -> str:
        choices = {choice.code: choice for choice in self.items[name].choices}
        return choices[code].words(self.language) if code in choices else code

    def share(self, share: float | None) -> str:
        return self.percents.write(share)

    def interval(self, row: Mapping[str, Any]) -> str:
        """`31.2 – 37.0 %`"""
        if row["low"] is None:
            return "–"
        return f"{self.percents.points(row['low'])} – {self.percents.write(row['high'])}"

    def margin(self, margin: float | None) -> str:
        return self.percents.margin(margin)


def words(items: Mapping[str, Item], language: str, recipe: Recipe | None) -> Words:
    return Words(items, language, recipe.writes if recipe else Percents())


def group_column(name: str) -> str:
    return str(LABELS.get(name, name))


def group(name: str, code: str) -> str:
    return str(VALUES.get(name, {}).get(code, code))


def number(value: float | None, digits: int = 0) -> str:
    if value is None:
        return "–"
    return str(format_decimal(value, "#,##0" + (f".{'0' * digits}" if digits else "")))


def rate(value: float | None) -> str:
    """A rate that is no share of the vote; n/d where it is not defined."""
    return str(_("n/a")) if value is None else str(format_percent(value, "#,##0.0 %"))


def days(first: str | None, last: str | None) -> str:
    if not first or not last:
        return str(_("no interviews yet"))
    begun, ended = date.fromisoformat(first), date.fromisoformat(last)
    said = str(format_date(begun, "long"))
    return said if begun == ended else f"{said} – {format_date(ended, 'long')}"


def weighting(figures: Figures, method: str | None) -> str:
    """How the interviews are weighted, in a sentence."""
    weights = figures["weights"]
    if method is None:
        return str(_("Every interview counts once: the figures are not weighted."))
    known = {"raking": _("raking"), "post_stratification": _("post-stratification")}
    return str(
        _("Weighted by %(method)s: design effect %(deff)s, effective sample %(n)s, weights from %(least)s to %(most)s.",
          method=known.get(method, method), deff=number(weights["deff"], 2), n=number(weights["n_effective"]),
          least=number(weights["least"], 2), most=number(weights["most"], 2))
    )  # fmt: skip


def cooking(recipe: Recipe) -> str:
    """How gross becomes effective, in a sentence."""
    return str(
        _("Likely voters: %(likely)s. Undecided: %(undecided)s.", likely=str(LIKELY[recipe.likely]).lower(),
          undecided=str(UNDECIDED[recipe.undecided]).lower())
    )  # fmt: skip
