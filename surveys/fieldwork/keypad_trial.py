"""A recorded survey tried in the page: what it says as text, keys pressed by clicking, nothing kept.

The way so far is the list of what was pressed; it is walked anew each time, which is what a pure interview is for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from surveys.faces import agi
from surveys.faces.turns import Heard, Setting, Turn
from surveys.forms.items import Items

SILENCE, VOICE = "-", "v"
LONGEST = 500  # presses
KEYS = frozenset("0123456789*#")


@dataclass(frozen=True)
class Stand:
    """Where the call stands: what is `said` now, what the line does then (`act` of faces.turns.Step), how many keys are
    read at most, the `answers` given, the outcome's `code` once it is over; `pressed`: everything so far."""

    said: tuple[str, ...]
    act: str
    most: int
    answers: dict[str, str]
    code: str
    pressed: tuple[str, ...]


def walk(items: Items, language: str, facts: Mapping[str, str], pressed: Sequence[str], *, seed: int = 0) -> Stand:
    """The call after these presses; what comes after its end, or is no press, is left out."""
    sponsor = facts.get("sponsor", "")
    setting = Setting(items, language, seed, facts, sponsor, notice="https://…")
    turn, done = agi.begin(setting), list[str]()
    for press in pressed[:LONGEST]:
        heard = _heard(turn, press)
        if turn.step.act == "end" or heard is None:
            break
        done.append(press)
        turn = agi.hear(setting, turn.state, heard)
    answers = {name: value for name, value in turn.state.answers.items() if name not in facts}
    said = tuple(say.text for say in turn.step.say if say.text)
    return Stand(said, turn.step.act, turn.step.most, answers, turn.step.code, tuple(done))


def _heard(turn: Turn, press: str) -> Heard | None:
    """What the line would report of this press."""
    if press == SILENCE:
        return Heard("silence")
    if press == VOICE:
        return Heard("voice", value="voice") if turn.step.act == "record" else None
    if not press or not KEYS.issuperset(press):
        return None
    if turn.step.act != "ask":
        return Heard("keys", press[0])
    return Heard("keys", press.rstrip("#")[: turn.step.most])
