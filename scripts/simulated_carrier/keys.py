"""The keys that somebody presses during a call: read one by one, by whoever asks for them."""

import asyncio
import re
from collections import deque

KEYS = re.compile(r"[0-9*#A-Da-d]*")
# What a recorded voice offers, in the words of ours: «marque 1», «oprima el dos».
_OFFER = re.compile(
    r"(?:marque|oprima|presione|pulse|teclee|press)\s+(?:el\s+|la\s+tecla\s+)?(\d|cero|uno|dos|tres|cuatro|cinco|seis"
    r"|siete|ocho|nueve)\b",
    re.IGNORECASE,
)
_NAMES = ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")


class Keys:
    """`arrived` is set while a key waits to be read."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self._waiting: deque[str] = deque()

    def press(self, digits: str) -> None:
        """Raises ValueError for what no telephone has."""
        if not KEYS.fullmatch(digits):
            raise ValueError(f"{digits!r} are no keys; there are 0-9 * # A-D")
        self._waiting.extend(digits.upper())
        if self._waiting:
            self.arrived.set()

    def take(self) -> str | None:
        key = self._waiting.popleft() if self._waiting else None
        if not self._waiting:
            self.arrived.clear()
        return key

    def forget(self) -> None:
        """What was pressed before nobody asked is lost (https://www.twilio.com/docs/voice/twiml/gather)."""
        self._waiting.clear()
        self.arrived.clear()


def offered(text: str) -> str:
    """The keys that these words offer, each once, in order."""
    found = dict.fromkeys(match.lower() for match in _OFFER.findall(text))
    return "".join(key if key.isdigit() else str(_NAMES.index(key)) for key in found)
