"""What a person writes on the page of weights, and the recipe it means."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from callcenter.base.errors import InvalidInput
from surveys.weighting import weight_targets
from surveys.weighting.raking import Margin, Targets
from surveys.weighting.weight_recipe import PREFIXES, Recipe

if TYPE_CHECKING:
    from surveys.responses import Responses

STARTING = ("sex", "age_band", "section_kind")  # the variables a page without targets begins with


@dataclass(frozen=True)
class Written:
    """The fields as they were written. `targets`: the table as text."""

    targets: str = ""
    method: str = "raking"
    cap: str = ""
    base: str = "answered"
    source: str = ""
    by_wave: bool = False
    keep_missing: bool = False
    faults: Mapping[str, str] = field(default_factory=dict)

    def told(self, faults: Mapping[str, str]) -> "Written":
        return replace(self, faults=faults)


def read(form: "MultiDict[str, str]") -> Written:
    """The fields of a request."""
    return Written(
        targets=form.get("targets", ""), method=form.get("method", "raking"), cap=form.get("cap", "").strip(),
        base=form.get("base", "answered"), source=form.get("source", ""), by_wave="by_wave" in form,
        keep_missing="keep_missing" in form,
    )  # fmt: skip


def recipe(written: Written, responses: "Responses") -> Recipe:
    """What the fields mean. Raises InvalidInput by field."""
    faults: dict[str, str] = {}
    cap: float | None = None
    found: tuple[Margin, ...] = ()
    try:
        cap = _cap(written.cap)
    except InvalidInput as fault:
        faults |= fault.faults
    if written.method != "none":
        try:
            found = weight_targets.margins(weight_targets.read(written.targets))
            weight_targets.require_known(found, known(responses))
        except InvalidInput as fault:
            faults |= fault.faults
    if faults:
        raise InvalidInput(faults)
    targets = Targets(found, keep_missing=written.keep_missing)
    return Recipe(targets, written.method, cap, written.base, written.by_wave, written.source.strip())


def write(made: Recipe) -> Written:
    """The fields that mean this recipe."""
    return Written(
        targets=weight_targets.write(made.targets.margins).replace("\r\n", "\n") if made.targets.margins else "",
        method=made.method, cap="" if made.cap is None else f"{made.cap:g}", base=made.base, source=made.source,
        by_wave=made.by_wave, keep_missing=made.targets.keep_missing,
    )  # fmt: skip


def beginning(responses: "Responses") -> Written:
    """The levels that the interviews have, their shares to be written."""
    codes = known(responses)
    lines = [",".join(weight_targets.COLUMNS)]
    for variable in STARTING:
        column = next((prefix + variable for prefix in PREFIXES if prefix + variable in responses.frame.columns), None)
        if column is None:
            continue
        present = set(responses.frame[column].drop_nulls().unique().to_list())
        lines += [
            f"{variable},{code},," for code in codes.get(variable) or sorted(map(str, present)) if code in present
        ]
    return Written(targets="\n".join(lines) + "\n")


def known(responses: "Responses") -> dict[str, tuple[str, ...]]:
    """Variable -> its codes; (): any text may come. What is known of a person goes before their bare answer."""
    found: dict[str, tuple[str, ...]] = {}
    for item in responses.items.values():
        if item.is_coded and not item.is_multiple:
            found[item.name] = item.codes
    for column, kind in responses.frame.schema.items():
        if column.startswith("d_"):
            found[column.removeprefix("d_")] = tuple(getattr(kind, "categories", ()))
        elif column.startswith("h_"):
            found.setdefault(column.removeprefix("h_"), ())
    return found


def _cap(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 1):
        raise InvalidInput({"cap": _("A cap is a number above 1: how many times the mean a weight may be.")})
    return value
