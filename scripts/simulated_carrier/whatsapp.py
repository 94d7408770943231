"""WhatsApp's own rules: free text only after the person wrote, templates only when approved, so many people a day."""

import time

from scripts.simulated_carrier.contents import Contents
from scripts.simulated_carrier.handsets import Handsets
from scripts.simulated_carrier.options import Options
from scripts.simulated_carrier.senders import Sender
from scripts.simulated_carrier.texts import Text

# Why a template does not leave (https://www.twilio.com/docs/api/errors/63040 and the next two)
_STOPPED = {"rejected": "63040", "paused": "63041", "disabled": "63042"}
DAY = 86_400.0


class WhatsApp:
    def __init__(self, options: Options, handsets: Handsets, contents: Contents) -> None:
        self._options, self._handsets, self._contents = options, handsets, contents
        self._heard: dict[tuple[str, str], float] = {}  # (phone, our sender) -> when they last wrote
        self._written_to: dict[str, dict[str, float]] = {}  # our sender -> phone -> when a template first went there

    def heard(self, person: str, ours: str) -> None:
        """They wrote: the window is open."""
        self._heard[self._handsets.canonical(person), ours] = time.time()

    def is_open(self, person: str, ours: str) -> bool:
        heard = self._heard.get((self._handsets.canonical(person), ours))
        return heard is not None and time.time() - heard < self._options.window_seconds

    def refusal(self, text: Text, sender: Sender) -> str | None:
        """The code with which WhatsApp does not carry this message; None: it does."""
        is_open = self.is_open(text.to, text.sender)
        content = self._contents.by_sid.get(text.template_sid or "")
        if content is None:
            return None if is_open else "63016"
        if content.status in _STOPPED:
            return _STOPPED[content.status]
        if content.status != "approved":  # in the window it is a message like any other
            return None if is_open else "63016"
        return None if is_open or self._may_begin(text, sender) else "63018"

    def _may_begin(self, text: Text, sender: Sender) -> bool:
        """Count the person among those whom this sender wrote to first in the last day."""
        limit = self._options.people_a_day if sender.people_a_day is None else sender.people_a_day
        people, phone, now = (
            self._written_to.setdefault(text.sender, {}),
            self._handsets.canonical(text.to),
            time.time(),
        )
        if len(people) >= limit:
            for old in [phone for phone, at in people.items() if now - at >= DAY]:
                del people[old]
        if phone not in people and len(people) >= limit:
            return False
        people.setdefault(phone, now)
        return True
