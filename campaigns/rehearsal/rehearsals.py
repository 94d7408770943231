"""Rehearsals: a message campaign gone through with its real list before anybody presses send. Nothing leaves.

One at a time for each campaign; a job does it (rehearsal.rehearsal_jobs), and another one when its worker died.
"""

from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, ForeignKey, Index, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound, Refused
from callcenter.base.outbox import enqueue_later
from campaigns.mailings import message_approvals
from campaigns.mailings import message_campaigns as campaigns

RUNNING, DONE, FAILED, CANCELLED = ("running", "done", "failed", "cancelled")
LEASE = timedelta(minutes=3)  # renewed with every block of people
JOB = "campaigns.rehearsal.rehearsal_jobs.rehearse"


class Rehearsal(Base):
    """`done` of `total` people have been looked at. `version`: of the campaign, as an approval names it.

    `result`: what was found (rehearsal.rehearsal_findings); empty while it runs. `reason`: why it failed, a code."""

    __tablename__ = "rehearsals"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done', 'failed', 'cancelled')", name="state"),
        Index("uq_rehearsals_running", "campaign_id", unique=True, postgresql_where=text("state = 'running'")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("message_campaigns.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(default=RUNNING)
    reason: Mapped[str | None]
    total: Mapped[int | None]
    done: Mapped[int] = mapped_column(default=0)
    version: Mapped[str]
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime] = mapped_column(default=real_now)
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


def begin(session: Session, campaign_id: int, user_id: int | None) -> Rehearsal:
    """Rehearse the campaign in a worker; the one that runs already, where one does. Raises NotFound, and Refused once
    its list is written."""
    campaign = campaigns.lock(session, campaign_id)
    if campaign.planned_at is not None or campaign.state != "draft":
        raise Refused("planned", _("This campaign has been sent already: there is nothing to rehearse."))
    running = latest(session, campaign_id)
    if running is not None and running.state == RUNNING:
        return running
    made = Rehearsal(
        campaign_id=campaign_id, version=message_approvals.version(session, campaign), asked_by=user_id,
        lease_until=real_now() + LEASE,
    )  # fmt: skip
    session.add(made)
    session.flush()
    audit.record(session, user_id, "message_campaign.rehearse", f"message-campaign/{campaign_id}")
    enqueue_later(session, JOB, made.id, queue="bulk")
    return made


def cancel(session: Session, campaign_id: int, user_id: int | None) -> None:
    """Stop the rehearsal that runs, if one does; the job sees it at its next block."""
    running = latest(session, campaign_id)
    if running is not None and running.state == RUNNING:
        audit.record(session, user_id, "message_campaign.cancel_rehearsal", f"message-campaign/{campaign_id}")
        _end(running, CANCELLED)


def latest(session: Session, campaign_id: int) -> Rehearsal | None:
    """The campaign's last rehearsal, whatever became of it."""
    found = select(Rehearsal).where(Rehearsal.campaign_id == campaign_id).order_by(Rehearsal.id.desc()).limit(1)
    return session.scalars(found.execution_options(populate_existing=True)).first()


def is_of_now(session: Session, rehearsal: Rehearsal) -> bool:
    """Is it of what would leave now? Not once the text, the list or anything else was changed."""
    campaign = campaigns.find(session, rehearsal.campaign_id)
    return message_approvals.version(session, campaign) == rehearsal.version


def get(session: Session, rehearsal_id: int) -> Rehearsal:
    """Fresh. Raises NotFound."""
    rehearsal = session.get(Rehearsal, rehearsal_id, populate_existing=True)
    if rehearsal is None:
        raise NotFound(_("There is no such rehearsal."))
    return rehearsal


def go_on(session: Session, rehearsal_id: int, done: int, total: int | None = None) -> bool:
    """Keep how far it is, and the job's lease; False when it was cancelled, or is over."""
    rehearsal = get(session, rehearsal_id)
    if rehearsal.state != RUNNING:
        return False
    rehearsal.done, rehearsal.lease_until = done, real_now() + LEASE
    rehearsal.total = rehearsal.total if total is None else total
    campaigns.tell(session, rehearsal.campaign_id)
    return True


def finish(session: Session, rehearsal_id: int, result: dict[str, Any]) -> None:
    """Keep what was found."""
    rehearsal = get(session, rehearsal_id)
    if rehearsal.state == RUNNING:
        rehearsal.result = result
        _end(rehearsal, DONE)
        campaigns.tell(session, rehearsal.campaign_id)


def fail(session: Session, rehearsal_id: int, reason: str) -> None:
    """It cannot be done; `reason` is a code that `labels.refusal` has a sentence for, or a sentence."""
    rehearsal = get(session, rehearsal_id)
    if rehearsal.state == RUNNING:
        rehearsal.reason = reason
        _end(rehearsal, FAILED)
        campaigns.tell(session, rehearsal.campaign_id)


def sweep(session: Session) -> None:
    """For the clock: a rehearsal whose worker died gets another one."""
    late = or_(Rehearsal.lease_until.is_(None), Rehearsal.lease_until < real_now())
    left = select(Rehearsal).where(Rehearsal.state == RUNNING, late).with_for_update(skip_locked=True)
    for rehearsal in session.scalars(left):
        rehearsal.lease_until = real_now() + LEASE
        enqueue_later(session, JOB, rehearsal.id, queue="bulk")


def _end(rehearsal: Rehearsal, state: str) -> None:
    rehearsal.state, rehearsal.finished_at, rehearsal.lease_until = state, real_now(), None
