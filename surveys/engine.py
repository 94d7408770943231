"""The interview as a pure function: from questions and answers so far to the next question. No clock, no database.

`items` is what `surveys.forms.items.read_items` made; `answers` maps an item's name to its stored value: a code, codes
separated by spaces, a number, text, or '' for a question that was skipped or a note that was read. Values filled from
the call (hidden items, `today`) are answers too.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput
from surveys.forms import expressions
from surveys.forms.instance import Answers, Instance, by_name, choice_labels, codes_in_order, shuffled, wording
from surveys.forms.items import ASKED, Items
from surveys.forms.typed import typed_value

__all__ = [
    "APART", "FACES", "Answers", "Choice", "Question", "Standing", "applicable", "complaint", "has_substance",
    "is_finished", "next_question", "path", "question", "read_answer", "refused_consent", "shuffled", "stand", "way",
    "wording",
]  # fmt: skip
# Roles that stand apart from the other answers: the person gave none.
APART = ("dk", "refused")
# What each face can ask: a screen does not record a voice, a telephone keypad does not write.
FACES: dict[str, frozenset[str]] = {
    "screen": frozenset(ASKED) - {"audio"},
    "agi": frozenset(ASKED) - {"text", "date", "decimal"},
    "twiml": frozenset(ASKED) - {"text", "date", "decimal"},
    **dict.fromkeys(("web", "whatsapp", "sms", "telegram"), frozenset(ASKED) - {"audio"}),
}
# Where nobody calls, a note that names the caller is left out: the page or message itself has said who asks.
ALONE = frozenset({"web", "whatsapp", "sms", "telegram"})


@dataclass(frozen=True)
class Choice:
    code: str
    label: str
    role: str | None = None

    @property
    def is_apart(self) -> bool:
        return self.role in APART


@dataclass(frozen=True)
class Question:
    """One question as it is asked now. `place` counts from 1 among the `total` questions asked on this way."""

    name: str
    kind: str
    label: str
    hint: str
    required: bool
    choices: tuple[Choice, ...]
    value: str | None
    place: int
    total: int

    @property
    def order(self) -> list[str]:
        """The codes as they are shown."""
        return [choice.code for choice in self.choices]


@dataclass(frozen=True)
class Standing:
    """Where an interview stands: each item's value ('' when it has none) and which items apply, in the form's order."""

    values: dict[str, str]
    relevant: tuple[str, ...]


def stand(items: Items, answers: Answers, seed: int = 0, language: str = "") -> Standing:
    """Values and relevance of every item. What does not apply has no value for the others."""
    world = Instance(items, answers, seed, language)
    named = by_name(items)
    relevant = set()
    for name in items["order"]:
        item = named[name]
        if not all(world.is_true(expression, item) for expression in item["relevant"]):
            world.nodes[name].text = ""
            continue
        relevant.add(name)
        if item["type"] == "calculate":
            world.nodes[name].text = expressions.as_text(world.value(item["calculation"], item))
    values = {name: node.text or "" for name, node in world.nodes.items()}
    return Standing(values, tuple(item["name"] for item in items["items"] if item["name"] in relevant))


def next_question(
    items: Items, answers: Answers, seed: int = 0, language: str = "", face: str = "screen"
) -> Question | None:
    """The first question that applies, can be asked on this face and has no answer; None at the end."""
    standing = stand(items, answers, seed, language)
    for name in _path(items, standing, face):
        if name not in answers:
            return _question(items, answers, standing, name, _Setting(seed, language, face))
    return None


def question(
    items: Items, answers: Answers, name: str, seed: int = 0, *, language: str = "", face: str = "screen"
) -> Question | None:
    """The question of this name as it would be asked now, with its answer; None when it does not apply."""
    standing = stand(items, answers, seed, language)
    if name not in _path(items, standing, face):
        return None
    return _question(items, answers, standing, name, _Setting(seed, language, face))


def path(items: Items, answers: Answers, seed: int = 0, face: str = "screen") -> list[str]:
    """Names of the questions that are asked with these answers, in order: going back walks along it."""
    return _path(items, stand(items, answers, seed), face)


def way(items: Items, answers: Answers, seed: int = 0, face: str = "screen") -> list[tuple[str, list[str]]]:
    """(name, codes as they are shown) of each question on the path: all of an interview for the price of one look."""
    standing = stand(items, answers, seed)
    world = Instance(items, {**standing.values, **_today(answers)}, seed, "")
    named = by_name(items)
    return [(name, codes_in_order(named[name], world, seed)) for name in _path(items, standing, face)]


def read_answer(
    items: Items, answers: Answers, name: str, given: str | Sequence[str], *, seed: int = 0, language: str = ""
) -> str:
    """The value to store for what a person gave. Raises InvalidInput({name: sentence}) when it cannot be accepted."""
    item = by_name(items).get(name)
    standing = stand(items, answers, seed, language)
    if item is None or item["type"] not in ASKED:
        raise InvalidInput({name: _("There is no such question in this questionnaire.")})
    if name not in standing.relevant:
        raise InvalidInput({name: _("This question does not apply after the answers given before. Go on.")})
    world = Instance(items, {**standing.values, **_today(answers)}, seed, language)
    value = typed_value(item, given, [choice["name"] for choice in world.offered(item)])
    if not value:
        if item["type"] not in ("note", "audio") and _is_required(item, world):
            raise InvalidInput(
                {name: wording(items, item["required_message"], language) or _("An answer is needed here.")}
            )
        return ""
    world.nodes[name].text = value
    if item["constraint"] and not world.is_true(item["constraint"], item):
        sentence = wording(items, item["constraint_message"], language)
        raise InvalidInput({name: sentence or _("This answer is outside of what the question allows.")})
    return value


def complaint(items: Items, name: str, language: str = "") -> str:
    """What the questionnaire itself says of an answer outside of what it allows; '' when it says nothing."""
    item = by_name(items).get(name)
    return wording(items, item["constraint_message"], language) if item else ""


def applicable(items: Items, answers: Answers, seed: int = 0) -> frozenset[str]:
    """Names of the answers that count: the others were given before an earlier answer changed."""
    return frozenset(stand(items, answers, seed).relevant) & frozenset(answers)


def is_finished(items: Items, answers: Answers, seed: int = 0, face: str = "screen") -> bool:
    """Is nothing left to ask? A last note that was not clicked away does not keep an interview open."""
    kinds = {item["name"]: item["type"] for item in items["items"]}
    return all(name in answers or kinds[name] == "note" for name in path(items, answers, seed, face))


def has_substance(items: Items, answers: Answers, seed: int = 0) -> bool:
    """Was any question answered besides the one for consent?"""
    counting = applicable(items, answers, seed)
    return any(
        answers[item["name"]] and item["type"] in ASKED and item["name"] != items.get("consent_question")
        for item in items["items"]
        if item["name"] in counting
    )


def refused_consent(items: Items, answers: Answers) -> bool:
    """Did the person decline to take part?"""
    name = items.get("consent_question")
    return bool(name) and answers.get(str(name)) in ("no", "refused")


@dataclass(frozen=True)
class _Setting:
    seed: int
    language: str
    face: str


def _today(answers: Answers) -> dict[str, str]:
    return {"today": answers["today"]} if "today" in answers else {}


def _path(items: Items, standing: Standing, face: str) -> list[str]:
    if face not in FACES:
        raise ValueError(f"unknown face {face!r}; the faces are {', '.join(FACES)}")
    relevant = set(standing.relevant)
    asked = [item for item in items["items"] if item["name"] in relevant and item["type"] in FACES[face]]
    return [item["name"] for item in asked if not (face in ALONE and _names_caller(item))]


def _names_caller(item: dict[str, Any]) -> bool:
    return item["type"] == "note" and any("${operator_name}" in words for words in item["label"].values())


def _question(items: Items, answers: Answers, standing: Standing, name: str, setting: _Setting) -> Question:
    item = by_name(items)[name]
    way = _path(items, standing, setting.face)
    world = Instance(items, {**standing.values, **_today(answers)}, setting.seed, setting.language)
    return Question(
        name=name,
        kind=item["type"],
        label=_spoken(items, item["label"], standing, setting.language),
        hint=_spoken(items, item["hint"], standing, setting.language),
        required=_is_required(item, world),
        choices=tuple(_shown(items, item, standing, world, setting)),
        value=answers.get(name),
        place=way.index(name) + 1,
        total=len(way),
    )


def _spoken(items: Items, texts: Mapping[str, str], standing: Standing, language: str) -> str:
    """The text with `${…}` replaced: a choice by its words, everything else by its value."""
    labels = choice_labels(items, language)

    def said(match: re.Match[str]) -> str:
        value = standing.values.get(match[1], "")
        return ", ".join(labels[match[1], code] for code in value.split()) if (match[1], value) in labels else value

    return expressions.REFERENCE.sub(said, wording(items, texts, language))


def _shown(
    items: Items, item: dict[str, Any], standing: Standing, world: Instance, setting: _Setting
) -> Iterator[Choice]:
    named = {choice["name"]: choice for choice in item["choices"]}
    for code in codes_in_order(item, world, setting.seed):
        shown = named[code]
        yield Choice(code, _spoken(items, shown["label"], standing, setting.language), shown["role"])


def _is_required(item: dict[str, Any], world: Instance) -> bool:
    required = item["required"]
    return required if isinstance(required, bool) else world.is_true(required, item)
