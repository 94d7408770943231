"""What one interview tells about how it was done: its length, hurried questions, equal answers, no answers. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surveys import engine
from surveys.checks.reading_time import shortest
from surveys.forms.items import ASKED, Items

LONGEST = 600.0  # seconds of one question; somebody left the page open longer
FEWEST_ALIKE = 3  # questions in a row that make a battery
FEWEST_KEYED = 5  # questions answered by one key each that make one, too
KNOWN = 0.5  # of the questions need a time, so that the interview has one


@dataclass(frozen=True)
class Signals:
    """`seconds`: that the questions took; None where too few have a time. The lists hold names of items."""

    seconds: float | None
    asked: int
    fast: tuple[str, ...]
    dk: tuple[str, ...]
    refused: tuple[str, ...]
    skipped: tuple[str, ...]
    batteries: int
    straight: int


def measure(
    items: Items, answers: Mapping[str, str], seconds: Mapping[str, float | None], *, language: str,
    faces: Mapping[str, str], keys: Mapping[str, str] | None = None,
) -> Signals:  # fmt: skip
    """Of the answers that count. `seconds`: item → from the question shown to its answer; `faces`: item → how it was
    asked; `keys`: item → the telephone's keys that were pressed."""
    asked = [item for item in items["items"] if item["name"] in answers and item["type"] in ASKED]
    asked = [item for item in asked if item["type"] != "note"]
    apart = {role: _names(asked, answers, role) for role in engine.APART}
    batteries = [run for run in _batteries(items) if sum(_is_substantive(item, answers) for item in run) == len(run)]
    pressed = [keys[item["name"]] for item in asked if keys and item["type"] == "select_one" and item["name"] in keys]
    is_keyed = len(pressed) >= FEWEST_KEYED
    return Signals(
        seconds=_length(asked, seconds),
        asked=len(asked),
        fast=tuple(item["name"] for item in asked if _is_fast(item, seconds, language, faces)),
        dk=apart["dk"],
        refused=apart["refused"],
        skipped=tuple(item["name"] for item in asked if not answers[item["name"]] and item["type"] != "audio"),
        batteries=len(batteries) + is_keyed,
        straight=sum(len({answers[item["name"]] for item in run}) == 1 for run in batteries)
        + (is_keyed and len(set(pressed)) == 1),
    )


def _length(asked: Sequence[Mapping[str, Any]], seconds: Mapping[str, float | None]) -> float | None:
    told = [min(took, LONGEST) for item in asked if (took := seconds.get(item["name"])) is not None]
    return sum(told) if told and len(told) >= KNOWN * len(asked) else None


def _is_fast(
    item: Mapping[str, Any], seconds: Mapping[str, float | None], language: str, faces: Mapping[str, str]
) -> bool:
    took, least = seconds.get(item["name"]), shortest(item, language, faces.get(item["name"], ""))
    return took is not None and least is not None and took < least


def _names(asked: Sequence[Mapping[str, Any]], answers: Mapping[str, str], role: str) -> tuple[str, ...]:
    """Questions of which the only answer has this role."""
    return tuple(item["name"] for item in asked if _role(item, answers[item["name"]]) == role)


def _role(item: Mapping[str, Any], value: str) -> str | None:
    return next((choice["role"] for choice in item["choices"] if choice["name"] == value), None)


def _is_substantive(item: Mapping[str, Any], answers: Mapping[str, str]) -> bool:
    value = answers.get(item["name"], "")
    return bool(value) and _role(item, value) not in engine.APART


def _batteries(items: Items) -> list[list[dict[str, Any]]]:
    """Runs of questions with the same choices, one after another; what nobody is asked stands in no one's way. The
    turns of a repeat are of different things, and may well be alike."""
    runs: list[list[dict[str, Any]]] = [[]]
    for item in items["items"]:
        if item["type"] not in ASKED or item["type"] == "note":
            continue
        is_alike = item["type"] == "select_one" and item["name"] != items.get("vote_question") and "turn" not in item
        if not (is_alike and runs[-1] and _codes(runs[-1][0]) == _codes(item)):
            runs.append([])
        if is_alike:
            runs[-1].append(item)
    return [run for run in runs if len(run) >= FEWEST_ALIKE]


def _codes(item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(choice["name"] for choice in item["choices"])
