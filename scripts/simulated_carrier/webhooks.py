"""Requests to the program under test: signed as Twilio signs them, never repeated, on demand lost, late or doubled."""

import asyncio
import base64
import hmac
import logging
import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import SplitResult, quote_plus, urldefrag, urlencode, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from yarl import URL

from scripts.simulated_carrier.accounts import Accounts
from scripts.simulated_carrier.callback_wire import NotPosted, Wire
from scripts.simulated_carrier.options import Options

log = logging.getLogger(__name__)
Params = dict[str, str]
SECONDS = 15  # https://www.twilio.com/docs/usage/webhooks/webhooks-faq: 15 s for voice and messages
AGENT = "TwilioProxy/1.1"
KEPT = 5_000


class WebhookFailed(Exception):
    """Twilio's 11200: no answer, or one that is not 2xx; 11100: no address. The message begins with the number."""


@dataclass
class Posted:
    """`status` of the answer; 0 while there is none."""

    number: int
    url: str
    form: Params
    status: int = 0


class Webhooks:
    """`sent` counts requests, `failed` those of them that were not answered with 2xx; `kept` are the last ones."""

    def __init__(self, options: Options, accounts: Accounts) -> None:
        self.options, self._accounts = options, accounts
        self.sent = self.failed = 0
        self.is_stopping = False  # nobody is told that the carrier itself stops
        self.kept: deque[Posted] = deque(maxlen=KEPT)
        self._chance = random.Random(options.seed)
        self._session: ClientSession | None = None
        self._wires: dict[tuple[str, int], Wire] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def post(self, url: str, params: Params, method: str = "POST") -> str:
        """Ask `url`; returns the body. Raises WebhookFailed."""
        url = urldefrag(url).url  # the fragment is Twilio's own (connection overrides), never sent nor signed
        posted = self._keep(url, params)
        if method == "GET":
            url, params = url + ("&" if "?" in url else "?") + urlencode(params), {}
        headers = {"X-Twilio-Signature": self._signature(url, params, posted.form.get("AccountSid"))}
        self.sent += 1
        try:
            # By default aiohttp would follow a redirection as Twilio does, too.
            async with self._client().request(
                method, URL(url, encoded=True), data=params or None, headers=headers
            ) as answer:
                body, posted.status = await answer.text(), answer.status
                if answer.status >= 300:
                    raise WebhookFailed(f"11200 HTTP retrieval failure: {answer.status}")
                return body
        except (ClientError, TimeoutError, UnicodeDecodeError) as error:
            raise WebhookFailed(f"11200 HTTP retrieval failure: {type(error).__name__}") from None
        except ValueError:
            raise WebhookFailed("11100 Invalid URL format") from None

    def happens(self, share: float) -> bool:
        """With that share of chance."""
        return share > 0 and self._chance.random() < share

    def _keep(self, url: str, params: Params) -> Posted:
        posted = Posted(self.kept[-1].number + 1 if self.kept else 1, url, params)
        self.kept.append(posted)
        return posted

    def tell(
        self, url: str | None, params: Params, delay: float = 0.0, *, kind: str = "", method: str = "POST"
    ) -> None:
        """Report to `url` in the background, once (Twilio does not repeat status callbacks), after `delay` seconds.

        `kind`: one of options.VOICE_EVENTS, by which callbacks of calls can be lost."""
        options = self.options
        is_lost = kind != "" and kind in options.lost_events.split()
        if not url or self.is_stopping or is_lost or self._chance.random() < options.lost_share:
            return
        for _ in range(2 if self._chance.random() < options.double_share else 1):
            is_late = self._chance.random() < options.late_share
            late = self._chance.uniform(min(0.2, options.late_seconds), options.late_seconds) if is_late else 0.0
            task = asyncio.create_task(self._tell(url, params, delay + late, method))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    @property
    def waiting(self) -> int:
        """Callbacks that were not answered yet, or that are kept back to be late."""
        return len(self._tasks)

    async def _tell(self, url: str, params: Params, delay: float, method: str) -> None:
        if delay:
            await asyncio.sleep(delay)
        try:
            if method == "GET":
                await self.post(url, params, method)
            else:
                await self._post_quickly(url, params)
        except WebhookFailed as error:
            self.failed += 1
            log.warning("callback lost: %s", error)

    async def _post_quickly(self, url: str, params: Params) -> None:
        """As `post`, for those whose answer says nothing. Raises WebhookFailed."""
        target = _target(urldefrag(url).url)
        if target.scheme != "http":
            await self.post(url, params)
            return
        self.sent += 1
        posted = self._keep(url, params)
        signature = self._signature(target.geturl(), params, params.get("AccountSid"))
        try:
            posted.status = await self._wire(target).post(_request(target, params, signature))
        except NotPosted as error:
            raise WebhookFailed(f"11200 HTTP retrieval failure: {error}") from None
        if posted.status >= 300:
            raise WebhookFailed(f"11200 HTTP retrieval failure: {posted.status}")

    def _wire(self, target: SplitResult) -> Wire:
        where = (target.hostname or "", target.port or 80)
        if where not in self._wires:
            self._wires[where] = Wire(*where, lambda: self.options.callback_connections)
        return self._wires[where]

    def _client(self) -> ClientSession:
        if self._session is None:
            self._session = ClientSession(
                connector=TCPConnector(limit=200),
                timeout=ClientTimeout(total=SECONDS),
                headers={"User-Agent": AGENT},
            )
        return self._session

    async def fetch(self, url: str) -> tuple[bytes, str]:
        """A file that is played to somebody, and its content type. Raises WebhookFailed."""
        self.sent += 1
        try:
            headers = {"X-Twilio-Signature": self._signature(url, {}, None)}
            async with self._client().get(URL(url, encoded=True), headers=headers) as answer:
                if answer.status != 200:
                    raise WebhookFailed(f"11200 HTTP retrieval failure: {answer.status}")
                return await answer.read(), answer.content_type
        except (ClientError, TimeoutError, ValueError) as error:
            raise WebhookFailed(f"11200 HTTP retrieval failure: {type(error).__name__}") from None

    def _signature(self, url: str, params: Mapping[str, str], account_sid: str | None) -> str:
        """https://www.twilio.com/docs/usage/security#validating-requests"""
        signed = url + "".join([name + params[name] for name in sorted(params)])
        key = self._accounts.token(account_sid).encode()
        return base64.b64encode(hmac.digest(key, signed.encode(), "sha1")).decode()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for wire in self._wires.values():
            wire.close()
        if self._session is not None:
            await self._session.close()


@lru_cache(1024)
def _target(url: str) -> SplitResult:
    return urlsplit(url)


def _request(target: SplitResult, params: Params, signature: str) -> bytes:
    body = "&".join([f"{name}={quote_plus(value)}" for name, value in params.items()]).encode()
    path = (target.path or "/") + (f"?{target.query}" if target.query else "")
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {target.netloc}\r\nUser-Agent: {AGENT}\r\nX-Twilio-Signature: {signature}\r\n"
        f"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("latin-1") + body
