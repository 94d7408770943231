"""Work on samples for a worker: ids in, nothing out, harmless when run twice. Each opens its own session."""

import logging
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.base.db import open_session
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.base.outbox import enqueue_later
from callcenter.tables.file_faults import N_, UNFORESEEN, UnreadableFileError
from surveys import samples
from surveys.sampling import numbering_plans, sample_drawing, sample_plans
from surveys.sampling.sample_tables import NumberingPlan, Sample

log = logging.getLogger(__name__)
PATIENCE = timedelta(minutes=10)  # then the work is given to a worker once more


def read_plan(plan_id: int) -> None:
    """Read a numbering plan's file, or say why it is none; the upload goes either way."""
    with open_session() as session:
        try:
            numbering_plans.read_file(session, plan_id)
        except InvalidInput as fault:
            session.rollback()
            numbering_plans.fail(session, plan_id, fault)
        except UNFORESEEN as error:
            session.rollback()
            log.error("numbering plan %d: %s", plan_id, type(error).__name__)
            numbering_plans.fail(session, plan_id, UnreadableFileError(
                N_("The file could not be read to its end; nothing of it was kept. Check it, or export it again.")
            ))  # fmt: skip
        path = numbering_plans.forget_file(session, plan_id)
        session.commit()
    if path is not None:
        path.unlink(missing_ok=True)


def draw_sample(sample_id: int) -> None:
    """Draw a sample that waits for it, or say why it cannot be drawn."""
    with open_session() as session:
        sample = samples.locked(session, sample_id)
        if sample.state != "drawing":
            return
        try:
            sample_drawing.draw(session, sample)
        except (InvalidInput, NotFound) as fault:
            session.rollback()
            samples.fail(session, sample_id, fault if isinstance(fault, InvalidInput) else InvalidInput(str(fault)))
        session.commit()


def sweep(session: Session) -> int:
    """Enqueue again what waits for a job that is gone; returns how many."""
    late = real_now() - PATIENCE
    plans = select(NumberingPlan.id).where(NumberingPlan.state == "uploaded", NumberingPlan.created_at < late)
    drawing = select(Sample.id).where(Sample.state == "drawing", Sample.created_at < late)
    waiting = [(numbering_plans.JOB, number) for number in session.scalars(plans)]
    waiting += [(sample_plans.JOB, number) for number in session.scalars(drawing)]
    for job, number in waiting:
        enqueue_later(session, job, number, queue="default")
    return len(waiting)
