"""Three days of calls before the demonstration begins: who was reached, what they answered, who is to be tried again.

What each person did and said is what their simulated citizen would have done and said.
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.clock import DRILL_START, ZONE, real_now
from callcenter.contacts import Contact
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator
from callcenter.queueing.queue_rules import DEAD_PHONE, RETRIES
from callcenter.queues import CallQueue, QueueEntry
from callcenter.territory import Section
from scripts.demo import FLOOR
from scripts.simulated_carrier.citizens import Citizen, Kind, citizen
from surveys import engine
from surveys.forms.items import ASKED
from surveys.interviews import Answer, Interview
from surveys.questionnaire import Questionnaire, current

# Thursday to Saturday before the drill's Monday, and that Monday's first hour.
SHIFTS = (
    (date(2027, 5, 6), 10, 19),
    (date(2027, 5, 7), 10, 19),
    (date(2027, 5, 8), 10, 17),
    (date(2027, 5, 10), 9, 10),
)
LINE_OUTCOMES: dict[Kind, str] = {"no_answer": "no_answer", "busy": "busy", "invalid": "invalid_number"}
SECONDS_A_QUESTION = 14


@dataclass(frozen=True)
class Asked:
    """A question of the past, with the codes in the order in which they were shown."""

    name: str
    order: list[str]


@dataclass(frozen=True)
class Try:
    """One call of the past. `at`: campaign time; `answers`: what was said in it, in order of the questions."""

    person: Citizen
    entry: Any  # row: id, contact_id, section, section_kind, municipality
    at: datetime
    id: uuid.UUID
    outcome: str
    answers: tuple[Asked, ...] = ()

    @property
    def reached(self) -> bool:
        return self.outcome not in LINE_OUTCOMES.values()


def load(session: Session, queue_id: int, survey_id: int, count: int, *, seed: int) -> int:
    """Insert the calls and interviews of `count` people of the queue; returns how many interviews are complete."""
    form = current(session, survey_id)
    queue = session.get_one(CallQueue, queue_id)
    tries = _tries(session, queue_id, form, count, seed)
    crew = _crew(session)
    _insert_calls(session, tries, queue, crew)
    _insert_interviews(session, tries, form, queue, crew)
    _settle_entries(session, tries)
    form.frozen_at = real_now()
    return sum(one.outcome == "completed" for one in tries)


def _tries(session: Session, queue_id: int, form: Questionnaire, count: int, seed: int) -> list[Try]:
    dice = random.Random(f"{seed}/history")
    entries = _entries(session, queue_id)
    moments = sorted(_moment(dice) for _ in range(count))
    tries = []
    for entry, at in zip(dice.sample(entries, count), moments, strict=True):
        person = citizen(entry.phone, seed)
        number = uuid.UUID(int=dice.getrandbits(128), version=4)
        outcome, said = _became(person, form, number, dice)
        tries.append(Try(person, entry, at, number, outcome, said))
    return tries


def _entries(session: Session, queue_id: int) -> Sequence[Any]:
    return session.execute(
        select(
            QueueEntry.id,
            QueueEntry.contact_id,
            Contact.phone,
            Contact.section_number.label("section"),
            Section.kind.label("section_kind"),
            Contact.municipality,
        )
        .join(Contact, Contact.id == QueueEntry.contact_id)
        .join(Section, Section.id == Contact.section_id)
        .where(QueueEntry.queue_id == queue_id)
        .order_by(QueueEntry.id)
    ).all()


def _moment(dice: random.Random) -> datetime:
    day, opens, closes = dice.choices(SHIFTS, [closes - opens for _, opens, closes in SHIFTS])[0]
    seconds = dice.uniform(0, (closes - opens) * 3600 - 600)
    return datetime.combine(day, time(opens), ZONE) + timedelta(seconds=seconds)


def _became(
    person: Citizen, form: Questionnaire, number: uuid.UUID, dice: random.Random
) -> tuple[str, tuple[Asked, ...]]:
    reaction = person.reaction(1)
    if reaction.kind == "voicemail":
        return "voicemail", ()
    if reaction.kind != "answer":
        return LINE_OUTCOMES[reaction.kind], ()
    if person.takes_part and person.hangs_up_early:
        return "partial", _interview(person, form, number, dice.randint(3, 6))
    return "completed" if person.takes_part else "refused", _interview(person, form, number, 99)


def _interview(person: Citizen, form: Questionnaire, number: uuid.UUID, most: int) -> tuple[Asked, ...]:
    """The questions that the engine asks this person, until they decline to take part or hang up."""
    items = form.items
    said = {item["name"]: person.answers.get(item["name"], "") for item in items["items"] if item["type"] in ASKED}
    way = [Asked(name, order) for name, order in engine.way(items, said, _seed(number))]
    if engine.refused_consent(items, said):
        names = [question.name for question in way]
        most = min(most, names.index(items["consent_question"]) + 1)
    return tuple(way[:most])


def _seed(number: uuid.UUID) -> int:
    return number.int % 2**63


def _crew(session: Session) -> list[Any]:
    """rows: operator_id, user_id, full_name of the simulated floor"""
    names = [login.username for login in FLOOR]
    rows = select(Operator.id.label("operator_id"), User.id.label("user_id"), User.full_name)
    return list(session.execute(rows.join(User).where(User.username.in_(names)).order_by(User.username)).all())


def _member(one: Try, crew: list[Any]) -> Any:
    return crew[one.id.int % len(crew)]


def _real(at: datetime) -> datetime:
    """The moment of the real clock that stands for `at`: the drill's calendar begins now."""
    return real_now() - (DRILL_START - at)


