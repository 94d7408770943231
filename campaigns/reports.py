"""Figures of campaigns that span tables: the funnel of a message campaign, the outcomes of a calling one, the list."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now, real_now
from callcenter.calls import Call
from callcenter.contacts import Contact
from callcenter.queues import QueueEntry
from campaigns.dispatch import message_rows as ledger
from campaigns.dispatch import message_states as states
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import TEST, Message


@dataclass(frozen=True)
class Funnel:
    """Where everybody of a message campaign's list is (no tests, no conversations: ledger.of_list). `by_state`
    sums to `planned`, each breakdown to its state.

    `by_reason`: (refusal, n) of the excluded, `waiting`: (refusal, n) of the planned that wait, `by_error`: (code, n)
    of failed and undelivered. `held`: planned, not released yet. `parts` and `cost` (MXN): what is billed.
    `per_minute`: messages that left in the last minute. `as_of`: campaign time."""

    planned: int
    by_state: dict[str, int]
    by_reason: list[tuple[str, int]]
    waiting: list[tuple[str, int]]
    by_error: list[tuple[str | None, int]]
    parts: int
    cost: Decimal
    per_minute: int
    as_of: datetime
    held: int = 0

    @property
    def left(self) -> int:
        """How many left this house, whatever became of them."""
        return sum(self.by_state[state] for state in ledger.LEFT)

    @property
    def settled(self) -> int:
        return sum(self.by_state[state] for state in states.FINAL)

    @property
    def delivery_rate(self) -> float | None:
        """Delivered among those of whom we know the end; None before the first."""
        known = sum(self.by_state[state] for state in (states.DELIVERED, states.UNDELIVERED, states.FAILED))
        return self.by_state[states.DELIVERED] / known if known else None


def funnel(session: Session, campaign: MessageCampaign) -> Funnel:
    """One pass over the campaign's rows."""
    billed = ledger.is_billed()
    rows = session.execute(
        select(
            Message.state, Message.refusal, Message.error_code, func.count().label("n"),
            func.count().filter(Message.is_held, Message.state == states.PLANNED).label("held"),
            func.coalesce(func.sum(ledger.parts()).filter(billed), 0).label("parts"),
            func.sum(ledger.cost(campaign.unit_price)).label("cost"),
        )
        .where(ledger.of_list(campaign.id))
        .group_by(Message.state, Message.refusal, Message.error_code)
    ).all()  # fmt: skip
    by_state = dict.fromkeys(states.NEXT, 0)
    for row in rows:
        by_state[row.state] += row.n
    return Funnel(
        planned=sum(by_state.values()),
        by_state=by_state,
        by_reason=_ranked((row.refusal, row.n) for row in rows if row.state == states.EXCLUDED),
        waiting=_ranked((row.refusal, row.n) for row in rows if row.state == states.PLANNED and row.refusal),
        by_error=_ranked((row.error_code, row.n) for row in rows if row.state in (states.FAILED, states.UNDELIVERED)),
        parts=sum(row.parts for row in rows),
        cost=sum((row.cost for row in rows), Decimal(0)),
        per_minute=_per_minute(session, campaign.id),
        as_of=campaign_now(session),
        held=sum(row.held for row in rows),
    )


def funnel_lately(session: Session, campaign: MessageCampaign) -> Funnel:
    """`funnel` for whoever looks on: of a long list as it was a few seconds ago, however many look (see `as_of`)."""
    kept = _funnels.get(campaign.id)
    if kept is not None and monotonic() < kept[0]:
        return kept[1]
    began = monotonic()
    found = funnel(session, campaign)
    if found.planned > LONG:
        _funnels[campaign.id] = _until(began), found
    return found


