"""News from Redis to the streams of one process: one connection, one thread, however many streams there are."""

import select
import socket as sockets
import threading
from collections.abc import Iterable
from typing import Any

from redis.client import PubSub
from redis.exceptions import RedisError

from callcenter.base import outbox

RECONNECT = 1.0  # seconds between two tries to reach Redis


class Listener:
    """One stream's ear: which of its topics have news that were not sent yet. At first, all."""

    def __init__(self, hub: "Hub", topics: Iterable[str], reader: int) -> None:
        self._hub, self._condition = hub, threading.Condition()
        self.reader = reader
        self.topics = frozenset(topics)
        self._news = dict.fromkeys(topics)
        self._heard = True

    def mark(self, topic: str) -> None:
        with self._condition:
            self._news[topic] = None
            self._heard = True
            self._condition.notify()

    def mark_all(self) -> None:
        for topic in self.topics:
            self.mark(topic)

    def news(self) -> list[str]:
        """Topics with news, oldest first."""
        with self._condition:
            self._heard = False
            return list(self._news)

    def taken(self, topic: str) -> None:
        """About to be drawn: whatever comes from now on is news again."""
        with self._condition:
            self._news.pop(topic, None)

    def wait(self, seconds: float) -> None:
        """Sleep until something new is marked, at most `seconds`."""
        with self._condition:
            if not self._heard:
                self._condition.wait(seconds)

    def close(self) -> None:
        self._hub.forget(self)


class Hub:
    """Listens to every topic in Redis and marks it at the streams that asked for it.

    `hears` is False while Redis is away; when it is back, everything counts as news."""

    def __init__(self) -> None:
        self.hears = False
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        threading.Thread(target=self._run, name="live-hub", daemon=True).start()

    def listen(self, topics: Iterable[str], *, reader: int, at_most: int) -> Listener | None:
        """A new listener of the person `reader`; None when they have `at_most` already."""
        listener = Listener(self, topics, reader)
        with self._lock:
            if sum(one.reader == reader for one in self._listeners) >= at_most:
                return None
            self._listeners.add(listener)
        return listener

    def forget(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.discard(listener)

    def __len__(self) -> int:
        with self._lock:
            return len(self._listeners)

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            try:
                client = outbox.redis()  # held here: a client that is forgotten closes its connections
                with client.pubsub() as connection:
                    connection.psubscribe("*")
                    self._pass_on(connection)
            except (RedisError, OSError):
                self.hears = False
                pause.wait(RECONNECT)

    def _pass_on(self, connection: PubSub) -> None:
        while True:
            news: dict[str, Any] | None = connection.get_message(timeout=5.0)
            if news is None:
                continue
            if news["type"] == "psubscribe":
                # Also after a reconnect that the client made by itself: what was said meanwhile is lost.
                self.hears = True
                self._mark(None)
            elif news["type"] == "pmessage":
                self._mark(news["channel"].decode())

    def _mark(self, topic: str | None) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            if topic is None:
                listener.mark_all()
            elif topic in listener.topics:
                listener.mark(topic)


def is_gone(socket: sockets.socket | None) -> bool:
    """Has the browser hung up, or is the process ending? A stream that only writes would notice minutes later."""
    if not threading.main_thread().is_alive():
        return True
    if socket is None:
        return False
    try:
        readable, _, _ = select.select([socket], [], [], 0)
        return bool(readable) and socket.recv(1, sockets.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True
