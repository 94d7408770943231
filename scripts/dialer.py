"""The dialer: for each running queue asks its pacer how many phones to ring and how many to leave, claims that many
people, plans their calls and hands them to the workers. Decides at every event and at least once a second."""

import argparse
import logging
import time
from threading import Event

from redis.client import PubSub
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

import wsgi
from callcenter import queues
from callcenter.base import leases, outbox
from callcenter.base.db import open_session
from callcenter.ledger import call_floor
from callcenter.queueing import dial_decisions
from callcenter.queueing.dial_decisions import Decided
from callcenter.queues import CallQueue
from campaigns.pace import dialling
from campaigns.pace.dialling import Done, Look, Rates, Wish
from campaigns.pace.live_pacers import LivePacers
from scripts.daemon import AWAY, PATIENCE, Daemon

log = logging.getLogger(__name__)
NAME, TOPIC = "dialer", "dialer"
SECONDS = 1.0
LOOK = 0.25  # how long a wish to stop may wait
CALM = 0.02  # events that come within this are answered together


class LostLease(Exception):
    """Another dialer leads now: nothing of this turn is kept."""


class Dialer:
    """`turn` is one look at every running queue."""

    def __init__(self) -> None:
        self._turns = 0
        self._token: int | None = None
        self._pacers, self._rates = LivePacers(), Rates()
        self._news: PubSub | None = None

    def turn(self, token: int) -> None:
        if token != self._token:  # somebody else led meanwhile
            self._pacers.forget()
            self._token = token
        self._turns += 1
        with open_session() as session:
            try:
                self._look_at_all(session, token)
            except LostLease:
                session.rollback()
                self._token = None
                log.warning("dialer: another dialer leads; waiting")

    def _look_at_all(self, session: Session, token: int) -> None:
        running = queues.running(session)
        look = Look(call_floor.read(session))
        self._pacers.keep_up(session, running)
        session.commit()
        start = self._turns % max(len(running), 1)  # no queue is always the first to get the free operators
        turn = running[start:] + running[:start]
        decided = self._at_once(session, turn, look, token) or self._one_by_one(session, turn, token)
        hold(session, token)
        dial_decisions.keep(session, decided)
        session.commit()

    def _at_once(self, session: Session, turn: list[CallQueue], look: Look, token: int) -> list[Decided]:
        """Decide for every queue, and do all of it in one transaction: a lease to hold and a commit for each would take
        longer than everything else. [] when one of them failed, and nothing was done."""
        try:
            hold(session, token)
            done = [(queue.id, self._look_at(session, queue, look)) for queue in turn]
            session.commit()
        except (LostLease, *AWAY):
            raise
        except Exception:  # each alone will show whose bug it is
            session.rollback()
            log.warning("dialer: a turn of %d queues failed; each is looked at alone", len(turn), exc_info=True)
            return []
        return [self._note(queue_id, *one) for queue_id, one in done]

    def _one_by_one(self, session: Session, turn: list[CallQueue], token: int) -> list[Decided]:
        """The same in a transaction for each. One that cannot be decided for says so, and keeps no other from
        dialling."""
        look = Look(call_floor.read(session))
        decided = []
        for queue_id, mode in [(queue.id, queue.mode) for queue in turn]:
            try:
                hold(session, token)
                one = self._look_at(session, queues.get(session, queue_id), look)
                session.commit()
                decided.append(self._note(queue_id, *one))
            except (LostLease, *AWAY):
                raise
            except Exception:  # a bug that one campaign meets; it is in the log with its traceback, and on its page
                session.rollback()
                log.exception("dialer: queue %s", queue_id)
                decided.append(Decided(queue_id, mode, reason="dialer_fault"))
        return decided

    def _look_at(self, session: Session, queue: CallQueue, look: Look) -> tuple[Wish, Done | None]:
        """Decide for one queue, and do it in the caller's transaction; the queues that come after see what it did."""
        wish = dialling.wish(session, queue, look, self._pacers, self._rates)
        if wish.reason == "preview":
            dialling.show(session, queue.id)
        if not (wish.place or wish.hang_up):
            return wish, None
        done = dialling.do(session, queue.id, wish)
        look.note(queue.id, done)
        return wish, done

    def _note(self, queue_id: int, wish: Wish, done: Done | None) -> Decided:
        """What was done is committed."""
        if done is not None:
            self._rates.note(queue_id, done)
            self._pacers.planned(queue_id, done.planned)
        return wish.decided(done)

    def wait(self, seconds: float, stopping: Event) -> None:
        """Until an event that may change a decision, a stop, or `seconds`. Without Redis the second is all there is."""
        until = time.monotonic() + seconds
        try:
            if self._news is None:
                self._news = outbox.redis().pubsub(ignore_subscribe_messages=True)  # redis leaves it untyped
                self._news.subscribe(TOPIC)
            while (left := until - time.monotonic()) > 0 and not stopping.is_set():
                if self._news.get_message(timeout=min(left, LOOK)) is not None:
                    time.sleep(CALM)
                    while self._news.get_message() is not None:
                        pass
                    return
        except RedisError:
            self.forget_news()
            stopping.wait(max(0.0, until - time.monotonic()))

    def forget_news(self) -> None:
        if self._news is not None:
            self._news.close()
        self._news = None


def hold(session: Session, token: int) -> None:
    """What this transaction does is done by the one dialer that leads. Raises LostLease."""
    if not leases.holds(session, NAME, token, patience=PATIENCE):
        raise LostLease


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.dialer", description=__doc__)
    parser.parse_args(argv)
    wsgi.start_process()
    dialer = Dialer()
    Daemon(NAME, dialer.turn, dialer.wait).run(SECONDS)
    dialer.forget_news()


if __name__ == "__main__":
    main()
