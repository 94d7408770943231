"""A past for a queue: calls that are over, written straight into the ledger."""

from datetime import datetime, timedelta
from itertools import count
from random import Random
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.ledger.call_ledger import Call
from callcenter.queues import CallQueue

_numbers = count(1)
RING, TALK, WRAP = 10.0, 60.0, 15.0  # seconds of each


def past(session: Session, queue: CallQueue, *, answered: int = 0, not_answered: int = 0, abandoned: int = 0,
         ended: datetime | None = None) -> None:  # fmt: skip
    """So many calls of the queue in a mixed order, every tenth of a second one, the last of them at `ended` (now)."""
    outcomes = ["no_answer"] * not_answered + ["abandoned"] * abandoned + ["completed"] * answered
    Random(1).shuffle(outcomes)
    until = ended or real_now()
    tries, calls = [], []
    for age, outcome in enumerate(outcomes):
        at = until - timedelta(seconds=RING + TALK + WRAP + age / 10)
        number = next(_numbers)
        call_id = UUID(int=(queue.id << 64) + number)
        tries.append({"id": call_id, "channel": "call", "purpose": "survey", "contact_id": None, "at": at,
                      "phone": f"+5255{number:08}", "created_at": at, "deadline_at": at, "outcome": outcome,
                      "closed_at": at + timedelta(seconds=RING + TALK + WRAP)})  # fmt: skip
        calls.append(_call(call_id, queue, at, outcome))
    if tries:
        session.execute(insert(Attempt), tries)
        session.execute(insert(Call), calls)


def _call(call_id: UUID, queue: CallQueue, at: datetime, outcome: str) -> dict[str, object]:
    picked_up, left = at + timedelta(seconds=RING), at + timedelta(seconds=RING + TALK)
    is_talk, is_answered = outcome == "completed", outcome != "no_answer"
    return {
        "id": call_id, "queue_id": queue.id, "script": queue.script, "carrier": queue.carrier, "state": "ended",
        "caller_id": queue.caller_id, "placed_at": at, "ringing_at": at,
        "answered_at": picked_up if is_answered else None, "connected_at": picked_up if is_talk else None,
        "hung_up_at": left if is_talk else picked_up + timedelta(seconds=2),
        "ended_at": left + timedelta(seconds=WRAP) if is_talk else picked_up + timedelta(seconds=2),
    }  # fmt: skip
