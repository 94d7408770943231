"""Receipts are committed in groups, each before its own answer: one commit to disk for all that came meanwhile.

Whoever brings a receipt while nobody is committing commits at once, alone: at low load nobody waits for company. Those
who come meanwhile wait, and the first of them commits for all; no sooner than PACE after the last commit began, unless
ENOUGH have come: a commit costs as much for one as for ten. So groups grow with the load by themselves, no thread
stands by, and each web process groups its own. A receipt that comes twice, to one process or to two, is one receipt.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from threading import Condition, Event, Timer
from time import monotonic, sleep
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from callcenter.base import outbox
from callcenter.base.db import open_session
from campaigns.channels import Receipt
from campaigns.dispatch import message_news

log = logging.getLogger(__name__)
PACE, ENOUGH = 0.03, 12  # seconds, receipts
MOST = 200  # receipts in a group: some 20 ms of PostgreSQL's work
# Twilio waits 15 s for an answer and does not ask again: a PostgreSQL that restarts meanwhile loses no receipt.
PATIENCE = 10.0
AGAIN = 0.2  # seconds between two tries while PostgreSQL is away
LOCK_TIMEOUT = "3s"  # a row that somebody holds for longer keeps its own receipt waiting, not the others of its group
TELL_AFTER = 0.5  # seconds; pages are told together, beside the answers: a Redis that hangs holds nobody up
# What passes by itself, https://www.postgresql.org/docs/18/errcodes-appendix.html: no connection, a deadlock, no room
# for more connections, a server that stops or starts.
PASSES = ("08", "40", "533", "57P")


class NotCommitted(Exception):
    """PostgreSQL did not take the receipt in time; the provider must not be told that we have it."""


@dataclass(eq=False)
class _Slip:
    """One receipt on its way. `woken` is set when it is committed, failed, or told to lead."""

    message_id: UUID
    receipt: Receipt
    woken: Event = field(default_factory=Event)
    leads: bool = False
    is_known: bool = False
    error: Exception | None = None


class ReceiptCommits:
    """The receipts of one process. Used by many threads at once."""

    def __init__(self) -> None:
        self._lock = Condition()
        self._waiting: list[_Slip] = []
        self._is_led = False
        self._begun = -PACE  # when the last group was taken, on the monotonic clock
        self._news: set[int] = set()

    def commit(self, message_id: UUID, receipt: Receipt) -> bool:
        """Return once the receipt is committed: True, or False when there is no such message.

        Raises NotCommitted when PostgreSQL stays away, or what PostgreSQL said of this one receipt."""
        slip = _Slip(message_id, receipt)
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
        return slip.is_known

    def _lead(self) -> None:
        """Commit everybody who waits, then let the next lead."""
        with self._lock:
            self._lock.wait_for(lambda: len(self._waiting) >= ENOUGH, self._begun + PACE - monotonic())
            self._begun = monotonic()
            group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        heard: set[int] = set()
        try:
            heard = _commit(group, monotonic() + PATIENCE)
        except BaseException:
            for slip in group:
                slip.error = NotCommitted("The process ends.")
            raise
        finally:
            self._hand_over()
            for slip in group:
                slip.woken.set()
            self._tell_soon(heard)

    def _hand_over(self) -> None:
        with self._lock:
            self._is_led = bool(self._waiting)
            if self._is_led:
                self._waiting[0].leads = True
                self._waiting[0].woken.set()

    def _leave(self, slip: _Slip) -> None:
        """Give up waiting. What is being committed just now may still be: that does no harm."""
        with self._lock:
            if slip in self._waiting and not slip.leads:
                self._waiting.remove(slip)
            if not slip.leads and not slip.woken.is_set():
                slip.error = NotCommitted("PostgreSQL is too slow.")

    def _tell_soon(self, campaign_ids: Collection[int]) -> None:
        with self._lock:
            is_first = bool(campaign_ids) and not self._news
            self._news.update(campaign_ids)
        if is_first:
            timer = Timer(TELL_AFTER, self._tell)
            timer.daemon = True
            timer.start()

    def _tell(self) -> None:
        with self._lock:
            news, self._news = self._news, set()
        outbox.tell(*(f"message-campaign/{campaign_id}" for campaign_id in sorted(news)))


def _commit(group: Sequence[_Slip], until: float) -> set[int]:
    """Commit these receipts, together or each alone; returns the campaigns that have news. Each slip knows its end."""
    while True:
        try:
            return _record(group)
        except SQLAlchemyError as error:
            if not _passes(error):
                break
            if monotonic() >= until:
                log.error("%d receipts were not committed (%s)", len(group), type(error).__name__)
                for slip in group:
                    slip.error = NotCommitted("PostgreSQL does not answer.")
                return set()
            sleep(AGAIN)
    return _commit_each(group, until)


def _commit_each(group: Sequence[_Slip], until: float) -> set[int]:
    """One of them cannot be stored, or its row is held by somebody: that is no fault of the others."""
    if len(group) > 1:
        return set().union(*(_commit([slip], until) for slip in group))
    try:
        return _record(group)
    except SQLAlchemyError as error:
        group[0].error = error
        return set()


def _passes(error: SQLAlchemyError) -> bool:
    """Is it worth trying again after a moment?"""
    if isinstance(error, PoolTimeout | InterfaceError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return isinstance(error, OperationalError) and (state is None or state.startswith(PASSES))


def _record(group: Sequence[_Slip]) -> set[int]:
    with open_session() as session:
        session.execute(_PATIENT)
        heard = message_news.record_receipts(session, [(slip.message_id, slip.receipt) for slip in group])
        session.commit()
    for slip in group:
        slip.is_known = slip.message_id not in heard.missing
    return set(heard.campaign_ids)


_PATIENT = text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
_commits = ReceiptCommits()


def commit(message_id: UUID, receipt: Receipt) -> bool:
    """Keep a receipt and move its message on; returns once that is committed. False when there is no such message.

    Raises NotCommitted when PostgreSQL stays away."""
    return _commits.commit(message_id, receipt)
