"""One AMI connection for its whole life: the package `asterisk-ami` with its faults mended.

What it does that must not happen to us: its connect time-out stays on the socket, so that three seconds of silence end
its reader; an exception in a listener ends the reader, too, without a word; `send` may send half a packet, and two
threads mix theirs; action ids count from 0 in every process; repeated headers are lost; its reconnect goes on with a
socket that nobody reads.
"""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from uuid import uuid4

from asterisk.ami import AMIClient

from callcenter.base.errors import ProviderError
from callcenter.carriers.asterisk import actions
from callcenter.carriers.asterisk.actions import Action
from callcenter.carriers.asterisk.packets import Packet, Parser, TooLong
from callcenter.switches import Door

log = logging.getLogger(__name__)
GREETING = b"Asterisk Call Manager/"
CHUNK = 65_536


@dataclass(frozen=True)
class Pace:
    """Seconds. `connect`: for the socket and its greeting; `answer`: for one action; `ping`: silence after which we ask
    for a sign of life; `dead`: silence after which the connection is given up.

    Connecting, the greeting, the log-in and one answer together stay within call_placing.WIRE."""

    connect: float = 1.5
    answer: float = 3.0
    ping: float = 2.0
    dead: float = 15.0


@dataclass(frozen=True)
class Answer:
    """What an action was answered: the response, and for a list its events."""

    response: Packet
    events: tuple[Packet, ...] = ()


class Lost:
    """In `Client.events`: the connection is gone, and whatever Asterisk said since went unheard."""


@dataclass
class _Waiting:
    """An action on its way: `answer` comes with its response, or with the last event of a list."""

    answer: "Future[Answer]"
    response: Packet | None = None
    is_list: bool = False
    events: list[Packet] = field(default_factory=list)

    def take(self, packet: Packet) -> bool:
        """Does the packet belong to the answer?"""
        if not packet.event:
            if self.response is None:
                self.response, self.is_list = packet, packet.get("EventList").lower() == "start"
                if not self.is_list:
                    self._finish(packet)
            return True
        if self.response is None or not self.is_list:
            return False
        if packet.get("EventList").lower() in ("complete", "cancelled"):
            self._finish(self.response)
        else:
            self.events.append(packet)
        return True

    def _finish(self, response: Packet) -> None:
        if not self.answer.done():
            self.answer.set_result(Answer(response, tuple(self.events)))


class Wire(AMIClient):  # type: ignore[misc]  # the package carries no types
    """`heard` gets what answers no action; it must only put it away."""

    def __init__(self, door: Door, pace: Pace, heard: Callable[[Packet | Lost], None]) -> None:
        super().__init__(door.host, door.port, timeout=pace.connect, buffer_size=CHUNK)
        self.greeted: Future[None] = Future()
        self._pace, self._heard = pace, heard
        self._sending, self._noting = threading.Lock(), threading.Lock()
        self._waiting: dict[str, _Waiting] = {}
        self._is_let_in = False
        self._heard_at = time.monotonic()

    @property
    def is_alive(self) -> bool:
        return self.finished is not None and not self.finished.is_set()

    @property
    def silence(self) -> float:
        """Seconds since anything came."""
        return time.monotonic() - self._heard_at

    def connect(self) -> None:
        """Raises OSError."""
        self._socket = socket.create_connection((self._address, self._port), self._pace.connect)
        self._socket.settimeout(self._pace.ping)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.finished = threading.Event()
        self._thread = threading.Thread(target=self.listen, daemon=True, name=f"ami {self._address}")
        self._thread.start()

    def ask(self, action: Action) -> "Future[Answer]":
        """Raises OSError when it was not sent whole: then Asterisk has nothing it could do."""
        action_id = str(action.get("ActionID") or uuid4())
        packet = actions.packed(action, action_id)
        waiting = _Waiting(Future())
        with self._noting:
            if not self.is_alive:
                raise ConnectionResetError
            self._waiting[action_id] = waiting
        try:
            self.send(packet)
        except OSError:
            with self._noting:
                self._waiting.pop(action_id, None)
            raise
        return waiting.answer

    def send(self, pack: bytes) -> None:
        with self._sending:
            self._socket.sendall(pack)

    def give_up(self) -> None:
        """End the connection; whoever waits for an answer is told so by the reader."""
        if self._socket is None or self.finished is None:
            return
        self.finished.set()
        with contextlib.suppress(OSError):  # it may be down already
            self._socket.shutdown(socket.SHUT_RDWR)  # a close alone does not wake the reader
        if self._thread is not threading.current_thread():
            self._thread.join(self._pace.connect)

    def listen(self) -> None:
        """The reader's thread."""
        try:
            self._read()
        except (OSError, TooLong) as error:
            log.info("switch %s: connection lost (%s)", self._address, type(error).__name__)
        finally:
            self._end()

    def _read(self) -> None:
        parser, first = Parser(), b""
        while self.is_alive:
            try:
                data = self._socket.recv(self._buffer_size)
            except TimeoutError:
                if self.silence > self._pace.dead:
                    raise
                if self.greeted.done():
                    self.send(actions.packed({"Action": "Ping"}, f"ping-{uuid4()}"))
                continue
            if not data:
                return
            self._heard_at = time.monotonic()
            if not self.greeted.done():
                first += data
                if b"\n" not in first and len(first) < 200:
                    continue
                greeting, _, data = first.partition(b"\n")
                if not greeting.startswith(GREETING):
                    self.greeted.set_exception(ProviderError("", code="not_ami"))
                    return
                self.greeted.set_result(None)
            for packet in parser.feed(data):
                self._take(packet)

    def _take(self, packet: Packet) -> None:
        action_id = packet.action_id
        if action_id.startswith("ping-"):
            return
        with self._noting:
            waiting = self._waiting.get(action_id)
            belongs = waiting is not None and waiting.take(packet)
            if belongs and waiting is not None and waiting.answer.done():
                del self._waiting[action_id]
        if packet.event and not belongs:
            self._is_let_in = True
            self._heard(packet)

    def _end(self) -> None:
        """Nothing comes any more: say so to whoever waits."""
        self._socket.close()
        with self._noting:
            self.finished.set()
            left, self._waiting = list(self._waiting.values()), {}
        if not self.greeted.done():
            self.greeted.set_exception(ConnectionResetError())
        for waiting in left:
            waiting.answer.set_exception(ConnectionResetError())
        if self._is_let_in:
            self._heard(Lost())
