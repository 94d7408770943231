"""Call queues: who is to be called for what, through which carrier, and when each person may be tried again."""

from datetime import datetime, timedelta
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Select,
    UniqueConstraint,
    and_,
    column,
    exists,
    func,
    literal,
    or_,
    select,
    table,
    text,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from callcenter.attempts import Attempt
from callcenter.base import audit
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound, Refused
from callcenter.base.outbox import tell_later
from callcenter.call_ledger import Call
from callcenter.call_states import DIALLING
from callcenter.contacts import Contact
from callcenter.idle_reasons import PAUSES, WHY_IDLE, pause_sentence, why_sentence

__all__ = [
    "PAUSES", "WHY_IDLE", "CallQueue", "QueueEntry", "claim", "fill", "get", "note_decision", "pause_sentence",
    "progress", "running", "running_for", "set_state", "why_sentence",
]  # fmt: skip

LIFE = {"draft": ("running",), "running": ("paused", "finished"), "paused": ("running", "finished"), "finished": ()}
ALONE = timedelta(minutes=1)  # no phone rings twice within this (real time)
OVERDUE = timedelta(minutes=15)  # a callback promised by one operator goes to anyone after this

STATE_LABELS: dict[str, LazyString] = {
    "draft": _l("draft"),
    "running": _l("running"),
    "paused": _l("paused"),
    "finished": _l("finished"),
}
_operators = table("operators", column("id"), column("state"))  # the noun itself stands above this module


