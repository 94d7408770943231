"""Looking before calling: one person of a list before one operator, who then calls them or skips them.

In a queue of the mode `preview` the dialer puts the next person before whoever is free; in one of the mode `manual` the
operator picks. The person is claimed meanwhile (`calling`), so that nobody else has them, and the operator's state is
`preview` until the call is answered or over. A look ends by itself (queue_rules.Rules.look_seconds): nobody is kept
from being called.
"""

from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, func, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import calls, operators, queues
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.outbox import enqueue_later
from callcenter.ledger import call_ledger
from callcenter.operators import Operator
from callcenter.queueing import queue_claims, queue_entries, queue_rules
from callcenter.queues import CallQueue, QueueEntry

MOST_SKIPS = 3  # after so many the person is done in this queue
AT_ONCE = 20  # operators served in one turn of the dialer

SKIPS: dict[str, LazyString] = {
    "wrong_time": _l("Not a good time for this person"),
    "known": _l("I know this person"),
    "bad_record": _l("Something in the record is wrong"),
    "other": _l("Another reason"),
}


class Preview(Base):
    """One person before one operator (real times). `result`: called (`call_id`) | skipped (`reason`: of SKIPS) |
    expired | put_back; None while the operator looks."""

    __tablename__ = "previews"
    __table_args__ = (
        Index("uq_previews_open_operator_id", "operator_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("uq_previews_open_entry_id", "entry_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_previews_entry_id", "entry_id"),
        Index("ix_previews_operator_id_ended_at", "operator_id", "ended_at"),
        Index("ix_previews_call_id", "call_id", postgresql_where=text("call_id IS NOT NULL")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    operator_id: Mapped[int] = mapped_column(ForeignKey("operators.id", ondelete="CASCADE"))
    queue_id: Mapped[int] = mapped_column(ForeignKey("call_queues.id", ondelete="CASCADE"))
    entry_id: Mapped[int] = mapped_column(ForeignKey("queue_entries.id", ondelete="CASCADE"))
    shown_at: Mapped[datetime]
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    result: Mapped[str | None]
    reason: Mapped[str | None]
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("calls.id", ondelete="SET NULL"))


def show_next(session: Session, queue: CallQueue) -> int:
    """Put the next people of a queue of the mode `preview` before the operators who are free for it; returns how many.

    An operator who is held so is given their own callbacks, too, and people who found nobody lately."""
    now = real_now()
    waits = (
        select(Operator)
        .where(operators.is_free(now), operators.serves(queue.id), ~operators.is_kept_for_who_rang(now, now))
        .order_by(Operator.state_since, Operator.id)
        .limit(AT_ONCE)
        .with_for_update(of=Operator, skip_locked=True)
    )
    shown = 0
    for operator in session.scalars(waits.execution_options(populate_existing=True)).all():
        entries = queue_claims.claim(session, queue.id, 1, held=operator.id)
        if not entries:
            break
        _show(session, operator, entries[0])
        shown += 1
    return shown


def take(session: Session, operator_id: int, entry_id: int) -> Preview:
    """The operator picks a person: of a queue of the mode `manual`, or one whom they promised to call.

    Raises NotFound, and Refused when the operator is not free or somebody else has the person."""
    operator = operators.locked(session, operator_id)
    if operator.state != "available" or operator.call_id is not None or not operator.has_room:
        raise Refused("not_free", _("Go available first: then pick whom you call."))
    entry = session.get(QueueEntry, entry_id, with_for_update=True, populate_existing=True)
    if entry is None or not _may_pick(session, operator, entry):
        raise NotFound(_("There is no such person in your lists."))
    if entry.state != "waiting":
        raise Refused("taken", _("This person is with somebody else now, or done. Pick another one."))
    entry.state = "calling"
    return _show(session, operator, entry)


def call(session: Session, preview_id: int, operator_id: int) -> UUID:
    """The operator calls the person before them; returns the call, which is theirs from now on. Raises NotFound, and
    Refused when the look is over or the phone is in use."""
    operator, preview = _open_one(session, preview_id, operator_id)
    queue = queues.get(session, preview.queue_id)
    entry = session.get_one(QueueEntry, preview.entry_id, with_for_update=True, populate_existing=True)
    planned = calls.plan(session, queue, [entry]) if queue.state == "running" else []
    if not planned:  # the entry is waiting again
        _end(session, operator, preview, "put_back")
        queue_entries.give_back(session, entry)
        raise Refused("phone_in_use", _("This person cannot be called at this moment. The next one comes."))
    found = call_ledger.lock(session, planned[0])
    assert found is not None
    found.operator_id = operator.id
    preview.ended_at, preview.result, preview.call_id = real_now(), "called", found.id
    operator.call_id = found.id
    operators.enter(session, operator, "preview")
    operators.tell(session, operator)
    enqueue_later(session, "callcenter.jobs.place_calls", [str(found.id)], queue="urgent")
    return found.id


def skip(session: Session, preview_id: int, operator_id: int, reason: object) -> None:
    """The next one, please. Raises InvalidInput without a reason, NotFound, Refused when the look is over."""
    if not isinstance(reason, str) or reason not in SKIPS:
        raise InvalidInput({"reason": _("Choose why you skip this person.")})
    operator, preview = _open_one(session, preview_id, operator_id)
    preview.reason = reason
    _end(session, operator, preview, "skipped")
    skips = select(func.count()).where(Preview.entry_id == preview.entry_id, Preview.result == "skipped")
    if (session.scalar(skips) or 0) >= MOST_SKIPS:
        queue_entries.finish(session, preview.entry_id, "skipped")
    else:
        again = campaign_now(session) + timedelta(minutes=queue_rules.of(session, preview.queue_id).skip_minutes)
        queue_entries.exclude(session, preview.entry_id, "skipped", again)


def stop_call(session: Session, call_id: UUID, operator_id: int) -> None:
    """The operator lets the phone ring no longer. Raises NotFound."""
    calls.of_operator(session, call_id, operator_id)
    calls.hang_up_later(session, call_id)


def open_of(session: Session, operator_id: int) -> Preview | None:
    """Whom the operator is looking at now."""
    return session.scalar(select(Preview).where(Preview.operator_id == operator_id, Preview.ended_at.is_(None)))


def sweep(session: Session) -> None:
    """Give back whom nobody looks at any more: the time is over (the operator pauses), the operator went, their page
    is silent, or the queue is no longer running."""
    now = real_now()
    stale = (
        select(Preview.id, Preview.operator_id)
        .join(Operator, Operator.id == Preview.operator_id)
        .join(CallQueue, CallQueue.id == Preview.queue_id)
        .where(Preview.ended_at.is_(None))
        .where(or_(Preview.until < now, Operator.state != "preview", CallQueue.state != "running",
                   operators.unseen(now - operators.GRACE)))
    )  # fmt: skip
    for preview_id, operator_id in session.execute(stale).all():
        operator = operators.locked(session, operator_id)
        preview = session.get_one(Preview, preview_id, with_for_update=True, populate_existing=True)
        if preview.ended_at is not None:
            continue
        is_late = preview.until < now and operator.state == "preview"
        is_gone = operator.last_seen_at is None or operator.last_seen_at < now - operators.GRACE
        if operator.state == "preview" and (is_late or is_gone):
            operator.pause_reason = "gone" if is_gone else "looked_long"
        _end(session, operator, preview, "expired" if is_late else "put_back")
        entry = session.get(QueueEntry, preview.entry_id, with_for_update=True, populate_existing=True)
        if entry is not None and entry.state == "calling":
            queue_entries.give_back(session, entry)


def _show(session: Session, operator: Operator, entry: QueueEntry) -> Preview:
    now, rules = real_now(), queue_rules.of(session, entry.queue_id)
    preview = Preview(
        operator_id=operator.id, queue_id=entry.queue_id, entry_id=entry.id, shown_at=now,
        until=now + timedelta(seconds=rules.look_seconds),
    )  # fmt: skip
    session.add(preview)
    operators.enter(session, operator, "preview")
    operators.tell(session, operator)
    session.flush()
    return preview


def _open_one(session: Session, preview_id: int, operator_id: int) -> tuple[Operator, Preview]:
    operator = operators.locked(session, operator_id)
    preview = session.get(Preview, preview_id, with_for_update=True, populate_existing=True)
    if preview is None or preview.operator_id != operator_id:
        raise NotFound(_("There is no such person before you."))
    if preview.ended_at is not None or operator.state != "preview":
        raise Refused("look_over", _("Your look at this person is over. The next one comes."))
    return operator, preview


def _end(session: Session, operator: Operator, preview: Preview, result: str) -> None:
    preview.ended_at, preview.result = real_now(), result
    if operator.state == "preview" and operator.call_id is None:
        operators.enter(session, operator, "paused" if operator.pause_reason else "available")
        operators.tell(session, operator)


def _may_pick(session: Session, operator: Operator, entry: QueueEntry) -> bool:
    queue = queues.get(session, entry.queue_id)
    if queue.state != "running":
        return False
    is_theirs = select(Operator.id).where(Operator.id == operator.id, operators.serves(queue.id))
    is_promised = entry.is_callback and entry.callback_operator_id == operator.id
    return is_promised or (queue.mode == "manual" and session.scalar(is_theirs) is not None)
