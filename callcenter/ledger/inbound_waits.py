"""Citizens who rang us, asked for an operator and wait for one: whom they go before, and how many operators they take.

Who picked up to a call of ours has two seconds (call_states.WAITS), who rang us has PATIENCE: so at first who picked up
goes first. After FIRST_AFTER who rang us does. By then every phone that rang when they began to wait has rung out, and
pacing has counted them for every phone that it rang since (ledger.call_floor): nobody is abandoned for them.
docs/dialer.md
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import FromClause, Select, case, func, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.ledger.call_ledger import Call, CallEvent
from callcenter.ledger.call_states import RING_SECONDS

PATIENCE = timedelta(seconds=60)  # how long who wants an operator waits until one is free
FIRST_AFTER = timedelta(seconds=RING_SECONDS)
MENU = timedelta(minutes=2)  # from one word of the citizen to the next: the deadline of their call
HEARD = timedelta(seconds=15)  # two looks of who is still on the line are never further apart
WAITS = "waits"  # the key of the event with which the wait began


def began(session: Session, call_id: UUID) -> datetime | None:
    """Since when the citizen has waited for an operator (real time); None: they have not asked, or just do."""
    return session.scalar(select(CallEvent.at).where(CallEvent.call_id == call_id, CallEvent.key == WAITS))


def calls(now: datetime) -> Select[tuple[UUID]]:
    """The calls of those who wait and are still on the line."""
    return _waiting(select(Call.id), now)


def by_queue(now: datetime, since: datetime) -> FromClause:
    """How many (`people`) have waited since before `since`, for operators of which queue (`queue_id`) and on which
    switch (`switch`; '' for any)."""
    switch = case((Call.carrier_ref.contains("/"), func.split_part(Call.carrier_ref, "/", 1)), else_="").label("switch")
    counted = select(Call.queue_id, switch, func.count().label("people")).group_by(Call.queue_id, switch)
    return _waiting(counted, now).where(CallEvent.at < since).subquery("rang_us")


def _waiting(wanted: Select[Any], now: datetime) -> Select[Any]:
    asked = wanted.join(CallEvent, CallEvent.call_id == Call.id).join(Attempt, Attempt.id == Call.id)
    return asked.where(
        Call.state == "answered", Call.direction == "in", CallEvent.key == WAITS, CallEvent.at > now - PATIENCE,
        Attempt.deadline_at > now + MENU - HEARD,
    )  # fmt: skip