class CallQueue(Base):
    """`state`: draft | running | paused | finished. `script`: `survey/17` or `operator`. `why_idle`: the dialer's last
    word, a code of WHY_IDLE; None while it dials. `wrap_up_seconds`: to write a call up; the operator may take more."""

    __tablename__ = "call_queues"
    __table_args__ = (
        CheckConstraint("recording = 'off' OR recording_notice_id IS NOT NULL", name="recorded_with_notice"),
        CheckConstraint("abandon_limit BETWEEN 0 AND 0.03 AND ratio >= 1", name="pace"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    purpose: Mapped[str]
    script: Mapped[str] = mapped_column(default="operator")
    carrier: Mapped[str]
    caller_id: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    state_reason: Mapped[str | None]
    mode: Mapped[str] = mapped_column(default="progressive")  # with what follows: callcenter.queue_pace
    abandon_limit: Mapped[float] = mapped_column(default=0.01, server_default=text("0.01"))
    ratio: Mapped[float] = mapped_column(default=1.5, server_default=text("1.5"))
    gives_up: Mapped[bool] = mapped_column(default=True, server_default=text("true"))
    calls_per_second: Mapped[int | None]
    falls_back: Mapped[str | None]
    max_attempts: Mapped[int] = mapped_column(default=3)
    retry_minutes: Mapped[dict[str, Any]] = mapped_column(default=dict)  # outcome -> minutes until the next try
    wrap_up_seconds: Mapped[int] = mapped_column(default=60, server_default=text("60"))
    answered_by: Mapped[str] = mapped_column(default="operator", server_default="operator")  # operator | recording
    machine_detection: Mapped[str] = mapped_column(default="off", server_default="off")  # off | on | shadow
    recording: Mapped[str] = mapped_column(default="off", server_default="off")  # off | notice | ask
    recording_notice_id: Mapped[int | None] = mapped_column(ForeignKey("recording_notices.id"))
    sessions: Mapped[int | None]  # of a recorded survey: conversations held at once; None: as many as the switch takes
    script_text: Mapped[str | None]  # what the operator reads when there is no survey
    on_behalf_of: Mapped[str]
    privacy_notice_url: Mapped[str]
    why_idle: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=real_now)


class QueueEntry(Base):
    """One person in one queue. `state`: waiting | calling | done | excluded; `reason` says why it is done or excluded.

    `not_before` (campaign time) holds retries and callbacks; a callback promised by one operator names them.
    `attempts`: the tries that counted, as the ledger had them when the last one ended.
    """

    __tablename__ = "queue_entries"
    __table_args__ = (
        UniqueConstraint("queue_id", "contact_id"),
        Index("ix_queue_entries_callbacks", "queue_id", "not_before", "id",
              postgresql_where=text("state = 'waiting' AND is_callback")),
        Index("ix_queue_entries_ready", "queue_id", text("priority DESC"), "id",
              postgresql_where=text("state = 'waiting' AND NOT is_callback")),
        Index("ix_queue_entries_promised", "callback_operator_id", "not_before",
              postgresql_where=text("state = 'waiting' AND is_callback")),
    )  # fmt: skip
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    queue_id: Mapped[int] = mapped_column(ForeignKey("call_queues.id", ondelete="CASCADE"))
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(default="waiting", server_default="waiting")
    reason: Mapped[str | None]
    priority: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    not_before: Mapped[datetime | None]
    is_callback: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    callback_operator_id: Mapped[int | None] = mapped_column(ForeignKey("operators.id"))


def get(session: Session, queue_id: int) -> CallQueue:
    """Raises NotFound."""
    queue = session.get(CallQueue, queue_id, populate_existing=True)
    if queue is None:
        raise NotFound(_("There is no such call queue."))
    return queue


def running(session: Session) -> list[CallQueue]:
    return list(session.scalars(select(CallQueue).where(CallQueue.state == "running").order_by(CallQueue.id)))


def fill(session: Session, queue_id: int, contact_ids: Select[Any]) -> int:
    """Put the selected contacts into the queue, each once, in one statement; returns how many are new.

    `contact_ids`: a SELECT of contacts.id."""
    chosen = contact_ids.subquery()
    rows = select(literal(queue_id), next(iter(chosen.c)))
    statement = postgresql.insert(QueueEntry).from_select(["queue_id", "contact_id"], rows).on_conflict_do_nothing()
    counted = {"preserve_rowcount": True}
    added = session.connection().execute(statement, execution_options=counted).rowcount
    tell_later(session, f"queue/{queue_id}")
    tell_later(session, "dialer")
    return added


def claim(session: Session, queue_id: int, limit: int) -> list[QueueEntry]:
    """Take up to `limit` people to call now: callbacks that are due, then by priority, then in the list's order.

    Left out: phones in a call or called within the last minute, and the second person of a phone (a household is
    called one by one). The rows are locked and `calling`; a claim beside this one takes others."""
    now = campaign_now(session)
    ready: list[QueueEntry] = []
    phones: set[str] = set()
    for candidates in (_callbacks(queue_id, now), _newcomers(queue_id, now)):
        if len(ready) == limit:
            break
        rows = session.execute(candidates.limit(limit - len(ready)).with_for_update(of=QueueEntry, skip_locked=True))
        for entry, phone in rows.all():
            if phone not in phones:
                phones.add(phone)
                ready.append(entry)
    for entry in ready:
        entry.state = "calling"
    session.flush()
    return ready


def _candidates(queue_id: int) -> Select[QueueEntry, str]:
    lately = or_(Attempt.closed_at.is_(None), Attempt.closed_at > real_now() - ALONE)
    taken = exists().where(Attempt.phone == Contact.phone, Attempt.channel == "call", lately)
    return (
        select(QueueEntry, Contact.phone)
        .join(Contact, Contact.id == QueueEntry.contact_id)
        .where(QueueEntry.queue_id == queue_id, QueueEntry.state == "waiting", ~taken)
        .execution_options(populate_existing=True)
    )


def _callbacks(queue_id: int, now: datetime) -> Select[QueueEntry, str]:
    keeper = exists().where(_operators.c.id == QueueEntry.callback_operator_id, _operators.c.state == "available")
    for_whom = or_(QueueEntry.callback_operator_id.is_(None), QueueEntry.not_before < now - OVERDUE, keeper)
    due = and_(QueueEntry.is_callback, QueueEntry.not_before <= now, for_whom)
    return _candidates(queue_id).where(due).order_by(QueueEntry.not_before, QueueEntry.id)


def _newcomers(queue_id: int, now: datetime) -> Select[QueueEntry, str]:
    ready = and_(~QueueEntry.is_callback, or_(QueueEntry.not_before.is_(None), QueueEntry.not_before <= now))
    return _candidates(queue_id).where(ready).order_by(QueueEntry.priority.desc(), QueueEntry.id)


def set_state(session: Session, queue_id: int, state: str, reason: str | None, user_id: int | None) -> None:
    """Move the queue along LIFE and audit it. Raises Refused when it cannot go there."""
    queue = session.get(CallQueue, queue_id, with_for_update=True, populate_existing=True)
    if queue is None:
        raise NotFound(_("There is no such call queue."))
    if queue.state == state:
        return
    if state not in LIFE[queue.state]:
        names = {"now": STATE_LABELS[queue.state], "wanted": STATE_LABELS.get(state, state)}
        sentence = _("A campaign that is %(now)s cannot become %(wanted)s.", **names)
        raise Refused("queue_state", sentence)
    audit.record(session, user_id, "queues.set_state", f"queue/{queue_id}", was=queue.state, now=state, reason=reason)
    queue.state, queue.state_reason, queue.why_idle = state, reason, None
    tell_later(session, f"queue/{queue_id}")
    tell_later(session, "floor")
    tell_later(session, "dialer")


def progress(session: Session, queue_id: int) -> dict[str, int]:
    """Counts of people, in one SELECT: total, waiting (of them: ready now, resting, callbacks, callbacks_due), calling,
    done, excluded, untried."""
    now = campaign_now(session)
    e, waiting = QueueEntry, QueueEntry.state == "waiting"
    resting = and_(waiting, e.not_before > now)
    counts = {
        "total": None,
        "waiting": waiting,
        "ready": and_(waiting, or_(e.not_before.is_(None), e.not_before <= now)),
        "resting": resting,
        "callbacks": and_(waiting, e.is_callback),
        "callbacks_due": and_(waiting, e.is_callback, e.not_before <= now),
        "calling": e.state == "calling",
        "done": e.state == "done",
        "excluded": e.state == "excluded",
        "untried": and_(waiting, e.attempts == 0),
    }
    columns = [(func.count() if c is None else func.count().filter(c)).label(name) for name, c in counts.items()]
    row = session.execute(select(*columns).where(e.queue_id == queue_id)).one()
    return {name: int(row._mapping[name]) for name in counts}


def note_decision(session: Session, queue_id: int, why_idle: str | None) -> None:
    """The dialer's last word, written only when it changed or grew old. `why_idle`: a code of WHY_IDLE or None."""
    now = real_now()
    old = or_(CallQueue.decided_at.is_(None), CallQueue.decided_at < now - timedelta(seconds=5))
    changed = CallQueue.why_idle.is_distinct_from(why_idle)
    written = session.connection().execute(
        update(CallQueue).where(CallQueue.id == queue_id, or_(old, changed)).values(why_idle=why_idle, decided_at=now)
    )
    if written.rowcount:
        tell_later(session, f"queue/{queue_id}")
        tell_later(session, "floor")


def running_for(session: Session, queue_ids: list[int]) -> list[dict[str, Any]]:
    """The running queues of an operator (all when `queue_ids` is empty): id, name, state, why_idle (words), ringing."""
    dialling = aliased(Call)
    its_own = and_(dialling.queue_id == CallQueue.id, dialling.state.in_(DIALLING))
    ringing = select(func.count()).select_from(dialling).where(its_own).scalar_subquery()
    wanted = select(CallQueue, ringing).where(CallQueue.state == "running").order_by(CallQueue.id)
    if queue_ids:
        wanted = wanted.where(CallQueue.id.in_(queue_ids))
    return [
        {"id": q.id, "name": q.name, "state": q.state, "why_idle": why_sentence(q.why_idle), "ringing": n}
        for q, n in session.execute(wanted).all()
    ]
