"""The breaker over the ledger: it pauses, says why, and takes a person's word for what was seen."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from campaigns import labels
from campaigns.mailings import message_breaker, message_campaigns
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import TEST, Message
from tests.campaigns.cast import Campaign, Cast


@pytest.fixture
def running(session: Session, cast: Cast, campaign: Campaign) -> MessageCampaign:
    return campaign()


def results(
    session: Session, campaign: MessageCampaign, number: int, code: str | None = None, *, wave: int = 0
) -> None:
    now = real_now()
    start = 5_550_000_000 + len(session.scalars(select(Message.id)).all())
    session.add_all(
        Message(id=uuid4(), campaign_id=campaign.id, contact_id=None, phone=f"+52{start + n}", wave=wave,
                state="delivered" if code is None else "undelivered", error_code=code, finished_at=now)
        for n in range(number)
    )  # fmt: skip
    session.flush()


def test_a_campaign_whose_messages_are_filtered_pauses_and_says_why(session: Session, running: MessageCampaign) -> None:
    results(session, running, 30)
    results(session, running, 30, "30007")
    assert message_breaker.watch(session) == 1
    [broken] = message_breaker.of_campaign(session, running.id)
    session.refresh(running)
    assert (running.state, running.state_reason) == ("paused", f"breaker:{broken.id}")
    assert (broken.trouble, broken.hits, broken.number, broken.resumed_at) == ("30007", 30, 60, None)
    assert "30 " in message_breaker.sentence(broken)
    assert labels.reason(running.state_reason) == labels.REASONS["breaker"]


def test_a_healthy_campaign_goes_on(session: Session, running: MessageCampaign) -> None:
    results(session, running, 200)
    results(session, running, 3, "30007")
    assert message_breaker.watch(session) == 0


def test_once_resumed_only_what_comes_later_counts(session: Session, running: MessageCampaign) -> None:
    results(session, running, 60, "30007")
    message_breaker.watch(session)
    message_campaigns.resume(session, running.id, None)
    assert message_breaker.watch(session) == 0
    [broken] = message_breaker.of_campaign(session, running.id)
    assert broken.resumed_at is not None
    later = real_now() + timedelta(seconds=5)
    results(session, running, 60, "21610")
    session.execute(update(Message).where(Message.error_code == "21610").values(finished_at=later))
    assert message_breaker.watch(session) == 1
    assert [one.trouble for one in message_breaker.of_campaign(session, running.id)] == ["21610", "30007"]


def test_our_own_phones_our_own_findings_and_landlines_count_for_nothing(
    session: Session, running: MessageCampaign
) -> None:
    results(session, running, 60, "30007", wave=TEST)
    results(session, running, 60, "never_taken")
    results(session, running, 60, "21614")
    assert message_breaker.watch(session) == 0


def test_a_paused_campaign_is_left_alone(session: Session, running: MessageCampaign) -> None:
    results(session, running, 60, "30007")
    message_campaigns.pause(session, running.id, "review", None)
    assert message_breaker.watch(session) == 0
    assert message_breaker.of_campaign(session, running.id) == []


@pytest.mark.parametrize(("trouble", "aspect", "value"), [
    ("30007", "wording", "B"), ("21610", "sender", "S2"), ("undelivered", "prefix", "+52922"),
    ("30007", "campaign", ""),
])  # fmt: skip
def test_every_break_has_its_sentence(trouble: str, aspect: str, value: str) -> None:
    broken = message_breaker.MessageBreak(trouble=trouble, aspect=aspect, value=value, number=200, hits=50, usual=0.01)
    said = message_breaker.sentence(broken)
    assert "25%" in said
    assert value in said
