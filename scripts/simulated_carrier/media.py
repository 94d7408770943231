"""Pictures and films of a message: fetched from the address that we were given, as the provider fetches them."""

import time
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, InvalidURL

# https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages and .../messaging/guides/accepted-mime-types
MB = 1 << 20
WHATSAPP = {
    "image/jpeg": 5 * MB, "image/png": 5 * MB, "video/mp4": 16 * MB, "video/3gpp": 16 * MB, "application/pdf": 16 * MB,
    "audio/ogg": 16 * MB, "audio/mpeg": 16 * MB, "audio/amr": 16 * MB, "audio/mp4": 16 * MB,
}  # fmt: skip
MMS = {"image/jpeg": 5 * MB, "image/png": 5 * MB, "image/gif": 5 * MB}
NOT_FETCHED, NOT_TAKEN = "63019", "63005"
SECONDS = 15
REMEMBERED = 60.0  # seconds: a campaign sends one picture to everybody


class Media:
    """`fetched` counts what was really asked for, by address. Only `hosts` are asked, this machine first: a drill
    leaves no trace in the world."""

    def __init__(self) -> None:
        self.hosts = {"127.0.0.1", "::1", "localhost"}
        self.fetched: dict[str, int] = {}
        self._known: dict[str, tuple[float, tuple[str, int] | None]] = {}
        self._session: ClientSession | None = None

    async def refusal(self, url: str, accepted: dict[str, int]) -> str | None:
        """The code of why this file cannot be part of a message; None: it can."""
        found = await self._look(url)
        if found is None:
            return NOT_FETCHED
        content_type, size = found
        return None if size <= accepted.get(content_type, -1) else NOT_TAKEN

    async def _look(self, url: str) -> tuple[str, int] | None:
        """Content type and bytes."""
        at, found = self._known.get(url, (0.0, None))
        if not at or time.monotonic() - at > REMEMBERED:
            found = await self._fetch(url)
            self._known[url] = (time.monotonic(), found)
        return found

    async def _fetch(self, url: str) -> tuple[str, int] | None:
        if self._session is None:
            self._session = ClientSession(
                timeout=ClientTimeout(total=SECONDS), headers={"User-Agent": "TwilioProxy/1.1"}
            )
        if urlsplit(url).hostname not in self.hosts:
            return None
        self.fetched[url] = self.fetched.get(url, 0) + 1
        try:
            async with self._session.get(url) as answer:
                size = 0
                async for block in answer.content.iter_chunked(1 << 16):
                    size += len(block)
                return (answer.content_type, size) if answer.status == 200 else None
        except (ClientError, TimeoutError, InvalidURL, ValueError):
            return None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
