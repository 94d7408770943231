"""Prices of messages: each holds from its day until the next, and bad input is said field by field."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from callcenter.base.errors import InvalidInput, NotFound
from campaigns.figures import message_prices
from campaigns.figures.message_prices import NewPrice, price, read

PROVIDERS, CHANNELS = {"twilio": "Twilio"}, {"sms": "SMS", "whatsapp": "WhatsApp"}
JANUARY, MARCH = date(2027, 1, 1), date(2027, 3, 1)
FORM = {"provider": "twilio", "channel": "sms", "contract": "MX-2027/1", "unit_price": "0.35",
        "valid_from": "2027-01-01"}  # fmt: skip
OTHERWISE = Decimal("0.9")


def add(session: Session, amount: str, valid_from: date, channel: str = "sms") -> int:
    return message_prices.add(
        session, NewPrice("twilio", channel, "MX-2027/1", Decimal(amount), valid_from), None
    ).id  # fmt: skip


def test_a_price_holds_from_its_day_until_the_next_one(session: Session) -> None:
    add(session, "0.35", JANUARY)
    add(session, "0.30", MARCH)
    asked = (date(2026, 12, 31), JANUARY, date(2027, 2, 28), MARCH, date(2030, 1, 1))
    found = [price(session, "sms", "twilio", day, otherwise=OTHERWISE) for day in asked]
    assert found == [OTHERWISE, Decimal("0.35"), Decimal("0.35"), Decimal("0.30"), Decimal("0.30")]


def test_nothing_to_pay_is_a_price_and_other_channels_have_their_own(session: Session) -> None:
    add(session, "0", JANUARY)
    assert price(session, "sms", "twilio", MARCH, otherwise=OTHERWISE) == 0
    assert price(session, "whatsapp", "twilio", MARCH, otherwise=OTHERWISE) == OTHERWISE
    assert price(session, "sms", "simulated", MARCH, otherwise=OTHERWISE) == OTHERWISE


def test_a_day_has_one_price(session: Session) -> None:
    first = add(session, "0.35", JANUARY)
    with pytest.raises(InvalidInput) as fault:
        add(session, "0.30", JANUARY)
    assert "valid_from" in fault.value.faults
    message_prices.remove(session, first, None)
    add(session, "0.30", JANUARY)
    with pytest.raises(NotFound):
        message_prices.remove(session, first + 1_000, None)


@pytest.mark.parametrize(("said", "meant"), [("0.35", "0.35"), ("0,35", "0.35"), ("$ 1.20", "1.2"), ("0", "0")])
def test_an_amount_is_read_as_people_write_it(said: str, meant: str) -> None:
    assert read(FORM | {"unit_price": said}, PROVIDERS, CHANNELS).unit_price == Decimal(meant)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("provider", "other"), ("channel", "fax"), ("contract", "  "), ("contract", "x" * 81), ("unit_price", ""),
        ("unit_price", "-1"), ("unit_price", "0.1234567"), ("unit_price", "NaN"), ("unit_price", "1e9"),
        ("unit_price", "٣"), ("valid_from", "1/1/2027"), ("valid_from", "1027-01-01"), ("valid_from", "2027-02-30"),
    ],
)  # fmt: skip
def test_each_wrong_field_is_named(field: str, said: str) -> None:
    with pytest.raises(InvalidInput) as fault:
        read(FORM | {field: said}, PROVIDERS, CHANNELS)
    assert list(fault.value.faults) == [field]


@given(st.text(max_size=12))
def test_whatever_is_typed_is_an_amount_or_none(said: str) -> None:
    amount = message_prices._amount(said)
    assert amount is None or 0 <= amount <= message_prices.MOST
