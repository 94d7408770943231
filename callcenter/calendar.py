"""When somebody may be contacted and for what, as the law has it: purposes by phase, calling hours, rest days. Pure.

What an administrator sets (dates of elections, stricter cells, narrower hours) is `rulebook`."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

PHASES = ("ordinary", "precampaign", "intercampaign", "campaign", "silence", "election_day", "post")
PURPOSES = (
    "survey",
    "data_verification",
    "structure",
    "persuasion",
    "neutral_reminder",
    "mobilization",
    "citizen_care",
    "privacy_request",
)
# What a purpose may do in each phase, in the order of PHASES:
#   yes · no · members (only people of one's own organisation) · sign_off (only while a lawyer's written approval holds)
#   drill (only through a simulated carrier) · notice (yes, but launching asks to confirm)
_MATRIX = {
    "survey": "yes yes yes yes yes yes yes",
    "data_verification": "yes yes yes yes notice no yes",
    "structure": "yes yes yes yes yes yes yes",
    "persuasion": "no members no yes no no no",
    "neutral_reminder": "no no no yes sign_off sign_off no",
    "mobilization": "drill drill drill drill drill yes no",
    "citizen_care": "yes yes yes yes no no yes",
    "privacy_request": "yes yes yes yes yes yes yes",
}
RULES = {
    (purpose, phase): rule for purpose, row in _MATRIX.items() for phase, rule in zip(PHASES, row.split(), strict=True)
}
# Which rules are stricter than a rule: the only ones that may take its place.
_CONDITIONS = ("members", "sign_off", "drill")
STRICTER: dict[str, tuple[str, ...]] = {
    "yes": ("notice", *_CONDITIONS, "no"),
    "notice": (*_CONDITIONS, "no"),
    **dict.fromkeys(_CONDITIONS, ("no",)),
    "no": (),
}

Span = tuple[time, time]  # from when until when people may be called; `END_OF_DAY` is 24:00
HoursOn = Callable[[date, ZoneInfo], Span]
END_OF_DAY = time.max
WEEKDAY_HOURS = (time(9, 0), time(20, 0))
REST_DAY_HOURS = (time(10, 0), time(18, 0))  # Sundays and holidays
WIDEST_HOURS = (time(8, 0), time(21, 0))  # an administrator may go so far and no further
POST_HOURS = (time(5, 0), END_OF_DAY)  # on election day, for who holds a post
FOR_POSTS = ("structure", "mobilization")  # the purposes for which a post's hours hold


class Stretch(NamedTuple):
    """One line of an election's calendar, both days included. A day in none is `ordinary`."""

    name: str
    phase: str
    starts: date
    ends: date


def election_of(day: date) -> list[Stretch]:
    """The calendar of an election on `day`, in the proportions of a federal one; an administrator corrects it."""

    def back(days: int) -> date:
        return day - timedelta(days=days)

    return [
        Stretch("Precampaña", "precampaign", back(150), back(110)),
        Stretch("Intercampaña", "intercampaign", back(109), back(64)),
        Stretch("Campaña", "campaign", back(63), back(4)),
        Stretch("Veda", "silence", back(3), back(1)),
        Stretch("Jornada", "election_day", day, day),
        Stretch("Después de la jornada", "post", day + timedelta(days=1), day + timedelta(days=60)),
    ]


def hours_of(day: date, _zone: ZoneInfo | None = None) -> Span:
    """From when until when people may be called on `day`, where nobody has set other hours."""
    return REST_DAY_HOURS if day.weekday() == 6 or is_holiday(day) else WEEKDAY_HOURS


def opens_at(now: datetime, zones: tuple[ZoneInfo, ...], hours: HoursOn = hours_of) -> datetime | None:
    """None when a contact in all of `zones` may be rung at `now`; else the next moment when they may (aware, in the
    zone of `now`)."""
    moment = now
    for _ in range(64):  # a day opens and closes once a zone: a handful of steps is the rule
        later = max(_next_open(moment, zone, hours) for zone in zones)
        if later == moment:
            break
        moment = later
    return None if moment == now else moment.astimezone(now.tzinfo)


def closes_at(now: datetime, zones: tuple[ZoneInfo, ...], hours: HoursOn = hours_of) -> datetime:
    """Until when a contact in all of `zones`, who may be rung at `now`, may be rung (aware, in the zone of `now`)."""
    ends = []
    for zone in zones:
        day = now.astimezone(zone).date()
        closes = hours(day, zone)[1]
        at = datetime.combine(day, closes, zone)
        ends.append(at + timedelta(microseconds=1) if closes == END_OF_DAY else at)
    return min(ends).astimezone(now.tzinfo)


def _next_open(moment: datetime, zone: ZoneInfo, hours: HoursOn) -> datetime:
    """`moment` itself inside the hours of `zone`, else the next opening there."""
    local = moment.astimezone(zone)
    opens, closes = hours(local.date(), zone)
    if opens <= local.time() < closes:
        return moment
    day = local.date() if local.time() < opens else local.date() + timedelta(days=1)
    return datetime.combine(day, hours(day, zone)[0], zone)


def is_holiday(day: date) -> bool:
    """Is it one of the rest days of the Federal Labour Law (article 74)?"""
    if (day.month, day.day) in ((1, 1), (5, 1), (9, 16), (12, 25)):
        return True
    if day.month == 10 and day.day == 1 and day.year % 6 == 2024 % 6:
        return True  # a new federal executive takes office
    is_monday, week = day.weekday() == 0, (day.day - 1) // 7 + 1
    return is_monday and (day.month, week) in ((2, 1), (3, 3), (11, 3))
