"""The operators as the supervisor's floor lists them: a row each, those in trouble first, and the list's filter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator
from callcenter.queues import CallQueue
from callcenter.seats import operator_snapshot, pause_reasons
from callcenter.seats.pause_reasons import Reason
from callcenter.telephony import line_quality
from callcenter.telephony.softphones import Softphone

HOUR = timedelta(hours=1)
PAUSE_SPARE = 5 * 60  # seconds past the limit of a pause after which it is red
NO_LINE = 10  # seconds in which the line of a free operator is opened

STATES: dict[str, LazyString] = {
    "available": _l("Available"),
    "preview": _l("Looking or ringing"),
    "in_call": _l("In a call"),
    "wrap_up": _l("Writing up"),
    "paused": _l("Paused"),
    "offline": _l("Not connected"),
}
# Seconds in a state after which somebody should look: (amber, red), and what is then said.
PATIENCE: dict[str, tuple[int, int, LazyString]] = {
    "wrap_up": (0, 120, _l("writing up for long")),  # past the time that the queue, or the operator, gave it
    "paused": (10 * 60, 20 * 60, _l("long pause")),  # where its reason has no limit of its own
    "in_call": (10 * 60, 20 * 60, _l("long call")),
    "available": (3 * 60, 10 * 60, _l("waits for long")),
    "preview": (60, 110, _l("looks for long")),
}


@dataclass(frozen=True)
class Filter:
    """Which rows are wanted. `queue_id`: who serves this queue; `trouble`: only who somebody should look at."""

    state: str = ""
    queue_id: int | None = None
    trouble: bool = False
    name: str = ""

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Filter":
        """From an address; what makes no sense there is left out."""
        queue, state = given.get("queue", ""), given.get("state", "")
        return cls(
            state=state if state in STATES and state != "offline" else "",
            queue_id=int(queue) if queue.isascii() and queue.isdecimal() and len(queue) < 10 else None,
            trouble=given.get("trouble") == "1",
            name=given.get("name", "").strip()[:60],
        )

    @property
    def query(self) -> dict[str, str]:
        """As it stands in the address."""
        all_of_them = {"state": self.state, "queue": str(self.queue_id or ""), "trouble": "1" if self.trouble else "",
                       "name": self.name}  # fmt: skip
        return {name: value for name, value in all_of_them.items() if value}


@dataclass(frozen=True)
class Row:
    """One operator at work. `queue`: of the call; `serves`: the campaigns they are held to, '' for every one. `level`:
    0 fine, 1 amber, 2 red; `trouble` says why. `line`: good | poor | None, of a telephone in the browser."""

    id: int
    name: str
    state: str
    since: datetime
    reason: str
    queue: str
    serves: str
    outcomes: int
    level: int
    trouble: str
    line: str | None

    @property
    def line_label(self) -> str:
        return str(line_quality.WORDS[self.line])

    @property
    def state_label(self) -> str:
        return str(STATES[self.state])


def rows(session: Session, wanted: Filter | None = None) -> list[Row]:
    """Operators who are not offline, those in trouble first, then the longest in their state."""
    wanted = wanted or Filter()
    now, reasons = real_now(), pause_reasons.listed(session, enabled_only=False)
    words, own = pause_reasons.labels(session), _own_queues(session)
    found = []
    for operator, name, queue, outcomes, wrap_up_until, phone in session.execute(_selected(wanted, now)):
        level, trouble = _trouble(session, operator, wrap_up_until, now, reasons)
        line = line_quality.word(phone, now) if phone else None
        if line == "poor" and level == 0 and operator.state in ("in_call", "available"):
            level, trouble = 1, str(line_quality.WORDS["poor"]).lower()
        reason = words.get(operator.pause_reason or "", operator.pause_reason or "")
        found.append(Row(operator.id, name, operator.state, operator.state_since, reason, queue or "",
                         own.get(operator.id, ""), outcomes, level, trouble, line))  # fmt: skip
    return sorted((row for row in found if row.level or not wanted.trouble), key=lambda row: (-row.level, row.since))


def thresholds(session: Session) -> list[tuple[str, str, str]]:
    """What the colours mean, for the page: state, minutes to amber, minutes to red."""
    shown = [
        (str(STATES[state]), _minutes(amber) if amber else _("past its time"), _minutes(red))
        for state, (amber, red, _words) in PATIENCE.items()
    ]
    for reason in pause_reasons.listed(session):
        if reason.minutes is not None:
            shown.append((reason.label, _minutes(reason.minutes * 60), _minutes(reason.minutes * 60 + PAUSE_SPARE)))
    return shown


def _selected(wanted: Filter, now: datetime) -> Any:
    """columns: Operator, name, queue (name) of the call, outcomes (of the hour), wrap_up_until, Softphone"""
    outcomes = (
        select(Call.operator_id, func.count().label("number"))
        .where(Call.ended_at > now - HOUR, Call.disposition.is_not(None))
        .group_by(Call.operator_id)
        .subquery()
    )
    query = (
        select(
            Operator, User.full_name, CallQueue.name, func.coalesce(outcomes.c.number, 0), Call.wrap_up_until, Softphone
        )
        .join(User, User.id == Operator.user_id)
        .outerjoin(Call, Call.id == Operator.call_id)
        .outerjoin(CallQueue, CallQueue.id == Call.queue_id)
        .outerjoin(outcomes, outcomes.c.operator_id == Operator.id)
        .outerjoin(Softphone, Softphone.operator_id == Operator.id)
        .where(Operator.state != "offline")
    )
    if wanted.state:
        query = query.where(Operator.state == wanted.state)
    if wanted.queue_id is not None:
        query = query.where(operators.serves(wanted.queue_id))
    if wanted.name:
        query = query.where(User.full_name.icontains(wanted.name, autoescape=True))
    return query.execution_options(populate_existing=True)


def _own_queues(session: Session) -> dict[int, str]:
    """The campaigns to which operators are held, by operator."""
    held = operators.operator_queues
    names = func.string_agg(CallQueue.name, aggregate_order_by(literal(", "), CallQueue.name))
    query = select(held.c.operator_id, names).join(CallQueue, CallQueue.id == held.c.queue_id)
    return {row[0]: row[1] for row in session.execute(query.group_by(held.c.operator_id))}


def _trouble(
    session: Session, operator: Operator, wrap_up_until: datetime | None, now: datetime, reasons: Sequence[Reason]
) -> tuple[int, str]:
    seconds = _counted_seconds(operator, wrap_up_until, now)
    if operator.state == "paused" and operator.pause_reason in ("difficult_call", "room_lost"):
        return 2, pause_reasons.label(operator.pause_reason)
    if operator.state == "available" and not operator.has_room and seconds > NO_LINE:
        return 2, _("no line")
    limit = operator_snapshot.pause_until(session, operator, reasons)
    if limit is not None:
        return _over_limit((now - limit).total_seconds())
    amber, red, said = PATIENCE[operator.state]
    level = 2 if seconds > red else 1 if seconds > amber else 0
    return level, str(said) if level else ""


def _over_limit(seconds: float) -> tuple[int, str]:
    if seconds <= 0:
        return 0, ""
    return 2 if seconds > PAUSE_SPARE else 1, _("pause over its limit")


def _counted_seconds(operator: Operator, wrap_up_until: datetime | None, now: datetime) -> float:
    """What PATIENCE is measured by: the time in the state; of a wrap-up, the time past its limit."""
    since = wrap_up_until if operator.state == "wrap_up" and wrap_up_until else operator.state_since
    return (now - since).total_seconds()


def _minutes(seconds: int) -> str:
    return str(_("%(n)s min", n=f"{seconds / 60:g}"))
