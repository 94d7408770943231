"""What the engine reads: the items of a questionnaire, made of an XLSForm's rows and checked row by row.

The result is plain JSON (it is stored with the questionnaire's version):
{"title", "languages": ["es", …], "default_language", "vote_question", "likely_question", "consent_question",
 "items": [{"name", "type", "row", "label": {language: text}, "hint", "audio", "required", "required_message",
            "relevant": [expression], "constraint", "constraint_message", "calculation", "default", "randomize",
            "seed", "choice_filter", "choices": [{"name", "label", "role", "columns"}]}],
 "order": [names, each after the ones its expressions need]}
"""

import re
from graphlib import CycleError, TopologicalSorter
from typing import Any

from flask_babel import gettext as _

from surveys import expressions
from surveys.xlsform import Faults, Row, Workbook, language_of

ROLES = ("candidate", "none", "void", "wont_vote", "undecided", "dk", "refused")
ASKED = ("select_one", "select_multiple", "integer", "decimal", "text", "date", "note", "audio")
SILENT = ("hidden", "calculate")
# What ODK fills in by itself: here these are values filled from the call.
FILLED = ("start", "end", "today", "username", "deviceid", "audit")
TYPES = (*ASKED, *SILENT, "begin_group", "end_group")
NAME = re.compile(r"[^\W\d][\w.-]*")
YES = ("yes", "true", "true()", "sí", "si", "1")
NO = ("", "no", "false", "false()", "0")

Items = dict[str, Any]


def read_items(workbook: Workbook) -> Items:
    """The items of a form. Raises InvalidInput with one sentence for each fault, by sheet, row and column."""
    faults = Faults(workbook)
    lists = _choice_lists(workbook, faults)
    items: list[dict[str, Any]] = []
    groups: list[str] = []
    rows: dict[str, Row] = {}
    for row in workbook.survey.rows:
        kind, argument = _type(row)
        if kind == "begin_group":
            groups.append(row.get("relevant"))
        elif kind == "end_group":
            _end_group(row, groups, faults)
        elif kind not in TYPES:
            faults.add(row, "type", _unknown_type(kind))
        elif _take_name(row, rows, faults):
            items.append(_item(row, kind, [*filter(None, groups)]))
            _choices(items[-1], row, argument, lists, faults)
    if groups:
        faults.add(workbook.survey.rows[-1], "type", _("a group is still open at the end; add a row “end_group”"))
    if not items:
        faults.add(Row("survey", 2, {}, {}), "type", _("the sheet has no questions; write one question a row"))
    _check_items(items, rows, faults)
    _check_settings(workbook, items, faults)
    faults.stop_if_any()
    form = _settings(workbook, items)
    form["order"] = _order(items, rows, faults)
    faults.stop_if_any()
    return form


def _type(row: Row) -> tuple[str, str]:
    words = row.get("type").split()
    text = " ".join(words)
    for begin, kind in (("begin group", "begin_group"), ("end group", "end_group"), ("begin_group", "begin_group")):
        if text.lower() == begin:
            return kind, ""
    text = re.sub(r"^select (one|multiple)( from)?\b", r"select_\1", text, flags=re.IGNORECASE)
    kind, _space, argument = text.partition(" ")
    kind = {"int": "integer", "string": "text", "select1": "select_one"}.get(kind.lower(), kind.lower())
    return ("hidden" if kind in FILLED else kind), argument


def _unknown_type(kind: str) -> str:
    types = ", ".join(TYPES)
    return str(
        _("a question of type “%(kind)s” cannot be asked by telephone; use one of %(types)s", kind=kind, types=types)
    )


def _end_group(row: Row, groups: list[str], faults: Faults) -> None:
    if groups:
        groups.pop()
    else:
        faults.add(row, "type", _("this group ends without having begun; remove the row or add “begin_group” above"))


