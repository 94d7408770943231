"""What can be wrong with a form's questions besides their spelling: references, expressions, circles, settings."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from flask_babel import gettext as _

from surveys.forms import expressions
from surveys.forms.repeats import base_name
from surveys.forms.sheets import Faults, Row, Workbook

NAMED_IN_SETTINGS = ("vote_question", "likely_question", "consent_question")
Item = dict[str, Any]


def check_items(items: Iterable[Item], rows: Mapping[str, Row], names: set[str], asked: Iterable[str],
                faults: Faults) -> None:  # fmt: skip
    """Words, references and expressions of every item. `names`: what may be referred to; `asked`: types with words."""
    asked = frozenset(asked)
    for item in items:
        row = rows[item["name"]]
        for column, expression in expressions_of(item):
            check_expression(row, column, expression, names, faults)
        for column in ("label", "hint", "guidance_hint"):
            for text in item[column].values():
                check_references(row, column, text, names, faults)
        if item["type"] in asked and not item["label"]:
            faults.add(row, "label", _("the question has no words to read aloud; write its label"))
        if item["type"] == "calculate" and not item["calculation"]:
            faults.add(row, "calculation", _("a “calculate” needs a calculation"))


def check_turns(items: Iterable[Item], rows: Mapping[str, Row], faults: Faults) -> None:
    """After the repeats were laid out: nothing takes the answers of all turns for one, or a repeat for an answer."""
    items = list(items)
    names = {item["name"] for item in items}
    for item in items:
        row = rows[base_name(item)]
        if "turn" in item and item["name"] in rows:
            faults.add(row, "name", _("“%(name)s” is used already; rename one of them", name=item["name"]))
        for column, expression in expressions_of(item):
            if expressions.is_loose(expression) or set(expressions.references(expression)) - names:
                faults.add(row, column, _all_turns())
        for column in ("label", "hint", "guidance_hint"):
            if any(set(expressions.references(text)) - names for text in item[column].values()):
                faults.add(row, column, _all_turns())


def _all_turns() -> str:
    return str(
        _(
            "a question of a repeat has an answer for each turn; outside of it use sum, min, max, count, join or"
            " indexed-repeat in a “calculate”"
        )
    )


def expressions_of(item: Item) -> list[tuple[str, str]]:
    """(column, expression) of everything that an item computes."""
    pairs = [("relevant", expression) for expression in item["relevant"]]
    pairs += [(column, item[column]) for column in ("constraint", "calculation", "choice_filter") if item[column]]
    if isinstance(item["required"], str):
        pairs.append(("required", item["required"]))
    return pairs + ([("parameters", item["seed"])] if item["seed"] else [])


def check_expression(row: Row, column: str, expression: str, names: set[str], faults: Faults) -> None:
    """Can this expression be read, and does everything exist that it names?"""
    if not check_references(row, column, expression, names, faults):
        return
    try:
        expressions.parse(expression)
    except expressions.ExpressionError as fault:
        faults.add(row, column, _("“%(text)s”: %(fault)s", text=expression, fault=str(fault)))


def check_references(row: Row, column: str, text: str, names: set[str], faults: Faults) -> bool:
    """Does every `${name}` in the text exist? A fault is told for the first that does not."""
    for name in expressions.references(text):
        if name not in names:
            faults.add(row, column, _("there is no question “%(name)s”; correct ${%(name)s} or add it", name=name))
            return False
    return True


def check_headings(workbook: Workbook, faults: Faults) -> None:
    """A heading that stands twice would hide one of its columns."""
    for sheet in (workbook.survey, workbook.choices, workbook.settings):
        for column in sheet.twice:
            faults.add_at(sheet.name, 1, column, _("this heading stands twice; rename or remove one of the columns"))


def check_settings(workbook: Workbook, items: Iterable[Item], faults: Faults) -> None:
    """The questions that the settings name, and the roles of the answers to the vote question."""
    named = {item["name"]: item for item in items}
    for row in workbook.settings.rows[:1]:
        for column in NAMED_IN_SETTINGS:
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


def order(items: Iterable[Item], rows: Mapping[str, Row], faults: Faults) -> list[str]:
    """Names so that each comes after those its relevance and value depend on. A circle is a fault."""
    items = list(items)
    graph: TopologicalSorter[str] = TopologicalSorter()
    for item in items:
        needed = [*item["relevant"], item["calculation"], item["choice_filter"]]
        graph.add(item["name"], *(name for text in needed for name in expressions.references(text)))
    try:
        return list(graph.static_order())
    except CycleError as error:
        bases = {item["name"]: base_name(item) for item in items}
        circle = [bases[name] for name in error.args[1]]
        row = rows[circle[0]]
        column = "calculation" if row.get("calculation") else "relevant"
        faults.add(
            row, column, _("the questions depend on each other in a circle: %(names)s", names=" → ".join(circle))
        )
        return []
