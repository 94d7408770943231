"""What people ask of us on the public page: kept for a moment, and done by a job.

The page does the same work for every phone, known or not, so neither its words nor its time tell who is in our lists.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Identity, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import consent
from callcenter.base import audit
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.base.outbox import enqueue_later
from callcenter.privacy import arco
from callcenter.privacy.arco import Asked

PATIENCE = timedelta(minutes=2)  # then a job that Redis forgot is asked for again


class PublicRequest(Base):
    """`kind`: opt_out | arco. The row is deleted when it is done. `received_at` is campaign time, `made_at` real."""

    __tablename__ = "public_requests"
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    kind: Mapped[str]
    phone: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    received_at: Mapped[datetime]
    made_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))


def leave(session: Session, kind: str, phone: str, detail: Mapping[str, Any] | None = None) -> None:
    """Keep what was asked; a worker does it after the commit. `phone` is E.164."""
    left = PublicRequest(kind=kind, phone=phone, detail=dict(detail or {}), received_at=campaign_now(session))
    session.add(left)
    session.flush()
    _enqueue(session, left)


def _enqueue(session: Session, left: PublicRequest) -> None:
    enqueue_later(session, "callcenter.privacy.privacy_jobs.do_public_request", left.id, queue="urgent")


def do(session: Session, request_id: int) -> bool:
    """Do what was asked; False when it is done already."""
    left = session.get(PublicRequest, request_id, with_for_update=True)
    if left is None:
        return False
    if left.kind == "opt_out":
        consent.opt_out(session, left.phone, reason="public_page", proof="public page", source="public_page")
        audit.record(session, None, "contacts.opt_out_publicly", "suppressions")
    else:
        _open_case(session, left)
    session.delete(left)
    return True


def _open_case(session: Session, left: PublicRequest) -> None:
    """Whoever is alone at the phone is linked; of a household a person has to say who it is."""
    people = consent.people_at(session, left.phone)
    asked = Asked(phone=left.phone, **left.detail)
    arco.open_case(session, asked, None, contact_id=people[0] if len(people) == 1 else None, at=left.received_at)


def sweep(session: Session) -> int:
    """Ask again for the requests whose job is gone; returns how many."""
    late = select(PublicRequest).where(PublicRequest.made_at < real_now() - PATIENCE)
    lost = session.scalars(late.with_for_update(skip_locked=True).limit(500)).all()
    for left in lost:
        left.made_at = real_now()
        _enqueue(session, left)
    return len(lost)
