"""What calls cost at the carrier: the price of a minute by destination, and what each call really was charged.

In the carrier's own currency; in MXN by the exchange rate that an administrator keeps. Without one, prices in another
currency are shown and count in no limit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, Numeric, delete, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput
from callcenter.base.outbox import enqueue_later
from callcenter.gate.house_rules import HouseSetting
from callcenter.ledger.call_ledger import Call

RATE = "mxn_per_usd"
LEAST, MOST = Decimal(5), Decimal(100)  # MXN for a dollar: outside it was mistyped
SETTLES, GIVEN_UP = timedelta(minutes=2), timedelta(days=2)  # when a price may be known, and is asked for no more


class CarrierRate(Base):
    """The price of a minute to numbers that begin with `prefix` (digits, with the country's)."""

    __tablename__ = "carrier_rates"
    carrier: Mapped[str] = mapped_column(primary_key=True)
    prefix: Mapped[str] = mapped_column(primary_key=True)
    price: Mapped[Decimal] = mapped_column(Numeric(12, 6))
    currency: Mapped[str]
    name: Mapped[str]
    read_at: Mapped[datetime] = mapped_column(default=real_now)


class CallPrice(Base):
    """What the carrier charged for a call."""

    __tablename__ = "call_prices"
    call_id: Mapped[UUID] = mapped_column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True)
    price: Mapped[Decimal] = mapped_column(Numeric(12, 6))
    currency: Mapped[str]
    read_at: Mapped[datetime] = mapped_column(default=real_now)


@dataclass(frozen=True)
class Paid:
    """Calls with a price, what they cost together and a started minute of them on the average, in `currency`."""

    currency: str
    calls: int
    total: Decimal
    minute: Decimal


def keep_rates(session: Session, carrier: str, currency: str, rates: Iterable[Mapping[str, str]]) -> None:
    """These are the carrier's prices now; of several for a prefix the dearest."""
    dearest: dict[str, Mapping[str, str]] = {}
    for rate in rates:
        known = dearest.get(rate["prefix"])
        if known is None or Decimal(known["price"]) < Decimal(rate["price"]):
            dearest[rate["prefix"]] = rate
    session.execute(delete(CarrierRate).where(CarrierRate.carrier == carrier))
    rows = [{"carrier": carrier, "currency": currency, "read_at": real_now(), **rate} for rate in dearest.values()]
    if rows:
        session.execute(insert(CarrierRate), rows)


def rates(session: Session, carrier: str) -> list[tuple[str, Decimal, str]]:
    """Each destination once: its name, the dearest price of a minute, the currency."""
    dearest = select(CarrierRate.name, func.max(CarrierRate.price), CarrierRate.currency)
    grouped = dearest.where(CarrierRate.carrier == carrier).group_by(CarrierRate.name, CarrierRate.currency)
    return [(name, price, currency) for name, price, currency in session.execute(grouped.order_by(CarrierRate.name))]


def unpriced_since(session: Session, carrier: str) -> datetime | None:
    """When the first call was placed whose price is still to be asked for; None when there is none."""
    now = real_now()
    open_calls = (
        select(func.min(Call.placed_at))
        .outerjoin(CallPrice, CallPrice.call_id == Call.id)
        .where(Call.carrier == carrier, Call.carrier_ref.is_not(None), CallPrice.call_id.is_(None),
               Call.answered_at.is_not(None), Call.ended_at > now - GIVEN_UP, Call.hung_up_at < now - SETTLES)
    )  # fmt: skip
    return session.scalar(open_calls)


def keep(session: Session, carrier: str, told: Iterable[tuple[str, Decimal, str]]) -> int:
    """Write down the prices of our calls, by the carrier's reference; returns how many were ours."""
    by_ref = {ref: (price, currency) for ref, price, currency in told}
    ours = session.execute(select(Call.id, Call.carrier_ref).where(
        tuple_(Call.carrier, Call.carrier_ref).in_([(carrier, ref) for ref in by_ref])
    )) if by_ref else ()  # fmt: skip
    rows = [{"call_id": call_id, "price": by_ref[ref or ""][0], "currency": by_ref[ref or ""][1], "read_at": real_now()}
            for call_id, ref in ours]  # fmt: skip
    if rows:
        row = insert(CallPrice)
        taken = {name: row.excluded[name] for name in ("price", "currency", "read_at")}
        session.execute(row.on_conflict_do_update(index_elements=["call_id"], set_=taken), rows)
    return len(rows)


def paid(session: Session, carrier: str, since: datetime) -> list[Paid]:
    """What calls cost that ended since then, by currency."""
    talk = func.extract("epoch", func.coalesce(Call.hung_up_at, Call.ended_at) - Call.answered_at)
    minutes = func.sum(func.greatest(func.ceil(talk / 60), 1))
    sums = select(CallPrice.currency, func.count(), func.sum(CallPrice.price), minutes).join(Call)
    rows = sums.where(Call.carrier == carrier, Call.ended_at > since).group_by(CallPrice.currency)
    return [Paid(currency, calls, total, total / Decimal(spoken or 1))
            for currency, calls, total, spoken in session.execute(rows.order_by(CallPrice.currency))]  # fmt: skip


def read_later(session: Session) -> None:
    """Ask what the carrier charged, in a job (for the clock)."""
    enqueue_later(session, "callcenter.telephony.account_jobs.read_prices")


def exchange_rate(session: Session) -> Decimal | None:
    """MXN for a US dollar; None while nobody has said it."""
    kept = session.scalar(select(HouseSetting.value).where(HouseSetting.key == RATE))
    return Decimal(str(kept)) if kept else None


def set_exchange_rate(session: Session, typed: str, user_id: int | None) -> None:
    """Keep the rate; empty takes it away. Audited. Raises InvalidInput."""
    was, value = exchange_rate(session), _read(typed)
    if value == was:
        return
    row: dict[str, Any] = {"value": str(value or ""), "changed_by": user_id, "changed_at": real_now()}
    statement = insert(HouseSetting).values(key=RATE, **row)
    session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=row))
    audit.record(session, user_id, "carrier.exchange_rate", f"house-rule/{RATE}", was=str(was or ""),
                 now=str(value or ""))  # fmt: skip


def _read(typed: str) -> Decimal | None:
    text = typed.strip().replace(",", ".")
    if not text:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(0)
    if not value.is_finite() or not LEAST <= value <= MOST:
        raise InvalidInput({"rate": _("Write how many pesos a US dollar costs, such as 18.50.")})
    return value