def _insert_calls(session: Session, tries: list[Try], queue: CallQueue, crew: list[Any]) -> None:
    session.execute(insert(Attempt), [_attempt(one, queue) for one in tries])
    session.execute(insert(Call), [_call(one, queue, crew) for one in tries])


def _ends(one: Try) -> dict[str, datetime | None]:
    """The times of a call, real."""
    placed = _real(one.at)
    ring = timedelta(seconds=25 if one.outcome == "no_answer" else min(one.person.reaction(1).ring_seconds, 20))
    answered = placed + ring if one.reached else None
    talk = timedelta(seconds=18 + SECONDS_A_QUESTION * len(one.answers)) if one.reached else timedelta(0)
    hung_up = placed + ring + talk
    return {
        "placed_at": placed,
        "ringing_at": None if one.outcome == "invalid_number" else placed + timedelta(seconds=1),
        "answered_at": answered,
        "offered_at": answered,
        "connected_at": answered,
        "hung_up_at": hung_up,
        "ended_at": hung_up + timedelta(seconds=6 if one.reached else 0),
    }


def _attempt(one: Try, queue: CallQueue) -> dict[str, Any]:
    times = _ends(one)
    return {
        "id": one.id,
        "channel": "call",
        "purpose": queue.purpose,
        "contact_id": one.entry.contact_id,
        "phone": one.person.phone,
        "at": one.at,
        "created_at": times["placed_at"],
        "deadline_at": times["ended_at"],
        "closed_at": times["ended_at"],
        "outcome": one.outcome,
    }


def _call(one: Try, queue: CallQueue, crew: list[Any]) -> dict[str, Any]:
    times = _ends(one)
    return {
        "id": one.id,
        "queue_id": queue.id,
        "entry_id": one.entry.id,
        "script": queue.script,
        "carrier": queue.carrier,
        "carrier_ref": f"CA{one.id.hex}",
        "caller_id": queue.caller_id,
        "state": "ended",
        "operator_id": _member(one, crew).operator_id if one.reached else None,
        "disposition": one.outcome if one.reached else None,
        "disposition_at": times["ended_at"] if one.reached else None,
        **times,
    }


def _insert_interviews(
    session: Session, tries: list[Try], form: Questionnaire, queue: CallQueue, crew: list[Any]
) -> None:
    held = [one for one in tries if one.answers]
    session.execute(insert(Interview), [_interview_row(one, form, queue, _member(one, crew)) for one in held])
    session.execute(insert(Answer), [row for one in held for row in _answer_rows(one)])


def _interview_row(one: Try, form: Questionnaire, queue: CallQueue, member: Any) -> dict[str, Any]:
    times = _ends(one)
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
        "seed": _seed(one.id),
        "hidden": {
            "section": str(one.entry.section),
            "section_kind": one.entry.section_kind,
            "sex": one.person.sex,
            "age": str(one.person.age),
            "municipality": one.entry.municipality,
            "sponsor": queue.on_behalf_of,
            "campaign": queue.name,
            "today": one.at.date().isoformat(),
            "operator_name": member.full_name,
        },
        "at": one.at,
        "started_at": times["connected_at"],
        "ended_at": times["hung_up_at"],
    }


def _answer_rows(one: Try) -> list[dict[str, Any]]:
    begun = _ends(one)["connected_at"]
    assert begun is not None
    return [
        {
            "interview_id": one.id,
            "item": question.name,
            "value": one.person.answers.get(question.name, ""),
            "choice_order": question.order or None,
            "at": begun + timedelta(seconds=SECONDS_A_QUESTION * place),
            "seconds": float(SECONDS_A_QUESTION),
        }
        for place, question in enumerate(one.answers, 1)
    ]


def _settle_entries(session: Session, tries: list[Try]) -> None:
    """Who was reached is done; who was not waits for the next try."""
    rows = [
        {
            "which": one.entry.id,
            "new_state": "waiting" if minutes is not None else "done",
            "new_reason": one.outcome,
            "until": one.at + timedelta(minutes=minutes) if minutes is not None else None,
        }
        for one in tries
        for minutes in [_minutes(one.outcome)]
    ]
    session.connection().execute(
        update(QueueEntry.__table__)  # type: ignore[arg-type]  # a declarative class's table is one
        .where(QueueEntry.__table__.c.id == bindparam("which"))
        .values(
            state=bindparam("new_state"),
            reason=bindparam("new_reason"),
            not_before=bindparam("until"),
            attempts=1,
        ),
        rows,
    )


def _minutes(outcome: str) -> float | None:
    """Until the next try by the rules of the house; None when there is none."""
    return RETRIES[outcome].minutes if outcome in RETRIES and outcome not in DEAD_PHONE else None


def counts(session: Session) -> dict[str, int]:
    """What the history holds: calls, interviews."""
    calls = session.scalar(select(func.count()).select_from(Call)) or 0
    return {"calls": calls, "interviews": session.scalar(select(func.count()).select_from(Interview)) or 0}
