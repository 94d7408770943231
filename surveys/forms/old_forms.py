"""Sheets for a questionnaire of which only the items were kept: groups become conditions, lists are named after their
question. What is read of them asks the same questions. Pure."""

from collections.abc import Iterator
from typing import Any

from surveys.forms.items import Items
from surveys.forms.sheets import Source

_PLAIN = ("constraint", "calculation", "default", "choice_filter")
_TEXTS = ("label", "hint", "guidance_hint", "constraint_message", "required_message", "audio", "image", "video")


def source_of(items: Items) -> Source:
    """The sheets of an XLSForm that asks what these items ask."""
    lists, named = _lists(items)
    rows = [_row(item, named.get(item["name"], "")) for item in items["items"]]
    settings = {
        "form_title": items["title"], "default_language": items["default_language"],
        **{column: items.get(column) or "" for column in ("vote_question", "likely_question", "consent_question")},
    }  # fmt: skip
    return {"survey": _sheet(rows), "choices": _sheet(list(_choices(lists))), "settings": _sheet([settings])}


def _lists(items: Items) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str]]:
    """The lists by name, and which list each question has: equal ones are one."""
    lists: dict[str, list[dict[str, Any]]] = {}
    named: dict[str, str] = {}
    for item in items["items"]:
        if item["choices"]:
            same = next((name for name, choices in lists.items() if choices == item["choices"]), item["name"])
            lists[same] = item["choices"]
            named[item["name"]] = same
    return lists, named


def _row(item: dict[str, Any], choices: str) -> dict[str, str]:
    row = {"type": f"{item['type']} {choices}".strip(), "name": item["name"]}
    row |= _texts(item)
    required = item["required"]
    row["required"] = required if isinstance(required, str) else "yes" if required else ""
    conditions = item["relevant"]
    row["relevant"] = conditions[0] if len(conditions) == 1 else " and ".join(f"({one})" for one in conditions)
    row |= {column: item[column] for column in _PLAIN}
    parameters = ["randomize=true"] if item["randomize"] else []
    parameters += [f"seed={item['seed']}"] if item["seed"] else []
    return row | {"parameters": ";".join(parameters)}


def _texts(holder: dict[str, Any]) -> dict[str, str]:
    return {
        f"{column}::{language}" if language else column: text
        for column in _TEXTS
        for language, text in holder.get(column, {}).items()
    }


def _choices(lists: dict[str, list[dict[str, Any]]]) -> Iterator[dict[str, str]]:
    for name, choices in lists.items():
        for choice in choices:
            row = {"list_name": name, "name": choice["name"], **_texts(choice), "role": choice["role"] or ""}
            yield row | {column: text for column, text in choice["columns"].items() if column != "name"}


def _sheet(rows: list[dict[str, str]]) -> dict[str, Any]:
    """Columns in the order in which they come up; those without any text are left out."""
    headings = list(dict.fromkeys(column for row in rows for column, text in row.items() if text))
    return {"headings": headings, "lines": [[row.get(heading, "") for heading in headings] for row in rows]}
