"""A simulated operator against a small stand-in for the product's pages."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from scripts.simulated_carrier.citizens import citizen
from scripts.simulated_operators.operator import Habits, Operator
from scripts.simulated_operators.page import Addresses, Page, SignedOut, live_address

TAKES_PART = next(f"+52922010{n:04}" for n in range(99) if citizen(f"+52922010{n:04}", 1).takes_part)
ANSWERS = dict(citizen(TAKES_PART, 1).answers)
QUESTIONS = (("intro", "note"), ("consent", "select_one"), ("problems", "select_multiple"))


@dataclass
class Office:
    """What the product would answer: one operator, one call, three questions."""

    hears: dict[str, Any] | None = field(default_factory=lambda: {"is_machine": False, "answers": ANSWERS})
    state: str = "offline"
    call: dict[str, Any] | None = None
    given: dict[str, Any] = field(default_factory=dict)
    disposed: list[str] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    failures: int = 0  # answers of 503 still to give
    address: str = ""

    def snapshot(self) -> dict[str, Any]:
        return {"operator": {"id": 7, "state": self.state}, "call": self.call}

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/login", self.login_form),
                web.post("/login", self.login),
                web.get("/console/", self.console),
                web.get("/console/state", self.show),
                web.get("/events", self.events),
                web.post("/console/{act:.*}", self.act),
                web.get("/surveys/calls/c1", self.question),
                web.post("/answers", self.answer),
                web.get("/control/voice/c1", self.voice),
            ]
        )
        return app

    async def login_form(self, _: web.Request) -> web.Response:
        return web.Response(text='<input type="hidden" name="csrf_token" value="t1">', content_type="text/html")

    async def login(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert (form["username"], form["csrf_token"]) == ("operador01", "t1")
        answer = web.Response(status=302, headers={"Location": "/"})
        answer.set_cookie("session", "s1")
        return answer

    async def console(self, request: web.Request) -> web.Response:
        self.check(request)
        return web.Response(text='<meta name="csrf-token" content="t2">', content_type="text/html")

    def check(self, request: web.Request) -> None:
        if request.cookies.get("session") != "s1":
            raise web.HTTPFound("/login")

    async def show(self, request: web.Request) -> web.Response:
        self.check(request)
        return web.json_response(self.snapshot())

    async def events(self, request: web.Request) -> web.StreamResponse:
        self.check(request)
        assert request.query["topic"] == "operator/7"
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        try:
            while True:
                data = json.dumps({"topic": "operator/7", "snapshot": self.snapshot()})
                await stream.write(f"event: snapshot\nid: 1\ndata: {data}\n\n: ping\n\n".encode())
                await asyncio.sleep(0.02)
        except ConnectionResetError:
            return stream

    async def act(self, request: web.Request) -> web.Response:
        self.check(request)
        assert request.headers["X-CSRFToken"] == "t2"
        if self.failures:
            self.failures -= 1
            self.keys.add(request.headers["Idempotency-Key"])
            return web.Response(status=503)
        act, given = request.match_info["act"], await request.json()
        if act == "available":
            self.state, self.call = (
                "in_call",
                {"id": "c1", "state": "connected", "script_url": "/surveys/calls/c1", "suggested": None},
            )
        elif act == "calls/c1/dispose":
            self.disposed.append(given["code"])
            self.state, self.call = "available", None
        elif act == "leave":
            self.state = "offline"
        elif act == "seen":
            return web.json_response({"state": self.state, "call_id": self.call and self.call["id"]})
        return web.json_response(self.snapshot())

    def shown(self) -> dict[str, Any]:
        left = [{"name": name, "kind": kind} for name, kind in QUESTIONS if name not in self.given]
        if self.call is not None:
            self.call["suggested"] = None if left else "completed"
        return {"answers_url": "/answers", "question": left[0] if left else None}

    async def question(self, request: web.Request) -> web.Response:
        self.check(request)
        return web.json_response(self.shown())

    async def answer(self, request: web.Request) -> web.Response:
        given = await request.json()
        self.given[given["item"]] = given["value"]
        return web.json_response(self.shown())

    async def voice(self, _: web.Request) -> web.Response:
        return web.json_response(self.hears) if self.hears else web.Response(status=404)


def work(office: Office) -> Operator:
    """Let one operator work until they have written down an outcome and left."""

    async def run() -> Operator:
        runner = web.AppRunner(office.app(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        office.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        addresses = Addresses(office.address, office.address, office.address)
        operator = Operator("operador01", "secret", addresses, Habits(think=0.005))
        working = asyncio.create_task(operator.work())
        async with asyncio.timeout(10):
            while not office.disposed:
                await asyncio.sleep(0.01)
            operator.stop()
            await working
        await runner.cleanup()
        return operator

    return asyncio.run(run())


def test_an_operator_asks_what_the_screen_shows_and_writes_down_what_the_citizen_says() -> None:
    office = Office()
    operator = work(office)
    assert office.given == {"intro": "", "consent": "yes", "problems": ANSWERS["problems"].split()}
    assert office.disposed == ["completed"]
    assert office.state == "offline"
    assert (operator.calls, operator.asked) == (1, 3)


def test_a_machine_is_recognised_and_asked_nothing() -> None:
    office = Office(hears={"is_machine": True, "answers": {}})
    work(office)
    assert office.disposed == ["voicemail"]
    assert office.given == {}


def test_a_citizen_who_has_gone_is_written_down_as_not_reached() -> None:
    office = Office(hears=None)
    work(office)
    assert office.disposed == ["not_available"]


def test_somebody_who_does_not_take_part_is_asked_nothing_more() -> None:
    office = Office(hears={"is_machine": False, "answers": {"consent": "no"}})
    work(office)
    assert office.given == {"intro": "", "consent": "no"}


def test_an_act_is_repeated_with_its_own_key_until_the_product_is_back() -> None:
    office = Office(failures=3)
    work(office)
    assert office.disposed == ["completed"]
    assert 1 <= len(office.keys) <= 2  # the heartbeat and going available each kept their key


def test_without_a_session_every_page_says_so() -> None:
    office = Office()

    async def run() -> None:
        runner = web.AppRunner(office.app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with Page(Addresses(address, address, address)) as page:
            try:
                await page.get("/console/state")
            except SignedOut:
                return
            finally:
                await runner.cleanup()
        raise AssertionError("the page was shown to nobody")

    asyncio.run(run())


def test_the_live_stream_is_on_the_pages_host_with_a_port_of_its_own() -> None:
    assert live_address("http://127.0.0.1:8000", 8001) == "http://127.0.0.1:8001"
    assert live_address("http://[::1]:8000", 8001) == "http://[::1]:8001"
    assert live_address("https://convoca.example", None) == "https://convoca.example"
