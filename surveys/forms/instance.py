"""The answers of an interview as an XML instance, what its expressions ask of it, and the order of choices. Pure."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from surveys.forms import expressions
from surveys.forms.items import Items
from surveys.forms.odk_functions import compare

Answers = Mapping[str, str]


class Instance:
    """The answers as an XML instance. `nodes`: by the item's name; what does not apply has no text."""

    def __init__(self, items: Items, answers: Answers, seed: int, language: str) -> None:
        self.root = Element("data")
        self.nodes: dict[str, Element] = {}
        self._items, self._seed, self._language = items, seed, language
        self._today = answers.get("today", "")
        for item in items["items"]:
            node = self.nodes[item["name"]] = SubElement(self.root, item["name"])
            if item["type"] != "note":
                node.text = answers.get(item["name"], item["default"] if item["type"] == "hidden" else "")

    def value(self, expression: str, item: dict[str, Any], node: Element | None = None) -> Any:
        """What the expression gives for this item; `node`: what `.` means instead of the item's own answer."""
        labels = choice_labels(self._items, self._language) if "choice-name" in expression else {}
        world = expressions.World(self._seed, self._today, labels, item["name"])
        root, own = (self.root, node) if node is not None else self.part(expression, item["name"])
        return expressions.evaluate(expression, root, own, world)

    def part(self, expression: str, name: str) -> tuple[Element, Element]:
        """What the expression looks at: a question must not take longer for each question before it."""
        if "/" in expression or ".." in expression:  # a path of its own
            return self.root, self.nodes[name]
        root = Element("data")
        made: dict[str, Element] = {}
        for needed in (*expressions.references(expression), name):
            if needed in self.nodes and needed not in made:
                made[needed] = SubElement(root, needed)
                made[needed].text = self.nodes[needed].text
        return root, made[name]

    def is_true(self, expression: str, item: dict[str, Any]) -> bool:
        """Does this condition hold for the item?"""
        simple = expressions.comparison(expression)
        if simple is not None and simple[0] in self.nodes:  # an instance of XML for it would take ten times as long
            name, symbol, value = simple
            return compare(symbol, self.nodes[name].text or "", value)
        return expressions.holds(self.value(expression, item))

    def offered(self, item: dict[str, Any]) -> list[dict[str, Any]]:
        """The choices that the item's choice_filter lets through."""
        return [choice for choice in item["choices"] if not item["choice_filter"] or self._offers(item, choice)]

    def _offers(self, item: dict[str, Any], choice: dict[str, Any]) -> bool:
        # The columns of the choice stand below `.` while the filter is asked.
        row = SubElement(self.root, "choice_")
        for column, text in choice["columns"].items():
            SubElement(row, re.sub(r"\W", "_", column)).text = text
        kept = expressions.holds(self.value(item["choice_filter"], item, row))
        self.root.remove(row)
        return kept


def by_name(items: Items) -> dict[str, dict[str, Any]]:
    """The items by their names."""
    return {item["name"]: item for item in items["items"]}


def choice_labels(items: Items, language: str) -> dict[tuple[str, str], str]:
    """The words of every choice: {(item, code): label}."""
    return {
        (item["name"], choice["name"]): wording(items, choice["label"], language)
        for item in items["items"]
        for choice in item["choices"]
    }


def wording(items: Items, texts: Mapping[str, str], language: str) -> str:
    """The text in this language, else in the form's own, else in any."""
    for wanted in (language, items["default_language"], ""):
        if texts.get(wanted):
            return texts[wanted]
    return next(iter(texts.values()), "")


def codes_in_order(item: dict[str, Any], world: Instance, seed: int) -> list[str]:
    """The offered codes in their order. Only candidates rotate; a list without candidates rotates what has no role."""
    offered = world.offered(item)
    rotating = _rotating(offered) if item["randomize"] else []
    if item["seed"]:
        seed = int(hashlib.sha256(expressions.as_text(world.value(item["seed"], item)).encode()).hexdigest()[:12], 16)
    order = iter(shuffled(rotating, seed, item["name"]))
    return [next(order) if choice["name"] in rotating else choice["name"] for choice in offered]


def _rotating(choices: list[dict[str, Any]]) -> list[str]:
    candidates = [choice["name"] for choice in choices if choice["role"] == "candidate"]
    return candidates or [choice["name"] for choice in choices if not choice["role"]]


def shuffled(codes: Sequence[str], seed: int, name: str) -> list[str]:
    """An order of `codes` fixed by interview and question: Park and Miller's generator, as in ODK's randomize()."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    state = int.from_bytes(digest[:8], "big") % 2147483646 + 1
    order = list(codes)
    for last in range(len(order) - 1, 0, -1):
        state = state * 16807 % 2147483647
        other = state % (last + 1)
        order[last], order[other] = order[other], order[last]
    return order
