"""Campaigns whose channel may no longer be used pause by themselves: it was turned off, or its approval narrowed or ran
out while they were being sent."""

from sqlalchemy.orm import Session

from campaigns.channels import channel_rules
from campaigns.mailings import message_campaigns as campaigns


def sweep(session: Session, user_id: int | None = None) -> int:
    """Pause what may not be sent any more, with the reason; returns how many. Harmless twice."""
    paused = 0
    for campaign in campaigns.running(session):
        why = channel_rules.why_off(session, campaign.channel, campaign.purpose, simulated=campaign.is_simulated)
        if why is not None:
            campaigns.pause(session, campaign.id, why, user_id)
            paused += 1
    return paused
