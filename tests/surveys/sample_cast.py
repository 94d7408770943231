"""Invented numbering plans, samples, and ledgers of calls that are over."""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.contacts import Contact
from callcenter.ledger.call_ledger import Call
from callcenter.queueing.queue_tables import CallQueue, QueueEntry
from surveys import questionnaire, samples
from surveys.fieldwork.interview_ledger import Interview
from surveys.interviews import seed_of
from surveys.sampling import numbering_plans, sample_drawing, sample_plans
from surveys.sampling.sample_plans import Wanted
from surveys.sampling.sample_tables import NumberingPlan, Sample
from tests.callcenter import cast

HEADER = "ZONA,NUMERACION_INICIAL,NUMERACION_FINAL,OCUPACION,MODALIDAD,RAZON_SOCIAL,FECHA_ASIGNACION"
FIRST = 9_225_500_000  # of a block that tests invent


def plan_text(blocks: Iterable[tuple[int, int, str]] = ((0, 999, "CPP"), (1000, 1999, "FPP"))) -> str:
    """A plan with ranges from FIRST on, spelled as the regulator spells it."""
    rows = [f'4,{FIRST + low},{FIRST + high},{high - low + 1},{kind},"INVENTADA, S.A.",01/01/2020'
            for low, high, kind in blocks]  # fmt: skip
    return "\n".join([HEADER, *rows, ""])


def plan(session: Session, folder: Path, text: str | None = None) -> NumberingPlan:
    """A plan that was read."""
    path = folder / uuid4().hex
    path.write_text(plan_text() if text is None else text, encoding="utf-8")
    made = numbering_plans.create(session, path, "plan.csv", "Plan inventado", None)
    numbering_plans.read_file(session, made.id)
    return made


def drawn(session: Session, survey_id: int, frame: str, ref: str, **columns: Any) -> Sample:
    """A sample of a hundred cases in ten replicates, drawn."""
    asked: dict[str, Any] = {"title": "Muestra", "size": 100, "replicates": 10, "seed": "7"}
    asked |= {"frame": frame, "ref": ref, **columns}
    made = sample_plans.create(session, survey_id, Wanted(**asked), None)
    sample_drawing.draw(session, made)
    return made


def campaign(session: Session, survey_id: int, *people: Contact, **columns: Any) -> CallQueue:
    """A running queue that asks the survey of these people."""
    return cast.queue(session, *people, script=f"survey/{survey_id}", **columns)


def over(session: Session, queue: CallQueue, contact: Contact, **told: Any) -> UUID:
    """A call of this person that is over. `told`: outcome, disposition, cause, direction; minutes ago: `ago`."""
    session.flush()
    entry = session.query(QueueEntry).filter_by(queue_id=queue.id, contact_id=contact.id).one_or_none()
    call_id, at = uuid4(), real_now() - timedelta(minutes=told.get("ago", 1))
    outcome = told.get("outcome") or told.get("disposition")
    session.add(Attempt(id=call_id, channel="call", purpose="survey", contact_id=contact.id, phone=contact.phone, at=at,
                        deadline_at=at, closed_at=at, outcome=outcome))  # fmt: skip
    session.flush()
    session.add(Call(id=call_id, queue_id=queue.id, entry_id=entry.id if entry else None, script=queue.script,
                     carrier="simulated", caller_id="+525512340000", state="ended", cause=told.get("cause"),
                     direction=told.get("direction", "out"), disposition=told.get("disposition")))  # fmt: skip
    session.flush()
    return call_id


def interview(session: Session, survey_id: int, state: str, **columns: Any) -> Interview:
    """An interview in some state, of a call or of none."""
    number = uuid4()
    made = Interview(
        id=number, survey_id=survey_id, questionnaire_id=questionnaire.current(session, survey_id).id, state=state,
        seed=seed_of(number), at=real_now(), hidden={}, **columns,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def refreshed(session: Session, sample: Sample) -> Sample:
    session.flush()
    return samples.get(session, sample.id)
