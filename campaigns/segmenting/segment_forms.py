"""The rows of the segment builder and the clauses they mean, both ways. Pure; what may be chosen is a Catalogue."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from callcenter.base.errors import InvalidInput
from campaigns.segmenting.segment_clauses import MAX_DAYS, MAX_TIMES
from campaigns.segmenting.segment_rules import VERSION, Deed, Field
from campaigns.segmenting.segment_tree import GROUPS, Node, condition, group

MAX_JSON = 2_000_000
LISTS = ("in", "not_in")
NO_VALUE = ("is_known", "is_unknown")
DID = "did:"  # how the select of fields names a behaviour: did:called
DID_OPS: dict[str, LazyString] = {"did": _l("yes, it happened"), "did_not": _l("no, it did not happen")}
MEMBER_OPS: dict[str, LazyString] = {"in": _l("belongs to"), "not_in": _l("does not belong to")}
PERIODS: dict[str, LazyString] = {
    "": _l("at any time"),
    "within": _l("in the last … days"),
    "between": _l("between two dates"),
}
NEEDED: dict[str, LazyString] = {
    "survey": _l("Choose the survey."),
    "item": _l("Choose the question."),
    "value": _l("Choose at least one outcome."),
}
NUMBERED = ("queue", "campaign", "survey")
MEMBERS = {"segment": _l("Another segment"), "frozen": _l("A frozen list")}


@dataclass(frozen=True)
class Question:
    """One question of a survey that a condition can ask about; `choices`: code → label, empty for a free answer."""

    label: str
    choices: Mapping[str, str]


@dataclass(frozen=True)
class Catalogue:
    """What the builder's selects offer, by code or id. `questions`: of each survey, by item; `names`: what the
    numbers of a field are called."""

    fields: Mapping[str, Field]
    deeds: Mapping[str, Deed] = field(default_factory=dict)
    names: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    questions: Mapping[int, Mapping[str, Question]] = field(default_factory=dict)
    segments: Mapping[int, str] = field(default_factory=dict)
    frozen: Mapping[int, str] = field(default_factory=dict)


Check = Callable[[dict[str, Any]], None]  # raises InvalidInput for a rule that cannot be


def rule_of(root: Node, catalogue: Catalogue, check: Check) -> tuple[dict[str, Any], int]:
    """The rule that the tree means without its unfinished conditions, and how many rows have a fault.

    Every fault stands at its row afterwards; one of the whole rule (too deep, too long) at the outermost group."""
    for node in root.walk():
        node.fault = ""
    rule = {"version": VERSION, **_group_rule(root, catalogue, check)}
    try:
        check(rule)
    except InvalidInput as fault:
        root.fault = sentence(fault)
    return rule, sum(1 for node in root.walk() if node.fault)


def sentence(fault: InvalidInput) -> str:
    """The fault without its place: it stands at the row itself."""
    return " ".join(fault.faults.values())


def _group_rule(node: Node, catalogue: Catalogue, check: Check) -> dict[str, Any]:
    members = []
    for member in node.members:
        if member.group:
            inner = _group_rule(member, catalogue, check)
            # A group whose conditions are all unfinished says nothing yet; as an empty one it would mean nobody.
            if inner[member.group] or not member.members:
                members.append(inner)
            continue
        try:
            clause = clause_of(member, catalogue)
            check({"all": [clause]})
            members.append(clause)
        except InvalidInput as fault:
            member.fault = sentence(fault)
    return {node.group: members}


def clause_of(node: Node, catalogue: Catalogue) -> dict[str, Any]:
    """The clause of one row. Raises InvalidInput: what is missing in it, or is no number."""
    code = node.one("field")
    if not code:
        raise InvalidInput(_("Choose what this condition asks, or remove it."))
    if code.startswith(DID):
        return _behaviour(node, code.removeprefix(DID), catalogue)
    if code in MEMBERS:
        return _membership(node, code)
    asked = catalogue.fields.get(code)
    if asked is None:
        raise InvalidInput(
            _("There is no field %(field)s any more. Choose another, or remove the condition.", field=code)
        )
    op = node.one("op")
    if op not in asked.ops:
        raise InvalidInput(_("Choose a comparison."))
    if op in NO_VALUE:
        return {"field": code, "op": op}
    if op == "within_days":
        return {"field": code, "op": op, "value": _days(node.one("value"))}
    return {"field": code, "op": op, "value": _value(node, asked, op)}


def _value(node: Node, asked: Field, op: str) -> Any:
    texts = [part.strip() for text in node.many("value") for part in _parts(asked, op, text) if part.strip()]
    values = [_typed(asked, text) for text in texts]
    if op == "between":
        if len(values) != 2:
            raise InvalidInput(_("Write both ends: the least and the most."))
        if values[0] > values[1]:
            raise InvalidInput(_("The least is larger than the most: exchange them."))
        return values
    if not values:
        raise InvalidInput(_("Say which: the value is missing."))
    if op in LISTS:
        return list(dict.fromkeys(values))
    if len(values) > 1:
        raise InvalidInput(_("Write one value, or choose a comparison that takes several."))
    return values[0]


def _parts(asked: Field, op: str, text: str) -> list[str]:
    """`2301, 2302` is two numbers; a text may hold a comma, so of texts each line is one."""
    if asked.kind == "number" and op in LISTS:
        return text.replace("\n", ",").replace(";", ",").split(",")
    if asked.kind == "number" and op == "between":
        return text.replace("–", "-").replace("-", ",").split(",") if not text.lstrip().startswith("-") else [text]
    return text.splitlines() if op in LISTS and asked.kind in ("text", "exact") else [text]


def _typed(asked: Field, text: str) -> Any:
    if asked.kind == "yes_no":
        return text == "yes"
    if asked.kind != "number":
        return text
    plain = text.replace(" ", "")
    if plain.isascii() and plain.isdigit() and len(plain) < 10:
        return int(plain)
    try:
        number = float(plain)
    except ValueError:
        number = float("nan")
    if number != number or abs(number) > 1e15:
        raise InvalidInput(_("«%(text)s» is not a number. Write it in digits, such as 18.", text=text[:20]))
    return number


def _behaviour(node: Node, code: str, catalogue: Catalogue) -> dict[str, Any]:
    op, deed = node.one("op"), catalogue.deeds.get(code)
    if deed is None or op not in DID_OPS:
        raise InvalidInput(_("Choose what this condition asks, or remove it."))
    clause: dict[str, Any] = {op: code}
    for option in deed.options:
        said = _option(node, option)
        if said:
            clause[option] = said
        elif option in deed.needed:
            raise InvalidInput(str(NEEDED[option]))
    times = node.one("times")
    if times and times != "1":
        if not (times.isascii() and times.isdigit() and 0 < int(times[:9]) <= MAX_TIMES):
            raise InvalidInput(_("Write how many times at least, from 1 to %(limit)s.", limit=MAX_TIMES))
        clause["at_least"] = int(times)
    return clause | _period(node)


def _option(node: Node, option: str) -> Any:
    """What an option of a behaviour says: a number, a code, or the codes that are ticked; empty when nothing."""
    if option == "value":
        return list(dict.fromkeys(text.strip() for text in node.many("value")))
    text = node.one(option)
    if option in NUMBERED:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else ""
    return text


def _period(node: Node) -> dict[str, Any]:
    when = node.one("when")
    if when == "within":
        return {"within_days": _days(node.one("days"))}
    if when == "between":
        since, until = node.one("from"), node.one("to")
        if not since or not until:
            raise InvalidInput(_("Write both dates."))
        if since > until:
            raise InvalidInput(_("The first date is after the second: exchange them."))
        return {"between": [since, until]}
    return {}


def _days(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MAX_DAYS):
        raise InvalidInput(_("Write the number of days, from 1 to %(limit)s.", limit=MAX_DAYS))
    return int(text)


def _membership(node: Node, code: str) -> dict[str, Any]:
    text = node.one("value")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(_("Choose the segment.") if code == "segment" else _("Choose the frozen list."))
    clause = {code: int(text)}
    return {"not": [clause]} if node.one("op") == "not_in" else clause


def tree_of(rule: Mapping[str, Any]) -> Node:
    """The tree that shows a valid rule, whole."""
    kind, members = group_in(rule)
    return group(kind, [_member(member) for member in members])


def group_in(rule: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """(all | any | not, its members) of a valid rule or of a group in it."""
    return next((kind, rule[kind]) for kind in GROUPS if kind in rule)


def _member(member: Mapping[str, Any]) -> Node:
    if "field" in member:
        value = member.get("value")
        return condition(str(member["field"]), op=[str(member.get("op", ""))], value=_texts(member, value))
    if "did" in member or "did_not" in member:
        return _behaviour_row(member)
    for code in MEMBERS:
        if code in member:
            return condition(code, op=["in"], value=[str(member[code])])
        if "not" in member and len(member["not"]) == 1 and code in member["not"][0]:
            return condition(code, op=["not_in"], value=[str(member["not"][0][code])])
    return tree_of(member)


def _texts(member: Mapping[str, Any], value: Any) -> list[str]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    texts = [("yes" if one else "no") if isinstance(one, bool) else str(one) for one in values]
    is_numbers = member.get("op") in LISTS and all(isinstance(one, int | float) for one in values)
    return [", ".join(texts)] if is_numbers and texts else texts


def _behaviour_row(member: Mapping[str, Any]) -> Node:
    op = "did" if "did" in member else "did_not"
    said: dict[str, list[str]] = {"op": [op]}
    for name in ("queue", "campaign", "purpose", "channel", "survey", "item", "value"):
        if name in member:
            value = member[name]
            said[name] = [str(one) for one in (value if isinstance(value, list) else [value])]
    if "at_least" in member:
        said["times"] = [str(member["at_least"])]
    if "within_days" in member:
        said |= {"when": ["within"], "days": [str(member["within_days"])]}
    if "between" in member:
        said |= {"when": ["between"], "from": [str(member["between"][0])], "to": [str(member["between"][1])]}
    return condition(DID + str(member[op]), **said)


def read_json(text: str, check: Check) -> dict[str, Any]:
    """The rule of an expert's JSON. Raises InvalidInput with where it stops being JSON, or what the rule lacks."""
    if len(text) > MAX_JSON:
        raise InvalidInput(_("The rule is too long: at most %(limit)s characters.", limit=MAX_JSON))
    try:
        rule = json.loads(text)
    except json.JSONDecodeError as error:
        sentence = _("This is not JSON: line %(line)s, column %(column)s.", line=error.lineno, column=error.colno)
        raise InvalidInput(sentence) from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(_("This is not JSON.")) from error
    check(rule)
    return dict(rule)
