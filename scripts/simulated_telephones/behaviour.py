"""What an invented telephone does when it is called: the last two digits of its number choose. Pure."""

from dataclasses import dataclass

TONE = 440  # Hz, what a person who has answered says all the time


@dataclass(frozen=True)
class Behaviour:
    """`status`: the SIP answer to the call; None: it rings for ever. Seconds: `ring` before the answer, `early` of
    sound before it (183), `ends` from the answer to its own hang-up.

    `says`: tone | silence | nothing (no packet at all) | echo | person | machine."""

    about: str
    status: int | None = 200
    ring: float = 0.0
    early: float = 0.0
    ends: float | None = None
    says: str = "tone"


ANSWERS = Behaviour("answers at once and hums 440 Hz")
BEHAVIOURS = {
    "01": Behaviour("is busy", 486),
    "02": Behaviour("does not exist", 404),
    "03": Behaviour("is switched off", 480),
    "04": Behaviour("declines", 603),
    "05": Behaviour("rings and is never answered", None),
    "06": Behaviour("answers and hangs up after a second", ends=1.0),
    "07": Behaviour("sounds before it answers", early=0.6),
    "08": Behaviour("says back what it hears", says="echo"),
    "09": Behaviour("is behind a line without room", 503),
    "10": Behaviour("is behind a line that refuses us", 403),
    "11": Behaviour("has another number now", 410),
    "12": Behaviour("answers and is silent", says="silence"),
    "13": Behaviour("answers, and no sound comes through", says="nothing"),
    "14": Behaviour("is a machine: a long greeting", says="machine"),
    "15": Behaviour("is a person: “hello?”, then silence", says="person"),
    "16": Behaviour("is behind a line that fails", 500),
    "17": Behaviour("rings for two seconds and answers", ring=2.0),
}
# Sound and silence in turn, in seconds; then silence for ever.
SPEECH = {"person": (0.3, 0.8), "machine": (0.3, 5.6)}


def behaviour(number: str) -> Behaviour:
    """Of the telephone with this number; whoever is not in BEHAVIOURS answers."""
    return BEHAVIOURS.get(number[-2:], ANSWERS)
