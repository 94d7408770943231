"""How long a list takes to be written to: senders' speed against calling hours, day by day. Pure.

Sending is taken as a flow: whoever may be written to at a moment shares the senders' speed by what is left of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from callcenter.base.clock import ZONE

LONGEST = timedelta(days=60)  # a send that would take longer has no end that anybody could plan with
LEAST = 1e-6


@dataclass(frozen=True)
class Group:
    """People who are alike in when they may be written to. `state` None: not known, or nothing is said of it."""

    zones: tuple[str, ...]
    state: int | None = None
    is_member: bool = False

    @property
    def homes(self) -> tuple[ZoneInfo, ...]:
        return tuple(ZoneInfo(zone) for zone in self.zones)


@dataclass(frozen=True)
class Load:
    """What is to be sent to a group."""

    people: float
    parts: float


@dataclass(frozen=True)
class Line:
    """A sender: how many parts it carries in a second, how many people it may reach in a day (None: any)."""

    address: str
    parts_per_second: float
    daily_people: int | None = None


@dataclass(frozen=True)
class Day:
    """What leaves on one day, of the house's zone; from when until when."""

    day: date
    people: float
    parts: float
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Outlook:
    """`ends_at` None: not within LONGEST. `seconds`: of sending, without the nights. `expired`: people for whom the
    calendar does not allow the purpose any more when their turn would come, or does not allow it at all."""

    starts_at: datetime
    ends_at: datetime | None
    seconds: float
    days: list[Day]
    expired: float
    left: float

    @property
    def ends_today(self) -> bool:
        return self.ends_at is not None and len(self.days) <= 1


@dataclass(frozen=True)
class Calendar:
    """What the calendar says of a group at a moment: `opens(group, at)`: None when it may be written to at that hour,
    else when it may next; `closes(group, at)`: until when; `allows(group, at)`: does the phase let the purpose go?"""

    opens: Callable[[Group, datetime], datetime | None]
    closes: Callable[[Group, datetime], datetime]
    allows: Callable[[Group, datetime], bool]


def outlook(loads: Mapping[Group, Load], lines: Sequence[Line], now: datetime, calendar: Calendar) -> Outlook:
    """Send it all, in thought. `lines` empty, or of no speed: nothing ever leaves."""
    speed = sum(line.parts_per_second for line in lines)
    a_day = _daily(lines)
    flow = _Flow({group: load for group, load in loads.items() if load.people > 0}, now, calendar)
    while flow.left and flow.at - now <= LONGEST and speed > 0:
        flow.drop_forbidden()
        open_now = [group for group in flow.left if calendar.opens(group, flow.at) is None]
        if not open_now or flow.sent_on(flow.at) >= a_day - LEAST:
            flow.wait(is_spent=bool(open_now))
            continue
        flow.send(open_now, speed, a_day - flow.sent_on(flow.at))
    left = sum(load.people for load in flow.left.values())
    is_done = not flow.left
    return Outlook(now, (flow.last or now) if is_done else None, flow.seconds, flow.days, flow.expired, left)


class _Flow:
    """Where the send stands at the moment `at`."""

    def __init__(self, left: dict[Group, Load], at: datetime, calendar: Calendar) -> None:
        self.left, self.at, self.calendar = left, at, calendar
        self.seconds = self.expired = 0.0
        self.days: list[Day] = []
        self.last: datetime | None = None

    def drop_forbidden(self) -> None:
        for group in [group for group in self.left if not self.calendar.allows(group, self.at)]:
            self.expired += self.left.pop(group).people

    def sent_on(self, at: datetime) -> float:
        today = at.astimezone(ZONE).date()
        return sum(day.people for day in self.days if day.day == today)

    def wait(self, *, is_spent: bool) -> None:
        """To the next opening, or to tomorrow when the senders have reached all that they may today."""
        if is_spent:
            self.at = _midnight(self.at)
            return
        openings = [self.calendar.opens(group, self.at) for group in self.left]
        self.at = min((at for at in openings if at is not None), default=self.at + timedelta(minutes=1))

    def send(self, groups: list[Group], speed: float, people_left: float) -> None:
        """Until somebody's hours end, the day does, everybody of them is done, or the day's people are."""
        parts = sum(self.left[group].parts for group in groups)
        people = sum(self.left[group].people for group in groups)
        until = min([_midnight(self.at), *(self.calendar.closes(group, self.at) for group in groups)])
        for_all = parts / speed
        for_a_day = for_all * people_left / people if people else for_all
        takes = min(for_all, for_a_day, (until - self.at).total_seconds())
        share = min(takes / for_all, 1.0) if for_all else 1.0
        begins, self.at = self.at, self.at + timedelta(seconds=takes)
        self._note(people * share, parts * share, begins)
        for group in groups:
            load = self.left[group]
            self.left[group] = Load(load.people * (1 - share), load.parts * (1 - share))
            if self.left[group].people < LEAST:
                del self.left[group]
        self.seconds += takes

    def _note(self, people: float, parts: float, begins: datetime) -> None:
        self.last, today = self.at, begins.astimezone(ZONE).date()
        if self.days and self.days[-1].day == today:
            known = self.days[-1]
            self.days[-1] = replace(known, people=known.people + people, parts=known.parts + parts, ends=self.at)
        else:
            self.days.append(Day(today, people, parts, begins, self.at))


def _daily(lines: Sequence[Line]) -> float:
    """How many people all senders may reach in a day."""
    limits = [line.daily_people for line in lines]
    return float("inf") if None in limits else float(sum(limit or 0 for limit in limits))


def _midnight(at: datetime) -> datetime:
    tomorrow = at.astimezone(ZONE).date() + timedelta(days=1)
    return datetime.combine(tomorrow, datetime.min.time(), ZONE).astimezone(at.tzinfo)
