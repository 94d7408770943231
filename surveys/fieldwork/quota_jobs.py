"""Work of quotas for a worker: sort a list anew, and stop a campaign that needs nobody any more."""

from sqlalchemy.orm import Session

from callcenter.base.db import open_session
from callcenter.base.outbox import enqueue_later
from surveys import quotas
from surveys.fieldwork import quota_entries, quota_standing


def sort_queue(queue_id: int) -> None:
    """Leave out whose cells are full, take back whose cells are open, in short transactions; then the stopping rule.

    Everything is counted anew, so that it may run twice, late, or beside itself."""
    with open_session() as session:
        stop_if_enough(session, queue_id)
        session.commit()
        wrong = quota_entries.find_wrong(session, queue_id)
        for span in list(quota_entries.spans(session, queue_id)) if wrong.kinds else ():
            quota_entries.sort_span(session, queue_id, wrong, span)
            session.commit()


def stop_if_enough(session: Session, queue_id: int) -> None:
    """Pause the campaign when every cell is full, or the error wanted is reached."""
    standing = quota_standing.read(session, queue_id)
    if standing is None:
        return
    if standing.all_full:
        quotas.stop(session, queue_id, "full")
    elif standing.is_precise_enough:
        quotas.stop(session, queue_id, "margin")


def tend(session: Session) -> None:
    """Sort the lists of the running campaigns that have quotas: for retries that came back to their list, for people
    who were added or whose record changed, and for a job that was lost."""
    for queue_id in quotas.with_quotas(session):
        enqueue_later(session, quotas.SORT, queue_id, queue="bulk")
