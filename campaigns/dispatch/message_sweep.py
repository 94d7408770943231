"""What the clock does for messages: finds the rows whose worker or job is gone, whatever Redis has forgotten."""

from sqlalchemy import and_, select, update
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.base.outbox import enqueue_later
from campaigns import channels
from campaigns.dispatch import message_states as states
from campaigns.dispatch import send_lanes
from campaigns.dispatch.message_claims import has_planned, has_ready
from campaigns.dispatch.message_look_ups import due
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message, close, close_attempts, send_later

ASKS_PROVIDER, DROPS = "campaigns.dispatch.receipt_jobs.ask_provider", "campaigns.jobs.drop_planned"


def sweep(session: Session) -> dict[str, int]:
    """Close what passed its deadline and enqueue again what has no job; counts by what was done. Harmless twice."""
    done = {"unknown": _give_up_leases(session), "expired": _expire(session), "enqueued": 0}
    is_ready = False
    for campaign in _alive(session):
        if campaign.state == "stopped":
            enqueue_later(session, DROPS, campaign.id)
            done["enqueued"] += 1
        elif campaign.state == "planning" or has_ready(session, campaign.id):
            is_ready = True
        else:
            finish(session, campaign.id)
    if is_ready and not send_lanes.is_anybody_sending(session):
        send_later(session)
        done["enqueued"] += 1
    if _anybody_silent(session):
        enqueue_later(session, ASKS_PROVIDER)
    return done


def finish(session: Session, campaign_id: int) -> bool:
    """Finish a running campaign when nobody is left to write to and nobody can be added. Receipts may still come."""
    campaign = campaigns.lock(session, campaign_id)
    if campaign.is_standing:
        return False
    if campaign.state != "running" or has_planned(session, campaign_id) or _has(session, campaign_id, states.SENDING):
        return False
    campaigns.set_state(session, campaign_id, "finished", None, None).finished_at = real_now()
    return True


def _alive(session: Session) -> list[MessageCampaign]:
    """Campaigns with work left: the running ones, those being planned, and stopped ones with planned rows."""
    has_rows = select(Message.id).where(Message.campaign_id == MessageCampaign.id, Message.state == states.PLANNED)
    has_work = MessageCampaign.state.in_(["planning", "running"])
    left = and_(MessageCampaign.state == "stopped", has_rows.exists())
    return list(session.scalars(select(MessageCampaign).where(has_work | left).order_by(MessageCampaign.id)))


def _give_up_leases(session: Session) -> int:
    """A worker died while it was sending: the provider may have the message, so nobody sends it again.

    A row that somebody holds just now is being settled: the next sweep looks at it again."""
    dead = (
        select(Message.id).where(Message.state == states.SENDING, Message.lease_until < real_now())
        .with_for_update(key_share=True, skip_locked=True)
    )  # fmt: skip
    rows = session.scalars(
        update(Message)
        .where(Message.id.in_(dead))
        .values(state=states.UNKNOWN, lease_until=None)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    ).all()
    return len(rows)


def _expire(session: Session) -> int:
    """Attempts past their deadline: what is still planned will not be sent; of the others no more news is expected."""
    overdue = session.execute(
        select(Message.id, Message.state)
        .join(Attempt, Attempt.id == Message.id)
        .where(Attempt.closed_at.is_(None), Attempt.deadline_at < real_now())
        .limit(10_000)
        .with_for_update(of=Message, skip_locked=True)
    ).all()
    close(session, Message.id.in_([row.id for row in overdue]), states.STOPPED, refusal="expired")
    for state in (states.ACCEPTED, states.SENT, states.UNKNOWN):
        close_attempts(session, [row.id for row in overdue if row.state == state], state)
    return len(overdue)


def _anybody_silent(session: Session) -> bool:
    return session.execute(due(real_now(), channels.carrier()).limit(1)).first() is not None


def _has(session: Session, campaign_id: int, state: str) -> bool:
    found = select(Message.id).where(Message.campaign_id == campaign_id, Message.state == state).limit(1)
    return session.execute(found).first() is not None
