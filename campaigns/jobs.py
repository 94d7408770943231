"""Jobs of the message campaigns. They carry ids only, and one that runs twice does no harm."""

from callcenter.base.db import open_session
from campaigns import messages
from campaigns.dispatch import message_sweep, planning_turns, send_turns
from campaigns.mailings import message_campaigns as campaigns

DROPPED_AT_ONCE = 20_000


def send_messages() -> None:
    """One turn of sending, for every campaign that sends; the next one is enqueued when there is more to do."""
    if send_turns.run():
        with open_session() as session:
            messages.send_later(session)
            session.commit()


def plan_messages(campaign_id: int) -> None:
    """Write the rows of a launched campaign, then let it run and be sent."""
    planning_turns.plan(campaign_id)
    with open_session() as session:
        messages.send_later(session)
        session.commit()


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
        message_sweep.sweep(session)
        session.commit()
