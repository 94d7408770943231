"""The small client that posts callbacks."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from scripts.simulated_carrier import callback_wire
from scripts.simulated_carrier.callback_wire import NotPosted, Wire

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def with_server(serve: Serve, use: Callable[[Wire], Awaitable[None]], most: int = 4) -> None:
    served = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    wire = Wire("127.0.0.1", server.sockets[0].getsockname()[1], lambda: most)
    try:
        await use(wire)
    finally:
        wire.close()
        server.close()
        await asyncio.gather(*served)
        await server.wait_closed()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200),
        (b"HTTP/1.1 403 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 403),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200),
    ],
)
@pytest.mark.parametrize("step", [1, 1000])
def test_every_shape_of_an_answer_is_read_in_any_pieces(answer: bytes, status: int, step: int) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            for start in range(0, len(answer), step):
                writer.write(answer[start : start + step])
                await writer.drain()

    async def use(wire: Wire) -> None:
        assert [await wire.post(REQUEST) for _ in range(3)] == [status] * 3

    asyncio.run(with_server(serve, use))


def test_a_connection_that_was_closed_while_idle_is_replaced_and_nothing_is_lost() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")  # keeps silent that it will close
        await writer.drain()
        writer.close()

    async def use(wire: Wire) -> None:
        for _ in range(20):
            assert await wire.post(REQUEST) == 204

    asyncio.run(with_server(serve, use))


def test_no_more_connections_are_opened_than_allowed_and_all_are_answered() -> None:
    at_once = most_at_once = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal at_once, most_at_once
        at_once += 1
        most_at_once = max(at_once, most_at_once)
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(0.002)
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    async def use(wire: Wire) -> None:
        assert set(await asyncio.gather(*[wire.post(REQUEST) for _ in range(50)])) == {204}
        assert most_at_once == 4

    asyncio.run(with_server(serve, use))


def test_nobody_there_no_answer_and_a_broken_one_are_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback_wire, "SECONDS", 0.1)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(0.5)
        writer.close()

    async def shuts(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async def fails(wire: Wire) -> None:
        with pytest.raises(NotPosted):
            await wire.post(REQUEST)

    asyncio.run(with_server(silent, fails))
    asyncio.run(with_server(shuts, fails))
    asyncio.run(fails(Wire("127.0.0.1", 9, lambda: 4)))
