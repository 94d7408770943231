"""The listener of one Asterisk: what it says goes into the ledger, and an answered citizen into a room at once.

One of these leads for each switch; a second one stands by. AMI keeps nothing for those who were away, so that after
every (re)connect the ledger and the switch are made one again (callcenter.telephony.switch_reconcile).
"""

import argparse
import logging
import queue
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import takewhile
from threading import Event
from uuid import UUID
from zlib import crc32

from sqlalchemy import event

import wsgi
from callcenter import switches
from callcenter.base import sealed
from callcenter.base.db import open_session
from callcenter.base.errors import NotFound, ProviderError
from callcenter.carriers.asterisk import events
from callcenter.carriers.asterisk.actions import Action
from callcenter.carriers.asterisk.client import Client, Lost, Question
from callcenter.carriers.asterisk.events import Leg, News
from callcenter.carriers.asterisk.switchboard import AsteriskCarrier
from callcenter.ledger import call_ledger, waiting_calls
from callcenter.ledger.waiting_calls import Waiting
from callcenter.telephony import softphones, switch_news
from callcenter.telephony.switch_reconcile import Channel
from scripts import switch_takeover
from scripts.daemon import AWAY, Daemon

log = logging.getLogger(__name__)
SECONDS = 0.5  # between two attempts to connect, and two looks of one who stands by
TURN = 1.0  # how long we listen before the lease is renewed
LOOK = 0.25  # how long a wish to stop may wait
BATCH, AT_ONCE = 20, 200  # pieces of news in one transaction, and taken over from the reader
WRITERS = 3
NOTE = 4.0  # seconds between two notes that the switch was heard
AGAIN = 0.5  # seconds until a switch that did not answer is asked again
SECOND_LOOK = 4.0  # seconds after which calls that were too young to tell are looked for again


