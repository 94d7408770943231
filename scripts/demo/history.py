"""Three days of calls before the demonstration begins: who was reached, what they answered, who is to be tried again.

What each person did and said is what their simulated citizen would have done and said.
"""

import random
import uuid
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from callcenter.base.clock import ZONE, real_now
from callcenter.contacts import Contact
from callcenter.queueing.queue_rules import DEAD_PHONE, RETRIES
from callcenter.queues import CallQueue, QueueEntry
from callcenter.territory import Section
from scripts.demo import past_calls, past_interviews
from scripts.demo.past import LINE_OUTCOMES, SHIFTS, Asked, Try
from scripts.simulated_carrier.citizens import Citizen, citizen
from surveys.questionnaire import Questionnaire, current

WHOLE = 99  # questions: more than any interview has


def load(session: Session, queue_id: int, survey_id: int, count: int, *, seed: int) -> int:
    """Insert the calls and interviews of `count` people of the queue; returns how many interviews are complete."""
    form = current(session, survey_id)
    queue = session.get_one(CallQueue, queue_id)
    tries = _tries(session, queue_id, form, count, seed)
    crew = past_calls.crew(session)
    past_calls.write(session, tries, queue, crew)
    past_interviews.write(session, tries, form, queue, crew)
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
        return "partial", past_interviews.way(person.answers, form, number, dice.randint(3, 6))
    asked = past_interviews.way(person.answers, form, number, WHOLE)
    return "completed" if person.takes_part else "refused", asked


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
