"""What a calling campaign will bring, before anyone is called: conversations an hour, its end, its price, who finds
nobody. From the digital twin, with how people answered the newest campaigns like it."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Float, Select, bindparam, case, cast, func, select
from sqlalchemy.orm import Session

from callcenter.base.clock import ZONE
from callcenter.gate.rulebook import Rulebook
from callcenter.ledger.call_ledger import Call
from callcenter.queueing.queue_pace import Pace
from callcenter.queues import CallQueue
from campaigns import twin

CAMPAIGNS, CALLS = 5, 2_000  # of each of the newest campaigns like it, so many of the last calls
FEWEST = 50  # calls; of fewer nothing is concluded
TALKS = 10  # talks; the same
LONGEST = timedelta(days=730)  # a campaign that would take longer has no end that anybody could name


@dataclass(frozen=True)
class Experience:
    """How people answered. Times in seconds. `calls`: from how many this is; 0: none, and the figures are the house's
    own guess."""

    answer_rate: float = 0.25
    talk: float = 180.0
    wrap: float = 15.0
    calls: int = 0


@dataclass(frozen=True)
class Staff:
    """Who works, and what it costs (MXN). `team`: operators, or the conversations that a recorded survey holds."""

    team: int
    hours_a_day: float
    hour_price: Decimal = Decimal(0)
    minute_price: Decimal = Decimal(0)
    is_recorded: bool = False


@dataclass(frozen=True)
class Effort:
    """Whom is called, how often each at most, and through how many lines."""

    people: int
    most_attempts: int
    lines: int


@dataclass(frozen=True)
class Forecast:
    """Rates an hour of calling; shares are fractions. `hours` of calling until everybody is done, None: never;
    `ends_on` the day of it, None: later than anybody can say. `cost`: MXN, of operators and lines."""

    team: int
    hours_a_day: float
    hour_price: str
    conversations_per_hour: float
    attempts_per_hour: float
    utilisation: float
    abandoned_share: float
    given_up_share: float
    people: int
    conversations: int
    hours: float | None
    ends_on: str | None
    cost: str | None
    answer_rate: float
    talk: float
    calls: int

    def as_kept(self) -> dict[str, Any]:
        """For the campaign's row."""
        return asdict(self)

    @property
    def end(self) -> date | None:
        return date.fromisoformat(self.ends_on) if self.ends_on else None


def experience(session: Session, script: str, answered_by: str) -> Experience:
    """From the last calls of the newest campaigns with this script, else of those with the same kind of script."""
    kind = script.partition("/")[0]
    for alike in (CallQueue.script == script, CallQueue.script.startswith(kind, autoescape=True)):
        found = _of_calls(session, select(CallQueue.id).where(alike, CallQueue.answered_by == answered_by))
        if found is not None:
            return found
    return Experience()


def _of_calls(session: Session, queue_ids: Select[int]) -> Experience | None:
    newest = list(session.scalars(queue_ids.order_by(CallQueue.id.desc()).limit(CAMPAIGNS)))
    calls = talks = answers = 0
    talked = wrapped = 0.0
    for queue_id in newest:
        row = session.execute(_FIGURES, {"queue_id": queue_id, "most": CALLS}).one()
        calls, answers, talks = calls + row.calls, answers + row.answers, talks + row.talks
        talked, wrapped = talked + (row.talked or 0.0), wrapped + (row.wrapped or 0.0)
    if calls < FEWEST:
        return None
    rate = min(max(answers / calls, 0.01), 0.95)
    if talks < TALKS:
        return Experience(rate, calls=calls)
    return Experience(rate, max(talked / talks, 5.0), min(max(wrapped / talks, 1.0), 300.0), calls)


def _seconds(begins: Any, ends: Any) -> Any:
    return cast(func.extract("epoch", ends - begins), Float)


def _figures() -> Select[int, int, int, Any, Any]:
    last = (
        select(Call.answered_at, Call.connected_at, Call.hung_up_at, Call.ended_at)
        .where(Call.queue_id == bindparam("queue_id"), Call.placed_at.is_not(None), Call.direction == "out")
        .order_by(Call.placed_at.desc())
        .limit(bindparam("most"))
        .subquery()
    ).c
    was_talk = last.connected_at.is_not(None) & last.hung_up_at.is_not(None) & last.ended_at.is_not(None)
    return select(
        func.count().label("calls"),
        func.count(last.answered_at).label("answers"),
        func.count().filter(was_talk).label("talks"),
        func.sum(case((was_talk, _seconds(last.connected_at, last.hung_up_at)))).label("talked"),
        func.sum(case((was_talk, func.greatest(_seconds(last.hung_up_at, last.ended_at), 0.0)))).label("wrapped"),
    )


_FIGURES = _figures()


def forecast(known: Experience, pace: Pace, staff: Staff, effort: Effort, book: Rulebook, now: datetime) -> Forecast:
    """Simulate this floor, and reckon. Pure; takes up to two seconds: no transaction should be open meanwhile."""
    plan = twin.Plan(
        staff.team, round(known.answer_rate, 2), talk_mean=round(known.talk), wrap_mean=1.0 if staff.is_recorded
        else max(round(known.wrap), 1), lines=effort.lines,
    )  # fmt: skip
    mode = "progressive" if staff.is_recorded else pace.mode
    seen = twin.forecast(plan, mode, pace.abandon_limit, pace.ratio, gives_up=pace.gives_up)
    reached = 1 - (1 - known.answer_rate) ** effort.most_attempts
    attempts = effort.people * reached / known.answer_rate
    hours = attempts / seen.attempts_per_hour if seen.attempts_per_hour > 0 else None
    ends = None if hours is None else end_of(book, now, hours, staff.hours_a_day)
    return Forecast(
        staff.team, staff.hours_a_day, str(staff.hour_price), seen.conversations_per_hour, seen.attempts_per_hour,
        seen.utilisation, seen.abandoned_share, seen.given_up_share, effort.people, round(effort.people * reached),
        hours, ends.isoformat() if ends else None, _cost(known, staff, hours, seen.conversations_per_hour),
        known.answer_rate, known.talk, known.calls,
    )  # fmt: skip


def _cost(known: Experience, staff: Staff, hours: float | None, talks_per_hour: float) -> str | None:
    if hours is None:
        return None
    people = Decimal(0) if staff.is_recorded else staff.hour_price * staff.team
    lines = staff.minute_price * Decimal(talks_per_hour * known.talk / 60)
    return str(((people + lines) * Decimal(hours)).quantize(Decimal("0.01")))


def end_of(book: Rulebook, now: datetime, hours: float, hours_a_day: float) -> date | None:
    """The day on which so many hours of calling are done, when each day has `hours_a_day` of them and no more than its
    calling hours allow; None when that is years away."""
    here = now.astimezone(ZONE)
    day, left = here.date(), hours
    while day - here.date() <= LONGEST:
        opens, closes = book.hours_on(day, ZONE)
        begins = max(datetime.combine(day, opens, ZONE), here)
        open_for = (datetime.combine(day, closes, ZONE) - begins).total_seconds() / 3600
        left -= min(max(open_for, 0.0), hours_a_day)
        if left <= 1e-9:
            return day
        day += timedelta(days=1)
    return None
