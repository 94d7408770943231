"""Numbering plans: files of the regulator that say which numbers were given out, kept as ranges to draw from."""

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.outbox import enqueue_later
from callcenter.tables import table_files
from callcenter.tables.file_faults import stored
from surveys.sampling import numbering_reading
from surveys.sampling.numbering_reading import Range
from surveys.sampling.sample_tables import NumberingPlan, NumberingRange, Sample

UPLOADS = "numbering_plans"  # folder below the data folder
JOB = "surveys.sampling.sample_jobs.read_plan"


def create(session: Session, path: Path, file_name: str, title: str, user_id: int | None) -> NumberingPlan:
    """Keep an upload and let a worker read it; audited."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    plan = NumberingPlan(
        title=title.strip()[:200] or file_name[:200], file_name=file_name[:200], file=str(path), sha256=sha256,
        created_by=user_id,
    )  # fmt: skip
    session.add(plan)
    session.flush()
    audit.record(session, user_id, "numbering_plan.upload", f"numbering-plan/{plan.id}", sha256=sha256)
    enqueue_later(session, JOB, plan.id, queue="default")
    return plan


def get(session: Session, plan_id: int) -> NumberingPlan:
    """Raises NotFound."""
    plan = session.get(NumberingPlan, plan_id, populate_existing=True)
    if plan is None:
        raise NotFound(_("There is no numbering plan %(number)s.", number=plan_id))
    return plan


def listed(session: Session) -> list[NumberingPlan]:
    """Every plan, the newest first."""
    return list(session.scalars(select(NumberingPlan).order_by(NumberingPlan.id.desc())))


def ready(session: Session) -> list[NumberingPlan]:
    """The plans from which samples can be drawn."""
    return [plan for plan in listed(session) if plan.state == "ready"]


def read_file(session: Session, plan_id: int) -> None:
    """Read the upload into ranges; a worker's. Harmless twice. Raises UnreadableFileError."""
    plan = session.get(NumberingPlan, plan_id, with_for_update=True, populate_existing=True)
    if plan is None or plan.state != "uploaded" or plan.file is None:
        return
    table = table_files.open_table(Path(plan.file), numbering_reading.score)
    found = numbering_reading.read(table.rows())
    session.execute(delete(NumberingRange).where(NumberingRange.plan_id == plan_id))
    _copy_in(session, plan_id, found.ranges)
    plan.state, plan.counts, plan.faults, plan.error = "ready", found.counts, found.faults, None
    session.flush()


def fail(session: Session, plan_id: int, fault: InvalidInput) -> None:
    """The file is no numbering plan: nothing of it is kept but why."""
    plan = get(session, plan_id)
    plan.state, plan.error = "failed", stored(fault)


def forget_file(session: Session, plan_id: int) -> Path | None:
    """The upload is needed no more; returns where it lies."""
    plan = get(session, plan_id)
    path, plan.file = plan.file, None
    return Path(path) if path else None


def remove(session: Session, plan_id: int, user_id: int | None) -> None:
    """Delete a plan from which nothing was drawn. Raises Refused("plan_in_use"), NotFound."""
    plan = get(session, plan_id)
    drawn = select(Sample.title).where(Sample.frame == "rdd", Sample.options["plan"].as_integer() == plan_id)
    title = session.scalar(drawn.limit(1))
    if title is not None:
        sentence = _("The sample “%(title)s” was drawn from this plan, which stays as its frame.", title=title)
        raise Refused("plan_in_use", sentence)
    audit.record(session, user_id, "numbering_plan.remove", f"numbering-plan/{plan_id}", sha256=plan.sha256)
    session.delete(plan)


def ranges(session: Session, plan_id: int, *, areas: Collection[str] = (), kinds: Collection[str] = ()) -> list[Range]:
    """The plan's ranges in order, of these area codes and kinds of line alone where any are given."""
    columns = select(NumberingRange.first, NumberingRange.last, NumberingRange.kind)
    query = columns.where(NumberingRange.plan_id == plan_id).order_by(NumberingRange.first)
    if kinds:
        query = query.where(NumberingRange.kind.in_(kinds))
    found = [Range(*row) for row in session.execute(query)]
    wanted = set(areas)
    return [one for one in found if not wanted or numbering_reading.area_code(one.first) in wanted]


def _copy_in(session: Session, plan_id: int, found: Collection[Range]) -> None:
    """COPY, because a plan has a hundred thousand ranges."""
    connection: Any = session.connection().connection.driver_connection
    statement = "COPY numbering_ranges (plan_id, first, last, kind) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for one in found:
            copy.write_row((plan_id, *one))