def _take_name(row: Row, rows: dict[str, Row], faults: Faults) -> bool:
    name = row.get("name")
    if not name:
        faults.add(row, "name", _("the question has no name; give it a short one without spaces"))
    elif not NAME.fullmatch(name):
        faults.add(row, "name", _("“%(name)s” is not a name; use letters, digits and _, a letter first", name=name))
    elif name in rows:
        faults.add(
            row,
            "name",
            _("“%(name)s” is used already in row %(row)s; rename one of them", name=name, row=rows[name].number),
        )
    else:
        rows[name] = row
        return True
    return False


def _item(row: Row, kind: str, group_relevant: list[str]) -> dict[str, Any]:
    parameters = dict(re.findall(r"(\w+)\s*=\s*([^;,\s]+)", row.get("parameters")))
    required = row.get("required").strip()
    return {
        "name": row.get("name"),
        "type": kind,
        "row": row.number,
        "label": row.texts.get("label", {}),
        "hint": row.texts.get("hint", {}),
        "audio": row.texts.get("audio", {}),
        "required": True if required.lower() in YES else False if required.lower() in NO else required,
        "required_message": row.texts.get("required_message", {}),
        "relevant": [*group_relevant, *([row.get("relevant")] if row.get("relevant") else [])],
        "constraint": row.get("constraint"),
        "constraint_message": row.texts.get("constraint_message", {}),
        "calculation": row.get("calculation"),
        "default": row.get("default"),
        "randomize": parameters.get("randomize", "").lower() in YES,
        "seed": parameters.get("seed", ""),
        "choice_filter": row.get("choice_filter"),
        "choices": [],
    }


def _choice_lists(workbook: Workbook, faults: Faults) -> dict[str, list[dict[str, Any]]]:
    lists: dict[str, list[dict[str, Any]]] = {}
    for row in workbook.choices.rows:
        code, role = row.get("name"), row.get("role")
        choices = lists.setdefault(row.get("list_name"), [])
        if not row.get("list_name"):
            faults.add(row, "list_name", _("the choice belongs to no list; write the list's name"))
        if not code or " " in code:
            faults.add(row, "name", _("a choice needs a code without spaces"))
        elif any(choice["name"] == code for choice in choices):
            faults.add(row, "name", _("the code “%(code)s” stands twice in this list; rename one", code=code))
        if role and role not in ROLES:
            faults.add(
                row, "role", _("“%(role)s” is not a role; use one of %(roles)s", role=role, roles=", ".join(ROLES))
            )
        # A code that is called like a role has it: «dk» is «does not know» in every list.
        inferred = code if code in ROLES and code != "candidate" else None
        columns = {key: text for key, text in row.cells.items() if key not in ("list_name", "role")}
        label = row.texts.get("label", {"": code})
        choices.append({"name": code, "label": label, "role": role or inferred, "columns": columns})
    return lists


def _choices(item: dict[str, Any], row: Row, argument: str, lists: dict[str, list[Any]], faults: Faults) -> None:
    if not item["type"].startswith("select"):
        return
    name, _space, rest = argument.partition(" ")
    if not name:
        faults.add(row, "type", _("the question names no list of choices; write “%(kind)s list”", kind=item["type"]))
    elif rest:
        faults.add(row, "type", _("“%(rest)s” is not supported; add a choice and a text question for it", rest=rest))
    elif name not in lists:
        faults.add(
            row, "type", _("there is no list “%(name)s” in the sheet “choices”; add it or correct the name", name=name)
        )
    else:
        item["choices"] = lists[name]


def _check_items(items: list[dict[str, Any]], rows: dict[str, Row], faults: Faults) -> None:
    names = {item["name"] for item in items}
    for item in items:
        row = rows[item["name"]]
        for column, expression in _expressions(item):
            _check_expression(row, column, expression, names, faults)
        for texts in (item["label"], item["hint"]):
            for text in texts.values():
                _check_references(row, "label" if texts is item["label"] else "hint", text, names, faults)
        if item["type"] in ASKED and not item["label"]:
            faults.add(row, "label", _("the question has no words to read aloud; write its label"))
        if item["type"] == "calculate" and not item["calculation"]:
            faults.add(row, "calculation", _("a “calculate” needs a calculation"))


