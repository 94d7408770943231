"""The short way of an interview whose group has enough people: strata are asked, nothing else, and nobody is lost.

Pure, like the engine: the questions up to consent come first, so that nobody answers who did not agree to.
"""

from collections.abc import Mapping
from dataclasses import replace

from surveys.engine import Look, Question, nothing_left
from surveys.fieldwork.quota_cells import Screen
from surveys.forms.items import ASKED, Items


def short_way(items: Items, strata: frozenset[str]) -> frozenset[str]:
    """Names of what is still asked: all up to consent (without one, the notes before the first question), strata."""
    asked = [item for item in items["items"] if item["type"] in ASKED]
    names = [item["name"] for item in asked]
    consent = items.get("consent_question")
    first = next((place for place, item in enumerate(asked) if item["type"] != "note"), len(asked))
    until = names.index(str(consent)) + 1 if consent in names else first
    return frozenset(names[:until]) | strata & frozenset(names)


def path(look: Look, only: frozenset[str]) -> list[str]:
    """Names of the questions of the short way, in the form's order."""
    return [name for name in look.path if name in only]


def next_question(look: Look, only: frozenset[str]) -> Question | None:
    """The first question of the short way without an answer; None at its end."""
    way = path(look, only)
    left = [name for name in way if name not in look.answers]
    question = look.question(left[0]) if left else None
    return replace(question, place=way.index(left[0]) + 1, total=len(way)) if question else None


def is_finished(look: Look, only: frozenset[str]) -> bool:
    """Is nothing left to ask on the short way?"""
    return nothing_left(look, path(look, only))


def only(screen: Screen | None, items: Items, answers: Mapping[str, str]) -> frozenset[str] | None:
    """What is still asked of somebody whose group has enough; None: everything."""
    if screen is None or screen.plan.when_full != "screen" or not screen.is_over(answers):
        return None
    return short_way(items, screen.plan.strata)
