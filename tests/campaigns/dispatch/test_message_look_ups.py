"""Asking the provider about silent messages: when, and what its list may and may not decide."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError
from campaigns import channels
from campaigns.channels import Receipt
from campaigns.dispatch import message_claims as claims
from campaigns.dispatch import message_look_ups as look_ups
from campaigns.dispatch import message_news
from campaigns.dispatch.message_claims import Outgoing
from campaigns.dispatch.message_news import Answer
from campaigns.messages import Message, MessageReceipt
from tests.campaigns.cast import Campaign, Cast, message_of


@pytest.fixture
def unknown(session: Session, cast: Cast, campaign: Campaign) -> Outgoing:
    """The message to Lupita: it was sent, and the answer was lost."""
    claimed = claims.claim(session, campaign().id, 10)
    lost = next(one for one in claimed if one.phone == cast.lupita.phone)
    message_news.record_sent(session, [Answer(lost.id, ProviderError("500", unknown=True))])
    return lost


def silent_for(session: Session, message_id: object, **past: float) -> None:
    then = real_now() - timedelta(**past)
    session.execute(update(Message).where(Message.id == message_id).values(sent_at=then, news_at=then))


def listed(state: str, ref: str = "SM1") -> Receipt:
    return Receipt(state, state, ref)


def record(session: Session, asked: Outgoing, found: Sequence[Receipt]) -> None:
    look_ups.record_look_ups(session, [(asked, found)])


def absent_for(session: Session, **past: float) -> None:
    """The provider's list showed nothing so long ago."""
    session.execute(update(MessageReceipt).values(at=real_now() - timedelta(**past)))


def test_the_provider_is_asked_about_a_silent_message_once_in_a_while(
    session: Session, cast: Cast, unknown: Outgoing
) -> None:
    assert look_ups.silent(session, 10, "simulated") == []
    silent_for(session, unknown.id, minutes=1.5)
    assert [(name, one.id) for name, one in look_ups.silent(session, 10, "simulated")] == [("sms", unknown.id)]
    assert look_ups.silent(session, 10, "simulated") == []


def test_a_message_that_the_provider_has_named_is_left_in_peace_for_longer(
    session: Session, cast: Cast, unknown: Outgoing
) -> None:
    message_news.record_receipt(session, unknown.id, listed("sent"))
    silent_for(session, unknown.id, minutes=1.5)
    assert look_ups.silent(session, 10, "simulated") == []
    silent_for(session, unknown.id, minutes=2.5)
    [(_, asked)] = look_ups.silent(session, 10, "simulated")
    assert asked.provider_ref == "SM1"


def test_nobody_asks_a_provider_that_keeps_no_list(
    session: Session, cast: Cast, unknown: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent_for(session, unknown.id, minutes=30)
    monkeypatch.setattr(channels, "NAMES", tuple(n for n in channels.NAMES if not channels.facts(n).can_look_up))
    assert look_ups.silent(session, 10, "simulated") == []


def test_the_providers_list_resolves_an_unknown_message(session: Session, cast: Cast, unknown: Outgoing) -> None:
    record(session, unknown, [listed("delivered")])
    row = message_of(session, cast.lupita)
    assert (row.state, row.provider_ref) == ("delivered", "SM1")


def test_two_that_look_alike_leave_it_unknown(session: Session, cast: Cast, unknown: Outgoing) -> None:
    record(session, unknown, [listed("sent"), listed("sent", "SM2")])
    assert message_of(session, cast.lupita).state == "unknown"


def test_one_that_belongs_to_another_message_of_ours_is_not_ours(
    session: Session, cast: Cast, unknown: Outgoing
) -> None:
    session.execute(update(Message).where(Message.contact_id == cast.mario.id).values(provider_ref="SM2"))
    record(session, unknown, [listed("delivered"), listed("delivered", "SM2")])
    row = message_of(session, cast.lupita)
    assert (row.state, row.provider_ref) == ("delivered", "SM1")


def test_two_equal_texts_to_one_person_are_not_told_apart_by_a_list(
    session: Session, cast: Cast, unknown: Outgoing
) -> None:
    ours = message_of(session, cast.lupita)
    twin = Message(id=uuid4(), campaign_id=ours.campaign_id, contact_id=None, phone=ours.phone, turn=1,
                   body=ours.body, state="unknown", sent_at=ours.sent_at)  # fmt: skip
    session.add(twin)
    session.flush()
    record(session, unknown, [listed("delivered")])
    record(session, unknown, [])
    absent_for(session, minutes=30)
    record(session, unknown, [])
    assert message_of(session, cast.lupita).state == "unknown"


def test_what_the_provider_lists_in_neither_of_two_askings_was_never_taken(
    session: Session, cast: Cast, unknown: Outgoing
) -> None:
    record(session, unknown, [])
    assert message_of(session, cast.lupita).state == "unknown"
    absent_for(session, minutes=3)
    record(session, unknown, [])
    row = message_of(session, cast.lupita)
    assert (row.state, row.error_code) == ("failed", "never_taken")


def test_a_clock_that_jumps_ahead_makes_no_message_a_lost_one(session: Session, cast: Cast, unknown: Outgoing) -> None:
    silent_for(session, unknown.id, hours=5)
    record(session, unknown, [])
    record(session, unknown, [])
    assert message_of(session, cast.lupita).state == "unknown"


def test_an_asking_that_found_nothing_is_kept_for_whoever_wants_to_know_why(
    session: Session, cast: Cast, unknown: Outgoing
) -> None:
    for _ in range(3):
        record(session, unknown, [])
    kept = session.scalars(select(MessageReceipt).where(MessageReceipt.message_id == unknown.id)).all()
    assert [one.key for one in kept] == [look_ups.NOT_LISTED]
