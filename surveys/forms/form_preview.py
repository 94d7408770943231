"""One question as each face asks it, without an interview: what is not known yet stands in brackets. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from surveys import engine
from surveys.engine import Question
from surveys.faces import chat, spoken
from surveys.faces.sentences import tongue
from surveys.faces.turns import Setting, State
from surveys.forms.items import Items

STAGES = {"note": "note", "audio": "invitation"}
SEED = 1


@dataclass(frozen=True)
class Preview:
    """`screen`: as the console and the web page ask it, None where they do not; `keypad`: the sentences that a recorded
    survey says, none where it does not ask it; `message`: the text of a chat, '' where it does not ask it;
    `knows_tongue`: does the house speak this language at all?"""

    screen: Question | None
    keypad: tuple[str, ...]
    message: str
    knows_tongue: bool


def preview(items: Items, name: str, language: str) -> Preview:
    """The question of this name; for one that a repeat lays out its first turn."""
    free, answers = _free(items), _answers(items)
    if name not in answers and f"{name}.1" in answers:
        name = f"{name}.1"
    answers.pop(name, None)
    screen = engine.question(free, answers, name, SEED, language=language)
    heard = engine.question(free, answers, name, SEED, language=language, face="agi")
    written = engine.question(free, answers, name, SEED, language=language, face="whatsapp")
    message = chat.say(written, language) if written is not None else ""
    return Preview(screen, _said(free, answers, heard, language), message, tongue(language) is not None)


def _free(items: Items) -> Items:
    """Every question applies here, whatever was answered."""
    return {**items, "items": [{**item, "relevant": [], "choice_filter": ""} for item in items["items"]]}


def _answers(items: Items) -> dict[str, str]:
    """In place of every answer its question's name in brackets; a calculated value is what comes of that."""
    return {item["name"]: f"[{item['name']}]" for item in items["items"] if item["type"] != "calculate"}


def _said(items: Items, answers: Mapping[str, str], asked: Question | None, language: str) -> tuple[str, ...]:
    if asked is None:
        return ()
    setting = Setting(items, language, SEED, {}, sponsor="…", notice="…")
    state = State(STAGES.get(asked.kind, "question"), dict(answers), item=asked.name)
    step: Any = spoken.step(setting, state, asked=asked)
    return tuple(say.text for say in step.say if say.text)
