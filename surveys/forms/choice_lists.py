"""The lists of choices of a form: codes, words, and the roles that answers have."""

from typing import Any

from flask_babel import gettext as _

from surveys.forms.sheets import Faults, Row, Workbook

ROLES = ("candidate", "none", "void", "wont_vote", "undecided", "dk", "refused")
Choices = list[dict[str, Any]]


def read_lists(workbook: Workbook, faults: Faults) -> dict[str, Choices]:
    """{list: [{"name", "label": {language: text}, "audio", "role", "columns"}]}, in the order of the sheet."""
    lists: dict[str, Choices] = {}
    for row in workbook.choices.rows:
        choices = lists.setdefault(row.get("list_name"), [])
        _check(row, choices, faults)
        code, role = row.get("name"), row.get("role")
        # A code that is called like a role has it: «dk» is «does not know» in every list.
        inferred = code if code in ROLES and code != "candidate" else None
        columns = {key: text for key, text in row.cells.items() if key not in ("list_name", "role")}
        choice = {"name": code, "label": row.texts.get("label", {}), "role": role or inferred, "columns": columns}
        choice |= {column: row.texts[column] for column in ("audio", "image", "video") if column in row.texts}
        choices.append(choice)
    return lists


def _check(row: Row, choices: Choices, faults: Faults) -> None:
    code, role = row.get("name"), row.get("role")
    if not row.get("list_name"):
        faults.add(row, "list_name", _("the choice belongs to no list; write the list's name"))
    if not code or len(code.split()) > 1:
        faults.add(row, "name", _("a choice needs a code without spaces"))
    elif any(choice["name"] == code for choice in choices):
        faults.add(row, "name", _("the code “%(code)s” stands twice in this list; rename one", code=code))
    if not row.texts.get("label"):
        faults.add(row, "label", _("the choice has no words to read aloud; write its label"))
    if role and role not in ROLES:
        faults.add(row, "role", _("“%(role)s” is not a role; use one of %(roles)s", role=role, roles=", ".join(ROLES)))


def of_question(item: dict[str, Any], row: Row, argument: str, lists: dict[str, Choices], faults: Faults) -> Choices:
    """The choices that a question's type names (`select_one list`); a fault and none when it names no list."""
    name, _space, rest = argument.partition(" ")
    if not name:
        faults.add(row, "type", _("the question names no list of choices; write “%(kind)s list”", kind=item["type"]))
    elif rest:
        faults.add(row, "type", _("“%(rest)s” is not supported; add a choice and a text question for it", rest=rest))
    elif name not in lists:
        faults.add(
            row, "type", _("there is no list “%(name)s” in the sheet “choices”; add it or correct the name", name=name)
        )
    return lists.get(name, []) if not rest else []
