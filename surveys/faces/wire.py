"""One step of a conversation as an AGI command, and Asterisk's answer to it. Pure.

https://docs.asterisk.org/Asterisk_22_Documentation/API_Documentation/AGI_Commands/
"""

import re
from dataclasses import dataclass

from surveys.faces.turns import Heard, Step

FIRST_KEY = 6.0  # seconds that Asterisk waits for the first key after a prompt (GET DATA without a time of ours)
NEXT_KEY = 2.0  # and for each further one
AFTER_STAR = 1.5
LONGEST_VOICE = 60.0
QUIET = 4  # seconds of silence that end a voice
SHORTEST_VOICE = 0.7
_ANSWER = re.compile(r"200 result=(?P<result>-?[0-9*#A-D]*)(?: \((?P<note>\w+)\))?(?: endpos=(?P<endpos>\d+))?")


@dataclass(frozen=True)
class Result:
    """`value`: what stands behind `result=`; `note`: timeout | dtmf | hangup…; `samples`: where a sound ended."""

    value: str
    note: str
    samples: int


class Unanswered(Exception):
    """Asterisk did not do the command; the message is its own. `is_gone`: because the leg has ended."""

    def __init__(self, message: str, *, is_gone: bool) -> None:
        self.is_gone = is_gone
        super().__init__(message)


def command(step: Step, sound: str, voice: str = "") -> str:
    """The AGI command of a step. `sound`: the prompt's file as Asterisk sees it, without its ending; `voice`: the file
    to be recorded, likewise."""
    if step.act == "ask":
        return f"GET DATA {sound} 0 {step.most}"
    if step.act == "wait":
        return f"WAIT FOR DIGIT {int(AFTER_STAR * 1000)}"
    if step.act == "record":
        return f"RECORD FILE {voice} wav #* {int(LONGEST_VOICE * 1000)} BEEP s={QUIET}"
    return f'STREAM FILE {sound} "{step.keys}"'


def longest(step: Step, seconds: float) -> float:
    """After so many seconds the answer to a step has come, or was lost. `seconds`: of its prompt."""
    if step.act == "ask":
        return seconds + FIRST_KEY + step.most * NEXT_KEY
    return {"wait": AFTER_STAR, "record": LONGEST_VOICE + QUIET}.get(step.act, seconds)


def read(text: str) -> Result:
    """Raises Unanswered."""
    found = _ANSWER.match(text.strip())
    if found is None:
        dead = text.startswith("511") or "dead channel" in text
        raise Unanswered(text.strip()[:80], is_gone=dead)
    return Result(found["result"], found["note"] or "", int(found["endpos"] or 0))


def heard(step: Step, result: Result, voice: str = "") -> Heard:
    """What a step's answer means. `voice`: the name of what was recorded."""
    if result.value == "-1" or result.note == "hangup":
        return Heard("gone")
    if step.act == "ask":
        return Heard("silence") if result.note == "timeout" and not result.value else Heard("keys", result.value)
    if step.act == "record":
        return Heard("voice", value=voice) if result.samples >= SHORTEST_VOICE * 8000 else Heard("silence")
    pressed = int(result.value or 0)
    return Heard("keys", chr(pressed)) if 0 < pressed < 128 else Heard("silence")
