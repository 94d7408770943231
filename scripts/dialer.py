"""The dialer: for each running queue asks campaigns.pacing how many phones to ring, claims that many people, plans
their calls in the ledger and hands them to the workers. Decides at every event and at least once a second."""

import argparse
import logging
import time
from dataclasses import replace
from threading import Event

from redis.client import PubSub
from redis.exceptions import RedisError
from sqlalchemy.orm import Session

import wsgi
from callcenter import call_floor, calls, carriers, queues, trunks
from callcenter.base import leases, outbox
from callcenter.base.db import open_session
from callcenter.base.outbox import enqueue_later
from callcenter.carriers import NoCarrier
from callcenter.queues import CallQueue
from callcenter.trunk_health import CARRIER
from campaigns import recorded_pacing
from campaigns.pacing import Decision, FloorView, Pacer, UnknownModeError
from campaigns.recorded_pacing import Sessions
from scripts.daemon import Daemon
from surveys import recorded_calls

log = logging.getLogger(__name__)
NAME, TOPIC = "dialer", "dialer"
SECONDS = 1.0
LOOK = 0.25  # how long a wish to stop may wait
CALM = 0.02  # events that come within this are answered together


class LostLease(Exception):
    """Another dialer leads now: nothing of this turn is kept."""


class Dialer:
    """`turn` is one look at every running queue. Each queue is decided and committed by itself."""

    def __init__(self) -> None:
        self._turns = 0
        self._news: PubSub | None = None

    def turn(self, token: int) -> None:
        self._turns += 1
        with open_session() as session:
            wanted = [queue.id for queue in queues.running(session)]
            floor = call_floor.read(session)
            session.commit()
            start = self._turns % max(len(wanted), 1)  # no queue is always the first to get the free operators
            for queue_id in wanted[start:] + wanted[:start]:
                try:
                    place_for_queue(session, queue_id, floor, token)
                    session.commit()
                except LostLease:
                    session.rollback()
                    log.warning("dialer: another dialer leads; waiting")
                    return

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


def place_for_queue(session: Session, queue_id: int, floor: call_floor.Floor, token: int) -> int:
    """Decide for one queue and plan its calls in the caller's transaction; returns how many. Raises LostLease."""
    queue = queues.get(session, queue_id)
    decision = _decide(session, queue, floor)
    planned = []
    if decision.place:
        if not leases.holds(session, NAME, token):
            raise LostLease
        planned = calls.plan(session, queue, queues.claim(session, queue.id, decision.place))
    if planned:
        ids = [str(call_id) for call_id in planned]
        enqueue_later(session, "callcenter.jobs.place_calls", ids, queue="urgent")
        floor.placed(queue.id, len(planned))
    why = decision.reason if not decision.place or planned else _nobody_to_call(session, queue.id)
    queues.note_decision(session, queue.id, None if planned else why)
    return len(planned)


def _decide(session: Session, queue: CallQueue, floor: call_floor.Floor) -> Decision:
    """What the queue's pacer says of the floor; a queue that cannot dial at all says why."""
    try:
        pacer, carrier = Pacer(queue.mode), carriers.carrier(queue.carrier)
    except UnknownModeError:
        return Decision(0, 0, "mode_unknown")
    except NoCarrier:
        return Decision(0, 0, "carrier_missing")
    if queue.answered_by == "recording":
        place, why = recorded_pacing.decide(_sessions(session, queue, floor, carrier))
        decision = Decision(place, 0, why)
    else:
        decision = pacer.decide(_view(session, queue, floor, carrier))
    if decision.reason == "no_lines" and queue.carrier == CARRIER:
        return replace(decision, reason=trunks.why_none(session))
    return decision


def _view(session: Session, queue: CallQueue, floor: call_floor.Floor, carrier: carriers.Carrier) -> FloorView:
    seen = floor.of_queue(queue.id)
    return FloorView(
        now=time.monotonic(), idle=seen.idle, wrapping=seen.wrapping, talking=seen.talking, ringing=seen.ringing,
        waiting=seen.waiting, lines_free=carrier.lines(session) - len(floor.rings) - floor.talking,
    )  # fmt: skip


def _sessions(session: Session, queue: CallQueue, floor: call_floor.Floor, carrier: carriers.Carrier) -> Sessions:
    """The room that a recorded survey has now; its sessions are the switches', whatever its campaign allows."""
    capacity = recorded_calls.capacity(session)
    return Sessions(
        limit=queue.sessions, held=floor.held(queue.id), free=None if capacity is None else capacity - floor.all_held,
        lines_free=carrier.lines(session) - len(floor.rings) - floor.talking,
    )  # fmt: skip


def _nobody_to_call(session: Session, queue_id: int) -> str:
    counts = queues.progress(session, queue_id)
    return "all_resting" if counts["waiting"] or counts["calling"] else "list_exhausted"


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.dialer", description=__doc__)
    parser.parse_args(argv)
    wsgi.start_process()
    dialer = Dialer()
    Daemon(NAME, dialer.turn, dialer.wait).run(SECONDS)
    dialer.forget_news()


if __name__ == "__main__":
    main()
