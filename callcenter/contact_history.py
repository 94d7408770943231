"""A person's whole history: what every floor did to reach them, told in words. The floors above register here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.call_ledger import Call
from callcenter.dispositions import label
from callcenter.queues import CallQueue


@dataclass(frozen=True)
class Deed:
    """Something that was done, or deliberately not done, to reach a person: sentences in the reader's language.

    `at` is campaign time, None for what never left the house; `campaign` is in whose course it was."""

    at: datetime | None
    channel: str
    campaign: str
    outcome: str


Tell = Callable[[Session, int, int], list[Deed]]
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def calls(session: Session, contact_id: int, limit: int) -> list[Deed]:
    """The person's calls that are over, newest first; those that a rule forbade are among them."""
    rows = session.execute(
        select(Attempt.at, CallQueue.name, func.coalesce(Call.disposition, Attempt.outcome).label("outcome"))
        .join(Call, Call.id == Attempt.id)
        .join(CallQueue, CallQueue.id == Call.queue_id)
        .where(Attempt.contact_id == contact_id, Attempt.closed_at.is_not(None), Attempt.outcome != "not_placed")
        .order_by(Attempt.at.desc())
        .limit(limit)
    )
    return [Deed(row.at, _("Call"), row.name, label(row.outcome)) for row in rows]


_tellers: dict[str, Tell] = {"calls": calls}


def register(kind: str, tell: Tell) -> None:
    """`tell(session, contact_id, limit)`: the newest deeds of one kind. Never what a person answered in a survey."""
    _tellers[kind] = tell


def read(session: Session, contact_id: int, *, limit: int = 50) -> list[Deed]:
    """The newest deeds of every kind, newest first; what never left the house stands at the end."""
    deeds = [deed for tell in _tellers.values() for deed in tell(session, contact_id, limit)]
    return sorted(deeds, key=lambda deed: deed.at or _LONG_AGO, reverse=True)[:limit]
