"""Call queues: who is to be called for what, through which carrier, and when each person may be tried again."""

from time import monotonic
from typing import Any

from flask_babel import LazyString, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, and_, exists, func, literal, or_, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session, aliased

from callcenter.base import audit
from callcenter.base.clock import campaign_now
from callcenter.base.errors import NotFound, Refused
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.call_states import DIALLING
from callcenter.queueing import queue_rules
from callcenter.queueing.idle_reasons import PAUSES, WHY_IDLE, pause_sentence, why_sentence
from callcenter.queueing.queue_claims import ALONE, OVERDUE, claim
from callcenter.queueing.queue_tables import CallQueue, QueueEntry
from callcenter.queueing.withdrawals import ABOUT_VOTING

__all__ = [
    "ALONE", "OVERDUE", "PAUSES", "WHY_IDLE", "CallQueue", "QueueEntry", "claim", "fill", "get", "open_callbacks",
    "pause_sentence", "progress", "progress_lately", "reopen_for_callbacks", "running", "running_for", "set_state",
    "why_nobody", "why_sentence",
]  # fmt: skip

LONG = 50_000  # people of a list that is not counted for everybody who looks
KEPT = 10.0  # seconds that its counts are shown again
_counted: dict[int, tuple[float, dict[str, int]]] = {}  # by queue; since when by `monotonic`

LIFE = {"draft": ("running",), "running": ("paused", "finished"), "paused": ("running", "finished"), "finished": ()}

STATE_LABELS: dict[str, LazyString] = {
    "draft": _l("draft"),
    "running": _l("running"),
    "paused": _l("paused"),
    "finished": _l("finished"),
}


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

    `contact_ids`: a SELECT of contacts.id. Who is reported to have voted is not called about it."""
    queue = get(session, queue_id)
    chosen = next(iter(contact_ids.subquery().c))
    rows = select(literal(queue_id), chosen)
    if queue.purpose in ABOUT_VOTING:
        voted = aliased(QueueEntry)
        rows = rows.where(~exists().where(voted.contact_id == chosen, voted.reason == text("'voted'")))
    statement = postgresql.insert(QueueEntry).from_select(["queue_id", "contact_id"], rows).on_conflict_do_nothing()
    counted = {"preserve_rowcount": True}
    added = session.connection().execute(statement, execution_options=counted).rowcount
    if queue_rules.is_arranged(queue_rules.of_queue(queue)):
        enqueue_later(session, "callcenter.queueing.queue_jobs.arrange", queue_id, queue="bulk")
    tell_later(session, f"queue/{queue_id}")
    tell_later(session, "dialer")
    return added


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
    if state == "finished":
        _refuse_broken_promises(session, queue_id)
    audit.record(session, user_id, "queues.set_state", f"queue/{queue_id}", was=queue.state, now=state, reason=reason)
    queue.state, queue.state_reason, queue.why_idle = state, reason, None
    tell_later(session, f"queue/{queue_id}")
    tell_later(session, "floor")
    tell_later(session, "dialer")


def open_callbacks(session: Session, queue_id: int) -> int:
    """People who were promised a call that is still to come."""
    promised = select(func.count()).select_from(QueueEntry).where(
        QueueEntry.queue_id == queue_id, QueueEntry.state == "waiting", QueueEntry.is_callback
    )  # fmt: skip
    return session.scalar(promised) or 0


def _refuse_broken_promises(session: Session, queue_id: int) -> None:
    number = open_callbacks(session, queue_id)
    if number:
        sentence = ngettext(
            "%(num)s person was promised a call: let the campaign keep its promise, or move it to another one.",
            "%(num)s people were promised a call: let the campaign keep its promises, or move them to another one.",
            number,
        )
        raise Refused("callbacks_open", sentence)


def reopen_for_callbacks(session: Session, queue_id: int) -> None:
    """A call that outlived its finished campaign promised a callback: the queue runs on for its promises alone."""
    if session.scalar(select(CallQueue.state).where(CallQueue.id == queue_id)) != "finished":
        return
    queue = session.get(CallQueue, queue_id, with_for_update=True, populate_existing=True)
    if queue is not None and queue.state == "finished":
        audit.record(session, None, "queues.reopen", f"queue/{queue_id}", reason="callback")
        queue.state, queue.state_reason, queue.only_callbacks = "running", "callback", True


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


def progress_lately(session: Session, queue_id: int) -> dict[str, int]:
    """`progress` for whoever looks on: of a long list as it was at most KEPT seconds ago, however many look."""
    kept = _counted.get(queue_id)
    if kept is not None and monotonic() - kept[0] < KEPT:
        return kept[1]
    counts = progress(session, queue_id)
    if counts["total"] > LONG:
        _counted[queue_id] = monotonic(), counts
    return counts


def why_nobody(session: Session, queue_id: int) -> str:
    """Why nobody could be claimed, a code of WHY_IDLE. Asked often: it counts nobody."""
    return "all_resting" if session.scalar(_ANYBODY, {"queue": queue_id}) else "list_exhausted"


# In words of its own, with the words of the partial indexes, so that the longest list is never walked.
_WAITS = "SELECT FROM queue_entries WHERE queue_id = :queue AND state = 'waiting'"
_ANYBODY = text(f"""
    SELECT EXISTS ({_WAITS} AND is_callback)
        OR EXISTS ({_WAITS} AND NOT is_callback AND not_before IS NULL)
        OR EXISTS ({_WAITS} AND NOT is_callback AND not_before IS NOT NULL)
        OR EXISTS (SELECT FROM calls WHERE queue_id = :queue AND state <> 'ended' AND direction = 'out')""")  # noqa: S608  # our words


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
