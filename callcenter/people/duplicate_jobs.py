"""Jobs of duplicates: both carry a run's id, show how far they are, and are harmless twice."""

import logging
from time import monotonic

from callcenter.base.clock import real_now
from callcenter.base.db import open_session
from callcenter.base.outbox import enqueue_later
from callcenter.people import duplicate_runs, duplicates

log = logging.getLogger(__name__)
TURN = 60.0  # seconds; then other work of the queue has its turn


def search(run_id: int) -> None:
    """Write the pairs of everybody changed since the last search, all in one transaction."""
    with open_session() as session:
        run = duplicate_runs.get(session, run_id)
        if run.state != "running":
            return
        found = 0
        for found in duplicates.search(session, run.since, run.phones_since):
            _show(run_id, found)
        run = duplicate_runs.get(session, run_id)
        run.done = found
        duplicate_runs.finish(run)
        session.commit()
        log.info("duplicates: search %d found %d pairs", run_id, found)


def merge_certain(run_id: int) -> None:
    """Merge certain pairs for one turn, each committed by itself, then hand over. A merged person may be like a third
    one: at the end they are searched for again."""
    ends = monotonic() + TURN
    with open_session() as session:
        while monotonic() < ends:
            run = duplicate_runs.get(session, run_id)
            if run.state != "running":
                return
            merged = duplicates.merge_next(session, run.last_pair, run.started_by)
            run = duplicate_runs.get(session, run_id)
            if merged is None:
                duplicate_runs.finish(run)
                duplicate_runs.search_again(session)
                session.commit()
                return
            run.last_pair, is_merged = merged
            run.done += is_merged
            run.refused += not is_merged
            run.lease_until = real_now() + duplicate_runs.LEASE
            session.commit()
        enqueue_later(session, duplicate_runs.JOBS["merge"], run_id, queue="bulk")
        session.commit()


def _show(run_id: int, found: int) -> None:
    """How far the search is: in a session of its own, because the search commits once, at its end."""
    with open_session() as session:
        run = duplicate_runs.get(session, run_id)
        run.done, run.lease_until = found, real_now() + duplicate_runs.LEASE
        session.commit()
