"""The calls of the past in the ledger, as the carrier would have told of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator
from callcenter.queues import CallQueue
from scripts.demo import FLOOR, rows
from scripts.demo.past import Try, times


def crew(session: Session) -> Sequence[Any]:
    """rows: operator_id, user_id, full_name of the simulated floor"""
    names = [login.username for login in FLOOR]
    found = select(Operator.id.label("operator_id"), User.id.label("user_id"), User.full_name)
    return session.execute(found.join(User).where(User.username.in_(names)).order_by(User.username)).all()


def member(one: Try, crew: Sequence[Any]) -> Any:
    """The row of `crew` who made this call."""
    return crew[one.id.int % len(crew)]


@dataclass(frozen=True)
class Talk:
    """A call of an operator; times are real."""

    connected_at: datetime
    hung_up_at: datetime
    ended_at: datetime


def talks(session: Session) -> dict[int, list[Talk]]:
    """operator → their calls, in their order."""
    found: dict[int, list[Talk]] = {}
    wanted = select(Call.operator_id, Call.connected_at, Call.hung_up_at, Call.ended_at).order_by(Call.connected_at)
    for operator_id, connected_at, hung_up_at, ended_at in session.execute(wanted):
        if operator_id and connected_at and hung_up_at and ended_at:
            found.setdefault(operator_id, []).append(Talk(connected_at, hung_up_at, ended_at))
    return found


def write(session: Session, tries: Sequence[Try], queue: CallQueue, crew: Sequence[Any]) -> None:
    """A row of the ledger and a call each, all ended."""
    rows.copy(session, Attempt, [_attempt(one, queue) for one in tries])
    rows.copy(session, Call, [_call(one, queue, crew) for one in tries])


def _attempt(one: Try, queue: CallQueue) -> dict[str, Any]:
    told = times(one)
    return {
        "id": one.id,
        "channel": "call",
        "purpose": queue.purpose,
        "contact_id": one.entry.contact_id,
        "phone": one.person.phone,
        "at": one.at,
        "created_at": told["placed_at"],
        "deadline_at": told["ended_at"],
        "closed_at": told["ended_at"],
        "outcome": one.outcome,
    }


def _call(one: Try, queue: CallQueue, crew: Sequence[Any]) -> dict[str, Any]:
    told = times(one)
    return {
        "id": one.id,
        "queue_id": queue.id,
        "entry_id": one.entry.id,
        "script": queue.script,
        "carrier": queue.carrier,
        "carrier_ref": f"CA{one.id.hex}",
        "caller_id": queue.caller_id,
        "state": "ended",
        "operator_id": member(one, crew).operator_id if one.reached else None,
        "disposition": one.outcome if one.reached else None,
        "disposition_at": told["ended_at"] if one.reached else None,
        **told,
    }
