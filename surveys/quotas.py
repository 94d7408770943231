"""Quotas of a calling campaign: which joint cells of people it wants, and how many interviews of each."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, delete, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import queues
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.outbox import enqueue_later, tell_later
from surveys.fieldwork import quota_memory
from surveys.fieldwork.quota_cells import WHEN_FULL, Cell, Dimension, QuotaPlan

MOST_CELLS, MOST_DIMENSIONS, MOST_PEOPLE = 2_000, 4, 1_000_000
SORT = "surveys.fieldwork.quota_jobs.sort_queue"
LOW_MARGIN, HIGH_MARGIN = 0.005, 0.2


class Quota(Base):
    """The quotas of one queue. `dimensions`: [{"field", "item", "kind"}], see quota_cells. `stopped_at`: real time at
    which the stopping rule paused the campaign; a person who resumes it overrules that rule for good."""

    __tablename__ = "quotas"
    __table_args__ = (CheckConstraint("when_full IN ('screen', 'finish')", name="when_full"),)
    queue_id: Mapped[int] = mapped_column(ForeignKey("call_queues.id", ondelete="CASCADE"), primary_key=True)
    dimensions: Mapped[list[Any]]
    when_full: Mapped[str]
    stop_margin: Mapped[float | None]
    stopped_at: Mapped[datetime | None]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    changed_at: Mapped[datetime] = mapped_column(default=real_now)


class QuotaCell(Base):
    """One cell: a value for each dimension, and its target; None: as many as come. How many interviews it has is
    counted each time, and stands nowhere."""

    __tablename__ = "quota_cells"
    __table_args__ = (UniqueConstraint("queue_id", "group_values"), CheckConstraint("target >= 0", name="target"))
    id: Mapped[int] = mapped_column(primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("quotas.queue_id", ondelete="CASCADE"))
    group_values: Mapped[list[Any]]
    target: Mapped[int | None]


def of(session: Session, queue_id: int | None) -> QuotaPlan | None:
    """The quotas of a queue, cells in the order they were given; None without any."""
    quota = session.get(Quota, queue_id, populate_existing=True) if queue_id is not None else None
    if quota is None:
        return None
    rows = session.execute(
        select(QuotaCell.group_values, QuotaCell.target).where(QuotaCell.queue_id == queue_id).order_by(QuotaCell.id)
    )
    return QuotaPlan(
        dimensions=tuple(Dimension(**each) for each in quota.dimensions),
        cells=tuple(Cell(tuple(group_values), target) for group_values, target in rows),
        when_full=quota.when_full,
        stop_margin=quota.stop_margin,
    )


def recent(session: Session, queue_id: int | None) -> QuotaPlan | None:
    """`of`, two seconds old at most: for conversations, which ask for it again and again."""
    return None if queue_id is None else quota_memory.plans.of(queue_id, lambda: of(session, queue_id))


def strata(session: Session, queue_id: int | None) -> frozenset[str] | None:
    """Names of the questions that tell a person's cell; None where quotas send nobody away."""
    if queue_id is None:
        return None
    row = session.execute(select(Quota.dimensions, Quota.when_full).where(Quota.queue_id == queue_id)).one_or_none()
    return None if row is None else strata_of(row.dimensions, row.when_full)


def strata_of(dimensions: list[Any] | None, when_full: str | None) -> frozenset[str] | None:
    """The same of quotas that were read already, as Quota has them; None of none."""
    if dimensions is None or when_full != "screen":
        return None
    return frozenset(each["item"] for each in dimensions if each["item"])


def counted_later(session: Session, queue_id: int) -> None:
    """An interview of this queue became complete, or is it no more: after the commit its list is sorted anew."""
    quota_memory.full.forget(queue_id)
    if recent(session, queue_id) is not None:
        sort_later(session, queue_id)


def with_quotas(session: Session) -> list[int]:
    """Numbers of the running queues that have quotas."""
    wanted = select(Quota.queue_id).join(queues.CallQueue, queues.CallQueue.id == Quota.queue_id)
    return list(session.scalars(wanted.where(queues.CallQueue.state == "running").order_by(Quota.queue_id)))


