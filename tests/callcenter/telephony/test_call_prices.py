"""What calls cost at the carrier, and in pesos."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput
from callcenter.base.settings import Settings
from callcenter.carriers.twilio import account
from callcenter.carriers.twilio.account import Price
from callcenter.queueing import queue_spending
from callcenter.queues import CallQueue
from callcenter.telephony import account_checks, account_jobs, call_prices
from tests.callcenter import cast
from tests.callcenter.queueing.test_queue_spending import talked

RATES = [
    {"prefix": "52", "price": "0.02", "name": "Mexico"}, {"prefix": "52922", "price": "0.05", "name": "Mexico Mobile"},
    {"prefix": "52922", "price": "0.04", "name": "Mexico Mobile"},
]  # fmt: skip


def spent(session: Session, queue: CallQueue) -> Decimal:
    queue_spending.sweep_all(session)
    return queue_spending.so_far(session, queue.id).total


def ended(session: Session, queue: CallQueue, ref: str, seconds: int = 90) -> UUID:
    """An answered call that ended a while ago, under this reference of the carrier's."""
    call_id = talked(session, queue, seconds)
    call = cast.call(session, call_id)
    call.carrier_ref, call.ended_at = ref, real_now() - timedelta(minutes=5)
    call.hung_up_at = real_now() - timedelta(minutes=5)
    call.answered_at = call.hung_up_at - timedelta(seconds=seconds)
    session.commit()
    return call_id


def test_without_an_exchange_rate_dollars_count_in_no_limit(session: Session) -> None:
    queue = cast.queue(session, cast.person(session), rules={"minute_price": "1.50"})
    call_prices.keep_rates(session, "simulated", "USD", RATES)
    talked(session, queue, 61)
    assert spent(session, queue) == Decimal("3.00")


def test_the_carriers_price_for_the_longest_prefix_goes_before_the_queues(session: Session) -> None:
    queue = cast.queue(session, cast.person(session), rules={"minute_price": "0.10"})
    call_prices.keep_rates(session, "simulated", "USD", RATES)
    call_prices.set_exchange_rate(session, "20", None)
    talked(session, queue, 61)
    assert spent(session, queue) == Decimal("2.00")


def test_what_a_call_was_charged_goes_before_every_estimate(session: Session) -> None:
    queue = cast.queue(session, cast.person(session), cast.person(session), rules={"minute_price": "0.10"})
    ended(session, queue, "CA1")
    ended(session, queue, "CA2")
    call_prices.set_exchange_rate(session, "18,50", None)
    told = [("CA1", Decimal("0.10"), "USD"), ("CA2", Decimal("4"), "MXN"), ("CA9", Decimal("9"), "USD")]
    assert call_prices.keep(session, "simulated", told) == 2
    assert call_prices.keep(session, "simulated", told) == 2
    assert spent(session, queue) == Decimal("5.85")
    paid = {each.currency: each for each in call_prices.paid(session, "simulated", real_now() - timedelta(days=1))}
    assert (paid["USD"].calls, paid["USD"].total, paid["USD"].minute) == (1, Decimal("0.10"), Decimal("0.05"))


def test_prices_are_asked_for_until_they_are_known_or_two_days_old(
    session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    account_checks.configure(settings)
    queue = cast.queue(session, *[cast.person(session) for _ in range(2)])
    first = ended(session, queue, "CA1")
    ended(session, queue, "CA2")
    answers = [[Price("CA1", Decimal("0.04"), "USD")], [Price("CA2", Decimal("0.08"), "USD")]]
    monkeypatch.setattr(account, "prices_since", lambda *_: answers.pop(0))
    assert call_prices.unpriced_since(session, "simulated") == cast.call(session, first).placed_at
    account_jobs.read_prices()
    assert call_prices.unpriced_since(session, "simulated") is not None
    account_jobs.read_prices()
    assert call_prices.unpriced_since(session, "simulated") is None
    account_jobs.read_prices()  # nobody is asked: there is no third answer
    late = ended(session, cast.queue(session, cast.person(session)), "CA3")
    assert call_prices.unpriced_since(session, "simulated") is not None
    cast.call(session, late).ended_at = real_now() - call_prices.GIVEN_UP
    session.commit()
    assert call_prices.unpriced_since(session, "simulated") is None


def test_a_price_list_is_replaced_as_a_whole_and_the_dearest_of_a_prefix_counts(session: Session) -> None:
    call_prices.keep_rates(session, "simulated", "USD", RATES)
    assert call_prices.rates(session, "simulated") == [
        ("Mexico", Decimal("0.02"), "USD"), ("Mexico Mobile", Decimal("0.05"), "USD"),
    ]  # fmt: skip
    call_prices.keep_rates(session, "simulated", "USD", RATES[:1])
    assert [name for name, *_ in call_prices.rates(session, "simulated")] == ["Mexico"]


@pytest.mark.parametrize("typed", ["0", "4.99", "101", "-18", "dieciocho", "nan", "1e9"])
def test_an_exchange_rate_that_was_mistyped_is_refused(session: Session, typed: str) -> None:
    with pytest.raises(InvalidInput, match="pesos"):
        call_prices.set_exchange_rate(session, typed, None)


def test_an_exchange_rate_may_be_taken_away(session: Session) -> None:
    call_prices.set_exchange_rate(session, "18.5", None)
    assert call_prices.exchange_rate(session) == Decimal("18.5")
    call_prices.set_exchange_rate(session, " ", None)
    assert call_prices.exchange_rate(session) is None
