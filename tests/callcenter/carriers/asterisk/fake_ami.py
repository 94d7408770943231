"""An AMI server that misbehaves as it is told. It knows nothing of the product's own parser."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from callcenter.switches import Door

GREETING = b"Asterisk Call Manager/9.0.0\r\n"
SECRET = "s3cret"
Headers = list[tuple[str, str]]
Answer = Callable[["Connection", Headers], None]


def packet(**headers: str) -> bytes:
    """`_` in a name stands for `-`."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def until(true: Callable[[], object], *, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not true within {seconds} s"
        time.sleep(0.005)


@dataclass
class Connection:
    """One client that came in. `asked`: every packet it sent, as headers."""

    socket: socket.socket
    asked: list[Headers] = field(default_factory=list)

    def say(self, data: bytes) -> None:
        with suppress(OSError):
            self.socket.sendall(data)

    def cut(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def actions(self) -> list[str]:
        return [value for headers in self.asked for name, value in headers if name == "Action"]


@dataclass
class FakeAmi:
    """`answers`: by action; what is not there gets Success. `greeting`: b"" says nothing. `is_mute`: it reads, and says
    nothing by itself. `reads`: False lets the client's bytes lie."""

    greeting: bytes = GREETING
    answers: dict[str, Answer] = field(default_factory=dict)
    connections: list[Connection] = field(default_factory=list)
    is_mute: bool = False
    reads: bool = True
    port: int = 0

    @property
    def now(self) -> Connection:
        """The newest connection."""
        return self.connections[-1]

    def door(self, user: str = "worker", secret: str = SECRET) -> Door:
        return Door("local", "127.0.0.1", self.port, user, secret)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            connection = Connection(client)
            self.connections.append(connection)
            threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection: Connection) -> None:
        connection.say(self.greeting)
        rest = b""
        while True:
            while not self.reads:
                time.sleep(0.01)
            try:
                data = connection.socket.recv(65_536)
            except OSError:
                return
            if not data:
                return
            *whole, rest = (rest + data).split(b"\r\n\r\n")
            for block in whole:
                lines = (line.split(": ", 1) for line in block.decode().split("\r\n"))
                headers = [(line[0], line[1] if len(line) > 1 else "") for line in lines]
                connection.asked.append(headers)
                if not self.is_mute:
                    self._answer(connection, headers)

    def _answer(self, connection: Connection, headers: Headers) -> None:
        said = dict(headers)
        name, action_id = said["Action"], said.get("ActionID", "")
        if name in self.answers:
            self.answers[name](connection, headers)
        elif name == "Login" and said["Secret"] != SECRET:
            connection.say(packet(Response="Error", ActionID=action_id, Message="Authentication failed"))
        else:
            connection.say(packet(Response="Success", ActionID=action_id, Message="Fine"))


def saying(*packets: bytes) -> Answer:
    """Answers with these bytes, in which %ID% stands for the action's id."""

    def answer(connection: Connection, headers: Headers) -> None:
        connection.say(b"".join(packets).replace(b"%ID%", dict(headers)["ActionID"].encode()))

    return answer


@contextmanager
def running(**how: object) -> Iterator[FakeAmi]:
    server = FakeAmi(**how)  # type: ignore[arg-type]
    listener = socket.create_server(("127.0.0.1", 0))
    server.port = listener.getsockname()[1]
    thread = threading.Thread(target=server.serve, args=[listener], daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.reads = True
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in server.connections:
            connection.cut()
            connection.socket.close()
        thread.join(5)