class Listener:
    """`turn` listens for a second; news that could not be written stay for the next turn. `writers`: how many write at
    the same time."""

    def __init__(self, name: str, writers: int = 1) -> None:
        self.name = name
        self._writers = writers
        self._pool: ThreadPoolExecutor | None = None
        self._asked: deque[Question] = deque()
        self.stopping = Event()
        self._client: Client | None = None
        self._worker = AsteriskCarrier()
        self._news: deque[News] = deque()
        self._waiting = Waiting()
        self._fault = ""
        self._led = False
        self._noted_at = self._look_again_at = self._reconcile_at = 0.0

    def turn(self, token: int) -> None:  # noqa: ARG002 - an event written twice changes nothing, whoever leads
        self._led = True
        until = time.monotonic() + TURN
        if (client := self._connected()) is None:
            return
        while not self.stopping.is_set() and (left := until - time.monotonic()) > 0:
            if not client.is_connected and client.events.empty():
                return
            self._hear(client, min(waiting_calls.LOOK if self._waiting else LOOK, left))
            self._write(client)
            self._connect_waiting(client)
            self._hear_answers()
            self._catch_up(client)
        self._note(client)

    def wait(self, seconds: float, stopping: Event) -> None:
        """None between two turns of one who listens; who stands by hears nothing."""
        if not self._led:
            self.close()
            self._news.clear()
        if self._client is None:
            stopping.wait(seconds)
        self._led = False

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None
        self._worker.close()
        if self._pool is not None:
            self._pool.shutdown()
        self._pool = None

    def _connected(self) -> Client | None:
        """The connection; None, with the reason noted, while the switch lets nobody in."""
        if self._client is not None and (self._client.is_connected or not self._client.events.empty()):
            return self._client  # what was said before it broke off is written first
        self.close()
        try:
            with open_session() as session:
                client = Client(switches.door(session, self.name, "switch"), listens=True)
            client.connect()
        except (ProviderError, NotFound, sealed.Unreadable) as error:
            self._say_ill(getattr(error, "code", "sealed"), str(error))
            return None
        self._client, self._fault = client, ""
        log.info("switch %s: listening", self.name)
        return client

    def _say_ill(self, code: str, sentence: str) -> None:
        if code != self._fault:
            log.warning("switch %s: %s Trying again until it works.", self.name, sentence)
            with open_session() as session:
                switches.failed(session, self.name, code)
                session.commit()
        self._fault = code

    def _hear(self, client: Client, seconds: float) -> None:
        """Take what has come; waits for the first, unless some are still to be written."""
        try:
            told = client.events.get(timeout=0.001 if self._news else seconds)
            while not isinstance(told, Lost):
                news = events.read(told)
                if news is not None:
                    self._news.append(news)
                if len(self._news) >= AT_ONCE:
                    return
                told = client.events.get(block=False)
        except queue.Empty:
            return

    def _write(self, client: Client) -> None:
        while self._news:
            if isinstance(self._news[0], events.Booted):
                self._write_batch(client, [self._news[0]])
                self._news.popleft()
                self._reconcile(client)
                continue
            told = list(takewhile(lambda news: not isinstance(news, events.Booted), self._news))
            self._share_out(client, told)
            for _ in told:
                self._news.popleft()

    def _share_out(self, client: Client, told: Sequence[News]) -> None:
        """Several writers: the order of the news matters within what they are about only."""
        if self._writers == 1 or len(told) == 1:
            self._write_all(client, told)
            return
        shares: list[list[News]] = [[] for _ in range(self._writers)]
        for news in told:
            shares[crc32(events.whose(news).encode()) % self._writers].append(news)
        self._pool = self._pool or ThreadPoolExecutor(self._writers, "switch")
        running = [self._pool.submit(self._write_all, client, share) for share in shares if share]
        wait(running)  # all of them, also when one fails: what is told anew must not meet itself
        for each in running:
            each.result()

    def _write_all(self, client: Client, told: Sequence[News]) -> None:
        """Whoever has picked up waits for nothing that was told later."""
        batch: list[News] = []
        for news in told:
            batch.append(news)
            if len(batch) == BATCH or isinstance(news, events.Answered | events.Arrived | events.Judged):
                self._write_batch(client, batch)
                batch = []
        if batch:
            self._write_batch(client, batch)

    def _write_batch(self, client: Client, batch: Sequence[News]) -> None:
        """In one transaction. News that cannot be written are said and left out, and keep nobody else's from it."""
        try:
            self._take(client, batch)
        except AWAY:
            raise
        except Exception:  # a fault of ours in one piece of news must not end the listening
            if len(batch) == 1:
                log.exception("switch %s: %s was not written", self.name, type(batch[0]).__name__)
                return
            for news in batch:
                self._write_batch(client, [news])

    def _take(self, client: Client, batch: Sequence[News]) -> None:
        wanted: list[Action] = []
        asked: list[Question] = []
        legs = [news.leg.uuid for news in batch if isinstance(news, events.LegNews | events.Answered) and news.leg.uuid]
        with open_session() as session:
            call_ledger.lock_all(session, legs)
            for news in batch:
                orders = switch_news.take(session, self.name, news)
                self._note_waiting(news, orders)
                wanted += orders
            # The moment it is committed: whoever has picked up does not wait for Redis to hear the news.
            event.listen(session, "after_commit", lambda _: asked.extend(self._begin(client, wanted)), once=True)
            session.commit()
        self._asked.extend(asked)

    def _note_waiting(self, news: News, orders: Sequence[Action]) -> None:
        """Who picked up and is to be moved nowhere yet waits for an operator."""
        match news:
            case events.Answered(Leg(uuid=UUID() as call_id)) if not orders:
                self._waiting.add(call_id)
            case events.Answered(Leg(uuid=UUID() as call_id)) | events.Abandoned(Leg(uuid=UUID() as call_id)):
                self._waiting.forget(call_id)
            case events.Ended(Leg(uuid=UUID() as call_id)):
                self._waiting.forget(call_id)

    def _connect_waiting(self, client: Client) -> None:
        """Ask again for those who wait when an operator has freed: it is their answer, said once more."""
        if not self._waiting:
            return
        with open_session() as session:
            ready = self._waiting.ready(session)
        for call_id in ready:
            self._write_batch(client, [events.Answered(Leg.read(str(call_id)))])

    def _begin(self, client: Client, wanted: Sequence[Action]) -> list[Question]:
        """Send all at once; Asterisk does them one after the other."""
        try:
            return [client.begin(action) for action in wanted]
        except ProviderError as error:
            log.warning("switch %s: %s", self.name, error)
            return []

    def _hear_answers(self) -> None:
        """Of what was asked for. Nobody waits for them, unless there are very many."""
        while self._asked and (self._asked[0].is_answered or len(self._asked) > AT_ONCE):
            try:
                self._asked.popleft().wait()
            except ProviderError as error:
                if error.code != "gone":
                    log.warning("switch %s: %s", self.name, error)

    def _catch_up(self, client: Client) -> None:
        """What is to be looked at again by now."""
        if self._reconcile_at and time.monotonic() > self._reconcile_at:
            self._reconcile(client)
        elif self._look_again_at and time.monotonic() > self._look_again_at:
            self._look_again_at = 0.0
            self._reconcile_calls(client)

    def _reconcile(self, client: Client) -> None:
        """Make ledger and switch one again: browsers, calls, rooms. A switch that has just begun may not answer yet: it
        is asked again soon."""
        self._reconcile_at = 0.0
        try:
            browsers = switch_takeover.browsers(self._worker, self.name)
            version = client.ask({"Action": "CoreSettings"}).response.get("AsteriskVersion")
        except ProviderError as error:
            log.warning("switch %s: %s", self.name, error)
            self._reconcile_at = time.monotonic() + AGAIN
            return
        with open_session() as session:
            softphones.reconcile(session, self.name, browsers)
            switches.heard(session, self.name, version=version or None)
            session.commit()
        self._reconcile_calls(client)

    def _reconcile_calls(self, client: Client) -> None:
        def move(channel: Channel, wanted: Sequence[Action]) -> None:
            self._asked.extend(self._begin(client, wanted))
            if channel.is_waiting and not wanted and channel.leg.uuid is not None:
                self._waiting.add(channel.leg.uuid)

        try:
            some_are_young = switch_takeover.reconcile_calls(client, self.name, move)
        except ProviderError as error:
            log.warning("switch %s: %s", self.name, error)
            self._look_again_at = time.monotonic() + AGAIN
            return
        if some_are_young:
            self._look_again_at = time.monotonic() + SECOND_LOOK

    def _note(self, client: Client) -> None:
        """Say that the switch is there, when it has given a sign lately."""
        now = time.monotonic()
        if now < self._noted_at + NOTE or client.silence > NOTE:
            return
        self._noted_at = now
        with open_session() as session:
            switches.heard(session, self.name)
            session.commit()


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.switch", description=__doc__)
    parser.add_argument("name", nargs="?", default="local", help="the switch's name (default: local)")
    options = parser.parse_args(argv)
    wsgi.start_process()
    listener = Listener(options.name, WRITERS)
    daemon = Daemon(f"switch:{options.name}", listener.turn, listener.wait)
    listener.stopping = daemon.stopping
    daemon.run(SECONDS)
    listener.close()


if __name__ == "__main__":
    main()
