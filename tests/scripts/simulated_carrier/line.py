"""A carrier and a small program that it calls back, both on loopback ports of their own.

Where CONVOCA_TWILIO_OPENAPI names Twilio's documents, every request of the REST interface and its answer is held
against them at the end (`judged`)."""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import requests
from aiohttp import web
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from scripts.bench import openapi
from scripts.bench.openapi import Documents
from scripts.simulated_carrier.app import create_app
from scripts.simulated_carrier.exchange import Exchange
from scripts.simulated_carrier.journal import Journal
from scripts.simulated_carrier.options import NUMBERS, Options

ALICE = "+529220100001"
OPERATOR = "client:op-17"
VOICE, SMS = NUMBERS


@dataclass
class Product:
    """What the carrier calls back: answers `pages` by path, keeps every request with a right signature."""

    url: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[bytes, str]] = field(default_factory=dict)  # what is fetched, with its type
    updates: list[tuple[str, Any]] = field(default_factory=list)  # of Telegram: the secret that came with each
    heard: list[dict[str, str]] = field(default_factory=list)
    badly_signed: int = 0

    async def answer(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        signature = request.headers.get("X-Twilio-Signature", "")
        if not RequestValidator(Options().auth_token).validate(self.url + request.path_qs, form, signature):
            self.badly_signed += 1
            return web.Response(status=403)
        self.heard.append(form | {"path": request.path_qs})
        if request.path in self.pages:
            return web.Response(text=self.pages[request.path], content_type="text/xml")
        return web.Response(status=204)

    async def give(self, request: web.Request) -> web.Response:
        if request.path not in self.files:
            return web.Response(status=404)
        body, content_type = self.files[request.path]
        return web.Response(body=body, content_type=content_type)

    async def take_update(self, request: web.Request) -> web.Response:
        self.updates.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token", ""), await request.json()))
        return web.Response(status=200)

    def of(self, path: str, name: str = "CallStatus") -> list[str]:
        """The values of one parameter in the requests to `path`, in order of arrival."""
        return [form.get(name, "") for form in self.heard if form["path"] == path]


@cache
def documents() -> Documents | None:
    """Twilio's, where this machine has them."""
    where = openapi.folder()
    return Documents.read(where) if where else None


@dataclass
class Witness:
    """Every request of the REST interface, with its answer."""

    exchanges: list[openapi.Exchange] = field(default_factory=list)

    @web.middleware
    async def see(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        answer = await handler(request)
        was_cut = request.transport is None or request.transport.is_closing()
        if openapi.is_described(request.path) and not was_cut:
            self.exchanges.append(await _exchange(request, answer))
        return answer

    def judged(self) -> int:
        """How many exchanges were held against the documents; fails when somebody said what those do not know."""
        known = documents()
        if known is None:
            return 0
        number, faults = openapi.judge(known, self.exchanges)
        assert not faults, "\n".join(sorted(set(faults)))
        return number


async def _exchange(request: web.Request, answer: web.StreamResponse) -> openapi.Exchange:
    said = await request.text()
    is_json = request.content_type == "application/json"
    body = json.loads(answer.text) if isinstance(answer, web.Response) and answer.text else None
    return openapi.Exchange(
        request.method, request.path, answer.status, body, parse_qs(request.query_string, keep_blank_values=True),
        {} if is_json else parse_qs(said, keep_blank_values=True), json.loads(said) if is_json and said else None,
    )  # fmt: skip


@dataclass
class Line:
    """A running carrier, the real Twilio client that speaks to it, and the product behind it."""

    url: str
    client: Client
    product: Product
    exchange: Exchange
    loop: asyncio.AbstractEventLoop
    witness: Witness

    def order(self, phone: str, **order: Any) -> None:
        self.post(f"/control/numbers/{phone}", order)

    def post(self, path: str, order: dict[str, Any]) -> Any:
        answer = requests.post(self.url + path, json=order, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def get(self, path: str) -> Any:
        answer = requests.get(self.url + path, timeout=5)
        answer.raise_for_status()
        return answer.json()

    def settings(self, **values: float | str) -> None:
        self.post("/control/settings", values)

    def call(self, to: str = ALICE, **options: Any) -> Any:
        options.setdefault("url", self.product.url + "/answer")
        options.setdefault("status_callback", self.product.url + "/status")
        options.setdefault("status_callback_event", ["initiated", "ringing", "answered", "completed"])
        return self.client.calls.create(to=to, from_=VOICE, **options)

    def until(self, true: Callable[[], object], what: str, seconds: float = 8) -> None:
        """Wait for something that the other thread brings about."""
        give_up = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < give_up, f"never happened: {what}"
            time.sleep(0.01)

    def status(self, sid: str) -> str:
        return str(self.client.calls(sid).fetch().status)


class running:  # noqa: N801 - reads as a sentence: with running(journal) as line
    """A carrier over `journal` for the length of a block."""

    def __init__(self, journal: Path | None, options: Options | None = None, smtp_port: int | None = None) -> None:
        self._journal, self._options = journal, options or Options(speed=20, calls_per_second=0)
        self._smtp_port = smtp_port

    def __enter__(self) -> Line:
        self._loop = asyncio.new_event_loop()
        self._runners: list[web.AppRunner] = []
        self._witness = Witness()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        line: Line = self._run(self._start())
        return line

    def __exit__(self, *_: object) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._witness.judged()

    def _run(self, work: Any) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(10)

    async def _start(self) -> Line:
        product = Product()
        listener = web.Application()
        listener.router.add_post("/telegram", product.take_update)
        listener.router.add_post("/{path:.*}", product.answer)
        listener.router.add_get("/{path:.*}", product.give)
        product.url = await self._serve(listener)
        exchange = Exchange(self._options, Journal(self._journal))
        exchange.set_inbound_url(product.url + "/inbound")
        carrier = create_app(exchange, self._smtp_port)
        carrier.middlewares.insert(0, self._witness.see)
        exchange.base_url = url = await self._serve(carrier)
        client = Client(self._options.account_sid, self._options.auth_token, http_client=TwilioHttpClient(timeout=5))
        client.api.base_url = client.content.base_url = client.messaging.base_url = url
        return Line(url, client, product, exchange, self._loop, self._witness)

    async def _serve(self, app: web.Application) -> str:
        runner = web.AppRunner(app, access_log=None)
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        return f"http://{host}:{port}"

    async def _stop(self) -> None:
        servers = [runner.server for runner in self._runners if runner.server is not None]
        for runner in reversed(self._runners):
            await runner.cleanup()
        # A callback's connection that was just being accepted ends too, or its socket would be left open.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            await asyncio.wait(left, timeout=5)
        for handler in [handler for server in servers for handler in server.connections]:
            handler.force_close()
