"""A segment's rule as a form: one list of conditions of which all, some or none must hold. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from callcenter.base.errors import InvalidInput
from campaigns.segment_rules import FIELDS, Field, validate

MAX_JSON = 200_000
LISTS = ("in", "not_in")
NO_VALUE = ("is_known", "is_unknown")


def is_flat(rule: Mapping[str, Any]) -> bool:
    """Can the form with one list of conditions show this rule? Groups within groups are written as JSON."""
    return all("field" in member for members in rule.values() for member in members)


def read_rule(form: MultiDict[str, str]) -> dict[str, Any]:
    """The rule that the form says; raises InvalidInput. `clause` names the conditions in their order."""
    if form.get("json", "").strip():
        return _read_json(form["json"])
    members = [_read_clause(form, key) for key in form.getlist("clause") if form.get(f"field-{key}")]
    rule = {form.get("mode", "all"): members}
    validate(rule)
    return rule


def _read_json(text: str) -> dict[str, Any]:
    if len(text) > MAX_JSON:
        raise InvalidInput({"json": _("The rule is too long.")})
    try:
        rule = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput({"json": _("This is not JSON.")}) from error
    validate(rule)
    return dict(rule)


def _read_clause(form: MultiDict[str, str], key: str) -> dict[str, Any]:
    name, op = form[f"field-{key}"], form.get(f"op-{key}", "")
    field = FIELDS.get(name)
    if field is None or op in NO_VALUE:
        return {"field": name, "op": op}
    said = [part.strip() for text in form.getlist(f"value-{key}") for part in _parts(field, op, text) if part.strip()]
    values = [_value(field, name, text) for text in said]
    if op in LISTS or op == "between":
        return {"field": name, "op": op, "value": values}
    if len(values) != 1:
        raise InvalidInput(_("%(field)s: write one value.", field=field.label))
    return {"field": name, "op": op, "value": values[0]}


def _parts(field: Field, op: str, text: str) -> list[str]:
    """`2301, 2302` is two values where an operator takes several."""
    if op == "between":
        return text.replace("-", ",").split(",")
    return text.split(",") if op in LISTS and field.kind != "choice" else [text]


def _value(field: Field, name: str, text: str) -> int | str:
    if field.kind != "number":
        return text
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(_("%(field)s: %(value)s is not a whole number.", field=FIELDS[name].label, value=text[:20]))
    return int(text)


def shown(value: Any) -> str:
    """A condition's value as the form writes it."""
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
