"""Every sentence that a recorded survey can say, with where its sound comes from; and what it cannot say or ask yet."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from callcenter import carriers
from surveys import engine, questionnaire
from surveys.faces.sentences import SENTENCES, sentence, spoken_key, tongue
from surveys.faces.spoken import CHALLENGES
from surveys.fieldwork import recorded_calls
from surveys.forms.items import Items
from surveys.voice import prompts, speech
from surveys.voice.prompts import Prompt

MANY = 10  # choices: nobody remembers more
# Sentences of the house that name a key have a recording for each; the text around it is one.
KEYED = {"challenge": tuple(CHALLENGES), "press": tuple("1234567890"), "skip": ("0", "*0")}


@dataclass(frozen=True)
class Line:
    """One sentence. `kind`: question | choice | complaint | own (a sentence of the house) | key (one of a keyed one).

    `text`: as it is said, `${…}` and `{…}` where a value is put in; `own`: what somebody changed of it."""

    key: str
    kind: str
    text: str
    item: str = ""
    own: Prompt | None = None

    @property
    def varies(self) -> bool:
        """Does a value of the call or of an answer stand in it? A recording says always the same."""
        return bool(re.search(r"\$\{|\{(sponsor|notice)\}", self.text))

    @property
    def can_be_recorded(self) -> bool:
        """A sentence around a key has no sound of its own: that of each key has."""
        return not re.search(r"(?<!\$)\{(key|label)\}", self.text)

    @property
    def can_be_worded(self) -> bool:
        return self.kind != "key"


@dataclass(frozen=True)
class Gap:
    """`is_grave`: nobody may be called before it is mended."""

    sentence: str
    is_grave: bool


def lines(items: Items, language: str) -> Iterator[Line]:
    """Pure: the sentences of a questionnaire in this language, in the order in which they are said."""
    yield Line("system/identify", "own", _house("identify", language))
    yield from _keyed("challenge", language)
    for item in items["items"]:
        if item["type"] in engine.FACES["agi"]:
            yield from _of_item(item, items, language)
    for code in SENTENCES:
        if code not in (*KEYED, "identify"):
            yield Line(f"system/{code}", "own", _house(code, language))
    for code in ("press", "skip"):
        yield from _keyed(code, language)


def _of_item(item: dict[str, Any], items: Items, language: str) -> Iterator[Line]:
    name = str(item["name"])
    yield Line(f"item/{name}", "question", engine.wording(items, item["label"], language), name)
    for choice in item["choices"]:
        text = engine.wording(items, choice["label"], language)
        yield Line(f"choice/{name}/{choice['name']}", "choice", text, name)
    if item["constraint_message"]:
        yield Line(f"complaint/{name}", "complaint", engine.complaint(items, name, language), name)


def _keyed(code: str, language: str) -> Iterator[Line]:
    yield Line(f"system/{code}", "own", _house(code, language))
    for key in KEYED[code]:
        yield Line(f"system/{code}/{key}", "key", sentence(code, language, key=spoken_key(key, language)))


def _house(code: str, language: str) -> str:
    places = {name: f"{{{name}}}" for name in ("sponsor", "notice", "key", "label")}
    return sentence(code, language, **places)


def listed(session: Session, survey_id: int, language: str) -> list[Line]:
    """The sentences with what is one's own of each."""
    items = questionnaire.current(session, survey_id).items
    own = prompts.listed(session, survey_id, language)
    found = []
    for line in lines(items, language):
        mine = own.get(line.key)
        worded = own.get(line.key.rpartition("/")[0]) if line.kind == "key" else mine
        text = worded.wording if worded and worded.wording else line.text
        if line.kind == "key" and worded and worded.wording:
            text = worded.wording.format(key=spoken_key(line.key.rpartition("/")[2], language))
        found.append(replace(line, text=text, own=mine))
    return found


def line(session: Session, survey_id: int, language: str, key: str) -> Line | None:
    """One of them; None when there is no such sentence."""
    return next((one for one in listed(session, survey_id, language) if one.key == key), None)


def gaps(session: Session, survey_id: int) -> list[Gap]:
    """What a recorded survey cannot say or ask, the graver first."""
    items = questionnaire.current(session, survey_id).items
    found = []
    for language in items["languages"]:
        if not is_spoken(language):
            found += _unsaid(listed(session, survey_id, language), language)
    return sorted([*found, *_unasked(items)], key=lambda gap: not gap.is_grave)


def is_spoken(language: str) -> bool:
    """Does anybody say this language to who is called? Over a carrier's webhooks the carrier's own voices do."""
    if carriers.the_name() in recorded_calls.CARRIED:
        return tongue(language) is not None
    return speech.synthesiser(language) is not None


def _unsaid(said: list[Line], language: str) -> list[Gap]:
    sounded = [one for one in said if one.can_be_recorded and one.kind != "complaint"]
    lacking = [one.key for one in sounded if one.own is None or one.own.sha256 is None]
    if not lacking:
        return []
    names = ", ".join(lacking[:5]) + ("…" if len(lacking) > 5 else "")
    told = ngettext(
        "Nobody here speaks “%(language)s” and %(num)s sentence has no recording: %(names)s.",
        "Nobody here speaks “%(language)s” and %(num)s sentences have no recording: %(names)s.",
        len(lacking), language=language, names=names,
    )  # fmt: skip
    return [Gap(told, is_grave=True)]


def _unasked(items: Items) -> Iterator[Gap]:
    asked = engine.FACES["agi"]
    for item in items["items"]:
        name, kind = item["name"], item["type"]
        if kind in engine.FACES["screen"] and kind not in asked:
            told = _("The question %(name)s (%(type)s) cannot be asked by telephone keys and is left out.", name=name,
                     type=kind)  # fmt: skip
            yield Gap(told, is_grave=False)
        elif len(item["choices"]) > MANY:
            told = _("The question %(name)s reads out %(n)s answers: nobody remembers so many.", name=name,
                     n=len(item["choices"]))  # fmt: skip
            yield Gap(told, is_grave=False)


def without_values(text: str) -> str:
    """The sentence with a pause where a value is put in: as it is tried on its page."""
    return re.sub(r"\$?\{[^}]*\}", "…", text)


def anchor(key: str) -> str:
    """The place of a sentence on its page."""
    return "p-" + re.sub(r"[^a-z0-9]", "-", key.lower().replace("*", "star"))
