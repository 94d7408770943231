"""Why interviews cannot be weighed: one sentence for each variable, naming the level and what to do."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from flask_babel import gettext as _
from numpy.typing import NDArray

from callcenter.base.errors import InvalidInput
from surveys.weighting.level_codes import CROSS, MISSING, STRANGE, Column, Indexes, counts, indexes

if TYPE_CHECKING:
    from surveys.weighting.raking import Margin

LOOSE = 0.0005  # how far from 1 the shares of a margin may add up, for rounding
LEAST_CAP = 1.0


class CannotWeigh(InvalidInput):
    """The interviews cannot be made to meet the targets. `faults`: variable (or 'base', 'cap', '') -> sentence."""


def require_sound(margins: "tuple[Margin, ...]", columns: Mapping[str, Column], cap: float | None) -> None:
    """Raises CannotWeigh unless the targets make sense by themselves and the columns are there."""
    if not margins:
        raise CannotWeigh({"": _("There is no target to weigh to: give the shares of at least one variable.")})
    if cap is not None and not (math.isfinite(cap) and cap > LEAST_CAP):
        raise CannotWeigh({"cap": _("A cap is a number above 1: how many times the mean a weight may be.")})
    faults: dict[str, str] = {}
    for margin in margins:
        if margin.variable in faults or sum(other.variable == margin.variable for other in margins) > 1:
            faults[margin.variable] = _("%(variable)s: its shares are given twice.", variable=margin.variable)
        elif sentence := fault_of_shares(margin):
            faults[margin.variable] = sentence
        elif absent := [part for part in _parts(margin.variable, columns) if part not in columns]:
            faults[margin.variable] = _("%(variable)s: no interview has a value of “%(name)s”.",
                                        variable=margin.variable, name=absent[0])  # fmt: skip
    if faults:
        raise CannotWeigh(faults)


def fault_of_shares(margin: "Margin") -> str | None:
    """What is wrong with the numbers of one margin, whatever the interviews are."""
    if not margin.shares:
        return str(_("%(variable)s has no levels.", variable=margin.variable))
    for level, share in margin.shares.items():
        if not (math.isfinite(share) and 0 < share <= 1 + LOOSE):
            return str(_("%(variable)s, level %(level)s: a share is above 0 and at most 1, not %(share)s.",
                     variable=margin.variable, level=level, share=f"{share:g}"))  # fmt: skip
    total = math.fsum(margin.shares.values())
    if abs(total - 1) > LOOSE:
        return str(_("%(variable)s: its shares add up to %(total)s and not to 1.",
                 variable=margin.variable, total=f"{total:.6g}"))  # fmt: skip
    if stranger := next((level for level in margin.includes if level not in margin.shares), None):
        return str(_("%(variable)s, level %(level)s: it includes codes but has no share.",
                 variable=margin.variable, level=stranger))  # fmt: skip
    codes = [code for level in margin.shares for code in margin.includes.get(level, (level,))]
    if twice := next((code for code in codes if codes.count(code) > 1), None):
        return str(
            _("%(variable)s: the code %(code)s is in more than one level.", variable=margin.variable, code=twice)
        )
    return None


def level_indexes(margin: "Margin", column: Column) -> Indexes:
    """Everybody's place among the levels of a margin; MISSING and STRANGE as they are."""
    return indexes(column, margin.codes())


def require_widths(found: list[Indexes], base: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """The base weights, scaled to mean 1. Raises CannotWeigh where columns differ in length or a weight is none."""
    people = len(found[0])
    if people == 0:
        raise CannotWeigh({"": _("There are no interviews to weigh yet.")})
    if any(len(places) != people for places in found):
        raise CannotWeigh({"": _("The columns are of different length.")})
    if base is None:
        return np.ones(people)
    start = np.asarray(base, dtype=np.float64)
    if len(start) != people:
        raise CannotWeigh({"base": _("There are %(weights)s base weights for %(people)s interviews.",
                                     weights=len(start), people=people)})  # fmt: skip
    bad = int(np.count_nonzero(~(np.isfinite(start) & (start > 0))))
    if bad:
        raise CannotWeigh({"base": _("%(n)s interviews have a base weight that is not above 0.", n=bad)})
    return np.asarray(start / start.mean())


def fault_of_fit(margin: "Margin", places: Indexes, shares: NDArray[np.float64], column: Column) -> dict[str, str]:
    """{variable: sentence} where the interviews do not have the levels that the targets name, or have others."""
    if missing := int(np.count_nonzero(places == MISSING)):
        sentence = _("%(variable)s: %(n)s interviews have no value. Let people without a value keep the share they "
                     "have, or leave this variable out.", variable=margin.variable, n=missing)  # fmt: skip
        return {margin.variable: sentence}
    if (places == STRANGE).any():
        known = margin.codes()
        code, n = next((code, n) for code, n in counts(column).items() if code not in known)
        sentence = _("%(variable)s: %(n)s interviews have the code %(code)s, which has no target. Include it in a "
                     "level.", variable=margin.variable, code=code, n=n)  # fmt: skip
        return {margin.variable: sentence}
    people = np.bincount(places, minlength=len(shares))
    empty = [level for level, n in zip(margin.shares, people, strict=False) if n == 0]
    if empty:
        sentence = _("%(variable)s, level %(level)s: it has a target but no interview. Join it with another level.",
                     variable=margin.variable, level=", ".join(empty))  # fmt: skip
        return {margin.variable: sentence}
    return {}


def fault_of_cap(margin: "Margin", place: int, cap: float | None, needed: float | None = None) -> CannotWeigh:
    """The level that keeps the targets from being met. `needed`: the mean weight that its people would need."""
    level = [*margin.shares, _("no value")][place]
    if needed is not None:
        sentence = _("%(variable)s, level %(level)s: its people would need a weight of %(needed)s on average, above "
                     "the cap of %(cap)s. Raise the cap or join the level with another.",
                     variable=margin.variable, level=level, needed=f"{needed:.2f}", cap=f"{cap:g}")  # fmt: skip
    elif cap is not None:
        sentence = _("%(variable)s, level %(level)s: no weights up to the cap of %(cap)s were found that meet all "
                     "margins. Raise the cap or join the level with another.",
                     variable=margin.variable, level=level, cap=f"{cap:g}")  # fmt: skip
    else:
        sentence = _("%(variable)s, level %(level)s: no weights meet all margins, because some combinations of levels "
                     "have no interview. Join the level with another.",
                     variable=margin.variable, level=level)  # fmt: skip
    return CannotWeigh({margin.variable: sentence})


def _parts(variable: str, columns: Mapping[str, Column]) -> list[str]:
    return [variable] if variable in columns else [part.strip() for part in variable.split(CROSS)]
