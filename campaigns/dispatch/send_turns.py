"""One turn of sending in a worker: it serves every campaign that sends, urgent ones first, the others alike, and plans
those that were just launched. Several workers may take turns at once: each holds a lane, and the senders' rows keep
them to the speed that is allowed."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

import uvloop
from sqlalchemy import Row, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from callcenter.base import leases, stopping
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError, Refused
from campaigns.channels import carrier, channel
from campaigns.dispatch import message_claims as claims
from campaigns.dispatch import message_news as news
from campaigns.dispatch import message_sweep, planning_turns, send_lanes, sender_budget, senders
from campaigns.dispatch.message_news import STOPS_CAMPAIGN, Answer
from campaigns.dispatch.message_pump import Letter, Pump, Sent
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings.message_campaigns import MessageCampaign

log = logging.getLogger(__name__)
TURN = 30.0  # seconds; then the worker looks at its queue again
EMPTY = 0.5  # seconds until a campaign with nothing ready is looked at again
ALL_REFUSED = 2_000  # rows that are shown to the gate at once after some of which not one might leave
TELL = 1.0  # seconds between two news of a campaign to those who look at it
T = TypeVar("T")
Alive = Row[Any]  # id, state, urgency, channel, pool_id, sender of a campaign that sends
PATIENCE = 60.0  # seconds that answers in hand wait for a database that went away
AWAY = (OperationalError, InterfaceError)


def run(seconds: float = TURN) -> bool:
    """A turn, when a lane is free. True: there is more to do, enqueue another."""
    holder = f"send-{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"
    with open_session() as session:
        lane = send_lanes.take(session, holder)
        session.commit()
    if lane is None:
        return False
    ledger = TurnLedger(holder, lane)
    try:
        uvloop.run(Pump(ledger, channel, STOPS_CAMPAIGN.__contains__).run(seconds))
    finally:
        with open_session() as session:
            leases.release(session, lane, holder)
            session.commit()
    return not ledger.is_done() and not stopping.is_asked()


class TurnLedger:
    """What the pump asks of the ledger (message_pump.Ledger)."""

    def __init__(self, holder: str, lane: str) -> None:
        self._holder, self._lane = holder, lane
        self._renewed = monotonic()
        self._served: dict[int, float] = {}  # campaign → parts, to serve alike
        self._empty: dict[int, float] = {}  # campaign → monotonic moment until which it is not looked at
        self._finished: set[int] = set()  # campaigns of which all is planned and nothing is ready
        self._looks_at: dict[int, int] = {}
        self._told: dict[int, float] = {}
        self._is_done, self._is_ours = False, True

    def claim(self, limit: int) -> Sequence[Letter]:
        with open_session() as session:
            alive = self._alive(session) if self._renew(session) else []
            session.commit()
        for one in alive:
            if one.state == campaigns.PLANNING:
                planning_turns.begin(one.id)
        letters: list[Letter] = []
        full: set[tuple[str, int | None, str]] = set()  # senders that carry no more: who had less comes first there
        for one in self._in_order(alive):
            by = (one.channel, one.pool_id, one.sender if one.pool_id is None else "")
            if by in full or len(letters) >= limit:
                continue
            share = limit if one.urgency == "urgent" else max(20, limit // len(alive))
            taken, is_full = self._take(one, min(share, limit - len(letters)))
            letters += taken
            if is_full:
                full.add(by)
        self._is_done = all(one.id in self._finished for one in alive)
        return sorted(letters, key=lambda letter: letter.message.leaves_at)

    def is_done(self) -> bool:
        return self._is_done

    def record(self, sent: Sequence[Sent]) -> None:
        _patiently(self._record, sent)

    def give_back(self, letters: Sequence[Letter]) -> None:
        def work(held: Sequence[Letter]) -> None:
            with open_session() as session:
                claims.give_back(session, [letter.message.id for letter in held])
                session.commit()
            for letter in held:
                self._look_again(letter.message.campaign_id)

        _patiently(work, letters)

    def halted(self, campaign_ids: set[int]) -> set[int]:
        with suppress(*AWAY), open_session() as session:
            sends = select(MessageCampaign.id).where(
                MessageCampaign.id.in_(campaign_ids), MessageCampaign.state.in_(claims.SENDS)
            )
            return campaign_ids - set(session.scalars(sends))
        return set()

    def _renew(self, session: Session) -> bool:
        """Is the lane still ours? Without it nothing more is claimed, and the turn ends."""
        if monotonic() - self._renewed > send_lanes.RENEWED:
            self._is_ours = self._is_ours and send_lanes.renew(session, self._lane, self._holder)
            self._renewed = monotonic()
        return self._is_ours

    def _alive(self, session: Session) -> Sequence[Alive]:
        """The campaigns that send; one that may not leave by this carrier is paused."""
        found = select(MessageCampaign.id, MessageCampaign.state, MessageCampaign.urgency, MessageCampaign.channel,
                       MessageCampaign.pool_id, MessageCampaign.sender, MessageCampaign.carrier)  # fmt: skip
        sends = found.where(MessageCampaign.state.in_(claims.SENDS)).order_by(MessageCampaign.id)
        rows = session.execute(sends).all()
        for row in rows:
            if row.carrier != carrier():
                _pause(session, row.id, "carrier_missing")
        return [row for row in rows if row.carrier == carrier()]  # type: ignore[misc]  # a row of more than one type

    def _in_order(self, alive: Sequence[Alive]) -> list[Alive]:
        """Urgent ones first; then who has had least. A new one begins where the others are."""
        now, known = monotonic(), [self._served[one.id] for one in alive if one.id in self._served]
        for one in alive:
            self._served.setdefault(one.id, min(known, default=0.0))
        ready = [one for one in alive if self._empty.get(one.id, 0.0) <= now]
        return sorted(ready, key=lambda one: (one.urgency != "urgent", self._served[one.id]))

    def _take(self, one: Alive, limit: int) -> tuple[list[Letter], bool]:
        """Letters of a campaign, and: do its senders carry nothing more now?"""
        self._finished.discard(one.id)
        with open_session() as session:
            taken = claims.take(session, one.id, limit, looks_at=self._looks_at.get(one.id, claims.LOOKS_AT))
            if not taken.has_sender:
                _pause(session, one.id, "no_sender")
            elif not taken.looked_at and not taken.is_full:
                self._empty[one.id] = monotonic() + EMPTY
                if one.state == campaigns.RUNNING:
                    self._finished.add(one.id)
                    message_sweep.finish(session, one.id)
            session.commit()
        is_refused = bool(taken.looked_at and not taken.letters)  # the night has come, or a day on which nothing leaves
        self._looks_at[one.id] = ALL_REFUSED if is_refused else claims.LOOKS_AT
        self._served[one.id] += sum(message.parts for message in taken.letters)
        return [Letter(one.channel, message) for message in taken.letters], taken.is_full

    def _record(self, sent: Sequence[Sent]) -> None:
        with open_session() as session:
            news.record_sent(session, [Answer(one.letter.message.id, one.result) for one in sent])
            _heed(session, sent)
            for campaign_id in {one.letter.message.campaign_id for one in sent}:
                if monotonic() - self._told.get(campaign_id, 0.0) > TELL:
                    self._told[campaign_id] = monotonic()
                    campaigns.tell(session, campaign_id)
            session.commit()
        for campaign_id in {one.letter.message.campaign_id for one in sent}:
            self._look_again(campaign_id)

    def _look_again(self, campaign_id: int) -> None:
        """What was written down may have given something back, or been the last."""
        self._empty.pop(campaign_id, None)
        self._finished.discard(campaign_id)
        self._is_done = False


def _heed(session: Session, sent: Sequence[Sent]) -> None:
    """What the answers say of senders and campaigns: who has to wait, who is blocked, what must not go on."""
    carried: set[int] = set()
    waits: dict[int, float] = {}
    for one in sent:
        sender_id, error = one.letter.message.sender_id, one.result
        if not isinstance(error, ProviderError):
            carried.add(sender_id)
        elif error.code in STOPS_CAMPAIGN:
            if error.code in senders.BLOCKS_SENDER:
                senders.block(session, sender_id, error.code)
            if error.code not in senders.BLOCKS_SENDER or _is_only_sender(session, one.letter.message):
                _pause(session, one.letter.message.campaign_id, f"provider:{error.code}")
        elif not error.permanent and not error.unknown:
            asked = getattr(error, "wait_seconds", None) or 0.0
            waits[sender_id] = max(asked, waits.get(sender_id, 0.0))
    for sender_id, seconds in sorted(waits.items()):
        sender_budget.rest(session, sender_id, seconds)
    sender_budget.forgive(session, carried - set(waits))


def _is_only_sender(session: Session, message: claims.Outgoing) -> bool:
    campaign = campaigns.find(session, message.campaign_id)
    return not any(one.state == senders.ACTIVE for one in senders.of_campaign(session, campaign))


def _pause(session: Session, campaign_id: int, reason: str) -> None:
    """By itself; a person, or another worker, may have been faster."""
    with suppress(Refused):
        campaigns.pause(session, campaign_id, reason, None)


def _patiently(work: Callable[[Sequence[T]], None], what: Sequence[T]) -> None:
    """Do it again while the database is away: the answers in hand are worth waiting for."""
    ends, delay = monotonic() + PATIENCE, 0.2
    while True:
        try:
            work(what)
            return
        except DBAPIError as error:
            if monotonic() > ends or not (isinstance(error, AWAY) or error.connection_invalidated):
                raise
            log.warning("sending: the database is away (%s); %d answers wait", type(error).__name__, len(what))
            time.sleep(delay)
            delay = min(delay * 2, 2.0)