def _expressions(item: dict[str, Any]) -> list[tuple[str, str]]:
    pairs = [("relevant", expression) for expression in item["relevant"]]
    pairs += [(column, item[column]) for column in ("constraint", "calculation", "choice_filter") if item[column]]
    if isinstance(item["required"], str):
        pairs.append(("required", item["required"]))
    return pairs + ([("parameters", item["seed"])] if item["seed"] else [])


def _check_expression(row: Row, column: str, expression: str, names: set[str], faults: Faults) -> None:
    if not _check_references(row, column, expression, names, faults):
        return
    try:
        expressions.parse(expression)
    except expressions.ExpressionError as fault:
        faults.add(row, column, _("“%(text)s”: %(fault)s", text=expression, fault=str(fault)))


def _check_references(row: Row, column: str, text: str, names: set[str], faults: Faults) -> bool:
    for name in expressions.references(text):
        if name not in names:
            faults.add(row, column, _("there is no question “%(name)s”; correct ${%(name)s} or add it", name=name))
            return False
    return True


def _check_settings(workbook: Workbook, items: list[dict[str, Any]], faults: Faults) -> None:
    named = {item["name"]: item for item in items}
    for row in workbook.settings.rows[:1]:
        for column in ("vote_question", "likely_question", "consent_question"):
            if row.get(column) and row.get(column) not in named:
                faults.add(
                    row, column, _("there is no question called “%(name)s”; correct the name", name=row.get(column))
                )
        vote = named.get(row.get("vote_question"), {"choices": []})
        bare = [choice["name"] for choice in vote["choices"] if not choice["role"]]
        if bare:
            faults.add(
                row,
                "vote_question",
                _("in the sheet “choices” these answers need a role: %(codes)s", codes=", ".join(bare)),
            )


def _settings(workbook: Workbook, items: list[dict[str, Any]]) -> Items:
    row = workbook.settings.rows[0] if workbook.settings.rows else Row("settings", 2, {}, {})
    found = {language for item in items for language in item["label"] if language}
    default = language_of(row.get("default_language")) if row.get("default_language") else ""
    languages = sorted(found, key=lambda language: (language != default, language)) or ["es"]
    named = {item["name"]: item for item in items}

    def question(column: str, otherwise: str) -> str | None:
        name = row.get(column) or otherwise
        return name if name in named else None

    return {
        "title": row.get("form_title"),
        "languages": languages,
        "default_language": default if default in languages else languages[0],
        "vote_question": question("vote_question", _vote_by_roles(items)),
        "likely_question": question("likely_question", ""),
        "consent_question": question("consent_question", "consent"),
        "items": items,
    }


def _vote_by_roles(items: list[dict[str, Any]]) -> str:
    """The first question that offers candidates, for a form whose settings do not name one."""
    for item in items:
        if any(choice["role"] == "candidate" for choice in item["choices"]):
            return str(item["name"])
    return ""


def _order(items: list[dict[str, Any]], rows: dict[str, Row], faults: Faults) -> list[str]:
    """Names so that each comes after those its relevance and value depend on. A circle is a fault."""
    graph: TopologicalSorter[str] = TopologicalSorter()
    for item in items:
        needed = [*item["relevant"], item["calculation"], item["choice_filter"]]
        graph.add(item["name"], *(name for text in needed for name in expressions.references(text)))
    try:
        return list(graph.static_order())
    except CycleError as error:
        circle = error.args[1]
        row = rows[circle[0]]
        column = "calculation" if row.get("calculation") else "relevant"
        faults.add(
            row, column, _("the questions depend on each other in a circle: %(names)s", names=" → ".join(circle))
        )
        return []
