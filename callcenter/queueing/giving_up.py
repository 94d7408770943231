"""Leaving phones that ring in vain while nobody is free to talk: only after 15 s, never one whom we promised to call,
and each person at most once a day. It counts as a try, and for every cap; nobody had picked up, so nobody is abandoned.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Exists, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from callcenter.attempts import Attempt
from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.base.outbox import enqueue_later
from callcenter.ledger.call_ledger import Call
from callcenter.queues import QueueEntry

RUNG = timedelta(seconds=15)  # no phone rings shorter, unless its owner ends it
OUTCOME = "given_up"


def begin(session: Session, queue_id: int, most: int) -> list[UUID]:
    """Choose up to `most` of the queue's calls, those that have rung longest, and have them taken down after the
    commit; returns their ids."""
    if most <= 0:
        return []
    now = real_now()
    chosen = session.scalars(
        select(Call)
        .join(Attempt, Attempt.id == Call.id)
        .join(QueueEntry, QueueEntry.id == Call.entry_id, isouter=True)
        .where(Call.queue_id == queue_id, Call.state == "ringing", Call.direction == "out")
        .where(Call.ringing_at <= now - RUNG, Call.given_up_at.is_(None), Call.answered_at.is_(None))
        .where(or_(QueueEntry.id.is_(None), ~QueueEntry.is_callback), ~_had_one_today(campaign_now(session)))
        .order_by(Call.ringing_at, Call.id)
        .limit(most)
        .with_for_update(of=Call, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for call in chosen:
        call.given_up_at = now
    if chosen:
        enqueue_later(session, "callcenter.jobs.give_up", [str(call.id) for call in chosen], queue="urgent")
    return [call.id for call in chosen]


def share(session: Session, queue_id: int) -> tuple[int, int]:
    """(calls that we left, calls placed) of the queue to date."""
    left = select(func.count()).where(Call.queue_id == queue_id, Call.given_up_at.is_not(None)).scalar_subquery()
    placed = select(func.count()).where(Call.queue_id == queue_id, Call.placed_at.is_not(None)).scalar_subquery()
    row = session.execute(select(left, placed)).one()
    return int(row[0]), int(row[1])


def _had_one_today(now: datetime) -> Exists:
    """Did this person, or this phone, ring short today already? The day is the campaign's."""
    other = aliased(Attempt)
    morning = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    same = or_(
        other.phone == Attempt.phone, and_(Attempt.contact_id.is_not(None), other.contact_id == Attempt.contact_id)
    )
    return exists().where(same, other.at >= morning, other.outcome == OUTCOME)
