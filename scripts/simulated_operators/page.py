"""One signed-in browser, as far as the product notices: forms, JSON, one stream of live news."""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, CookieJar

_CSRF = re.compile(r'name="csrf[-_]token"[^>]*?(?:content|value)="([^"]+)"')
PATIENCE = 30.0  # seconds in which a request is repeated while the product does not answer
SILENCE = 20.0  # seconds without a word on the live stream (it pings every 15) until it is opened anew


class Away(Exception):
    """The product does not answer; try again later."""


class Refusal(Exception):
    """The product said no; `status` is 404, 409, 422 or 429."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        super().__init__(f"{status}: {sentence}")


class SignedOut(Exception):
    """The session is over, or never was."""


@dataclass(frozen=True)
class Addresses:
    """Where the pages are, where their live stream is, and where the simulated carrier is."""

    pages: str
    live: str
    carrier: str


def live_address(pages: str, port: int | None) -> str:
    """The live process answers under the pages' own host, on a port of its own."""
    if port is None:
        return pages
    parts = urlsplit(pages)
    host = parts.hostname or "127.0.0.1"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}"


class Page:
    """Use as `async with Page(addresses) as page`."""

    def __init__(self, addresses: Addresses) -> None:
        self.addresses = addresses
        self._csrf = ""
        # Cookies of an address that is a number, too; they belong to the host, so the live port gets them.
        self._http = ClientSession(cookie_jar=CookieJar(unsafe=True), timeout=ClientTimeout(total=10))

    async def __aenter__(self) -> "Page":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def sign_in(self, username: str, password: str) -> None:
        """Fill in the product's own sign-in form. Raises Refusal when it stays shut, Away."""
        form = await self.text("/login")
        fields = {"username": username, "password": password, "csrf_token": self._token(form)}
        answer, _ = await self._request("POST", "/login", data=fields, headers={"Accept": "text/html"})
        if answer.status != 302:
            raise Refusal(answer.status, "the sign-in form did not open")

    async def open_console(self) -> Any:
        """Load the operator's console; returns its first snapshot."""
        self._csrf = self._token(await self.text("/console/"))
        return await self.get("/console/state")

    async def get(self, path: str) -> Any:
        """JSON of a page. Raises Away, Refusal, SignedOut."""
        return _read(*await self._request("GET", path))

    async def post(self, path: str, given: dict[str, Any] | None = None) -> Any:
        """Post JSON once, however often the connection breaks: every repeat carries the same key."""
        headers = {"X-CSRFToken": self._csrf, "Idempotency-Key": str(uuid.uuid4())}
        give_up = asyncio.get_running_loop().time() + PATIENCE
        delay = 0.2
        while True:
            try:
                return _read(*await self._request("POST", path, json=given or {}, headers=headers))
            except Away:
                if asyncio.get_running_loop().time() + delay > give_up:
                    raise
                await asyncio.sleep(delay)
                delay = min(delay * 2, 2.0)

    async def hear(self, call_id: str) -> dict[str, Any] | None:
        """What the operator hears on the line of this call; None when nobody is there."""
        try:
            async with self._http.get(f"{self.addresses.carrier}/control/voice/{call_id}") as answer:
                return dict(await answer.json()) if answer.status == 200 else None
        except (ClientError, TimeoutError):
            return None

    async def news(self, topic: str) -> AsyncIterator[dict[str, Any]]:
        """Every snapshot of a live topic until the stream breaks (then Away) or is closed to us (SignedOut)."""
        timeout = ClientTimeout(total=None, sock_connect=5, sock_read=SILENCE)
        address = f"{self.addresses.live}/events"
        try:
            async with self._http.get(
                address, params={"topic": topic}, timeout=timeout, allow_redirects=False
            ) as stream:
                if stream.status != 200:
                    raise SignedOut if stream.status in (302, 401, 403) else Away(f"events: {stream.status}")
                async for event, data in _events(stream):
                    if event == "goodbye":
                        raise SignedOut
                    if event == "snapshot":
                        yield data["snapshot"]
        except (ClientError, TimeoutError) as error:
            raise Away(type(error).__name__) from None

    async def text(self, path: str) -> str:
        """A page as a browser gets it. Raises Away, Refusal, SignedOut."""
        answer, body = await self._request("GET", path, headers={"Accept": "text/html"})
        if answer.status == 302:
            raise SignedOut
        if answer.status != 200:
            raise Refusal(answer.status, path)
        return body.decode()

    async def _request(self, method: str, path: str, **options: Any) -> tuple[ClientResponse, bytes]:
        options["headers"] = {"Accept": "application/json", **options.get("headers", {})}
        try:
            async with self._http.request(
                method, self.addresses.pages + path, allow_redirects=False, **options
            ) as answer:
                body = await answer.read()
        except (ClientError, TimeoutError) as error:
            raise Away(type(error).__name__) from None
        if answer.status >= 500:
            raise Away(f"{path}: {answer.status}")
        return answer, body

    def _token(self, page: str) -> str:
        found = _CSRF.search(page)
        if found is None:
            raise Refusal(200, "the page has no CSRF token")
        return found.group(1)


def _read(answer: ClientResponse, body: bytes) -> Any:
    if answer.status in (302, 400, 401):
        raise SignedOut
    given = json.loads(body)
    if answer.status >= 300:
        raise Refusal(answer.status, str(given.get("error", "")))
    return given


async def _events(stream: ClientResponse) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html"""
    event, data = "message", ""
    buffer = b""
    async for chunk in stream.content.iter_any():
        *lines, buffer = (buffer + chunk).split(b"\n")
        for raw in lines:
            line = raw.decode()
            if line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: "):
                data += line[6:]
            elif not line and data:
                yield event, json.loads(data)
                event, data = "message", ""
