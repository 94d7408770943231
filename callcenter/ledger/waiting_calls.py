"""Citizens who have picked up and wait for an operator, `call_states.WAITS` at most; then they are abandoned.

Whoever frees an operator need not know of them. Whoever holds the citizen's line (scripts.switch, or the webhook that
Twilio waits for) looks every LOOK seconds while somebody waits there, and asks `calls.answer` again: it locks the call
first and the operator after it, as everybody does, and `operators.offer` lets nobody pass who has waited less.
"""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.base.clock import real_now
from callcenter.ledger import inbound_waits
from callcenter.ledger.call_ledger import Call, is_waiting
from callcenter.ledger.call_states import WAITS

LOOK = 0.02  # seconds between two looks
# Requests that one web process holds back at the same time, of its 24 threads. Who comes after them asks again in a
# second, and until then keeps everybody who answered later waiting: it must hardly ever be anybody.
holds = BoundedSemaphore(16)


def ready(session: Session, call_ids: Collection[UUID]) -> list[UUID]:
    """Those of these calls that should be asked for again, in the order of their answers: an operator of their queue
    is free, or they do not wait any more. Nothing is locked."""
    now = real_now()
    kept = operators.is_kept_for_who_rang(now, now - inbound_waits.FIRST_AFTER)
    somebody = exists().where(operators.is_free(now), operators.serves(Call.queue_id), ~kept)
    wanted = select(Call.id).where(Call.id.in_(call_ids), or_(~is_waiting(now), somebody))
    return list(session.scalars(wanted.order_by(Call.answered_at, Call.id)))


class Waiting:
    """Who waits on the lines that one process holds. Threads share it."""

    def __init__(self) -> None:
        self._until: dict[UUID, float] = {}

    def __bool__(self) -> bool:
        return bool(self._until)

    def add(self, call_id: UUID) -> None:
        """From now on for as long as anybody waits; added twice, from the first time on."""
        self._until.setdefault(call_id, time.monotonic() + WAITS.total_seconds())

    def forget(self, call_id: UUID) -> None:
        """Harmless for who does not wait."""
        self._until.pop(call_id, None)

    def __contains__(self, call_id: UUID) -> bool:
        return call_id in self._until

    def ready(self, session: Session) -> list[UUID]:
        """Who should be asked for again now; forgets whose time is over."""
        now = time.monotonic()
        for call_id in [call_id for call_id, until in list(self._until.items()) if until < now]:
            self.forget(call_id)
        return ready(session, list(self._until)) if self._until else []


class Lines:
    """Who waits on the lines of one process that a thread holds each: one of them looks for all."""

    def __init__(self) -> None:
        self._waiting, self._lock = Waiting(), Lock()
        self._ready: frozenset[UUID] = frozenset()
        self._next = 0.0  # when somebody looks again, on the monotonic clock

    @contextmanager
    def held(self, call_id: UUID) -> Iterator[None]:
        """The citizen waits for as long as this lasts."""
        self._waiting.add(call_id)
        try:
            yield
        finally:
            self._waiting.forget(call_id)

    def is_ready(self, session: Session, call_id: UUID) -> bool:
        """Should this one be asked for again now? Commits where it looked; it looks every LOOK seconds."""
        with self._lock:
            if time.monotonic() >= self._next:
                self._ready = frozenset(self._waiting.ready(session))
                session.commit()
                self._next = time.monotonic() + LOOK
            return call_id in self._ready or call_id not in self._waiting


lines = Lines()
