"""The purge: what has been kept long enough goes, in small steps, counted; and before that, what would go.

A kind is a rule over rows; whoever adds a kind of personal data registers its rule here (`register`)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, delete, exists, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import imports
from callcenter.attempts import Attempt
from callcenter.base import audit
from callcenter.base.audit import AuditEntry
from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.base.db import Base
from callcenter.base.outbox import enqueue_later
from callcenter.contacts import Contact
from callcenter.imports import ImportBatch, RefusedRow
from callcenter.lists.import_undo import ImportChange
from callcenter.privacy import person_erasure, retention_policy
from callcenter.privacy.arco import ArcoRequest
from callcenter.privacy.person_exports import PersonExport
from callcenter.privacy.retention_policy import TERMS, RetentionPolicy

STEP = 500  # rows in one transaction


class RetentionCount(Base):
    """How many of a kind were purged on a day (real time)."""

    __tablename__ = "retention_counts"
    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


@dataclass(frozen=True)
class Due:
    """`count` things of this kind would go now; `until`: those from before. `until` None: none is due yet."""

    kind: str
    count: int
    until: datetime | None


Until = Callable[[Session, RetentionPolicy], datetime | None]
Which = Callable[[datetime], Select[Any]]
Purge = Callable[[Session, list[Any]], int]


@dataclass(frozen=True)
class _Rule:
    which: Which
    purge: Purge
    until: Until


_rules: dict[str, _Rule] = {}


def register(kind: str, which: Which, purge: Purge, until: Until | None = None) -> None:
    """`which(until)`: SELECT of the keys of what is due, `purge(session, keys)` removes these and returns how many.

    `until(session, policy)`: what is from before this moment is due; without it, what is as many days old as `kind`'s
    term in retention_policy.TERMS says."""
    _rules[kind] = _Rule(which, purge, until or (lambda _session, policy: _days_ago(policy, kind)))


def _days_ago(policy: RetentionPolicy, kind: str) -> datetime:
    return real_now() - timedelta(days=policy.days_of(kind))


def preview(session: Session) -> list[Due]:
    """What the purge would take now, by kind."""
    policy, found = retention_policy.read(session), []
    for kind, rule in _rules.items():
        until = rule.until(session, policy)
        counted = select(func.count()).select_from(rule.which(until).subquery()) if until else None
        found.append(Due(kind, 0 if counted is None else session.execute(counted).scalar_one(), until))
    return found


def sweep(session: Session) -> bool:
    """Have a worker purge, when the policy is confirmed and something is due; returns whether."""
    policy = retention_policy.read(session)
    if policy.confirmed_at is None:
        return False
    for rule in _rules.values():
        until = rule.until(session, policy)
        if until is not None and session.execute(rule.which(until).limit(1)).first() is not None:
            enqueue_later(session, "callcenter.privacy.privacy_jobs.purge", queue="bulk")
            return True
    return False


def purge_some(session: Session, kind: str, limit: int = STEP) -> int:
    """Purge up to `limit` of a kind in this transaction; returns how many went. Others may work on the rest beside us.

    0 when the policy is not confirmed, which somebody may take back at any moment."""
    policy = retention_policy.read(session)
    session.refresh(policy) if policy in session else None
    until = _rules[kind].until(session, policy) if policy.confirmed_at else None
    if until is None:
        return 0
    some = _rules[kind].which(until).limit(limit).with_for_update(skip_locked=True)
    rows = session.execute(some).all()
    keys = [row[0] if len(row) == 1 else tuple(row) for row in rows]
    gone = _rules[kind].purge(session, keys) if keys else 0
    if gone:
        row = insert(RetentionCount).values(day=real_now().astimezone(ZONE).date(), kind=kind, count=gone)
        more = {"count": RetentionCount.count + row.excluded.count}
        session.execute(row.on_conflict_do_update(index_elements=["day", "kind"], set_=more))
        audit.record(session, None, "retention.purge", f"retention/{kind}", count=gone)
    return gone


def kinds() -> list[str]:
    """The kinds that are purged, in the order in which they are."""
    return list(_rules)


def purged(session: Session, limit: int = 60) -> list[RetentionCount]:
    """What went, newest day first."""
    newest = select(RetentionCount).order_by(RetentionCount.day.desc(), RetentionCount.kind)
    return list(session.scalars(newest.limit(limit)))


def _after_results(session: Session, policy: RetentionPolicy) -> datetime | None:
    """People who were in the lists when the results became final are due so many days later; later ones are not."""
    final = policy.results_final_on
    if final is None or campaign_now(session).astimezone(ZONE).date() < final + timedelta(
        days=policy.days_of("contacts")
    ):
        return None
    return datetime.combine(final + timedelta(days=1), datetime.min.time(), ZONE)


def _people(until: datetime) -> Select[Any]:
    in_call = exists().where(Attempt.contact_id == Contact.id, Attempt.closed_at.is_(None), Attempt.channel == "call")
    # In the key's order: what the steps before left behind is skipped in the index, not read again.
    return select(Contact.id).where(Contact.created_at < until, ~in_call).order_by(Contact.id)


def _erase_people(session: Session, ids: list[int]) -> int:
    return person_erasure.erase(session, ids, with_texts=False).get("contacts", 0)


def _old(model: type[Base], *keys: Any, when: Callable[[datetime], ColumnElement[bool]]) -> tuple[Which, Purge]:
    """Rows of a table that are simply deleted."""
    key = tuple_(*keys) if len(keys) > 1 else keys[0]

    def purge(session: Session, found: list[Any]) -> int:
        return session.connection().execute(delete(model).where(key.in_(found))).rowcount

    return lambda until: select(*keys).where(when(until)), purge


def _imported_before(until: datetime) -> Select[Any]:
    """Not one at work: a list that waited long and runs now keeps what it refuses, an undo what it needs."""
    ended = func.coalesce(ImportBatch.finished_at, ImportBatch.created_at) < until
    return select(ImportBatch.id).where(ended, ImportBatch.state.not_in(("running", "undoing")))


def _waiting_lists(until: datetime) -> Select[Any]:
    return select(ImportBatch.id).where(ImportBatch.state.in_(("uploaded", "mapping")), ImportBatch.created_at < until)


def _forget_lists(session: Session, ids: list[int]) -> int:
    for import_id in ids:
        imports.cancel(session, import_id, None)
        imports.forget_file(imports.get(session, import_id))
    return len(ids)


def _expire(session: Session, ids: list[int]) -> int:
    emptied = update(PersonExport).where(PersonExport.id.in_(ids)).values(state="expired", content=None)
    return session.connection().execute(emptied).rowcount


def _forget_askers(session: Session, ids: list[int]) -> int:
    emptied = (
        update(ArcoRequest).where(ArcoRequest.id.in_(ids)).values(asker=None, answer_to=None, phone=None, text=None)
    )
    return session.connection().execute(emptied).rowcount


def compose() -> None:
    """The kinds of the ground floor."""
    register("contacts", _people, _erase_people, _after_results)
    register("refused_rows", *_old(
        RefusedRow, RefusedRow.id, when=lambda until: RefusedRow.import_id.in_(_imported_before(until))
    ))  # fmt: skip
    register(
        "import_changes",
        *_old(
            ImportChange,
            ImportChange.import_id,
            ImportChange.contact_id,
            when=lambda until: ImportChange.import_id.in_(_imported_before(until)),
        ),
    )
    register("import_previews", _waiting_lists, _forget_lists)
    register("person_exports", lambda until: select(PersonExport.id).where(
        PersonExport.state == "ready", PersonExport.ready_at < until), _expire)  # fmt: skip
    register("arco_requests", lambda until: select(ArcoRequest.id).where(
        ArcoRequest.closed_at < until, ArcoRequest.asker.is_not(None)), _forget_askers)  # fmt: skip
    register("audit", *_old(AuditEntry, AuditEntry.id, when=lambda until: AuditEntry.at < until))
    assert set(_rules) <= set(TERMS)
