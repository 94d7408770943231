"""What a part of a message costs: the prices of each contract with a provider, each from its first day on.

A message keeps the price that held when it was claimed (`messages.unit_price`): a price that is corrected later changes
no account of the past.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Numeric, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound

MOST = Decimal(1000)  # MXN a part: more is a mistyped comma
PLACES = 5  # of messages.unit_price; providers charge fractions of a centavo
LENGTH = 80  # of the name of a provider or contract
_FIRST, _LAST = date(2000, 1, 1), date(2100, 1, 1)


class MessagePrice(Base):
    """MXN for one part of a message, from the real day `valid_from` until the next price of the same provider and
    channel. `provider`: the carrier as campaigns name it. `contract`: under what name the accountant finds it."""

    __tablename__ = "message_prices"
    __table_args__ = (UniqueConstraint("provider", "channel", "valid_from"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    provider: Mapped[str]
    channel: Mapped[str]
    contract: Mapped[str]
    unit_price: Mapped[Decimal] = mapped_column(Numeric(10, PLACES))
    valid_from: Mapped[date]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)


@dataclass(frozen=True)
class NewPrice:
    """What an administrator writes of a price, checked."""

    provider: str
    channel: str
    contract: str
    unit_price: Decimal
    valid_from: date


def price(session: Session, channel: str, carrier: str, on: date, *, otherwise: Decimal) -> Decimal:
    """MXN a part by this channel and carrier on a real day of the house's zone; `otherwise`, usually the campaign's
    own price, where nobody recorded one. Zero is a price. One look at an index: ask once a batch."""
    found = session.scalar(
        select(MessagePrice.unit_price)
        .where(MessagePrice.provider == carrier, MessagePrice.channel == channel, MessagePrice.valid_from <= on)
        .order_by(MessagePrice.valid_from.desc()).limit(1)
    )  # fmt: skip
    return otherwise if found is None else found


def listed(session: Session) -> list[MessagePrice]:
    """Every price, by provider and channel, the newest first."""
    order = MessagePrice.provider, MessagePrice.channel, MessagePrice.valid_from.desc()
    return list(session.scalars(select(MessagePrice).order_by(*order)))


def read(form: Mapping[str, str], providers: Mapping[str, object], channels: Mapping[str, object]) -> NewPrice:
    """The price that a form holds. Raises InvalidInput with a sentence for each field that is wrong."""
    faults: dict[str, str] = {}
    provider, channel = form.get("provider", ""), form.get("channel", "")
    contract = " ".join(form.get("contract", "").split())
    if provider not in providers:
        faults["provider"] = _("Choose a provider of the list.")
    if channel not in channels:
        faults["channel"] = _("Choose a channel of the list.")
    if not contract or len(contract) > LENGTH:
        faults["contract"] = _("Name the contract or invoice, in at most %(most)s characters.", most=LENGTH)
    amount, day = _amount(form.get("unit_price", "")), _day(form.get("valid_from", ""))
    if amount is None:
        faults["unit_price"] = _("Write pesos a part, such as 0.35: from 0 to %(most)s, with at most five decimals.",
                                 most=MOST)  # fmt: skip
    if day is None:
        faults["valid_from"] = _("Write a day as year-month-day.")
    if faults or amount is None or day is None:
        raise InvalidInput(faults)
    return NewPrice(provider, channel, contract, amount, day)


def add(session: Session, new: NewPrice, user_id: int | None) -> MessagePrice:
    """Record a price. Raises InvalidInput when that day has one already."""
    same = select(MessagePrice.id).where(
        MessagePrice.provider == new.provider, MessagePrice.channel == new.channel,
        MessagePrice.valid_from == new.valid_from,
    )  # fmt: skip
    if session.scalar(same) is not None:
        raise InvalidInput(
            {"valid_from": _("There is a price from that day on already. Remove it first if it is wrong.")}
        )
    made = MessagePrice(**new.__dict__, created_by=user_id)
    session.add(made)
    session.flush()
    audit.record(session, user_id, "message_prices.add", f"message-price/{made.id}", provider=new.provider,
                 channel=new.channel, unit_price=str(new.unit_price), valid_from=str(new.valid_from))  # fmt: skip
    return made


def remove(session: Session, price_id: int, user_id: int | None) -> None:
    """Take back a price that was mistyped; messages that were claimed with it keep it. Raises NotFound."""
    found = session.get(MessagePrice, price_id)
    if found is None:
        raise NotFound(_("There is no such price."))
    audit.record(session, user_id, "message_prices.remove", f"message-price/{price_id}", provider=found.provider,
                 channel=found.channel, unit_price=str(found.unit_price), valid_from=str(found.valid_from))  # fmt: skip
    session.delete(found)


def _amount(said: str) -> Decimal | None:
    """`0.35`, `0,35` or `$ 0.35`; None for anything else."""
    text = said.strip().removeprefix("$").strip().replace(",", ".")
    if not text.isascii():
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    if not amount.is_finite() or not 0 <= amount <= MOST:
        return None
    return amount if amount == round(amount, PLACES) else None


def _day(said: str) -> date | None:
    try:
        day = date.fromisoformat(said.strip())
    except ValueError:
        return None
    return day if _FIRST <= day <= _LAST else None
