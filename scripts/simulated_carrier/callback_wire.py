"""A small HTTP client for callbacks: a third of the work of a full one, because a callback is posted and forgotten.

One machine carries the carrier, the product and its database in benches; what the carrier takes, the product lacks.
Connections are kept; one that the other side closed while it lay idle is replaced and the callback sent again."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

SECONDS = 15.0  # https://www.twilio.com/docs/usage/webhooks/webhooks-faq


class NotPosted(Exception):
    """No answer came; the message says why."""


@dataclass(slots=True)
class _Post:
    request: bytes
    answer: "asyncio.Future[int]"
    is_second_try: bool = False


class Wire:
    """Posts to one host and port over at most `most()` connections; more wait in order."""

    def __init__(self, host: str, port: int, most: Callable[[], float]) -> None:
        self.host, self.port, self._most = host, port, most
        self._idle: deque[_Connection] = deque()
        self._open: set[_Connection] = set()
        self._connecting = 0
        self._waiting: deque[_Post] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def post(self, request: bytes) -> int:
        """The status of the answer. Raises NotPosted."""
        post = _Post(request, asyncio.get_running_loop().create_future())
        self._waiting.append(post)
        self._go_on()
        return await post.answer

    def _go_on(self) -> None:
        while self._waiting and self._idle:
            # The one that lay longest: the last one again and again would be one process of ours doing all the work,
            # where the many machines of a real carrier come to each.
            self._idle.popleft().begin(self._waiting.popleft())
        room = max(int(self._most()), 1) - len(self._open) - self._connecting
        for _ in range(min(len(self._waiting) - self._connecting, room)):
            self._connecting += 1
            task = asyncio.create_task(self._connect())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(SECONDS):
                _, connection = await loop.create_connection(lambda: _Connection(self), self.host, self.port)
        except OSError as error:  # TimeoutError is one
            self._connecting -= 1
            if self._waiting:
                _refuse(self._waiting.popleft(), type(error).__name__)
            self._go_on()
            return
        self._connecting -= 1
        self._open.add(connection)
        self.done(connection)

    def done(self, connection: "_Connection") -> None:
        """The connection is free."""
        self._idle.append(connection)
        self._go_on()

    def lost(self, connection: "_Connection", post: _Post | None, *, may_repeat: bool, why: str) -> None:
        self._open.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        if post is not None and may_repeat:
            post.is_second_try = True
            self._waiting.appendleft(post)
        elif post is not None:
            _refuse(post, why)
        self._go_on()

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for post in self._waiting:
            post.answer.cancel()
        self._waiting.clear()
        for connection in list(self._open):
            connection.close()


def _refuse(post: _Post, why: str) -> None:
    if not post.answer.done():
        post.answer.set_exception(NotPosted(why))


class _Connection(asyncio.Protocol):
    """One post at a time."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._transport: asyncio.Transport | None = None
        self._post: _Post | None = None
        self._heard = bytearray()
        self._used = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._why = "closed"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def begin(self, post: _Post) -> None:
        assert self._transport is not None
        self._post, self._used = post, self._used + 1
        self._heard.clear()
        self._deadline = asyncio.get_running_loop().call_later(SECONDS, self._too_late)
        self._transport.write(post.request)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        answer = _read(self._heard)
        if answer is None or self._post is None:
            return
        status, is_last = answer
        self._stop_clock()
        post, self._post = self._post, None
        if not post.answer.done():
            post.answer.set_result(status)
        if is_last:
            self.close()
        else:
            self._wire.done(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        post, self._post = self._post, None
        # Nothing was answered on a connection that had been used: the other side closed it while it lay idle.
        may_repeat = post is not None and not self._heard and self._used > 1 and not post.is_second_try
        may_repeat = may_repeat and self._why == "closed"
        self._wire.lost(self, post, may_repeat=may_repeat, why=type(exc).__name__ if exc else self._why)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _too_late(self) -> None:
        self._why = "TimeoutError"
        if self._transport is not None:
            self._transport.abort()

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _read(heard: bytearray) -> tuple[int, bool] | None:
    """Status, and whether the other side closes after it; None while the answer is not whole."""
    end = heard.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = bytes(heard[:end]).lower()
    status, body = int(head[9:12]), len(heard) - end - 4
    is_last = b"\r\nconnection: close" in head
    if status in (204, 304):
        return status, is_last
    at = head.find(b"\r\ncontent-length:")
    if at >= 0:
        length = int(head[at + 17 :].split(b"\r\n", 1)[0])
        return (status, is_last) if body >= length else None
    if b"transfer-encoding: chunked" in head:
        return (status, is_last) if heard.endswith(b"0\r\n\r\n") else None
    return status, True
