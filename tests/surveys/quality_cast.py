"""A form with everything that quality looks at, and interviews of invented people by named interviewers."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.clock import campaign_now, real_now
from callcenter.calls import Call
from surveys import interviews, questionnaire
from surveys.checks.verification_tables import VerificationPlan
from surveys.forms.items import Items, read_items
from surveys.forms.xlsform import read_workbook
from surveys.interviews import Interview
from surveys.questionnaire import Survey
from tests.surveys.survey_forms import Rows, workbook

SURVEY: Rows = [
    ["type", "name", "label::Español (es)", "required"],
    ["note", "intro", "Buenas tardes, le llamo de parte de una casa encuestadora inventada", None],
    ["select_one yes_no", "consent", "¿Acepta participar?", "yes"],
    ["integer", "age", "¿Cuántos años cumplidos tiene usted en este momento?", "yes"],
    ["select_one vote", "vote", "Si hoy fuera la elección para presidente municipal, ¿por quién votaría?", "yes"],
    ["select_one opinion", "op_azul", "¿Qué opinión tiene usted de la persona del Partido Azul?", None],
    ["select_one opinion", "op_rojo", "¿Qué opinión tiene usted de la persona del Partido Rojo?", None],
    ["select_one opinion", "op_verde", "¿Qué opinión tiene usted de la persona del Partido Verde?", None],
    ["text", "why", "¿Por qué votaría así? Dígamelo con sus propias palabras", None],
    ["audio", "voice", "Después del tono díganos con sus palabras por qué", None],
    ["note", "bye", "Muchas gracias", None],
]
CHOICES: Rows = [
    ["list_name", "name", "label::Español (es)", "role"],
    ["yes_no", "yes", "Sí", None], ["yes_no", "no", "No", None],
    ["vote", "azul", "Ana Robles", "candidate"], ["vote", "rojo", "Beto Luna", "candidate"],
    ["vote", "none", "Ninguno", "none"], ["vote", "dk", "No sabe", "dk"], ["vote", "refused", "No contesta", "refused"],
    ["opinion", "good", "Buena", None], ["opinion", "bad", "Mala", None], ["opinion", "dk", "No la conoce", None],
]  # fmt: skip
SETTINGS: Rows = [["form_title", "default_language", "vote_question"], ["Calidad", "Español (es)", "vote"]]
FORM = workbook(SURVEY, CHOICES, SETTINGS)
# What a calm interview says, and the seconds that each question took.
CALM: dict[str, tuple[str, float]] = {
    "consent": ("yes", 4.0), "age": ("40", 6.0), "vote": ("azul", 11.0), "op_azul": ("good", 6.0),
    "op_rojo": ("bad", 6.0), "op_verde": ("dk", 6.0), "why": ("Por la seguridad", 12.0),
}  # fmt: skip
Ended = Callable[..., Interview]


def items() -> Items:
    return read_items(read_workbook(FORM))


def survey_of(session: Session) -> Survey:
    return questionnaire.create_survey(session, "Calidad", "calidad.xlsx", FORM)


def person(session: Session, name: str) -> User:
    """Somebody who interviews or verifies."""
    user = User(username=f"{name.lower()}.{uuid4().hex[:6]}", full_name=name, password="x", fs_uniquifier=uuid4().hex)
    session.add(user)
    session.flush()
    return user


def ended(
    session: Session,
    call_id: UUID,
    user_id: int | None,
    changed: Mapping[str, tuple[str, float] | None],
    **columns: Any,
) -> Interview:
    """A calm interview with `changed` answers (None: not asked), its call over."""
    interview = interviews.open_for_call(session, call_id, user_id)
    for item, told in {**CALM, **changed}.items():
        if told is not None:
            interviews.record_answer(session, interview.id, item, told[0], told[1])
    interviews.close_call(session, call_id)
    for name, value in columns.items():
        setattr(interview, name, value)
    session.flush()
    return interview


def rung_again(session: Session, one: Interview, plan: VerificationPlan) -> UUID:
    """A call of the verifying queue to the same person."""
    assert one.call_id is not None
    assert plan.queue_id is not None
    first = session.get_one(Attempt, one.call_id)
    first.outcome, first.closed_at = "completed", real_now()
    session.flush()
    made = Attempt(id=uuid4(), channel="call", purpose="survey", contact_id=first.contact_id, phone=first.phone,
                   at=campaign_now(session), deadline_at=real_now())  # fmt: skip
    session.add(made)
    session.flush()
    queue = queues.get(session, plan.queue_id)
    session.add(Call(id=made.id, queue_id=queue.id, script=queue.script, carrier="simulated", caller_id="+525500000000",
                     state="connected"))  # fmt: skip
    session.flush()
    return made.id
