"""The SMS channel, with Twilio's own client, against a server on this machine that misbehaves in every way."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web

from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, ProviderError
from callcenter.base.settings import Settings
from campaigns.channels import twilio_wire
from campaigns.channels.sms import Sms
from campaigns.channels.twilio_words import read_receipt, read_reply
from campaigns.dispatch.message_claims import Outgoing

# twilio 9.13 builds aiohttp's BasicAuth itself; nothing of ours can change that.
pytestmark = [
    pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning"),
]

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
CREATED = {"sid": "SM1", "status": "queued", "error_code": None, "date_created": "Mon, 10 May 2027 16:00:00 +0000"}


def outgoing(**values: Any) -> Outgoing:
    made = Outgoing(uuid4(), "+529221110001", "+525512340001", "Hola Lupita", 1, real_now())
    return replace(made, **values)


@asynccontextmanager
async def twilio(answer: Answer, settings: Settings) -> AsyncIterator[Sms]:
    """The channel, in front of a server that answers every request with `answer`."""
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    here = replace(settings, twilio=replace(settings.twilio, base_url=f"http://{host}:{port}"))
    try:
        async with Sms(here) as channel:
            yield channel
    finally:
        await runner.cleanup()


def answering(status: int, body: dict[str, Any]) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.json_response(body, status=status)

    return answer


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def test_a_message_carries_our_id_in_its_callback(settings: Settings) -> None:
    seen: list[dict[str, Any]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(dict(await request.post()))
        return web.json_response(CREATED, status=201)

    async def send() -> None:
        async with twilio(answer, settings) as channel:
            letter = outgoing()
            receipt = await channel.send(letter)
            assert (receipt.state, receipt.provider_ref) == ("accepted", "SM1")
            assert seen[0]["StatusCallback"] == f"http://convoca.test/hooks/messages/receipt/{letter.id}"
            assert (seen[0]["To"], seen[0]["From"], seen[0]["Body"]) == (letter.phone, letter.sender, letter.body)

    run(send())


@pytest.mark.parametrize(
    ("status", "code", "permanent", "unknown"),
    [
        (400, 21211, True, False),
        (400, 21610, True, False),
        (400, 21614, True, False),
        (401, 20003, True, False),
        (400, 21611, False, False),  # the sender's queue is full: nothing was taken
        (429, 20429, False, False),
        (500, 20500, False, True),
        (503, 20503, False, True),
    ],
)
def test_an_error_says_whether_it_may_be_repeated(
    settings: Settings, status: int, code: int, permanent: bool, unknown: bool
) -> None:
    async def send() -> None:
        async with twilio(answering(status, {"code": code, "message": "no", "status": status}), settings) as channel:
            with pytest.raises(ProviderError) as error:
                await channel.send(outgoing())
            assert (error.value.code, error.value.permanent, error.value.unknown) == (str(code), permanent, unknown)

    run(send())


def test_a_server_error_is_asked_once_only(settings: Settings) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.json_response({"code": 20500, "message": "no", "status": 500}, status=500)

    async def send() -> None:
        async with twilio(answer, settings) as channel:
            with pytest.raises(ProviderError):
                await channel.send(outgoing())

    run(send())
    assert len(asked) == 1


def test_no_answer_in_time_is_unknown(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twilio_wire, "DEADLINE", 0.2)

    async def answer(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(5)
        return web.json_response(CREATED, status=201)

    async def send() -> None:
        async with twilio(answer, settings) as channel:
            with pytest.raises(ProviderError) as error:
                await channel.send(outgoing())
            assert (error.value.code, error.value.unknown) == ("no_answer", True)

    run(send())


def test_no_connection_is_safe_to_repeat(settings: Settings) -> None:
    nowhere = replace(settings, twilio=replace(settings.twilio, base_url="http://127.0.0.1:9"))

    async def send() -> None:
        async with Sms(nowhere) as channel:
            with pytest.raises(ProviderError) as error:
                await channel.send(outgoing())
            assert (error.value.code, error.value.permanent, error.value.unknown) == ("no_connection", False, False)

    run(send())


def test_the_providers_list_is_matched_by_text_sender_and_time(settings: Settings) -> None:
    letter = outgoing()
    same = {**CREATED, "from": letter.sender, "to": letter.phone, "body": letter.body, "direction": "outbound-api",
            "status": "delivered", "date_created": letter.sent_at.strftime("%a, %d %b %Y %H:%M:%S +0000")}  # fmt: skip
    others = [
        {**same, "sid": "SM2", "body": "Otro texto"},
        {**same, "sid": "SM3", "from": "+525500000000"},
        {**same, "sid": "SM4", "date_created": "Mon, 10 May 2021 16:00:00 +0000"},
        {**same, "sid": "SM5", "direction": "inbound"},
    ]
    listed = {"messages": [same, *others], "next_page_uri": None, "page": 0, "page_size": 50}

    async def look_up() -> None:
        async with twilio(answering(200, listed), settings) as channel:
            found = await channel.look_up(letter)
            assert [(one.provider_ref, one.state) for one in found] == [("SM1", "delivered")]

    run(look_up())


def test_the_log_holds_no_phone_however_much_it_tells(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    async def look_up() -> None:
        async with twilio(answering(200, {"messages": []}), settings) as channel:
            await channel.look_up(outgoing())

    with caplog.at_level(logging.INFO):
        run(look_up())
    # The test's own server writes its access log in this process, too.
    assert not [one for one in caplog.records if one.name != "aiohttp.access" and "9221110001" in one.getMessage()]


@pytest.mark.parametrize(
    ("address", "phone", "channel"),
    [
        ("+529221110001", "+529221110001", "sms"),
        ("whatsapp:+5219221110001", "+529221110001", "whatsapp"),
        ("whatsapp:+529221110001", "+529221110001", "whatsapp"),
        ("+521922111000", "+521922111000", "sms"),  # twelve digits: the 1 is part of the number
    ],
)
def test_the_1_that_whatsapp_still_says_is_folded(address: str, phone: str, channel: str) -> None:
    reply = read_reply({"MessageSid": "SM1", "From": address, "Body": "Hola"})
    assert (reply.phone, reply.address, reply.channel) == (phone, address, channel)


def test_a_status_that_we_do_not_know_has_no_state() -> None:
    assert read_receipt({"MessageSid": "SM1", "MessageStatus": "levitating"}).state is None


@pytest.mark.parametrize("form", [{}, {"MessageSid": "SM1"}, {"MessageStatus": "sent"}])
def test_a_callback_that_names_no_message_is_refused(form: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        read_receipt(form)