def message_counts(session: Session, campaign_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Of each campaign's list: {"planned", "settled", "delivered", "failed"}; long lists as they were seconds ago."""
    now = monotonic()
    kept = {one: _counted[one][1] for one in campaign_ids if one in _counted and now < _counted[one][0]}
    found = _count(session, [one for one in campaign_ids if one not in kept])
    for one, counts in found.items():
        if counts["planned"] > LONG:
            _counted[one] = _until(now), counts
    return kept | found


def _until(began: float) -> float:
    """How long a count that began then is good for: so that counting never takes more than a tenth of the time."""
    now = monotonic()
    return now + max(KEPT, 10 * (now - began))


def _count(session: Session, campaign_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    if not campaign_ids:
        return {}
    rows = session.execute(
        select(
            Message.campaign_id,
            func.count().label("planned"),
            func.count().filter(Message.state.in_(states.FINAL)).label("settled"),
            func.count().filter(Message.state == states.DELIVERED).label("delivered"),
            func.count().filter(Message.state.in_([states.FAILED, states.UNDELIVERED])).label("failed"),
        )
        .where(Message.campaign_id.in_(campaign_ids), Message.wave != TEST, Message.turn == 0)
        .group_by(Message.campaign_id)
    )
    return {row.campaign_id: {name: row._mapping[name] for name in _COUNTS} for row in rows}


def call_counts(session: Session, queue_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Of each queue: {"planned", "settled"} people."""
    settled = func.count().filter(QueueEntry.state.in_(["done", "excluded"]))
    rows = session.execute(
        select(QueueEntry.queue_id, func.count().label("planned"), settled.label("settled"))
        .where(QueueEntry.queue_id.in_(queue_ids))
        .group_by(QueueEntry.queue_id)
    )
    return {row.queue_id: {"planned": row.planned, "settled": row.settled} for row in rows}


def call_outcomes(session: Session, queue_id: int) -> list[tuple[str, int]]:
    """(what became of a try, n), commonest first: the operator's disposition, else the try's outcome."""
    what = func.coalesce(Call.disposition, Attempt.outcome)
    rows = session.execute(
        select(what, func.count())
        .join(Attempt, Attempt.id == Call.id)
        .where(Call.queue_id == queue_id, what.is_not(None))
        .group_by(what)
    )
    return _ranked((row[0], row[1]) for row in rows)


def entry_reasons(session: Session, queue_id: int) -> list[tuple[str, int]]:
    """(reason, n) of the people that a calling campaign excluded."""
    rows = session.execute(
        select(func.coalesce(QueueEntry.reason, ""), func.count())
        .where(QueueEntry.queue_id == queue_id, QueueEntry.state == "excluded")
        .group_by(QueueEntry.reason)
    )
    return _ranked((row[0], row[1]) for row in rows)


def calls_per_hour(session: Session, queue_id: int) -> int:
    """Tries in the last ten minutes, as an hourly pace."""
    since = real_now() - timedelta(minutes=10)
    query = select(func.count()).where(Call.queue_id == queue_id, Call.id == Attempt.id, Attempt.created_at > since)
    return 6 * (session.scalar(query) or 0)


def message_rows(session: Session, campaign_id: int) -> Any:
    """Every row of a campaign for an export, without phones and names.

    Streams rows of: id, contact_id, section_number, state, refusal, error_code, parts, sent_at, finished_at"""
    return session.execute(
        select(Message.id, Message.contact_id, Contact.section_number, Message.state, Message.refusal,
               Message.error_code, Message.parts, Message.sent_at, Message.finished_at)
        .outerjoin(Contact, Contact.id == Message.contact_id)
        .where(Message.campaign_id == campaign_id).order_by(Message.id),
        execution_options={"yield_per": 5_000},
    )  # fmt: skip


def _per_minute(session: Session, campaign_id: int) -> int:
    since = real_now() - timedelta(minutes=1)
    return session.scalar(
        select(func.count()).where(Message.campaign_id == campaign_id, Message.sent_at > since)
    ) or 0  # fmt: skip


def _ranked(pairs: Any) -> list[Any]:
    """Sum by the first of each pair; largest first."""
    sums: dict[Any, int] = {}
    for what, n in pairs:
        sums[what] = sums.get(what, 0) + n
    return sorted(sums.items(), key=lambda pair: (-pair[1], str(pair[0])))


_COUNTS = ("planned", "settled", "delivered", "failed")
LONG, KEPT = 20_000, 2.0  # lists of more people than this are counted once in so many seconds at most
_counted: dict[int, tuple[float, dict[str, int]]] = {}
_funnels: dict[int, tuple[float, Funnel]] = {}
