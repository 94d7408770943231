"""When somebody may be contacted and for what: calling hours where the contact lives, the phases of an election."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, Select, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import ZONE
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput

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
#   yes · no · members (only people of one's own organisation) · sign_off (only with a lawyer's written approval)
#   drill (only through a simulated carrier)
_MATRIX = {
    "survey": "yes yes yes yes yes yes yes",
    "data_verification": "yes yes yes yes yes no yes",
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

WEEKDAY_HOURS = (time(9, 0), time(20, 0))
REST_DAY_HOURS = (time(10, 0), time(18, 0))  # Sundays and holidays


class Phase(Base):
    """One stretch of one election's calendar, both days included, as the campaign's own zone counts days.

    Where stretches overlap, the one that began last holds; a day in none is `ordinary`."""

    __tablename__ = "phases"
    __table_args__ = (
        CheckConstraint(f"phase IN {PHASES}", name="phase"),
        CheckConstraint("starts <= ends", name="starts_before_it_ends"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    phase: Mapped[str]
    starts: Mapped[date]
    ends: Mapped[date]


class Stretch(NamedTuple):
    """One line of an election's calendar, as `set_phases` takes it."""

    name: str
    phase: str
    starts: date
    ends: date


def set_phases(session: Session, stretches: list[Stretch]) -> None:
    """Replace the election's calendar. Raises InvalidInput naming the stretch that cannot be."""
    for stretch in stretches:
        if stretch.phase not in PHASES:
            raise InvalidInput(f"{stretch.phase!r} is no phase; the phases are {', '.join(PHASES)}.")
        if stretch.starts > stretch.ends:
            raise InvalidInput(f"{stretch.name}: it begins on {stretch.starts} and ends before, on {stretch.ends}.")
    session.execute(delete(Phase))
    session.add_all(Phase(**stretch._asdict()) for stretch in stretches)


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


def phase_at(session: Session, now: datetime) -> str:
    """The phase on the day of `now` (aware)."""
    found = session.scalar(phase_select(now.astimezone(ZONE).date()))
    return found if found else "ordinary"


def phase_select(day: date) -> Select[str]:
    """SELECT of the phase on `day`: no row when it is ordinary."""
    return (
        select(Phase.phase)
        .where(Phase.starts <= day, Phase.ends >= day)
        .order_by(Phase.starts.desc(), Phase.id.desc())
        .limit(1)
    )


@lru_cache(maxsize=64)  # a batch of a thousand people asks of a handful of zones at one moment
def opens_at(now: datetime, zones: tuple[ZoneInfo, ...]) -> datetime | None:
    """None when a contact in all of `zones` may be rung at `now`; else the next moment when they may (aware UTC)."""
    moment = now
    for _ in range(64):  # a day opens and closes once a zone: a handful of steps is the rule
        later = max(_next_open(moment, zone) for zone in zones)
        if later == moment:
            break
        moment = later
    return None if moment == now else moment.astimezone(now.tzinfo)


def _next_open(moment: datetime, zone: ZoneInfo) -> datetime:
    """`moment` itself inside the hours of `zone`, else the next opening there."""
    local = moment.astimezone(zone)
    opens, closes = hours_of(local.date())
    if opens <= local.time() < closes:
        return moment
    day = local.date() if local.time() < opens else local.date() + timedelta(days=1)
    return datetime.combine(day, hours_of(day)[0], zone)


def hours_of(day: date) -> tuple[time, time]:
    """From when until when people may be called on `day`."""
    return REST_DAY_HOURS if day.weekday() == 6 or is_holiday(day) else WEEKDAY_HOURS


def is_holiday(day: date) -> bool:
    """Is it one of the rest days of the Federal Labour Law (article 74)?"""
    if (day.month, day.day) in ((1, 1), (5, 1), (9, 16), (12, 25)):
        return True
    if day.month == 10 and day.day == 1 and day.year % 6 == 2024 % 6:
        return True  # a new federal executive takes office
    is_monday, week = day.weekday() == 0, (day.day - 1) // 7 + 1
    return is_monday and (day.month, week) in ((2, 1), (3, 3), (11, 3))
