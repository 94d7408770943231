"""What messages cost, as an accountant needs it: by day, campaign, provider, contract and price of a part.

Days are real days of the house's zone, whatever the drill's clock says: invoices are of real days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import Date, cast, func, or_, select
from sqlalchemy.orm import Session

from callcenter.base.clock import ZONE, real_now
from campaigns.dispatch import message_rows as rows
from campaigns.figures import message_prices
from campaigns.figures.message_prices import MessagePrice
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message

MOST_DAYS = 366
LATE = timedelta(days=4)  # after its end a campaign sends nothing more, but for what was under way


@dataclass(frozen=True)
class Line:
    """One day, campaign, provider, channel and price. `contract` None: no price was recorded for that day, the
    campaign's own holds. `messages` left this house; `parts` are billed, `told_parts` of them by the provider's own
    count. `amount`: MXN."""

    day: date
    campaign_id: int
    campaign: str
    provider: str
    channel: str
    contract: str | None
    unit_price: Decimal
    messages: int
    parts: int
    told_parts: int
    amount: Decimal


@dataclass(frozen=True)
class Sums:
    """Of some lines."""

    messages: int
    parts: int
    amount: Decimal


def lines(session: Session, first: date, last: date, campaign_id: int | None = None) -> list[Line]:
    """Every line from day to day (both included), the oldest first; tests and conversations are in it, for they are
    paid, too."""
    day = cast(func.timezone(str(ZONE), Message.sent_at), Date).label("day")
    billed = rows.is_billed()
    query = (
        select(
            day, MessageCampaign.id, MessageCampaign.name, MessageCampaign.carrier, MessageCampaign.channel,
            rows.unit_price().label("part_price"), func.count().label("messages"),
            func.coalesce(func.sum(rows.parts()).filter(billed), 0).label("parts"),
            func.coalesce(func.sum(Message.provider_parts).filter(billed), 0).label("told_parts"),
        )
        .join(MessageCampaign, MessageCampaign.id == Message.campaign_id)
        .where(Message.campaign_id.in_(_active(session, first, last, campaign_id)), rows.was_left(),
               Message.sent_at >= _begin(first), Message.sent_at < _begin(last + timedelta(days=1)))
        .group_by(day, MessageCampaign.id, "part_price").order_by(day, MessageCampaign.id, "part_price")
    )  # fmt: skip
    prices = message_prices.listed(session)
    return [
        Line(row.day, row.id, row.name, row.carrier, row.channel, contract(prices, row.carrier, row.channel, row.day),
             row.part_price, row.messages, row.parts, row.told_parts, row.parts * row.part_price)
        for row in session.execute(query)
    ]  # fmt: skip


def sums(found: Sequence[Line]) -> Sums:
    return Sums(
        sum(line.messages for line in found), sum(line.parts for line in found),
        sum((line.amount for line in found), Decimal(0)),
    )  # fmt: skip


def contract(prices: Sequence[MessagePrice], provider: str, channel: str, day: date) -> str | None:
    """The contract that held on that day; `prices` as `message_prices.listed` orders them, the newest first."""
    held = (
        one.contract for one in prices if one.provider == provider and one.channel == channel and one.valid_from <= day
    )
    return next(held, None)


def today() -> date:
    return real_now().astimezone(ZONE).date()


def _active(session: Session, first: date, last: date, campaign_id: int | None) -> list[int]:
    """Campaigns that may have sent something in these days: the ledger is read by campaign."""
    over = MessageCampaign.finished_at < _begin(first) - LATE
    query = select(MessageCampaign.id).where(
        MessageCampaign.created_at < _begin(last + timedelta(days=1)), or_(MessageCampaign.finished_at.is_(None), ~over)
    )
    return list(session.scalars(query if campaign_id is None else query.where(MessageCampaign.id == campaign_id)))


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(0), ZONE)
