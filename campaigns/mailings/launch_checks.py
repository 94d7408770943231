"""What has to be right before a campaign of messages leaves: asked at the launch, and when a paused one goes on."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from campaigns.channels import channel_rules
from campaigns.dispatch import senders
from campaigns.mailings import message_approvals
from campaigns.mailings.message_approvals import Approvable
from campaigns.telephoning import notices
from campaigns.texts import enclosures, wording_rules, wordings


def check(
    session: Session, campaign: Approvable, texts: Iterable[str], user_id: int | None, *, confirmed: bool
) -> None:
    """Let a first launch go on, and keep who confirmed the calendar's notice. Raises Refused with the first reason.

    Commands and jobs (no user) are not asked for an approval nor for the house's rules of wording: what they launch
    is a drill's, or was launched by a person before. The channel and the calendar are asked always."""
    notices.confirm(session, campaign.purpose, f"message-campaign/{campaign.id}", user_id, confirmed=confirmed)
    channel_rules.check(session, campaign.channel, campaign.purpose, simulated=campaign.is_simulated)
    if user_id is None or campaign.is_standing:
        return
    wording_rules.require(
        texts, campaign.on_behalf_of, purpose=campaign.purpose, has_own_way_out=campaign.channel == "email",
        is_alphanumeric=any(one.is_alphanumeric for one in senders.of_campaign(session, campaign)),
    )  # fmt: skip
    enclosures.require(session, campaign.id, campaign.channel, wordings.texts(session, campaign.id))
    message_approvals.check(session, campaign, user_id)
