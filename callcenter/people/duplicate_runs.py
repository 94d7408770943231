"""Long work on duplicates: a search through what changed, and the merging of all certain pairs; one each at a time."""

from datetime import datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, func, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound, Refused
from callcenter.base.outbox import enqueue_later
from callcenter.contacts import ContactPhone
from callcenter.imports import ImportBatch
from callcenter.people import duplicates

LEASE = timedelta(minutes=30)  # far more than a search of a national list takes between two signs of life
JOBS = {"search": "callcenter.people.duplicate_jobs.search", "merge": "callcenter.people.duplicate_jobs.merge_certain"}


class DuplicateRun(Base):
    """`kind`: search | merge. `state`: running | done. `total` and `done` are pairs; `refused`: pairs that a rule held
    back (a live call, blocked data). A search looks at people whose contacts.change_id is at least `since`, and at
    contact_phones newer than `phones_since`; the next one begins at its `until` and `phones_until`."""

    __tablename__ = "duplicate_runs"
    __table_args__ = (
        CheckConstraint("kind IN ('search', 'merge')", name="kind"),
        Index("uq_duplicate_runs_running", "kind", unique=True, postgresql_where=text("state = 'running'")),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(default="running")
    since: Mapped[int] = mapped_column(BigInteger, default=0)
    until: Mapped[int] = mapped_column(BigInteger, default=0)
    phones_since: Mapped[int] = mapped_column(BigInteger, default=0)
    phones_until: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int | None]
    done: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    last_pair: Mapped[int] = mapped_column(BigInteger, default=0)
    started_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    started_at: Mapped[datetime] = mapped_column(default=real_now)
    lease_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


def start_search(session: Session, user_id: int | None = None) -> DuplicateRun:
    """Search, in a worker, through everybody changed since the last search. Raises Refused while one runs."""
    last = newest(session, "search", "done")
    until, phones = session.execute(
        select(text("pg_snapshot_xmin(pg_current_snapshot())::text::bigint"), func.max(ContactPhone.id))
    ).one()
    run = DuplicateRun(
        kind="search", since=last.until if last else 0, until=until, phones_since=last.phones_until if last else 0,
        phones_until=phones or 0,
    )  # fmt: skip
    return _start(session, run, user_id)


def start_merge(session: Session, user_id: int | None) -> DuplicateRun:
    """Merge every certain pair, in a worker. Raises Refused while that runs, or when there is none."""
    total = duplicates.counts(session)["certain"]
    if not total:
        raise Refused("none_certain", _("There is no certain pair to merge."))
    run = _start(session, DuplicateRun(kind="merge", total=total), user_id)
    audit.record(session, user_id, "duplicates.merge_certain", "duplicates", pairs=total)
    return run


def _start(session: Session, run: DuplicateRun, user_id: int | None) -> DuplicateRun:
    if newest(session, run.kind, "running") is not None:
        raise Refused("running", _("This is running already. Wait until it is done."))
    run.started_by, run.lease_until = user_id, real_now() + LEASE
    session.add(run)
    session.flush()
    enqueue_later(session, JOBS[run.kind], run.id, queue="bulk")
    return run


def newest(session: Session, kind: str, state: str = "") -> DuplicateRun | None:
    """The last run of a kind, in a state when it is named."""
    runs = select(DuplicateRun).where(DuplicateRun.kind == kind)
    if state:
        runs = runs.where(DuplicateRun.state == state)
    return session.scalars(runs.order_by(DuplicateRun.id.desc()).limit(1)).first()


def get(session: Session, run_id: int) -> DuplicateRun:
    """Raises NotFound."""
    run = session.get(DuplicateRun, run_id, populate_existing=True)
    if run is None:
        raise NotFound(_("There is no such work."))
    return run


def finish(run: DuplicateRun) -> None:
    run.state, run.finished_at, run.lease_until = "done", real_now(), None


def sweep(session: Session) -> None:
    """For the clock: search when a list came in since the last search, and give work whose worker died another one."""
    late = select(DuplicateRun).where(
        DuplicateRun.state == "running",
        or_(DuplicateRun.lease_until.is_(None), DuplicateRun.lease_until < real_now()),
    )
    for run in session.scalars(late.with_for_update(skip_locked=True)):
        run.lease_until = real_now() + LEASE
        enqueue_later(session, JOBS[run.kind], run.id, queue="bulk")
    last = newest(session, "search")
    imported = select(func.max(ImportBatch.finished_at)).where(ImportBatch.state == "done")
    newest_list = session.scalar(imported)
    if newest_list is not None and (last is None or newest_list > last.started_at):
        search_again(session)


def search_again(session: Session) -> None:
    """Search unless one search runs already: the clock asks again."""
    if newest(session, "search", "running") is None:
        start_search(session)
