"""Figures of a running calling campaign: its funnel, its hours, its trunks, how fast it goes and when it would end."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.gate import rulebook
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.call_states import COUNTED
from callcenter.telephony.trunk_book import Trunk
from campaigns.calling import CallCampaign
from campaigns.telephoning import call_forecasts

HOURS = 12  # that the page of a campaign shows
LINE_FAULTS = ("failed", "lost", "not_placed", "invalid_number")
HOURS_A_DAY = 8.0  # of calling, where nobody said how long the team works
SETTLED = timedelta(minutes=10)  # of calling, before a pace says anything


@dataclass(frozen=True)
class Funnel:
    """Calls of a campaign, each step a part of the one before it."""

    dialled: int
    answered: int
    talked: int
    completed: int


@dataclass(frozen=True)
class Hour:
    """One hour of the campaign's own clock."""

    at: datetime
    dialled: int
    answered: int
    talked: int


@dataclass(frozen=True)
class TrunkLine:
    """The calls of one trunk and how many the line failed; `name` None: the carrier has none."""

    name: str | None
    dialled: int
    faults: int


@dataclass(frozen=True)
class Speed:
    """What a campaign did lately: calls and conversations in the last hour as rates an hour, conversations today.
    `minutes`: of the last hour, since the first call in it; 0: no call."""

    calls_per_hour: float = 0.0
    talks_per_hour: float = 0.0
    talks_today: int = 0
    minutes: float = 0.0


def funnel(session: Session, queue_id: int) -> Funnel:
    row = session.execute(
        select(
            func.count().label("dialled"), func.count(Call.answered_at).label("answered"),
            func.count(Call.connected_at).label("talked"),
            func.count().filter(Call.disposition == "completed").label("completed"),
        ).where(*_placed(queue_id))
    ).one()  # fmt: skip
    return Funnel(row.dialled, row.answered, row.talked, row.completed)


def by_hour(session: Session, queue_id: int) -> list[Hour]:
    """The last hours in which it dialled, the oldest first."""
    hour = func.date_trunc("hour", Attempt.at, "America/Mexico_City").label("hour")
    rows = session.execute(
        select(
            hour, func.count().label("dialled"), func.count(Call.answered_at).label("answered"),
            func.count(Call.connected_at).label("talked"),
        )
        .join(Attempt, Attempt.id == Call.id)
        .where(*_placed(queue_id), Call.placed_at > real_now() - timedelta(days=2))
        .group_by(hour).order_by(hour.desc()).limit(HOURS)
    )  # fmt: skip
    return [Hour(row.hour.astimezone(ZONE), row.dialled, row.answered, row.talked) for row in rows][::-1]


def by_trunk(session: Session, queue_id: int) -> list[TrunkLine]:
    """Of the last day, the trunk with the most calls first."""
    rows = session.execute(
        select(Trunk.name, func.count(), func.count().filter(Attempt.outcome.in_(LINE_FAULTS)))
        .select_from(Call).join(Attempt, Attempt.id == Call.id).outerjoin(Trunk, Trunk.id == Call.trunk_id)
        .where(*_placed(queue_id), Call.placed_at > real_now() - timedelta(days=1))
        .group_by(Trunk.name).order_by(func.count().desc())
    )  # fmt: skip
    return [TrunkLine(name, dialled, faults) for name, dialled, faults in rows]


def speeds(session: Session, queue_ids: Sequence[int]) -> dict[int, Speed]:
    """Of each queue that dialled today."""
    now = real_now()
    begins = min(now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0), now - timedelta(hours=1))
    lately = Call.placed_at > now - timedelta(hours=1)
    rows = session.execute(
        select(
            Call.queue_id, func.count(Call.connected_at).label("today"), func.count().filter(lately).label("calls"),
            func.count(Call.connected_at).filter(lately).label("talks"),
            func.min(Call.placed_at).filter(lately).label("since"),
        )
        .where(Call.queue_id.in_(queue_ids), Call.placed_at > begins, Call.direction == "out")
        .group_by(Call.queue_id)
    )  # fmt: skip
    return {row.queue_id: _speed(row.calls, row.talks, row.today, row.since, now) for row in rows}


def tries(session: Session, queue_ids: Collection[int]) -> dict[int, int]:
    """How many tries that count each of these running queues has made so far."""
    counted = Call.disposition.is_not(None) | Attempt.outcome.in_(COUNTED)
    rows = session.execute(
        select(Call.queue_id, func.count())
        .join(Attempt, Attempt.id == Call.id)
        .where(Call.queue_id.in_(queue_ids), Call.placed_at.is_not(None), counted)
        .group_by(Call.queue_id)
    )
    return {row[0]: row[1] for row in rows}


def ends(
    session: Session, running: Sequence[CallCampaign], counts: Mapping[int, Mapping[str, int]],
    speeds: Mapping[int, Speed],
) -> dict[int, date]:  # fmt: skip
    """When everybody of these campaigns would be dealt with at the present pace, by campaign; without those of which
    it is too early to say, or that would take years. `counts`: reports.call_counts."""
    tried = tries(session, [one.queue_id for one in running])
    book, now, found = rulebook.read(session), campaign_now(session), {}
    for one in running:
        speed, people = speeds.get(one.queue_id, Speed()), counts.get(one.queue_id, {})
        settled = people.get("settled", 0)
        if speed.calls_per_hour <= 0 or settled <= 0 or timedelta(minutes=speed.minutes) < SETTLED:
            continue
        calls_left = (people["planned"] - settled) * max(tried.get(one.queue_id, 0) / settled, 1.0)
        hours_a_day = float((one.forecast or {}).get("hours_a_day", HOURS_A_DAY))
        day = call_forecasts.end_of(book, now, calls_left / speed.calls_per_hour, hours_a_day)
        if day is not None:
            found[one.id] = day
    return found


def _placed(queue_id: int) -> tuple[ColumnElement[bool], ...]:
    return Call.queue_id == queue_id, Call.placed_at.is_not(None), Call.direction == "out"


def _speed(calls: int, talks: int, today: int, since: datetime | None, now: datetime) -> Speed:
    """A rate an hour from the part of the last hour in which it dialled, and at least from five minutes of it."""
    if since is None:
        return Speed(talks_today=today)
    minutes = (now - since).total_seconds() / 60
    scale = 60 / max(minutes, 5.0)
    return Speed(calls * scale, talks * scale, today, minutes)
