"""Planning beside sending: the rows of a launched campaign are written in a thread of the worker that sends them. The
database does the work; the thread waits for it, and what is written already leaves meanwhile."""

import logging
import os
import socket
import threading

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from callcenter.base import leases, stopping
from callcenter.base.db import open_session, pinned_session
from campaigns import message_campaigns as campaigns
from campaigns import message_planning
from campaigns.message_campaigns import MessageCampaign

log = logging.getLogger(__name__)
LEASE = 120.0  # seconds; far longer than a block takes
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
    holder = f"plan-{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"
    name = f"plan-message-campaign/{campaign_id}"
    with pinned_session() as session:
        if leases.take(session, name, holder, LEASE) is None:
            return
        session.commit()
        try:
            if _blocks(session, campaign_id, name, holder):
                _let_run(session, campaign_id)
        finally:
            session.rollback()
            leases.release(session, name, holder)
            session.commit()


def _blocks(session: Session, campaign_id: int, lease: str, holder: str) -> bool:
    """Everybody; False when the campaign is not to be planned any more."""
    campaign = campaigns.find(session, campaign_id)
    for freeze in (message_planning.freeze_first, message_planning.freeze):
        if not _is_planning(session, campaign):
            return False
        total = freeze(session, campaign)
        session.commit()
        for after in range(0, total, message_planning.BLOCK):
            if not _is_planning(session, campaign):
                return False
            leases.take(session, lease, holder, LEASE)
            message_planning.write(session, campaign_id, after, after + message_planning.BLOCK)
            session.commit()
    return True


def _is_planning(session: Session, campaign: MessageCampaign) -> bool:
    session.refresh(campaign, ["state"])
    return campaign.state == campaigns.PLANNING and not stopping.is_asked()


def _let_run(session: Session, campaign_id: int) -> None:
    campaign = campaigns.lock(session, campaign_id)
    if campaign.state == campaigns.PLANNING:
        message_planning.finish(session, campaign)
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
