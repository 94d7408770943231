"""<Say>, <Play> and <Pause>: what a person hears, and how long it takes."""

import asyncio
from urllib.parse import urljoin

from scripts.simulated_carrier.legs import Leg
from scripts.simulated_carrier.notifications import WARNING, Notification, Notifications
from scripts.simulated_carrier.sounds import Sounds
from scripts.simulated_carrier.twiml import Verb
from scripts.simulated_carrier.webhooks import WebhookFailed

LETTERS_A_SECOND = 15
KEY_SECONDS = 0.25


class Speaker:
    def __init__(self, sounds: Sounds, notifications: Notifications) -> None:
        self._sounds, self._notifications = sounds, notifications

    async def prompt(self, leg: Leg, verb: Verb, *until: asyncio.Event) -> bool:
        """Do one of the three; True: it was cut short by one of `until`."""
        seconds = await self.begin(leg, verb)
        return await leg.wait(seconds, *until)

    async def begin(self, leg: Leg, verb: Verb, base_url: str | None = None) -> float:
        """The person hears it; how many seconds it takes. `base_url`: of the document, if not the leg's own."""
        times = verb.number("loop", 1) or 1_000  # https://www.twilio.com/docs/voice/twiml/play: loop="0"
        if verb.name == "Pause":
            return verb.number("length", 1)
        if verb.name == "Say":
            leg.hear("Say", verb.text, verb.attributes.get("language", ""))
            return max(len(verb.text) / LETTERS_A_SECOND, 0.3) * times
        if keys := verb.attributes.get("digits"):
            leg.hear("keys", keys)
            return KEY_SECONDS * len(keys) * times
        return await self._play(leg, urljoin(base_url or leg.base_url, verb.text)) * times

    async def _play(self, leg: Leg, url: str) -> float:
        try:
            seconds = await self._sounds.seconds(url)
        except WebhookFailed as error:
            code, _, text = str(error).partition(" ")
            self._notifications.write(Notification(leg.account_sid, int(code), text, leg.sid, url, WARNING))
            return 0.0
        leg.hear("Play", url)
        return seconds
