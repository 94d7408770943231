"""What the calls of a queue cost, by day, and the limit at which it dials nobody. Money in MXN.

Derived from the ledger: what the carrier charged for a call, where that is known; else every started minute of an
answered call, at the price of its trunk, of the carrier, or else of the queue. A carrier's prices in another currency
count by the exchange rate that an administrator keeps. What is under way when a limit is reached is not broken off, so
the last calls may pass it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import ForeignKey, Numeric, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.base.db import Base
from callcenter.queueing import queue_rules
from callcenter.queueing.queue_rules import Rules
from callcenter.queueing.queue_tables import CallQueue
from callcenter.telephony import call_prices

LOOKS_BACK = timedelta(days=2)  # real time: more than a day of the campaign clock, and than any call


class QueueDay(Base):
    """What a queue spent on one day of the campaign clock, as the ledger had it at `counted_at` (real time)."""

    __tablename__ = "queue_days"
    queue_id: Mapped[int] = mapped_column(ForeignKey("call_queues.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    answered: Mapped[int]
    minutes: Mapped[int]
    spent: Mapped[Decimal] = mapped_column(Numeric(14, 4))
    counted_at: Mapped[datetime] = mapped_column(default=real_now)


@dataclass(frozen=True)
class Spent:
    """MXN of the present day, and of all days."""

    day: Decimal
    total: Decimal


def stop(session: Session, queue: CallQueue) -> str | None:
    """Why the queue may dial nobody now, a code of idle_reasons.WHY_IDLE; None when money keeps nobody."""
    rules = queue_rules.of_queue(queue)
    if rules.spend_limit is None and rules.spend_day_limit is None:
        return None
    spent = so_far(session, queue.id)
    if rules.spend_limit is not None and spent.total >= rules.spend_limit:
        return "spend_limit"
    if rules.spend_day_limit is not None and spent.day >= rules.spend_day_limit:
        return "spend_day_limit"
    return None


def so_far(session: Session, queue_id: int) -> Spent:
    """As of the last count (`sweep`)."""
    today = QueueDay.day == _today(session)
    sums = func.coalesce(func.sum(QueueDay.spent).filter(today), 0), func.coalesce(func.sum(QueueDay.spent), 0)
    row = session.execute(select(*sums).where(QueueDay.queue_id == queue_id)).one()
    return Spent(Decimal(row[0]), Decimal(row[1]))


def sweep(session: Session) -> None:
    """Count what every running queue that has a limit spent lately, the calls that are under way with it."""
    for queue in session.scalars(select(CallQueue).where(CallQueue.state == "running").order_by(CallQueue.id)):
        rules = queue_rules.of_queue(queue)
        if rules.spend_limit is not None or rules.spend_day_limit is not None:
            count(session, queue.id, rules)


def sweep_all(session: Session) -> None:
    """The same for every queue that calls or did lately, for whoever asks what they cost."""
    for queue in session.scalars(select(CallQueue).where(CallQueue.state != "draft").order_by(CallQueue.id)):
        count(session, queue.id, queue_rules.of_queue(queue))


def count(session: Session, queue_id: int, rules: Rules) -> None:
    """Write down what the queue spent on the days of its latest calls."""
    session.execute(
        _COUNT,
        {"queue": queue_id, "price": rules.minute_price, "since": real_now() - LOOKS_BACK, "now": real_now(),
         "zone": ZONE.key, "pesos": call_prices.exchange_rate(session)},
    )  # fmt: skip


def _today(session: Session) -> date:
    return campaign_now(session).astimezone(ZONE).date()


# Days before the first that is seen whole are final: what is older than LOOKS_BACK would be missing from them.
_COUNT = text("""
    WITH recent AS (
        SELECT CAST(a.at AT TIME ZONE :zone AS date) AS day, c.id, c.carrier, c.trunk_id, substr(a.phone, 2) AS digits,
            c.answered_at IS NOT NULL AS answered,
            CEIL(EXTRACT(EPOCH FROM COALESCE(c.hung_up_at, c.ended_at, :now) - c.answered_at) / 60) AS minutes
        FROM calls c JOIN attempts a ON a.id = c.id
        WHERE c.queue_id = :queue AND c.placed_at > :since AND c.direction = 'out'
    ), money (currency, pesos) AS (VALUES ('MXN', CAST(1 AS numeric)), ('USD', CAST(:pesos AS numeric))
    ), days AS (
        SELECT day, count(*) AS answered, SUM(minutes) AS minutes, SUM(COALESCE(
            (SELECT c.price * m.pesos FROM call_prices c JOIN money m USING (currency) WHERE c.call_id = recent.id),
            minutes * COALESCE(
                NULLIF((
                    SELECT p.cost FROM trunk_prefixes p
                    WHERE p.trunk_id = recent.trunk_id AND digits LIKE p.prefix || '%'
                    ORDER BY length(p.prefix) DESC LIMIT 1), 0),
                (SELECT r.price * m.pesos FROM carrier_rates r JOIN money m USING (currency)
                    WHERE r.carrier = recent.carrier AND digits LIKE r.prefix || '%'
                    ORDER BY length(r.prefix) DESC LIMIT 1),
                :price))) AS spent
        FROM recent WHERE answered GROUP BY day
    )
    INSERT INTO queue_days (queue_id, day, answered, minutes, spent, counted_at)
    SELECT :queue, day, answered, GREATEST(minutes, 0), GREATEST(spent, 0), :now FROM days
    ON CONFLICT (queue_id, day) DO UPDATE SET answered = EXCLUDED.answered, minutes = EXCLUDED.minutes,
        spent = EXCLUDED.spent, counted_at = EXCLUDED.counted_at
    WHERE queue_days.spent < EXCLUDED.spent OR queue_days.answered < EXCLUDED.answered""")
