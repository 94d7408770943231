"""Group commit: what many requests bring is committed together, each before its own answer.

Whoever brings something while nobody is committing commits at once, alone: at low load nobody waits for company. Those
who come meanwhile wait, and the first of them commits for all; no sooner than PACE after the last commit began, unless
ENOUGH have come: a commit costs as much for one as for ten. So groups grow with the load by themselves, no thread
stands by, and each process groups its own. What is brought must be harmless twice, to one process or to two.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition, Event
from time import monotonic, sleep
from typing import Generic, TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from callcenter.base.db import open_session

log = logging.getLogger(__name__)
T = TypeVar("T")
# What the work of a group is: one transaction, which the group commits; True for each that was ours to keep.
Record = Callable[[Session, Sequence[T]], Sequence[bool]]
PACE, ENOUGH = 0.03, 12  # seconds, things brought
MOST = 200  # in a group: some 20 ms of PostgreSQL's work
# Twilio waits 15 s for an answer and does not ask again: a PostgreSQL that restarts meanwhile loses nothing.
PATIENCE = 10.0
AGAIN = 0.2  # seconds between two tries while PostgreSQL is away
LOCK_TIMEOUT = "3s"  # a row that somebody holds for longer keeps its own news waiting, not the others of its group
# What passes by itself, https://www.postgresql.org/docs/18/errcodes-appendix.html: no connection, a deadlock, no room
# for more connections, a server that stops or starts.
PASSES = ("08", "40", "533", "57P")


class NotCommitted(Exception):
    """PostgreSQL did not take it in time; whoever brought it must not be told that we have it."""


@dataclass(eq=False)
class _Slip(Generic[T]):
    """One thing on its way. `woken` is set when it is committed, failed, or told to lead."""

    brought: T
    woken: Event = field(default_factory=Event)
    leads: bool = False
    is_ours: bool = False
    error: Exception | None = None


class GroupCommits(Generic[T]):
    """The groups of one process, for one kind of work. Used by many threads at once."""

    def __init__(self, record: Record[T]) -> None:
        self._record = record
        self._lock = Condition()
        self._waiting: list[_Slip[T]] = []
        self._is_led = False
        self._begun = -PACE  # when the last group was taken, on the monotonic clock

    def commit(self, brought: T) -> bool:
        """Return once it is committed: what `record` said of it.

        Raises NotCommitted when PostgreSQL stays away, or what PostgreSQL said of this one alone."""
        slip = _Slip(brought)
        with self._lock:
            self._waiting.append(slip)
            slip.leads, self._is_led = not self._is_led, True
            if len(self._waiting) == ENOUGH:
                self._lock.notify()
        if not slip.leads and not slip.woken.wait(PATIENCE + 2):
            self._leave(slip)
        if slip.leads:
            self._lead()
        if slip.error is not None:
            raise slip.error
        return slip.is_ours

    def waiting(self) -> int:
        """How many wait for the next group."""
        return len(self._waiting)

    def _lead(self) -> None:
        """Commit everybody who waits, then let the next lead."""
        with self._lock:
            self._lock.wait_for(lambda: len(self._waiting) >= ENOUGH, self._begun + PACE - monotonic())
            self._begun = monotonic()
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            self._commit(group, monotonic() + PATIENCE)
        except BaseException:
            for slip in group:
                slip.error = NotCommitted("The process ends.")
            raise
        finally:
            self._hand_over()
            for slip in group:
                slip.woken.set()

    def _hand_over(self) -> None:
        with self._lock:
            self._is_led = bool(self._waiting)
            if self._is_led:
                self._waiting[0].leads = True
                self._waiting[0].woken.set()

    def _leave(self, slip: _Slip[T]) -> None:
        """Give up waiting. What is being committed just now may still be: that does no harm."""
        with self._lock:
            if slip in self._waiting and not slip.leads:
                self._waiting.remove(slip)
            if not slip.leads and not slip.woken.is_set():
                slip.error = NotCommitted("PostgreSQL is too slow.")

    def _commit(self, group: Sequence[_Slip[T]], until: float) -> None:
        """Commit these, together or each alone. Each slip knows its end."""
        while True:
            try:
                return self._write(group)
            except SQLAlchemyError as error:
                if not _passes(error):
                    break
                if monotonic() >= until:
                    log.error("%d were not committed (%s)", len(group), type(error).__name__)
                    for slip in group:
                        slip.error = NotCommitted("PostgreSQL does not answer.")
                    return None
                sleep(AGAIN)
        return self._commit_each(group, until)

    def _commit_each(self, group: Sequence[_Slip[T]], until: float) -> None:
        """One of them cannot be stored, or its row is held by somebody: that is no fault of the others."""
        if len(group) > 1:
            for slip in group:
                self._commit([slip], until)
            return
        try:
            self._write(group)
        except SQLAlchemyError as error:
            group[0].error = error

    def _write(self, group: Sequence[_Slip[T]]) -> None:
        with open_session() as session:
            session.execute(_PATIENT)
            ours = self._record(session, [slip.brought for slip in group])
            session.commit()
        for slip, is_ours in zip(group, ours, strict=True):
            slip.is_ours = is_ours


def _passes(error: SQLAlchemyError) -> bool:
    """Is it worth trying again after a moment?"""
    if isinstance(error, PoolTimeout | InterfaceError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(error, OperationalError) and (state is None or state.startswith(PASSES))


_PATIENT = text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
