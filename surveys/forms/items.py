"""What the engine reads: the items of a questionnaire, made of an XLSForm's rows and checked row by row.

The result is plain JSON (it is stored with the questionnaire's version):
{"title", "languages": ["es", …], "default_language", "vote_question", "likely_question", "consent_question",
 "items": [{"name", "type", "row", "label": {language: text}, "hint", "audio", "required", "required_message",
            "relevant": [expression], "constraint", "constraint_message", "calculation", "default", "randomize",
            "seed", "choice_filter", "choices": [{"name", "label", "role", "columns"}]}],
 "image" and "video", {language: file name}, are there where the form names them, of questions and choices, "audio" too
 "order": [names, each after the ones its expressions need]}
"""

import re
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from surveys.forms import choice_lists, item_checks, repeats
from surveys.forms.choice_lists import ROLES
from surveys.forms.repeats import Repeat
from surveys.forms.sheets import Faults, Row, Workbook, language_of

__all__ = ["ASKED", "FILLED", "MOST_ITEMS", "ROLES", "SILENT", "TYPES", "Items", "read_items"]
ASKED = ("select_one", "select_multiple", "integer", "decimal", "text", "date", "note", "audio")
SILENT = ("hidden", "calculate")
# What ODK fills in by itself: here these are values filled from the call.
FILLED = ("start", "end", "today", "username", "deviceid", "audit")
BRACKETS = ("begin_group", "end_group", "begin_repeat", "end_repeat")
TYPES = (*ASKED, *SILENT, *BRACKETS)
NAME = re.compile(r"[^\W\d][\w.-]*")
YES = ("yes", "true", "true()", "sí", "si", "1")
NO = ("", "no", "false", "false()", "0")
MOST_ITEMS = 5_000  # with the turns of repeats

Items = dict[str, Any]


@dataclass
class _Form:
    """What was read so far. `open`: the groups and repeats around this row, a group as its condition."""

    items: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, Row] = field(default_factory=dict)
    repeats: list[Repeat] = field(default_factory=list)
    open: list[str | Repeat] = field(default_factory=list)

    @property
    def conditions(self) -> list[str]:
        return [one for one in self.open if isinstance(one, str) and one]

    @property
    def repeat(self) -> Repeat | None:
        return next((one for one in self.open if isinstance(one, Repeat)), None)


def read_items(workbook: Workbook) -> Items:
    """The items of a form. Raises InvalidInput with one sentence for each fault, by sheet, row and column."""
    faults = Faults(workbook)
    item_checks.check_headings(workbook, faults)
    form = _read_rows(workbook, choice_lists.read_lists(workbook, faults), faults)
    if form.open:
        faults.add(workbook.survey.rows[-1], "type", _still_open(form.open[-1]))
    if not form.items:
        faults.add(Row("survey", 2, {}, {}), "type", _("the sheet has no questions; write one question a row"))
    _check(workbook, form, faults)
    faults.stop_if_any()
    laid = repeats.lay_out(form.items, form.repeats)
    item_checks.check_turns(laid, form.rows, faults)
    item_checks.check_settings(workbook, laid, faults)
    if len(laid) > MOST_ITEMS:
        faults.add(Row("survey", 1, {}, {}), "name", _("the form has more than %(most)s questions", most=MOST_ITEMS))
    faults.stop_if_any()
    items = _settings(workbook, laid)
    items["order"] = item_checks.order(laid, form.rows, faults)
    faults.stop_if_any()
    return items


def _read_rows(workbook: Workbook, lists: dict[str, choice_lists.Choices], faults: Faults) -> _Form:
    form = _Form()
    for row in workbook.survey.rows:
        kind, argument = _type(row)
        if kind == "begin_group":
            form.open.append(row.get("relevant"))
        elif kind == "begin_repeat":
            _begin_repeat(row, form, faults)
        elif kind in ("end_group", "end_repeat"):
            _end(row, kind, form, faults)
        elif kind not in TYPES:
            faults.add(row, "type", _unknown_type(kind))
        elif _take_name(row, form.rows, faults):
            item = _item(row, kind, form.conditions)
            if kind.startswith("select"):
                item["choices"] = choice_lists.of_question(item, row, argument, lists, faults)
            form.items.append(item)
            if form.repeat is not None:
                form.repeat.members.append(item["name"])
    return form


