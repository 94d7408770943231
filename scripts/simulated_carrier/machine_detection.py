"""Answering machine detection: who picked up, found out some seconds after it (Twilio's AMD).

Values: https://www.twilio.com/docs/voice/answering-machine-detection#answeredby"""

from dataclasses import dataclass

from scripts.simulated_carrier.citizens import Reaction
from scripts.simulated_carrier.options import Options

MODES = ("Enable", "DetectMessageEnd")
HUMAN, FAX, UNKNOWN, START = "human", "fax", "unknown", "machine_start"
END_BEEP, END_SILENCE, END_OTHER = "machine_end_beep", "machine_end_silence", "machine_end_other"
VALUES = (HUMAN, FAX, UNKNOWN, START, END_BEEP, END_SILENCE, END_OTHER)
BEEP_SECONDS = 0.5
SILENCE_SECONDS = 2.0  # after a greeting without a beep, until it counts as ended


@dataclass(frozen=True)
class Detection:
    """What the caller asked for. `timeout` in seconds; `callback` is told of the finding when `is_async`."""

    mode: str
    timeout: float = 30.0
    is_async: bool = False
    callback: str | None = None
    method: str = "POST"


@dataclass(frozen=True)
class Finding:
    """`seconds` from the answer until it was known."""

    answered_by: str
    seconds: float

    @property
    def milliseconds(self) -> str:
        return str(round(self.seconds * 1000))


def find(detection: Detection, reaction: Reaction, options: Options, chances: tuple[float, float]) -> Finding:
    """Who answered. `chances`: two numbers from 0 to 1, of the person and the try: they decide what is uncertain."""
    waits_for_end = detection.mode == "DetectMessageEnd"
    found = _truth(reaction, chances[0], waits_for_end=waits_for_end)
    if reaction.answered_by is not None:
        found = Finding(reaction.answered_by, found.seconds)
    elif chances[1] < options.amd_unknown_share:
        found = Finding(UNKNOWN, found.seconds)
    elif chances[1] < options.amd_unknown_share + options.amd_wrong_share:
        found = _mistake(found, waits_for_end=waits_for_end)
    if found.seconds > detection.timeout:
        return Finding(UNKNOWN, detection.timeout)
    return found


def _truth(reaction: Reaction, chance: float, *, waits_for_end: bool) -> Finding:
    if reaction.kind == "fax":
        return Finding(FAX, 2.0)
    if reaction.kind != "voicemail":
        return Finding(HUMAN, 1.2 + 2 * chance)  # «¿bueno?», and waiting for an answer
    if not waits_for_end:
        return Finding(START, min(2.4 + 2 * chance, max(reaction.greeting_seconds, 2.4)))
    if reaction.beep:
        return Finding(END_BEEP, reaction.greeting_seconds + BEEP_SECONDS)
    return Finding(END_SILENCE, reaction.greeting_seconds + SILENCE_SECONDS)


def _mistake(found: Finding, *, waits_for_end: bool) -> Finding:
    if found.answered_by != HUMAN:
        return Finding(HUMAN, min(found.seconds, 3.0))
    return Finding(END_SILENCE if waits_for_end else START, found.seconds)
