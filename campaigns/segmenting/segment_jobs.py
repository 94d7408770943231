"""Freezing a segment: at once when it is small, by a job when it is of very many people."""

import logging
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base import leases
from callcenter.base.db import open_session
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.leases import Lease
from callcenter.base.outbox import enqueue_later
from campaigns import segments

log = logging.getLogger(__name__)

LEASE = 600.0  # seconds; freezing a million and a half takes eight
AT_ONCE = 20_000  # people that a page freezes while somebody waits


def ask(session: Session, segment_id: int, user_id: int) -> bool:
    """Freeze the segment, or let a job do it; was it done at once? A list that is being frozen is not begun again."""
    segment = segments.get(session, segment_id)
    if segments.count(session, segment.rule).matching <= AT_ONCE:
        segments.freeze(session, segment_id, user_id)
        return True
    holder = uuid4().hex
    token = leases.take(session, _lease(segment_id), holder, LEASE)
    if token is not None:
        enqueue_later(session, "campaigns.segmenting.segment_jobs.freeze_segment", segment_id, user_id, holder, token)
    return False


def is_under_way(session: Session, segment_id: int) -> bool:
    """Is a job freezing this segment, or about to?"""
    alive = select(Lease.name).where(Lease.name == _lease(segment_id), Lease.expires_at > func.clock_timestamp())
    return session.scalar(alive) is not None


def freeze_segment(segment_id: int, user_id: int, holder: str, token: int) -> None:
    """Freeze it once: the lease ends with the list, so a job that runs twice finds nothing to do."""
    with open_session() as session:
        if not leases.holds(session, _lease(segment_id), token):
            return
        try:
            segments.freeze(session, segment_id, user_id)
        except (InvalidInput, NotFound) as fault:
            session.rollback()  # the rule broke since, or the segment was deleted
            log.warning("segment %d is not frozen: %s", segment_id, type(fault).__name__)
        leases.release(session, _lease(segment_id), holder)
        session.commit()


def _lease(segment_id: int) -> str:
    return f"freeze-segment/{segment_id}"
