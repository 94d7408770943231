"""Requests to the program under test: signed as Twilio signs them, never repeated, on demand lost, late or doubled."""

import asyncio
import logging
import random
from urllib.parse import urldefrag

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from twilio.request_validator import RequestValidator

from scripts.simulated_carrier.options import Options

log = logging.getLogger(__name__)
Params = dict[str, str]
SECONDS = 15  # https://www.twilio.com/docs/usage/webhooks/webhooks-faq: 15 s for voice and messages


class WebhookFailed(Exception):
    """Twilio's 11200: no answer, or one that is not 2xx."""


class Webhooks:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.sent = self.failed = 0
        self._chance = random.Random(options.seed)
        self._validator = RequestValidator(options.auth_token)
        self._session: ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def post(self, url: str, params: Params) -> str:
        """Ask `url`; returns the body. Raises WebhookFailed."""
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(limit=200),
                timeout=ClientTimeout(total=SECONDS),
                headers={"User-Agent": "TwilioProxy/1.1"},
            )
        url = urldefrag(url).url  # the fragment is Twilio's own (connection overrides), never sent nor signed
        signature = self._validator.compute_signature(url, params)
        self.sent += 1
        try:
            async with self._session.post(url, data=params, headers={"X-Twilio-Signature": signature}) as answer:
                body = await answer.text()
                if answer.status >= 300:
                    raise WebhookFailed(f"11200 HTTP retrieval failure: {answer.status}")
                return body
        except (ClientError, TimeoutError, UnicodeDecodeError) as error:
            raise WebhookFailed(f"11200 HTTP retrieval failure: {type(error).__name__}") from None

    def tell(self, url: str | None, params: Params) -> None:
        """Report to `url` in the background, once (Twilio does not repeat status callbacks)."""
        if not url or self._chance.random() < self.options.lost_share:
            return
        for _ in range(2 if self._chance.random() < self.options.double_share else 1):
            delay = self._chance.uniform(0.2, 3) if self._chance.random() < self.options.late_share else 0.0
            task = asyncio.create_task(self._tell(url, params, delay))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _tell(self, url: str, params: Params, delay: float) -> None:
        await asyncio.sleep(delay)
        try:
            await self.post(url, params)
        except WebhookFailed as error:
            self.failed += 1
            log.warning("callback lost: %s", error)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._session is not None:
            await self._session.close()