def _begin_repeat(row: Row, form: _Form, faults: Faults) -> None:
    conditions = [*form.conditions, *filter(None, [row.get("relevant")])]
    repeat = repeats.read_repeat(row, conditions, is_inside=form.repeat is not None, faults=faults)
    if _take_name(row, form.rows, faults):
        form.repeats.append(repeat)
        if not repeat.is_fixed:
            if repeat.count_name in form.rows:
                faults.add(row, "name", _("“%(name)s” is used already; rename the repeat", name=repeat.count_name))
            form.rows[repeat.count_name] = row
            form.items.append(repeats.count_item(repeat, _item(Row("survey", row.number, {}, {}), "calculate", [])))
    form.open.append(row.get("relevant"))
    form.open.append(repeat)


def _end(row: Row, kind: str, form: _Form, faults: Faults) -> None:
    is_repeat = bool(form.open) and isinstance(form.open[-1], Repeat)
    if not form.open:
        faults.add(row, "type", _("this group ends without having begun; remove the row or add “begin_group” above"))
    elif is_repeat != (kind == "end_repeat"):
        wanted = "end_repeat" if is_repeat else "end_group"
        faults.add(row, "type", _("what is open here ends with “%(type)s”", type=wanted))
    else:
        form.open.pop()
        if is_repeat:
            form.open.pop()  # its condition


def _still_open(last: "str | Repeat") -> str:
    if isinstance(last, Repeat):
        return str(_("a repeat is still open at the end; add a row “end_repeat”"))
    return str(_("a group is still open at the end; add a row “end_group”"))


def _check(workbook: Workbook, form: _Form, faults: Faults) -> None:
    """References and expressions as they were written: a repeat's name may stand in count() and indexed-repeat()."""
    names = {item["name"] for item in form.items} | {repeat.name for repeat in form.repeats}
    counts = {repeat.count_name for repeat in form.repeats if not repeat.is_fixed}
    for repeat in form.repeats:
        if not repeat.is_fixed and repeat.count:
            item_checks.check_expression(repeat.row, "repeat_count", repeat.count, names, faults)
    written = [item for item in form.items if item["name"] not in counts]
    item_checks.check_items(written, form.rows, names, ASKED, faults)
    for row in workbook.choices.rows:
        for text in row.texts.get("label", {}).values():
            item_checks.check_references(row, "label", text, names, faults)


def _type(row: Row) -> tuple[str, str]:
    text = " ".join(row.get("type").split())
    bracket = text.lower().replace(" ", "_")
    if bracket in BRACKETS:
        return bracket, ""
    text = re.sub(r"^select (one|multiple)( from)?\b", r"select_\1", text, flags=re.IGNORECASE)
    kind, _space, argument = text.partition(" ")
    kind = {"int": "integer", "string": "text", "select1": "select_one"}.get(kind.lower(), kind.lower())
    return ("hidden" if kind in FILLED else kind), argument


def _unknown_type(kind: str) -> str:
    types = ", ".join(TYPES)
    return str(
        _("a question of type “%(kind)s” cannot be asked by telephone; use one of %(types)s", kind=kind, types=types)
    )


def _take_name(row: Row, rows: dict[str, Row], faults: Faults) -> bool:
    name = row.get("name")
    if not name:
        faults.add(row, "name", _("the question has no name; give it a short one without spaces"))
    elif not NAME.fullmatch(name):
        faults.add(row, "name", _no_name(name))
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


def _no_name(name: str) -> str:
    better = re.sub(r"\s+", "_", name)
    if better != name and NAME.fullmatch(better):
        return str(
            _(
                "“%(name)s” has a space in it, perhaps one that does not show; write %(better)s",
                name=name,
                better=better,
            )
        )
    return str(_("“%(name)s” is not a name; use letters, digits and _, a letter first", name=name))


def _item(row: Row, kind: str, group_relevant: list[str]) -> dict[str, Any]:
    parameters = dict(re.findall(r"(\w+)\s*=\s*([^;,\s]+)", row.get("parameters")))
    required = row.get("required").strip()
    media: dict[str, Any] = {column: row.texts[column] for column in ("image", "video") if column in row.texts}
    return {
        "name": row.get("name"),
        "type": kind,
        "row": row.number,
        "label": row.texts.get("label", {}),
        "hint": row.texts.get("hint", {}),
        "guidance_hint": row.texts.get("guidance_hint", {}),
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
        **media,
    }


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
