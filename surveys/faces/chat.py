"""The interview in a chat: how a question is written as one message, and what somebody meant by their answer. Pure.

People write as they like: «1», «la 2», «1️⃣», «Rojo», «34 años», «1 y 3». What fits one answer of the question is that
answer; what fits none, or several, is asked again. An opt-out is understood before, by whoever received the message.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from surveys.engine import Question
from surveys.faces import keypad
from surveys.faces.sentences import tongue

# The house's own words; they belong to the person who reads, so they follow the interview's language.
WORDS: dict[str, dict[str, str]] = {
    "several": {"es": "Puede elegir varias, como {example}.", "en": "You may choose several, such as {example}."},
    "number": {"es": "Responda con un número.", "en": "Answer with a number."},
    "date": {"es": "Responda con una fecha: día/mes/año.", "en": "Answer with a date: day/month/year."},
    "skip": {"es": "Para no contestar escriba SALTAR.", "en": "To leave it out write SKIP."},
    "wrong": {"es": "No entendimos su respuesta.", "en": "We did not understand your answer."},
    "thanks": {"es": "Gracias, es todo.", "en": "Thank you, that is all."},
    "over": {"es": "Esta encuesta ya terminó. Gracias.", "en": "This survey has ended. Thank you."},
    "person": {
        "es": "Le contestará una persona en cuanto pueda.", "en": "A person will answer you as soon as they can.",
    },
}  # fmt: skip
_BACK = frozenset(("atras", "regresar", "anterior", "back"))
_SKIP = frozenset(("saltar", "salta", "skip", "paso"))
_YES = frozenset((
    "si", "sip", "si quiero", "si acepto", "acepto", "claro", "claro que si", "va", "vale", "ok", "okey", "de acuerdo",
    "empezar", "comenzar", "iniciar", "participar", "quiero participar", "encuesta", "1", "yes", "yes please", "start",
))  # fmt: skip
_FIGURES = {
    word: str(number)
    for number, words in enumerate((
        "cero zero", "uno una un one", "dos two", "tres three", "cuatro four", "cinco five", "seis six", "siete seven",
        "ocho eight", "nueve nine", "diez ten",
    ))
    for word in words.split()
}  # fmt: skip
_FILLERS = frozenset(("la", "el", "las", "los", "opcion", "numero", "num", "no", "option", "number", "the"))
_STRONG = re.compile(r"[,;/+&\n]|\s(?:y|e|and)\s")
_WEAK = re.compile(r"[,;/+&\s]|\b(?:y|e|and)\b")


@dataclass(frozen=True)
class Meant:
    """What an answer means at its question. `kind`: answer (with `value`) | back | wrong."""

    kind: str
    value: str = ""


def is_yes(text: str) -> bool:
    """Does somebody who was asked to take part agree? Only plain words do; whatever else is for a person to read."""
    return _folded(text) in _YES


def say(question: Question, language: str, *, before: Iterable[str] = ()) -> str:
    """The question as a message: its words, its choices with their numbers, and how to answer where that is not plain.
    `before`: what is said first (notes, what was wrong)."""
    lines = [*before, question.label, *filter(None, [question.hint])]
    keys = _keys(question)
    lines += [_line(key, _label(question, code)) for key, code in keys.items()]
    if question.kind == "select_multiple" and len(keys) > 1:
        lines.append(word("several", language).format(example=", ".join(list(keys)[:2])))
    if question.kind in ("integer", "decimal", "date"):
        lines.append(word("date" if question.kind == "date" else "number", language))
    if not question.required:
        lines.append(word("skip", language))
    return "\n".join(line.strip() for line in lines if line.strip())


def word(name: str, language: str) -> str:
    """A sentence of the house, in Spanish where it does not speak the questionnaire's language."""
    return WORDS[name][tongue(language) or "es"]


