"""Finding calls whose outcome a supervisor may want to look at: those in which somebody spoke, newest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.errors import NotFound
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.outcome_corrections import OutcomeCorrection
from callcenter.operators import Operator
from callcenter.queues import CallQueue


@dataclass(frozen=True)
class Filter:
    """None and "" mean anything."""

    queue_id: int | None = None
    operator_id: int | None = None
    outcome: str = ""
    corrected: bool = False

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Filter":
        """From an address; what makes no sense there is left out."""
        return cls(_number(given.get("queue", "")), _number(given.get("operator", "")), given.get("outcome", "")[:40],
                   given.get("corrected") == "1")  # fmt: skip


def found(wanted: Filter) -> Any:
    """columns: Call, at (campaign time), queue, operator (names), outcome (code), seconds (talked), contact_id,
    is_corrected; newest first"""
    outcome = func.coalesce(Call.disposition, Attempt.outcome)
    corrected = exists().where(OutcomeCorrection.call_id == Call.id)
    query = (
        select(
            Call, Attempt.at, CallQueue.name.label("queue"), User.full_name.label("operator"), outcome.label("outcome"),
            func.extract("epoch", Call.hung_up_at - Call.connected_at).label("seconds"), Attempt.contact_id,
            corrected.label("is_corrected"),
        )
        .join(Attempt, Attempt.id == Call.id)
        .join(CallQueue, CallQueue.id == Call.queue_id)
        .join(Operator, Operator.id == Call.operator_id)
        .join(User, User.id == Operator.user_id)
        .where(Call.ended_at.is_not(None), Call.connected_at.is_not(None))
        .order_by(Call.ended_at.desc(), Call.id)
    )  # fmt: skip
    for column, value in ((Call.queue_id, wanted.queue_id), (Call.operator_id, wanted.operator_id)):
        query = query.where(column == value) if value is not None else query
    if wanted.outcome:
        query = query.where(outcome == wanted.outcome)
    return query.where(corrected) if wanted.corrected else query


def one(session: Session, call_id: UUID) -> Any:
    """One row of `found`. Raises NotFound."""
    row = session.execute(found(Filter()).where(Call.id == call_id)).first()
    if row is None:
        raise NotFound
    return row


def queues(session: Session) -> list[tuple[int, str]]:
    """Campaigns that were ever started, newest first: id and name."""
    wanted = select(CallQueue.id, CallQueue.name).where(CallQueue.state != "draft").order_by(CallQueue.id.desc())
    return [(row.id, row.name) for row in session.execute(wanted.limit(200))]


def operators(session: Session) -> list[tuple[int, str]]:
    """Operators, by name: id and name."""
    rows = session.execute(select(Operator.id, User.full_name).join(User, User.id == Operator.user_id))
    return sorted(((row.id, row.full_name) for row in rows), key=lambda row: row[1])


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
