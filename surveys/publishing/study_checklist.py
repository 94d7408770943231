"""What the authority wants to find in a study, as versioned data (data/ine_checklist.json): each item is there, or it
is named as missing with the place where it is entered. Law changes the file, never this code."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "data" / "ine_checklist.json"
WHENS = ("study", "publication")
# Where a fact comes from: entered in a section of the study's page, or on another page, or found by itself.
PLACES = ("record", "parties", "resources", "files", "firm", "weights", "outcomes", "automatic")


@dataclass(frozen=True)
class Fact:
    """One thing that an item needs. `label`: language -> words; `at`: one of PLACES."""

    key: str
    label: Mapping[str, str]
    at: str


@dataclass(frozen=True)
class Item:
    """One line of the list. `when`: study (handed in) | publication (printed with the results)."""

    code: str
    when: str
    label: Mapping[str, str]
    needs: tuple[Fact, ...]


@dataclass(frozen=True)
class Checklist:
    """One version of the list. `read_by`: who confirmed it against the law in force; None: nobody yet."""

    version: str
    valid_from: date
    title: Mapping[str, str]
    caution: Mapping[str, str]
    sources: tuple[str, ...]
    read_by: str | None
    days_to_deliver: int
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Standing:
    """An item with what it lacks."""

    item: Item
    missing: tuple[Fact, ...]

    @property
    def is_present(self) -> bool:
        return not self.missing


def checklist(day: date) -> Checklist:
    """The version that holds on `day`: the newest that is valid by then, else the oldest."""
    versions = _versions()
    return max((one for one in versions if one.valid_from <= day), key=lambda one: one.valid_from, default=versions[0])


def of_version(version: str) -> Checklist:
    """The version that a study was made by. Raises KeyError."""
    return {one.version: one for one in _versions()}[version]


def standings(listed: Checklist, facts: Mapping[str, Any]) -> list[Standing]:
    """Every item with what it lacks. `facts`: key -> value; None, "", and what is not there are missing."""
    return [
        Standing(item, tuple(fact for fact in item.needs if facts.get(fact.key) in (None, "", [], {})))
        for item in listed.items
    ]


def missing(found: list[Standing], when: str | None = None) -> list[Fact]:
    """What is missing, each fact once, in the order of the list."""
    lacking = [fact for one in found if when in (None, one.item.when) for fact in one.missing]
    return list({fact.key: fact for fact in lacking}.values())


@lru_cache(maxsize=1)
def _versions() -> tuple[Checklist, ...]:
    read = json.loads(FILE.read_text(encoding="utf-8"))["versions"]
    return tuple(sorted((_checklist(one) for one in read), key=lambda one: one.valid_from))


def _checklist(said: dict[str, Any]) -> Checklist:
    facts = {key: Fact(key, {"es": one["es"], "en": one["en"]}, one["at"]) for key, one in said["facts"].items()}
    items = tuple(
        Item(one["code"], one["when"], {"es": one["es"], "en": one["en"]}, tuple(facts[key] for key in one["needs"]))
        for one in said["items"]
    )
    return Checklist(
        version=said["version"],
        valid_from=date.fromisoformat(said["valid_from"]),
        title=said["title"],
        caution=said["caution"],
        sources=tuple(said["sources"]),
        read_by=said["read_by"],
        days_to_deliver=said["days_to_deliver"],
        items=items,
    )
