"""Files that are played to somebody: fetched as Twilio fetches them, and kept for a minute."""

import time
from urllib.parse import urlsplit

from scripts.simulated_carrier.sound import seconds_of
from scripts.simulated_carrier.webhooks import WebhookFailed, Webhooks

REMEMBERED = 60.0
GUESS = 3.0  # seconds, of a file in the world, which a drill does not ask for


class Sounds:
    """Only `hosts` are asked: a drill leaves no trace in the world."""

    def __init__(self, webhooks: Webhooks, hosts: set[str]) -> None:
        self._webhooks, self._hosts = webhooks, hosts
        self._known: dict[str, tuple[float, float]] = {}  # until when, seconds

    async def seconds(self, url: str) -> float:
        """How long it plays. Raises WebhookFailed: 11200 it cannot be fetched, 12300 it is no sound."""
        if urlsplit(url).hostname not in self._hosts:
            return GUESS
        until, seconds = self._known.get(url, (0.0, 0.0))
        if until > time.monotonic():
            return seconds
        body, content_type = await self._webhooks.fetch(url)
        found = seconds_of(body, content_type)
        if found is None:
            # https://www.twilio.com/docs/api/errors/12300
            raise WebhookFailed(f"12300 Invalid Content-Type: {content_type}")
        if len(self._known) > 1000:
            self._known.clear()
        self._known[url] = (time.monotonic() + REMEMBERED, found)
        return found
