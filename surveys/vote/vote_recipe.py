"""How a vote intention is cooked: what a recipe may say, as a value. Pure; the signed versions are `vote_recipes`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from flask_babel import LazyString, format_percent
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from callcenter.base.errors import InvalidInput

STEP_LABELS: dict[str, LazyString] = {
    "gross": _l("Gross"),
    "likely": _l("Likely voters"),
    "undecided": _l("Undecided"),
    "effective": _l("Effective"),
}
LIKELY: dict[str, LazyString] = {
    "everybody": _l("Everybody counts once"),
    "threshold": _l("Only who is sure enough to vote counts"),
    "probability": _l("Each counts as much as they are sure to vote"),
}
UNDECIDED: dict[str, LazyString] = {
    "left_out": _l("Left out: candidates alone"),
    "leaning": _l("To the candidate they lean to"),
    "groups": _l("As the decided of their own sex and age"),
}
# Who may be allocated; the others said that they choose nobody.
SHARED_ROLES = ("undecided", "dk", "refused")
PERCENTS: dict[str, LazyString] = {"rounded": _l("Rounded"), "truncated": _l("Cut off, never rounded up")}
TOP = 10.0  # the surest answer to “how sure are you to vote?”


@dataclass(frozen=True)
class Percents:
    """How shares are written: `decimals` of a percent, rounded (half up) or truncated."""

    style: str = "rounded"
    decimals: int = 1

    def value(self, share: float) -> Decimal:
        """The figure in percent, exactly as it is printed: 0.5699999999999999 is 57.0, also when cut off."""
        exact = round(Decimal(share) * 100, 9)
        how = ROUND_DOWN if self.style == "truncated" else ROUND_HALF_UP
        return exact.quantize(Decimal(1).scaleb(-self.decimals), how)

    def write(self, share: float | None) -> str:
        """`37.4 %` in the reader's language; a dash where there is no figure."""
        if share is None or share != share:
            return "–"
        pattern = "#,##0 %" if self.decimals == 0 else f"#,##0.{'0' * self.decimals} %"
        return str(format_percent(self.value(share) / 100, pattern))

    def points(self, share: float | None) -> str:
        """The same without the sign, for differences in percentage points. Margins are never cut off: `margin`."""
        return self.write(share).removesuffix("%").strip()

    def margin(self, share: float | None) -> str:
        """A margin: `±2.8`."""
        return "–" if share is None or share != share else f"±{Percents('rounded', 1).points(share)}"


@dataclass(frozen=True)
class Recipe:
    """From gross to effective. `question`, `likely_question`: the items it reads; `threshold`: the least sureness that
    counts (0–10); `shared`: roles that are allocated; `leaning`: the item that asks the undecided for whom they would
    rather vote; `groups`: columns of the frame within which the undecided are taken to vote as the decided do."""

    question: str = "vote"
    likely_question: str = ""
    likely: str = "everybody"
    threshold: float = 8.0
    undecided: str = "left_out"
    shared: tuple[str, ...] = ("undecided", "dk")
    leaning: str = ""
    groups: tuple[str, ...] = ("d_sex", "d_age_band")
    percents: str = "rounded"
    decimals: int = 1

    def __post_init__(self) -> None:
        faults = {}
        for field, known in (("likely", LIKELY), ("undecided", UNDECIDED), ("percents", PERCENTS)):
            if getattr(self, field) not in known:
                faults[field] = _(
                    "“%(value)s” is not one of %(known)s.", value=getattr(self, field), known=_list(known)
                )
        if not 0 < self.threshold <= TOP:
            faults["threshold"] = _("Write a number above 0 and up to 10.")
        if unknown := [role for role in self.shared if role not in SHARED_ROLES]:
            faults["shared"] = _("“%(value)s” is not one of %(known)s.", value=unknown[0], known=_list(SHARED_ROLES))
        elif self.undecided != "left_out" and not self.shared:
            faults["shared"] = _("Choose whose vote is allocated, or leave the undecided out.")
        if self.undecided == "leaning" and not self.leaning:
            faults["leaning"] = _("Choose the question that asks to whom they lean.")
        if self.decimals not in (0, 1, 2):
            faults["decimals"] = _("Percentages have 0, 1 or 2 decimals.")
        if faults:
            raise InvalidInput(faults)

    @property
    def writes(self) -> Percents:
        return Percents(self.percents, self.decimals)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, from which `read` makes the same recipe."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def read(given: Mapping[str, Any]) -> Recipe:
    """The recipe of its JSON. Raises InvalidInput for what no recipe says."""
    known = {field.name for field in fields(Recipe)}
    if strangers := sorted(set(given) - known):
        raise InvalidInput({strangers[0]: _("A recipe says nothing of “%(name)s”.", name=strangers[0])})
    said: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return Recipe(**said)


def _list(names: Any) -> str:
    return ", ".join(names)
