"""What people write about samples and waves, read from their forms: a sentence for whatever cannot be used."""

import re
from collections.abc import Mapping
from datetime import date

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from callcenter.base.errors import InvalidInput
from surveys.sampling.sample_plans import Wanted
from surveys.sampling.waves import Given

_SEPARATORS = re.compile(r"[\s,;/]+")
_WHOLE = re.compile(r"\d{1,9}\Z")

Form = MultiDict[str, str]


def wanted(form: Form) -> Wanted:
    """The sample that a form asks for. Raises InvalidInput with a sentence for each number that is none."""
    frame, _colon, ref = form.get("source", "").partition(":")
    faults: dict[str, str] = {}
    numbers = {name: _number(form, name, faults, default) for name, default in
               (("size", None), ("replicates", 1), ("target", 0))}  # fmt: skip
    if faults:
        raise InvalidInput(faults)
    strata = tuple(dict.fromkeys(name for name in (form.get("stratum_1", ""), form.get("stratum_2", "")) if name))
    return Wanted(
        title=form.get("title", ""), frame=frame, ref=ref, **numbers, seed=form.get("seed", "").strip(),
        wave=form.get("wave", ""), strata=strata, allocation=form.get("allocation", ""),
        areas=tuple(area for area in _SEPARATORS.split(form.get("areas", "").strip()) if area),
        kinds=tuple(kind for kind in form.getlist("kinds") if kind in ("mobile", "landline", "unknown")),
        agree_item=form.get("agree_item", "").strip(), agree_code=form.get("agree_code", "").strip(),
    )  # fmt: skip


def wave(form: Form) -> Given:
    """The wave that a form tells of. Raises InvalidInput."""
    faults: dict[str, str] = {}
    opens_on, closes_on = (_day(form, name, faults) for name in ("opens_on", "closes_on"))
    if opens_on is None and "opens_on" not in faults:
        faults["opens_on"] = _("Say on which day the wave begins.")
    if faults or opens_on is None:
        raise InvalidInput(faults)
    return Given(form.get("code", ""), form.get("label", ""), opens_on, closes_on, form.get("break_reason", ""))


def replicates(form: Form) -> int:
    """How many replicates to release. Raises InvalidInput."""
    faults: dict[str, str] = {}
    number = _number(form, "replicates", faults, 1)
    if faults:
        raise InvalidInput(faults)
    return number


def queue(form: Form) -> int | None:
    """The campaign's queue that is chosen; None: none. Raises InvalidInput."""
    typed = form.get("queue", "").strip()
    if typed and not _WHOLE.match(typed):
        raise InvalidInput({"queue": _("Choose a campaign of the list.")})
    return int(typed) if typed else None


def _number(form: Form, name: str, faults: dict[str, str], default: int | None) -> int:
    typed = re.sub(r"[\s,.'’]", "", form.get(name, ""))
    if not typed and default is not None:
        return default
    if not _WHOLE.match(typed):
        faults[name] = _("Write a whole number.")
        return 0
    return int(typed)


def _day(form: Mapping[str, str], name: str, faults: dict[str, str]) -> date | None:
    typed = form.get(name, "").strip()
    if not typed:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError:
        faults[name] = _("Write the date as year-month-day, for example 2027-06-06.")
        return None
