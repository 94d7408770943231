"""What the contract of channels is tried with: for each channel a provider on this machine that behaves as it is told.

A new channel needs a stage here; test_contract.py fails until it has one."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

from aiohttp import web

from callcenter.base.clock import real_now
from callcenter.base.settings import Settings
from campaigns.channels import Enclosure
from campaigns.dispatch.message_claims import Outgoing

TAKES, REFUSES, ASKS_TO_WAIT, FAILS, HANGS = "takes", "refuses", "asks to wait", "fails", "hangs"
FULL = "full"  # a mailbox, in which nothing more fits
LONG = 30.0  # seconds; no test waits for it


@dataclass
class Provider:
    """`does`: how it behaves. `got`: what it took, each as {"to", "text"}; `asked`: how often it was asked to."""

    does: str = TAKES
    got: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0


@dataclass(frozen=True)
class Stage:
    """`open(provider, settings)`: the settings with which the channel finds this provider. `letter`: to somebody whom
    it can reach. `deadline`: the module and name of how long the channel waits."""

    open: Callable[[Provider, Settings], AbstractAsyncContextManager[Settings]]
    letter: Callable[[], Outgoing]
    nowhere: Callable[[Settings], Settings]
    deadline: str


def letter(**values: Any) -> Outgoing:
    made = Outgoing(uuid4(), "+529221110001", "+525512340001", "Hola Lupita, ¿cómo está?", 1, real_now())
    return replace(made, **values)


# ── Twilio ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_TWILIO_ERRORS = {REFUSES: (400, 21211), ASKS_TO_WAIT: (429, 20429), FAILS: (500, 20500)}


@asynccontextmanager
async def served(answer: Callable[[web.Request], Any]) -> AsyncIterator[str]:
    """The address of a server that answers every request with `answer`."""
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def twilio(provider: Provider, settings: Settings) -> AsyncIterator[Settings]:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response({"messages": [], "next_page_uri": None})
        form = await request.post()
        provider.asked += 1
        if provider.does in _TWILIO_ERRORS:
            status, code = _TWILIO_ERRORS[provider.does]
            return web.json_response({"code": code, "message": "no", "status": status}, status=status)
        provider.got.append({"to": form["To"], "text": form.get("Body"), **form})
        if provider.does == HANGS:
            await asyncio.sleep(LONG)
        sid = f"SM{provider.asked}"
        return web.json_response({"sid": sid, "status": "queued", "error_code": None}, status=201)

    async with served(answer) as url:
        yield replace(settings, twilio=replace(settings.twilio, base_url=url))


def _no_twilio(settings: Settings) -> Settings:
    return replace(settings, twilio=replace(settings.twilio, base_url="http://127.0.0.1:9"))


# ── Telegram ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def telegram(provider: Provider, settings: Settings) -> AsyncIterator[Settings]:
    errors: dict[str, tuple[int, dict[str, Any]]] = {
        REFUSES: (403, {}), ASKS_TO_WAIT: (429, {"parameters": {"retry_after": 7}}), FAILS: (502, {}),
    }  # fmt: skip

    async def answer(request: web.Request) -> web.StreamResponse:
        said = await request.json()
        provider.asked += 1
        if provider.does in errors:
            status, more = errors[provider.does]
            return web.json_response({"ok": False, "error_code": status, "description": "no", **more}, status=status)
        provider.got.append({"to": said["chat_id"], "text": said.get("text") or said.get("caption"), **said,
                             "method": request.path.rpartition("/")[2]})  # fmt: skip
        if provider.does == HANGS:
            await asyncio.sleep(LONG)
        return web.json_response({"ok": True, "result": {"message_id": provider.asked}})

    async with served(answer) as url:
        yield replace(settings, telegram=replace(settings.telegram, base_url=url))


def _no_telegram(settings: Settings) -> Settings:
    return replace(settings, telegram=replace(settings.telegram, base_url="http://127.0.0.1:9"))


# ── e-mail ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def relay(provider: Provider, settings: Settings) -> AsyncIterator[Settings]:
    talks: set[asyncio.Task[None]] = set()

    def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.create_task(_speak(provider, reader, writer)))

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield replace(settings, mail=replace(settings.mail, url=f"smtp://127.0.0.1:{port}"))
    finally:
        server.close()
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def _speak(provider: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await _converse(provider, reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def _converse(provider: Provider, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """SMTP, as much of it as a client of ours says."""

    def say(line: str) -> None:
        writer.write(line.encode() + b"\r\n")

    say("220 relay.test")
    to = ""
    while line := (await reader.readline()).decode():
        word = line[:4].upper().strip()
        if word == "RCPT":
            provider.asked += 1
            to = line.partition("<")[2].partition(">")[0]
            say(
                {REFUSES: "550 5.1.1 nobody", ASKS_TO_WAIT: "451 4.7.1 later", FULL: "452 4.2.2 full"}.get(
                    provider.does, "250 ok"
                )
            )
        elif word == "DATA":
            say("354 go on")
            content = await reader.readuntil(b"\r\n.\r\n")
            if provider.does != FAILS:
                provider.got.append({"to": to, "text": content.decode(), "content": content})
            if provider.does in (FAILS, HANGS):
                await asyncio.sleep(0 if provider.does == FAILS else LONG)
                break
            say("250 taken")
        elif word == "QUIT":
            say("221 bye")
            break
        else:
            say("250 ok")


def _no_relay(settings: Settings) -> Settings:
    return replace(settings, mail=replace(settings.mail, url="smtp://127.0.0.1:9"))


STAGES: dict[str, Stage] = {
    "sms": Stage(twilio, letter, _no_twilio, "campaigns.channels.twilio_wire.DEADLINE"),
    "whatsapp": Stage(twilio, letter, _no_twilio, "campaigns.channels.twilio_wire.DEADLINE"),
    "telegram": Stage(
        telegram, lambda: letter(address="5512345", sender="@convoca_bot"), _no_telegram,
        "campaigns.channels.telegram.DEADLINE",
    ),
    "email": Stage(
        relay,
        lambda: letter(address="lupita@example.org", sender="Encuestas <avisos@example.org>",
                       enclosed=Enclosure(title="Su opinión", opt_out_url="http://convoca.test/u/abc")),
        _no_relay, "campaigns.channels.email.DEADLINE",
    ),
}  # fmt: skip