def set_plan(session: Session, queue_id: int, plan: QuotaPlan | None, user_id: int | None) -> None:
    """Give a queue these quotas in place of those it had; None takes them off. The list is sorted anew by a worker.

    Raises InvalidInput with a sentence for each fault, NotFound."""
    queues.get(session, queue_id)
    if plan is not None:
        check(plan)
    _lock(session, queue_id)
    session.execute(delete(QuotaCell).where(QuotaCell.queue_id == queue_id))
    if plan is None:
        session.execute(delete(Quota).where(Quota.queue_id == queue_id))
    else:
        _write(session, queue_id, plan, user_id)
    quota_memory.plans.forget(queue_id)
    quota_memory.full.forget(queue_id)
    total = {} if plan is None else {"cells": len(plan.cells), "total": plan.total, "stop_margin": plan.stop_margin}
    audit.record(session, user_id, "quotas.set", f"queue/{queue_id}", **total)
    sort_later(session, queue_id)


def sort_later(session: Session, queue_id: int) -> None:
    """After the commit: leave out those whose cells are full, take back those whose cells are open."""
    enqueue_later(session, SORT, queue_id, queue="default")
    tell_later(session, f"queue/{queue_id}")


def stop(session: Session, queue_id: int, code: str) -> bool:
    """Pause a queue that needs nobody any more; False when it does not run, or a person has overruled the rule.

    `code`: full (every cell) | margin (the error wanted is reached)."""
    quota = _lock(session, queue_id)
    if quota is None or quota.stopped_at is not None or queues.get(session, queue_id).state != "running":
        return False
    quota.stopped_at = real_now()
    queues.set_state(session, queue_id, "paused", f"quota:{code}", None)
    return True


def check(plan: QuotaPlan) -> None:
    """Raises InvalidInput with what is wrong with the numbers of a plan, by field."""
    faults: dict[str, str] = {}
    if not plan.dimensions or not plan.cells:
        faults["cells"] = _("Write at least one cell: a value of each stratum, and how many interviews it is to have.")
    if len(plan.cells) > MOST_CELLS or len(plan.dimensions) > MOST_DIMENSIONS:
        faults["cells"] = _("There is room for %(cells)s cells of %(strata)s strata; join small ones.",
                            cells=MOST_CELLS, strata=MOST_DIMENSIONS)  # fmt: skip
    if any(cell.target is not None and not 0 <= cell.target <= MOST_PEOPLE for cell in plan.cells):
        faults["cells"] = _("A target is a number from 0 to %(most)s.", most=MOST_PEOPLE)
    if plan.when_full not in WHEN_FULL:
        faults["when_full"] = _("Choose what happens to people whose cell is full.")
    if plan.stop_margin is not None and not LOW_MARGIN <= plan.stop_margin <= HIGH_MARGIN:
        faults["stop_margin"] = _("Write a margin from %(low)s to %(high)s points, or nothing.",
                                  low=100 * LOW_MARGIN, high=round(100 * HIGH_MARGIN))  # fmt: skip
    if faults:
        raise InvalidInput(faults)


def get(session: Session, queue_id: int) -> QuotaPlan:
    """Raises NotFound when the queue has no quotas."""
    plan = of(session, queue_id)
    if plan is None:
        raise NotFound(_("This campaign has no quotas."))
    return plan


def _lock(session: Session, queue_id: int) -> Quota | None:
    return session.get(Quota, queue_id, with_for_update=True, populate_existing=True)


def _write(session: Session, queue_id: int, plan: QuotaPlan, user_id: int | None) -> None:
    quota = session.get(Quota, queue_id) or Quota(queue_id=queue_id)
    quota.dimensions = [asdict(each) for each in plan.dimensions]
    quota.when_full, quota.stop_margin, quota.stopped_at = plan.when_full, plan.stop_margin, None
    quota.changed_by, quota.changed_at = user_id, real_now()
    session.add(quota)
    session.flush()
    rows = [{"queue_id": queue_id, "group_values": list(cell.values), "target": cell.target} for cell in plan.cells]
    session.execute(insert(QuotaCell), rows)
