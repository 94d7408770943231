"""The short menu of who rings back: who had called, and a key for a person or for never again. Pure."""

from dataclasses import dataclass

from surveys.faces.sentences import sentence, spoken_address
from surveys.faces.turns import Heard, Say, Step

TRIES = 2
CHOICES = {"1": "operator", "9": "opt_out"}


@dataclass(frozen=True)
class Caller:
    """On whose behalf we had called, and where the notice is."""

    sponsor: str
    notice: str
    language: str


def ask(caller: Caller) -> Step:
    """Say who called, and read one key."""
    address = spoken_address(caller.notice, caller.language)
    told = sentence("who_called", caller.language, sponsor=caller.sponsor, notice=address)
    return Step("ask", (Say("reception/who_called", told),))


def choice(heard: Heard, tries: int) -> str | None:
    """What the citizen chose, a code of ledger.inbound.CHOICES; None to ask once more. `tries`: asked so often."""
    if heard.kind == "gone":
        return "none"
    return CHOICES.get(heard.keys) or ("none" if tries >= TRIES else None)


def goodbye(caller: Caller, chosen: str, room: str) -> Step:
    """The last words, where the citizen is not put through."""
    code = "call_back" if room == "callback" else "opted_out" if chosen == "opt_out" else "thanks"
    return Step("end", (Say(f"reception/{code}", sentence(code, caller.language)),))
