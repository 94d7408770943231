"""The copy of people as work: the job that makes it, and the chore that asks for it."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter.base.db import open_session
from callcenter.base.outbox import enqueue_later
from callcenter.people import removed_rows
from campaigns.snapshot import people_columns

JOB = "campaigns.snapshot.people_jobs.refresh"
FEW, SHARE = 20_000, 0.003  # changed rows that every count may read again before the files are written again
# While one long transaction is open nothing can be gained: what came after it would be read again.
_BEHIND = text(
    """
    SELECT CASE WHEN pg_snapshot_xmin(pg_current_snapshot())::text::bigint > :low
        THEN (SELECT count(*) FROM (SELECT FROM contacts WHERE change_id >= :low LIMIT :most) p)
            + (SELECT count(*) FROM (SELECT FROM attempts WHERE change_id >= :low LIMIT :most) a)
        ELSE 0 END
    """
)


def refresh() -> None:
    """Make this host's copy, or bring it up to date, where it is needed still."""
    with open_session() as session:
        if not _is_behind(session):
            return  # asked for twice
    from campaigns.snapshot import people_building  # numpy, for those who count

    people_building.refresh()


def tend(session: Session) -> None:
    """Ask for a copy where there is none, and for a fresh one where much has changed."""
    removed_rows.forget(session)
    if people_columns.folder() is not None and _is_behind(session):
        enqueue_later(session, JOB, queue="bulk")


def _is_behind(session: Session) -> bool:
    generation = people_columns.current()
    meta = people_columns.read_meta(generation) if generation else None
    if meta is None:
        return True
    most = FEW + int(SHARE * (meta.people + meta.attempts))
    return int(session.scalar(_BEHIND, {"low": meta.low, "most": most + 1}) or 0) > most
