"""What the daemons of the house share: one leader at a time, a quick stop, and no silent death."""

import gc
import logging
import os
import signal
import socket
from collections.abc import Callable
from threading import Event
from types import FrameType

from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from callcenter.base import leases
from callcenter.base.db import open_session

log = logging.getLogger(__name__)
AWAY = (OperationalError, InterfaceError, RedisError)  # a service that is not there; anything else is a bug of ours
Wait = Callable[[float, Event], None]
LEASE_SECONDS = 6.0  # a leader killed with -9 is replaced after this, and the time to its successor's next step
PATIENCE = 4.0  # of the database with a leader that was stopped in the middle of a transaction
FIRST_DELAY, LONGEST_DELAY = 0.2, 2.0


class Daemon:
    """Repeats `turn(token)` while this process leads `name`, waits with `wait(seconds, stopping)` between turns.

    A PostgreSQL or Redis that went away is waited for, said once in the log and once again when it is back."""

    def __init__(self, name: str, turn: Callable[[int], None], wait: Wait | None = None) -> None:
        self.name, self._turn = name, turn
        self.holder = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = Event()
        self._wait = wait or _sleep
        self._delay = FIRST_DELAY
        self._is_well = True

    def run(self, seconds: float) -> None:
        """Turn at least every `seconds` until TERM or INT; gives the lease back at the end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        gc.collect()
        gc.freeze()  # what was imported stays for good: looking through it again and again holds turns up
        while not self.stopping.is_set():
            try:
                self.step()
                self._wait(seconds, self.stopping)
            except (*AWAY, DBAPIError) as error:
                if not isinstance(error, AWAY) and not getattr(error, "connection_invalidated", False):
                    raise  # a bug of ours
                self._say_ill(error)
                self.stopping.wait(self._delay)
                self._delay = min(self._delay * 2, LONGEST_DELAY)
        self._give_back()

    def step(self) -> None:
        """One turn, when we lead or can take the lead."""
        with open_session() as session:
            token = leases.take(session, self.name, self.holder, LEASE_SECONDS, patience=PATIENCE)
            session.commit()
        if token is not None:
            self._turn(token)
        if not self._is_well:
            log.warning("%s: back at work", self.name)
        self._is_well, self._delay = True, FIRST_DELAY

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's own signature
        self.stopping.set()

    def _say_ill(self, error: Exception) -> None:
        if self._is_well:
            log.warning("%s: %s; trying again until it works", self.name, type(error).__name__)
        self._is_well = False

    def _give_back(self) -> None:
        try:
            with open_session() as session:
                leases.release(session, self.name, self.holder)
                session.commit()
        except DBAPIError as error:
            log.warning("%s: the lease was not given back (%s); it runs out by itself", self.name, type(error).__name__)


def _sleep(seconds: float, stopping: Event) -> None:
    stopping.wait(seconds)
