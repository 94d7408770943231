"""Callbacks as Twilio sends them, signed, at a steady rate that does not wait for the answers."""

import asyncio
import base64
import hashlib
import hmac
import random
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlsplit
from uuid import UUID

STATUSES = ("queued", "sent", "delivered")  # each message's burst
CONNECTIONS = 48
PATIENCE = 15.0  # seconds: https://www.twilio.com/docs/usage/webhooks/webhooks-faq
NO_ANSWER = 0  # counted as this status


@dataclass
class Load:
    """`answers`: how many callbacks got each HTTP status. `milliseconds`: from the moment at which each was due."""

    answers: Counter[int] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)
    seconds: float = 0.0


class Wire(asyncio.Protocol):
    """One kept connection: a request at a time."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # for the type checker
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(int(data[9:12]))

    def connection_lost(self, _error: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError())

    @property
    def is_open(self) -> bool:
        return self._transport is not None

    async def ask(self, request: bytes) -> int:
        """The answer's status; its body must be empty."""
        if self._transport is None:
            raise ConnectionResetError
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await asyncio.wait_for(self._answer, PATIENCE)


def bursts(ids: Sequence[UUID], seed: int) -> Iterator[tuple[UUID, str]]:
    """Three callbacks a message, close together, in any order."""
    dice = random.Random(seed)
    for message_id in ids:
        for status in dice.sample(STATUSES, len(STATUSES)):
            yield message_id, status


async def send(url: str, token: str, callbacks: Iterator[tuple[UUID, str]], rate: float) -> Load:
    """Post every callback at its moment, one each 1/`rate` seconds, over CONNECTIONS."""
    load, due = Load(), deque[tuple[float, bytes]]()
    begun = time.perf_counter()
    more = asyncio.Semaphore(0)

    async def post() -> None:
        wire = Wire()
        while True:
            await more.acquire()
            if not due:
                return
            at, request = due.popleft()
            wire = await _post(url, wire, request, load)
            load.milliseconds.append((time.perf_counter() - at) * 1000)

    posters = [asyncio.create_task(post()) for _ in range(CONNECTIONS)]
    for number, (message_id, status) in enumerate(callbacks):
        at = begun + number / rate
        wait = at - time.perf_counter()
        if wait > 0.001:
            await asyncio.sleep(wait)
        due.append((at, request_of(url, token, message_id, status)))
        more.release()
    for _ in posters:
        more.release()
    await asyncio.gather(*posters)
    load.seconds = time.perf_counter() - begun
    return load


async def _post(url: str, wire: Wire, request: bytes, load: Load) -> Wire:
    """One callback, never repeated; returns the connection for the next."""
    try:
        if not wire.is_open:
            where = urlsplit(url)
            loop = asyncio.get_running_loop()
            _, wire = await loop.create_connection(Wire, where.hostname or "127.0.0.1", where.port or 80)
        load.answers[await wire.ask(request)] += 1
    except (OSError, TimeoutError):
        load.answers[NO_ANSWER] += 1
        wire = Wire()
    return wire


def request_of(url: str, token: str, message_id: UUID, status: str) -> bytes:
    """The whole HTTP request of one callback."""
    path = f"/hooks/messages/receipt/{message_id}"
    sid = f"SM{message_id.hex}"
    fields = {
        "AccountSid": "AC" + "5" * 32, "ApiVersion": "2010-04-01", "From": "+525512340001", "MessageSid": sid,
        "MessageStatus": status, "SmsSid": sid, "SmsStatus": status, "To": "+529220000001",
    }  # fmt: skip
    signed = url + path + "".join(name + value for name, value in sorted(fields.items()))
    signature = base64.b64encode(hmac.digest(token.encode(), signed.encode(), hashlib.sha1)).decode()
    body = "&".join(f"{name}={quote_plus(value)}" for name, value in fields.items()).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nUser-Agent: TwilioProxy/1.1\r\n"
        f"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nX-Twilio-Signature: {signature}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