def read(question: Question, text: str) -> Meant:
    """What somebody meant. A text of their own is taken as it is; the engine checks numbers and dates."""
    folded = _folded(text)
    if folded in _BACK:
        return Meant("back")
    if not question.required and folded in _SKIP:
        return Meant("answer", "")
    if question.kind == "select_one":
        return _one(question, text)
    if question.kind == "select_multiple":
        return _several(question, text)
    if question.kind in ("integer", "decimal"):
        return _number(text)
    if question.kind == "date":
        return Meant("answer", _date(text))
    return Meant("answer", text.strip()) if text.strip() else Meant("wrong")


def _keys(question: Question) -> dict[str, str]:
    """Number → code, ordinary choices first: 9 and 0 (99 and 00) are «does not know» and «no answer» on every face.

    On a scale whose answers are numbers, a number is itself."""
    apart = {choice.code for choice in question.choices if choice.is_apart}
    scale = {choice.code: choice.label.strip() for choice in question.choices if choice.code not in apart}
    found = {code: key for key, code in keypad.pad_of(question).choices.items()}
    if scale and all(label.isdecimal() for label in scale.values()):
        found |= scale
        found |= dict(zip(sorted(apart), ("NS", "NC"), strict=False))
    return {found[code]: code for code in sorted(found, key=lambda code: (code in apart, question.order.index(code)))}


def _line(key: str, label: str) -> str:
    return label if key == label else f"{key}) {label}"


def _label(question: Question, code: str) -> str:
    return next(choice.label for choice in question.choices if choice.code == code)


def _one(question: Question, text: str) -> Meant:
    code = _choice(question, text)
    return Meant("answer", code) if code is not None else Meant("wrong")


def _several(question: Question, text: str) -> Meant:
    whole = _choice(question, text)
    if whole is not None:
        return Meant("answer", whole)
    for apart in (_STRONG, _WEAK):  # labels may hold spaces, so those part answers only where nothing else does
        pieces = [piece for piece in apart.split(text) if _folded(piece) and _folded(piece) not in _FILLERS]
        codes = [_choice(question, piece) for piece in pieces]
        known = [code for code in codes if code is not None]
        if known and len(known) == len(codes):
            return Meant("answer", " ".join(dict.fromkeys(known)))
    return Meant("wrong")


def _choice(question: Question, text: str) -> str | None:
    """The one choice that this is the number, the words or the code of; None where there is none, or more than one."""
    folded = _folded(text)
    if not folded:
        return None
    named = [choice.code for choice in question.choices if folded in (_folded(choice.label), _folded(choice.code))]
    if len(named) == 1:
        return named[0]
    said = [word for word in folded.split() if word not in _FILLERS]
    if len(said) == 1:
        number = _FIGURES.get(said[0], said[0])
        keys = {key.casefold(): code for key, code in _keys(question).items()}
        if number in keys or number.zfill(2) in keys:
            return keys.get(number) or keys[number.zfill(2)]
    begun = [choice.code for choice in question.choices if len(folded) > 2 and _folded(choice.label).startswith(folded)]
    return begun[0] if len(begun) == 1 else None


def _number(text: str) -> Meant:
    """The one number that stands in it."""
    found = re.findall(r"[+-]?\d+(?:[.,]\d+)?", _plain(text))
    if len(found) == 1:
        return Meant("answer", found[0])
    figure = _FIGURES.get(_folded(text))
    return Meant("answer", figure) if figure is not None and not found else Meant("wrong")


def _date(text: str) -> str:
    """`6/5/1990` as the engine reads dates; anything else as it is, for the engine to refuse."""
    found = re.fullmatch(r"\s*(\d{1,2})[/.\- ](\d{1,2})[/.\- ](\d{4})\s*", _plain(text))
    return f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}" if found else text.strip()


def _plain(text: str) -> str:
    """Figures in a ring or a box are figures."""
    return unicodedata.normalize("NFKC", text).replace("\ufe0f", "").replace("\u20e3", "")


def _folded(text: str) -> str:
    """Without case, accents and signs, so that «Sí.» is «si»."""
    plain = unicodedata.normalize("NFKD", _plain(text).casefold())
    return " ".join("".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c)).split())
