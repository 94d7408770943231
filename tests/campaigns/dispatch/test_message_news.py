from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from callcenter import suppressions
from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.base.errors import NotFound, ProviderError
from callcenter.base.settings import Settings
from campaigns import channels
from campaigns.channels import Receipt
from campaigns.dispatch import message_claims as claims
from campaigns.dispatch import message_news as news
from campaigns.dispatch import message_states as states
from campaigns.dispatch import message_sweep
from campaigns.dispatch.message_claims import Outgoing
from campaigns.dispatch.message_news import Answer
from campaigns.messages import Message, MessageReceipt
from tests.campaigns.cast import Campaign, Cast, message_of

PROVIDER_STATES = ("accepted", "sent", "delivered", "undelivered", "failed")


@pytest.fixture(autouse=True)
def channels_of_the_drill(settings: Settings) -> None:
    channels.configure(settings)


@pytest.fixture
def sending(session: Session, cast: Cast, campaign: Campaign) -> Outgoing:
    """The message to Lupita, claimed."""
    claimed = claims.claim(session, campaign().id, 10)
    return next(one for one in claimed if one.phone == cast.lupita.phone)


def receipt(state: str | None, code: str | None = None) -> Receipt:
    return Receipt(f"{state}/{code}", state, "SM1", code, {"MessageStatus": state})


def test_the_answer_to_a_request_is_kept_with_the_providers_name(
    session: Session, cast: Cast, sending: Outgoing
) -> None:
    assert news.record_sent(session, [Answer(sending.id, receipt("accepted"))]) is None
    row = message_of(session, cast.lupita)
    assert (row.state, row.provider_ref, row.lease_until) == ("accepted", "SM1", None)


def test_a_receipt_that_comes_before_the_answer_is_not_undone_by_it(
    session: Session, cast: Cast, sending: Outgoing
) -> None:
    news.record_receipt(session, sending.id, receipt("delivered"))
    news.record_sent(session, [Answer(sending.id, receipt("accepted"))])
    assert message_of(session, cast.lupita).state == "delivered"


def test_a_receipt_that_comes_twice_is_one(session: Session, cast: Cast, sending: Outgoing) -> None:
    for _ in range(3):
        news.record_receipt(session, sending.id, receipt("delivered"))
    assert session.scalar(select(func.count()).select_from(MessageReceipt)) == 1
    attempt = session.get_one(Attempt, sending.id)
    assert attempt.outcome == "delivered"


def test_a_late_sent_does_not_undo_delivered_but_is_kept(session: Session, cast: Cast, sending: Outgoing) -> None:
    news.record_receipt(session, sending.id, receipt("delivered"))
    news.record_receipt(session, sending.id, receipt("sent"))
    assert message_of(session, cast.lupita).state == "delivered"
    assert session.scalar(select(func.count()).select_from(MessageReceipt)) == 2


def test_a_status_that_we_do_not_know_is_kept_and_moves_nothing(
    session: Session, cast: Cast, sending: Outgoing
) -> None:
    news.record_receipt(session, sending.id, receipt(None))
    assert message_of(session, cast.lupita).state == "sending"


def test_a_receipt_for_no_message_of_ours_is_refused(session: Session, cast: Cast) -> None:
    from uuid import uuid4

    with pytest.raises(NotFound):
        news.record_receipt(session, uuid4(), receipt("delivered"))


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.lists(st.sampled_from(PROVIDER_STATES), min_size=1, max_size=8))
def test_receipts_in_any_order_end_in_the_first_final_one(
    session: Session, cast: Cast, sending: Outgoing, order: list[str]
) -> None:
    with session.begin_nested() as undo:
        for state in order:
            news.record_receipt(session, sending.id, receipt(state))
        first_final = next((state for state in order if state in states.FINAL), None)
        row = message_of(session, cast.lupita)
        assert row.state == (first_final or max(order, key=PROVIDER_STATES.index))
        assert (row.finished_at is None) == (first_final is None)
        undo.rollback()


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ProviderError("429", code="20429"), "planned"),
        (ProviderError("no connection", code="no_connection"), "planned"),
        (ProviderError("500", code="20500", unknown=True), "unknown"),
        (ProviderError("time-out", code="no_answer", unknown=True), "unknown"),
        (ProviderError("bad number", code="21211", permanent=True), "failed"),
        (ProviderError("bad token", code="20003", permanent=True), "planned"),
    ],
)
def test_an_error_says_whether_the_message_may_be_sent_again(
    session: Session, cast: Cast, sending: Outgoing, error: ProviderError, state: str
) -> None:
    trouble = news.record_sent(session, [Answer(sending.id, error)])
    assert message_of(session, cast.lupita).state == state
    assert trouble == ("20003" if error.code == "20003" else None)


def test_a_message_given_back_is_sent_again_under_the_same_id(session: Session, cast: Cast, sending: Outgoing) -> None:
    news.record_sent(session, [Answer(sending.id, ProviderError("429", code="20429"))])
    campaign_id = message_of(session, cast.lupita).campaign_id
    assert [one.id for one in claims.claim(session, campaign_id, 10)] == [sending.id]


def test_a_phone_that_told_the_carrier_to_stop_is_suppressed_here(
    session: Session, cast: Cast, sending: Outgoing
) -> None:
    news.record_sent(session, [Answer(sending.id, ProviderError("opted out", code="21610", permanent=True))])
    assert suppressions.find(session, sending.phone) is not None


def test_a_landline_is_learned_from_the_carrier(session: Session, cast: Cast, sending: Outgoing) -> None:
    news.record_receipt(session, sending.id, receipt("undelivered", "30006"))
    session.refresh(cast.lupita)
    assert (cast.lupita.line_kind, cast.lupita.line_kind_source) == ("landline", "carrier")


def test_a_dead_workers_message_becomes_unknown_and_is_never_claimed_again(
    session: Session, cast: Cast, sending: Outgoing
) -> None:
    session.execute(update(Message).values(lease_until=real_now() - timedelta(seconds=1)))
    assert message_sweep.sweep(session)["unknown"] == 4 - 2
    row = message_of(session, cast.lupita)
    assert row.state == "unknown"
    assert claims.claim(session, row.campaign_id, 10) == []


def test_a_campaign_finishes_when_nobody_is_left(session: Session, cast: Cast, campaign: Campaign) -> None:
    made = campaign()
    claimed = claims.claim(session, made.id, 10)
    assert not message_sweep.finish(session, made.id)
    news.record_sent(session, [Answer(one.id, receipt("accepted")) for one in claimed])
    assert message_sweep.finish(session, made.id)
    assert made.state == "finished"
