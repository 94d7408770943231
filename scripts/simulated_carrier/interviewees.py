"""What an invented citizen presses when a recorded survey asks them: by its words, as anybody on the telephone. Pure.

They know no codes: a choice is theirs when its words hold what they think («Partido Azul» for `azul`).
"""

import re
from collections.abc import Sequence

from scripts.simulated_carrier.citizens import Citizen
from scripts.simulated_carrier.keys import offered

NEVER_AGAIN = 0.2  # of those who do not take part: they press what is offered against being called
_CHOICE = re.compile(r"^(?P<label>.+): (?:oprima|press) (?P<key>[0-9*](?: [0-9])*)\.$")
_BEGIN = re.compile(r"^(?:Para comenzar, oprima|To begin, press) (\d)\.$")
_NUMBER = ("Marque el número", "Dial the number")
_WHO_CALLS = ("sistema automático", "automated call")


def keys(person: Citizen, said: Sequence[str]) -> str | None:
    """The keys pressed at a menu that says this, '' for none; None when it is no menu of a recorded survey."""
    if any(words in told for told in said for words in _WHO_CALLS):
        wants_none = not person.takes_part and person.chance("never again") < NEVER_AGAIN
        return offered(said[-1])[:1] if wants_none else ""
    begin = next((found[1] for told in said if (found := _BEGIN.match(told))), None)
    if begin is not None:
        return begin if person.takes_part else ""
    if any(told.startswith(_NUMBER) for told in said):
        return _number(person, said[0])
    choices = {found["label"]: found["key"].replace(" ", "") for told in said if (found := _CHOICE.match(told))}
    return _chosen(person, choices, said[0]) if choices else None


def _number(person: Citizen, question: str) -> str:
    if "años" in question or "old" in question:
        return str(person.age)
    if "0 al 10" in question or "0 to 10" in question:
        return person.answers.get("likely", "5")
    return str(1 + int(person.chance(question) * 9))


def _chosen(person: Citizen, choices: dict[str, str], question: str) -> str:
    for label, key in choices.items():
        if label.casefold() in ("sí", "yes") or _is_theirs(person, label):
            return key
    return list(choices.values())[int(person.chance(question) * len(choices))]


def _is_theirs(person: Citizen, label: str) -> bool:
    words = label.casefold()
    if words in ("hombre", "mujer", "man", "woman"):
        return (words in ("mujer", "woman")) == (person.sex == "M")
    return any(len(code) > 3 and code in words for value in person.answers.values() for code in value.split())
