"""Planning beside sending: the rows of a launched campaign are written in a thread of the worker that sends them. The
database does the work; the thread waits for it, and what is written already leaves meanwhile."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from callcenter.base import leases, stopping
from callcenter.base.db import has_connections, open_session, pinned_session
from campaigns import channels
from campaigns.dispatch import message_planning
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings.message_campaigns import MessageCampaign

log = logging.getLogger(__name__)
LEASE = 60.0  # seconds; longer than freezing a national list takes
WRITERS = 2  # connections that write the rows of one campaign: the database works on two cores at once
_threads: dict[int, threading.Thread] = {}


def begin(campaign_id: int) -> None:
    """Plan this campaign beside whatever else goes on, unless this process does so already."""
    known = _threads.get(campaign_id)
    if known is None or not known.is_alive():
        thread = threading.Thread(target=_plan_or_pause, args=(campaign_id,), name=f"plan-{campaign_id}", daemon=True)
        _threads[campaign_id] = thread
        thread.start()


def plan(campaign_id: int) -> None:
    """Write the rows of a campaign that is being planned, block by block, then let it run. Ends early when it is
    paused; harmless when another process plans it just now."""
    with pinned_session() as session:
        if leases.take(session, _lease(campaign_id), _holder(), LEASE) is None:
            return
        session.commit()
        try:
            if _blocks(session, campaign_id, message_planning.freeze_first) and _all_shares(session, campaign_id):
                _let_run(session, campaign_id)
        finally:
            session.rollback()
            leases.release(session, _lease(campaign_id), _holder())
            session.commit()


def _all_shares(session: Session, campaign_id: int) -> bool:
    """Everybody, by several connections at once; False when the campaign is not to be planned any more."""
    campaign = campaigns.find(session, campaign_id)
    by_phone = channels.facts(campaign.channel).reached_by == channels.BY_PHONE
    shares = WRITERS if by_phone and has_connections() else 1

    def beside(share: int) -> bool:
        with pinned_session() as own:
            return _blocks(own, campaign_id, partial(message_planning.freeze, share=share, of=shares))

    with ThreadPoolExecutor(shares, thread_name_prefix="plan") as threads:
        others = [threads.submit(beside, share) for share in range(1, shares)]
        mine = _blocks(session, campaign_id, partial(message_planning.freeze, share=0, of=shares))
        return all([mine, *[other.result() for other in others]])


def _blocks(session: Session, campaign_id: int, freeze: Callable[[Session, MessageCampaign], int]) -> bool:
    """Whomever `freeze` freezes; False when the campaign is not to be planned any more."""
    campaign = campaigns.find(session, campaign_id)
    if not _goes_on(session, campaign):
        return False
    total = freeze(session, campaign)
    session.commit()
    for after in range(0, total, message_planning.BLOCK):
        if not _goes_on(session, campaign):
            return False
        message_planning.write(session, campaign_id, after, after + message_planning.BLOCK)
        session.commit()
    message_planning.clean_up(session)
    session.commit()
    return True


def _goes_on(session: Session, campaign: MessageCampaign) -> bool:
    """Is it still to be planned, and by this process? The lease is kept alive; its row is not held while rows are
    written, because every writer comes here."""
    session.refresh(campaign, ["state"])
    is_ours = leases.take(session, _lease(campaign.id), _holder(), LEASE) is not None
    session.commit()
    return is_ours and campaign.state == campaigns.PLANNING and not stopping.is_asked()


def _lease(campaign_id: int) -> str:
    return f"plan-message-campaign/{campaign_id}"


def _holder() -> str:
    return f"plan-{socket.gethostname()}-{os.getpid()}"


def _let_run(session: Session, campaign_id: int) -> None:
    campaign = campaigns.lock(session, campaign_id)
    if campaign.state == campaigns.PLANNING:
        message_planning.finish(campaign)
        campaigns.set_state(session, campaign_id, campaigns.RUNNING, None, None)
        session.commit()


def _plan_or_pause(campaign_id: int) -> None:
    """A fault that would come again pauses the campaign; a service that is away is waited for by the next turn."""
    try:
        plan(campaign_id)
    except (OperationalError, InterfaceError) as error:
        log.warning("planning: the database is away (%s)", type(error).__name__)
    except Exception:  # whatever it is, asking again and again would not help, and nobody would be told
        log.exception("planning: campaign %d failed", campaign_id)
        with open_session() as session:
            if campaigns.lock(session, campaign_id).state == campaigns.PLANNING:
                campaigns.pause(session, campaign_id, "planning_failed", None)
            session.commit()
