"""Jobs of the tests and waves of message campaigns. They carry ids only, and one that runs twice does no harm."""

from sqlalchemy.orm import Session

from callcenter.base.db import open_session
from campaigns.channels import carrier, channel
from campaigns.dispatch import message_news
from campaigns.mailings import canaries, message_tests
from campaigns.mailings import message_campaigns as campaigns
from campaigns.sending import send_all


def settle_rest(campaign_id: int) -> None:
    """Put a release, or a wording that won, into everybody who is still to be written to."""
    with open_session() as session:
        while canaries.settle_rest(session, campaign_id):
            session.commit()


def send_tests(campaign_id: int) -> None:
    """Send the test messages that wait. No transaction is open while the provider answers."""
    with open_session() as session:
        campaign = campaigns.find(session, campaign_id)
        if campaign.carrier != carrier():
            return
        name, batch = campaign.channel, message_tests.claim(session, campaign_id)
        session.commit()
        if not batch:
            return
        code = message_news.record_sent(session, send_all(channel(name), batch))
        message_tests.close_unsent(session, [one.id for one in batch], code)
        campaigns.tell(session, campaign_id)
        session.commit()


def tend(session: Session) -> None:
    """The clock's: first waves that the rule lets go on, and whatever lost its job."""
    canaries.follow(session)
    message_tests.sweep(session)
