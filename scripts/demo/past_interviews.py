"""The interviews of the past: what the product's engine asks these people, and what they answer it."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from callcenter.queues import CallQueue
from scripts.demo import rows
from scripts.demo.past import SECONDS_A_QUESTION, Asked, Try, times
from scripts.demo.past_calls import member
from scripts.simulated_carrier.citizens import Citizen
from surveys import engine
from surveys.forms.items import ASKED
from surveys.interviews import Answer, Interview, seed_of
from surveys.questionnaire import Questionnaire


def way(
    answers: Mapping[str, str], form: Questionnaire, number: uuid.UUID, most: int, *, face: str = "screen"
) -> tuple[Asked, ...]:
    """The first `most` questions that the engine asks who answers so, until they decline to take part."""
    items = form.items
    said = {item["name"]: answers.get(item["name"], "") for item in items["items"] if item["type"] in ASKED}
    asked = [Asked(name, order) for name, order in engine.way(items, said, seed_of(number), face)]
    if engine.refused_consent(items, said):
        names = [question.name for question in asked]
        most = min(most, names.index(items["consent_question"]) + 1)
    return tuple(asked[:most])


def write(session: Session, tries: Sequence[Try], form: Questionnaire, queue: CallQueue, crew: Sequence[Any]) -> None:
    """The interviews of these calls, with their answers."""
    held = [one for one in tries if one.answers]
    rows.copy(session, Interview, [_interview(one, form, queue, member(one, crew)) for one in held])
    rows.copy(session, Answer, [row for one in held for row in _of_call(one, member(one, crew))])


def answers(
    interview_id: uuid.UUID,
    asked: Sequence[Asked],
    said: Mapping[str, str],
    begun: datetime,
    seconds: float,
    *,
    face: str,
    interviewer_id: int | None = None,
) -> list[dict[str, Any]]:
    """Rows of answers, one each `seconds` from `begun` on (real time)."""
    return [
        {
            "interview_id": interview_id,
            "item": question.name,
            "value": said.get(question.name, ""),
            "choice_order": question.order or None,
            "at": begun + timedelta(seconds=seconds * place),
            "seconds": seconds,
            "face": face,
            "interviewer_id": interviewer_id,
        }
        for place, question in enumerate(asked, 1)
    ]


def facts(person: Citizen, entry: Any, at: datetime) -> dict[str, str]:
    """What an interview keeps of the person's row. `entry`: row with section, section_kind, municipality."""
    return {
        "section": str(entry.section),
        "section_kind": entry.section_kind,
        "sex": person.sex,
        "age": str(person.age),
        "municipality": entry.municipality,
        "today": at.date().isoformat(),
    }


def _interview(one: Try, form: Questionnaire, queue: CallQueue, member: Any) -> dict[str, Any]:
    told = times(one)
    said = {"sponsor": queue.on_behalf_of, "campaign": queue.name, "operator_name": member.full_name}
    return {
        "id": one.id,
        "survey_id": form.survey_id,
        "questionnaire_id": form.id,
        "call_id": one.id,
        "queue_id": queue.id,
        "interviewer_id": member.user_id,
        "face": "screen",
        "language": "es",
        "state": {"completed": "complete", "partial": "partial"}.get(one.outcome, "void"),
        "seed": seed_of(one.id),
        "hidden": facts(one.person, one.entry, one.at) | said,
        "at": one.at,
        "started_at": told["connected_at"],
        "ended_at": told["hung_up_at"],
    }


def _of_call(one: Try, member: Any) -> list[dict[str, Any]]:
    begun = times(one)["connected_at"]
    assert begun is not None
    return answers(
        one.id, one.answers, one.person.answers, begun, float(SECONDS_A_QUESTION), face="screen",
        interviewer_id=member.user_id,
    )  # fmt: skip
