"""What the page of a campaign says when its results have paused it."""

import pytest
from sqlalchemy.orm import Session

from campaigns.mailings import message_breaker, message_campaigns
from campaigns.mailings.message_breaker import MessageBreak
from tests.campaigns.cast import Campaign, Cast
from tests.conftest import ClientAs


@pytest.fixture
def broken(session: Session, cast: Cast, campaign: Campaign) -> MessageBreak:
    """A campaign whose wording B is filtered; it is paused."""
    made = campaign()
    found = MessageBreak(
        campaign_id=made.id, trouble="30007", aspect="wording", value="B", number=200, hits=90, usual=0.01
    )
    session.add(found)
    session.flush()
    message_campaigns.pause(session, made.id, f"{message_breaker.REASON}:{found.id}", None)
    session.commit()
    return found


def test_the_page_says_what_turned_bad_and_where(client_as: ClientAs, broken: MessageBreak) -> None:
    page = client_as("strategist").get(f"/campaigns/messages/{broken.campaign_id}").text
    alert = page.partition('role="alert"')[2].partition("</div>")[0]
    assert " B " in alert
    assert "45%" in alert


def test_once_resumed_it_is_told_as_past(client_as: ClientAs, session: Session, broken: MessageBreak) -> None:
    message_campaigns.resume(session, broken.campaign_id, None)
    message_breaker.watch(session)
    session.commit()
    page = client_as("strategist").get(f"/campaigns/messages/{broken.campaign_id}").text
    assert 'role="alert"' not in page
    assert "45%" in page.partition("<details")[2]
