"""A person's whole history: what every floor did to reach them, told in words. The floors above register here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVarTuple

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.dispositions import label
from callcenter.queues import CallQueue

Ts = TypeVarTuple("Ts")


@dataclass(frozen=True)
class Deed:
    """Something that was done, or deliberately not done, to reach a person: sentences in the reader's language.

    `at` is campaign time, None for what never left the house; `campaign` is in whose course it was. `more`: the page
    that says why, as an endpoint with its values."""

    at: datetime | None
    channel: str
    campaign: str
    outcome: str
    more: tuple[str, Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class Page:
    """`deeds`, newest first; `before` is where the next page begins, None on the last one."""

    deeds: list[Deed]
    before: datetime | None


Tell = Callable[[Session, int, int, datetime | None], list[Deed]]


def calls(session: Session, contact_id: int, limit: int, before: datetime | None) -> list[Deed]:
    """The person's calls that are over, newest first; those that a rule forbade are among them."""
    rows = session.execute(
        earlier(
            select(Attempt.at, CallQueue.name, func.coalesce(Call.disposition, Attempt.outcome).label("outcome"))
            .join(Call, Call.id == Attempt.id)
            .join(CallQueue, CallQueue.id == Call.queue_id)
            .where(Attempt.contact_id == contact_id, Attempt.closed_at.is_not(None), Attempt.outcome != "not_placed"),
            Attempt.at,
            limit,
            before,
        )
    )
    return [Deed(row.at, _("Call"), row.name, label(row.outcome)) for row in rows]


def earlier(query: Select[*Ts], at: Any, limit: int, before: datetime | None) -> Select[*Ts]:
    """The newest `limit` rows of a teller's SELECT by its column `at`, of those before `before` and without a time."""
    if before is not None:
        query = query.where(or_(at < before, at.is_(None)))
    return query.order_by(at.desc().nulls_last()).limit(limit)


_tellers: dict[str, tuple[LazyString, Tell]] = {"calls": (_l("Calls"), calls)}


def register(kind: str, tell: Tell, label: LazyString) -> None:
    """`tell(session, contact_id, limit, before)`: the newest deeds of one kind, of those before `before` when it is
    given. Never what a person answered in a survey. `label`: the kind's name in the page's filter."""
    _tellers[kind] = label, tell


def kinds() -> dict[str, LazyString]:
    """The kinds of deeds there are, with their names."""
    return {kind: label for kind, (label, _tell) in _tellers.items()}


def read(session: Session, contact_id: int, *, kind: str = "", before: datetime | None = None, limit: int = 50) -> Page:
    """The newest deeds of one kind or of every one; what never left the house stands at the end of the last page.

    Deeds of one instant are never parted by a page's end, so `before` loses none."""
    tellers = [tell for name, (_label, tell) in _tellers.items() if kind in ("", name)]
    deeds = [deed for tell in tellers for deed in tell(session, contact_id, limit + 1, before)]
    dated = sorted((deed for deed in deeds if deed.at is not None), key=_at, reverse=True)
    if len(dated) <= limit:
        return Page([*dated, *(deed for deed in deeds if deed.at is None)], None)
    end = limit
    while end and _at(dated[end]) == _at(dated[end - 1]):
        end -= 1
    if not end:  # more of one instant than a page takes
        return read(session, contact_id, kind=kind, before=before, limit=2 * limit)
    return Page(dated[:end], _at(dated[end - 1]))


def _at(deed: Deed) -> datetime:
    assert deed.at is not None
    return deed.at
