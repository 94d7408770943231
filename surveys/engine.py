"""The interview as a pure function: from questions and answers so far to the next question. No clock, no database.

`items` is what `surveys.forms.items.read_items` made; `answers` maps an item's name to its stored value: a code, codes
separated by spaces, a number, text, or '' for a question that was skipped or a note that was read. Values filled from
the call (hidden items, `today`) are answers too.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask_babel import gettext as _

from callcenter.base.errors import InvalidInput
from surveys.forms import expressions
from surveys.forms.instance import Answers, Instance, by_name, choice_labels, codes_in_order, shuffled, wording
from surveys.forms.items import ASKED, Items
from surveys.forms.typed import typed_value

__all__ = [
    "APART", "FACES", "Answers", "Choice", "Look", "Question", "Standing", "complaint", "next_question", "nothing_left",
    "question", "read_answer", "refused_consent", "shuffled", "stand", "way", "wording",
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
    image: str = ""

    @property
    def is_apart(self) -> bool:
        return self.role in APART


@dataclass(frozen=True)
class Question:
    """One question as it is asked now. `place` counts from 1 among the `total` questions asked on this way. `guidance`:
    for the operator alone, and empty on every face where people answer by themselves. `image`: the name of a picture,
    of a choice too (surveys.pictures), '' for none."""

    name: str
    kind: str
    label: str
    hint: str
    required: bool
    choices: tuple[Choice, ...]
    value: str | None
    place: int
    total: int
    guidance: str = ""
    image: str = ""

    @property
    def names_pictures(self) -> bool:
        return bool(self.image) or any(choice.image for choice in self.choices)

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


class Look:
    """One look at an interview: its answers so far, asked on one face in one language.

    What several ask of it (which items apply, what is asked) is reckoned once. Like everything here it never changes:
    another answer is another look."""

    def __init__(self, items: Items, answers: Answers, seed: int = 0, *, language: str = "", face: str = "screen"):
        self.items, self.answers, self.seed, self.language, self.face = items, answers, seed, language, face

    @cached_property
    def standing(self) -> Standing:
        return stand(self.items, self.answers, self.seed, self.language)

    @cached_property
    def path(self) -> list[str]:
        """Names of the questions that are asked with these answers, in order: going back walks along it."""
        return _path(self.items, self.standing, self.face)

    def next_question(self) -> Question | None:
        """The first question that applies, can be asked on this face and has no answer; None at the end."""
        name = next((name for name in self.path if name not in self.answers), None)
        return None if name is None else _question(self, name)

    def question(self, name: str) -> Question | None:
        """The question of this name as it would be asked now, with its answer; None when it does not apply."""
        return _question(self, name) if name in self.path else None

    @property
    def applicable(self) -> frozenset[str]:
        """Names of the answers that count: the others were given before an earlier answer changed."""
        return frozenset(self.standing.relevant) & frozenset(self.answers)

    @property
    def is_finished(self) -> bool:
        """Is nothing left to ask?"""
        return nothing_left(self, self.path)

    @property
    def has_substance(self) -> bool:
        """Was any question answered besides the one for consent?"""
        counting = self.applicable
        return any(
            self.answers[item["name"]] and item["type"] in ASKED and item["name"] != self.items.get("consent_question")
            for item in self.items["items"]
            if item["name"] in counting
        )

    @cached_property
    def world(self) -> Instance:
        """What expressions are asked of. Nobody changes it."""
        return self.new_world()

    def new_world(self) -> Instance:
        """The same for whoever changes it: the values of what applies."""
        known = {**self.standing.values, **_today(self.answers)}
        return Instance(self.items, known, self.seed, self.language)

    def read(self, name: str, given: str | Sequence[str]) -> str:
        """The value to store for what a person gave.

        Raises InvalidInput({name: sentence}) when it cannot be accepted."""
        item = by_name(self.items).get(name)
        if item is None or item["type"] not in ASKED:
            raise InvalidInput({name: _("There is no such question in this questionnaire.")})
        if name not in self.standing.relevant:
            raise InvalidInput({name: _("This question does not apply after the answers given before. Go on.")})
        return _checked(self, item, given)


def nothing_left(look: Look, way: Iterable[str]) -> bool:
    """Is nothing of this way left to ask? A note that was not clicked away does not keep it open."""
    kinds = {item["name"]: item["type"] for item in look.items["items"]}
    return all(name in look.answers or kinds[name] == "note" for name in way)


def next_question(
    items: Items, answers: Answers, seed: int = 0, language: str = "", face: str = "screen"
) -> Question | None:
    """`Look.next_question` of these answers."""
    return Look(items, answers, seed, language=language, face=face).next_question()


def question(
    items: Items, answers: Answers, name: str, seed: int = 0, *, language: str = "", face: str = "screen"
) -> Question | None:
    """`Look.question` of these answers."""
    return Look(items, answers, seed, language=language, face=face).question(name)


def way(items: Items, answers: Answers, seed: int = 0, face: str = "screen") -> list[tuple[str, list[str]]]:
    """(name, codes as they are shown) of each question on the path: all of an interview for the price of one look."""
    look, named = Look(items, answers, seed, face=face), by_name(items)
    return [(name, codes_in_order(named[name], look.world, seed)) for name in look.path]


def read_answer(
    items: Items, answers: Answers, name: str, given: str | Sequence[str], *, seed: int = 0, language: str = ""
) -> str:
    """`Look.read` of these answers."""
    return Look(items, answers, seed, language=language).read(name, given)


def complaint(items: Items, name: str, language: str = "") -> str:
    """What the questionnaire itself says of an answer outside of what it allows; '' when it says nothing."""
    item = by_name(items).get(name)
    return wording(items, item["constraint_message"], language) if item else ""


def refused_consent(items: Items, answers: Answers) -> bool:
    """Did the person decline to take part?"""
    name = items.get("consent_question")
    return bool(name) and answers.get(str(name)) in ("no", "refused")


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


def _question(look: Look, name: str) -> Question:
    item = by_name(look.items)[name]
    return Question(
        name=name,
        kind=item["type"],
        label=_spoken(look, item["label"]),
        hint=_spoken(look, item["hint"]),
        required=_is_required(item, look.world),
        choices=tuple(_shown(look, item)),
        value=look.answers.get(name),
        place=look.path.index(name) + 1,
        total=len(look.path),
        guidance=_spoken(look, item.get("guidance_hint", {})) if look.face == "screen" else "",
        image=_picture(look, item),
    )


def _spoken(look: Look, texts: Mapping[str, str]) -> str:
    """The text with `${…}` replaced: a choice by its words, everything else by its value."""
    text = wording(look.items, texts, look.language)
    if "${" not in text:
        return text
    labels = choice_labels(look.items, look.language)

    def said(match: re.Match[str]) -> str:
        value = look.standing.values.get(match[1], "")
        return ", ".join(labels[match[1], code] for code in value.split()) if (match[1], value) in labels else value

    return expressions.REFERENCE.sub(said, text)


def _shown(look: Look, item: dict[str, Any]) -> Iterator[Choice]:
    named = {choice["name"]: choice for choice in item["choices"]}
    for code in codes_in_order(item, look.world, look.seed):
        shown = named[code]
        yield Choice(code, _spoken(look, shown["label"]), shown["role"], _picture(look, shown))


def _picture(look: Look, shown: dict[str, Any]) -> str:
    return wording(look.items, shown["image"], look.language) if "image" in shown else ""


def _checked(look: Look, item: dict[str, Any], given: str | Sequence[str]) -> str:
    # A world of its own: the answer that is being read stands in it while its constraint is asked.
    name, language = item["name"], look.language
    world = look.new_world()
    value = typed_value(item, given, [choice["name"] for choice in world.offered(item)])
    if not value:
        if item["type"] not in ("note", "audio") and _is_required(item, world):
            sentence = wording(look.items, item["required_message"], language)
            raise InvalidInput({name: sentence or _("An answer is needed here.")})
        return ""
    world.nodes[name].text = value
    if item["constraint"] and not world.is_true(item["constraint"], item):
        sentence = wording(look.items, item["constraint_message"], language)
        raise InvalidInput({name: sentence or _("This answer is outside of what the question allows.")})
    return value


def _is_required(item: dict[str, Any], world: Instance) -> bool:
    required = item["required"]
    return required if isinstance(required, bool) else world.is_true(required, item)
