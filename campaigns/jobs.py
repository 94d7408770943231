"""Jobs of the message campaigns. They carry ids only, and one that runs twice does no harm."""

import os
import socket
from time import monotonic

from sqlalchemy.orm import Session

from callcenter.base import leases
from callcenter.base.db import open_session
from callcenter.base.outbox import enqueue_later
from campaigns import message_campaigns as campaigns
from campaigns import message_claims as claims
from campaigns import message_news as news
from campaigns import message_planning, messages, wording
from campaigns import message_sweep as sweeping
from campaigns.channels import carrier, channel
from campaigns.sending import send_all

BATCH = 200  # messages between two looks at the campaign's state: a pause takes effect after these
TURN = 20.0  # seconds; then another campaign's job has its turn
LEASE = 60.0  # seconds; longer than a batch at the slowest sender
DROPPED_AT_ONCE = 20_000


def plan_messages(campaign_id: int) -> None:
    """Write the rows of a launched campaign, then let it run."""
    with open_session() as session:
        if campaigns.lock(session, campaign_id).state == "planning":
            message_planning.write_for_segment(session, campaign_id)
            campaigns.resume(session, campaign_id, None)
            session.commit()


def send_batch(campaign_id: int) -> None:
    """Send for one turn: batch after batch until nobody is left, the campaign pauses or the time is up."""
    holder = f"send-{socket.gethostname()}-{os.getpid()}"
    ends = monotonic() + TURN
    while monotonic() < ends:
        if not _send_once(campaign_id, holder):
            return
    _hand_over(campaign_id, holder)


def drop_planned(campaign_id: int) -> None:
    """Mark those whom a stopped campaign will not write to any more."""
    with open_session() as session:
        while campaigns.find(session, campaign_id).state == "stopped":
            dropped = messages.drop_planned(session, campaign_id, DROPPED_AT_ONCE)
            session.commit()
            if not dropped:
                return


def sweep() -> None:
    with open_session() as session:
        sweeping.sweep(session)
        session.commit()


def _send_once(campaign_id: int, holder: str) -> bool:
    """One batch; False when this job has nothing more to do."""
    with open_session() as session:
        if leases.take(session, _lease(campaign_id), holder, LEASE) is None:
            return False  # another worker sends for this campaign
        campaign = campaigns.find(session, campaign_id)
        if campaign.carrier != carrier():
            _refuse(session, campaign_id, holder)
            return False
        carried_by = channel(campaign.channel)
        batch = claims.claim(session, campaign_id, _batch_size(campaign.text, carried_by.parts_per_second))
        session.commit()
        if batch:
            trouble = news.record_sent(session, send_all(carried_by, batch))
            if trouble:
                campaigns.pause(session, campaign_id, f"provider:{trouble}", None)
            campaigns.tell(session, campaign_id)
        goes_on = _goes_on(session, campaign_id)
        if not goes_on:
            leases.release(session, _lease(campaign_id), holder)
            sweeping.finish(session, campaign_id)
        session.commit()
    return goes_on


def _refuse(session: Session, campaign_id: int, holder: str) -> None:
    """A drill's campaign in an installation with a real provider, or the other way round: nothing of it leaves."""
    if campaigns.lock(session, campaign_id).state == "running":
        campaigns.pause(session, campaign_id, "carrier_missing", None)
    leases.release(session, _lease(campaign_id), holder)
    session.commit()


def _batch_size(text: str, parts_per_second: float) -> int:
    """At most what the sender carries in a second, so that a pause is obeyed within one."""
    return max(1, min(BATCH, int(parts_per_second / max(1, wording.parts(text).count))))


def _goes_on(session: Session, campaign_id: int) -> bool:
    is_running = campaigns.find(session, campaign_id).state == "running"
    return is_running and claims.has_ready(session, campaign_id)


def _hand_over(campaign_id: int, holder: str) -> None:
    with open_session() as session:
        leases.release(session, _lease(campaign_id), holder)
        enqueue_later(session, "campaigns.jobs.send_batch", campaign_id, queue="bulk")
        session.commit()


def _lease(campaign_id: int) -> str:
    return f"send-message-campaign/{campaign_id}"
