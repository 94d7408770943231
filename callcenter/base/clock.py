"""Two clocks: `real_now` for leases, deadlines and signatures; `campaign_now` for what a person sees or a rule asks.

In drill mode the campaign clock starts on a weekday morning of an invented campaign, runs at the speed of the real one,
skips the hours in which nobody may be called, and never goes back (the furthest time seen is kept in the database).
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.db import Base

ZONE = ZoneInfo("America/Mexico_City")
# An invented campaign: Monday, in the campaign phase, well inside calling hours.
DRILL_START = datetime(2027, 5, 10, 10, 0, tzinfo=ZONE)
DAY_OPENS, DAY_CLOSES = time(10, 0), time(19, 0)


_is_drill = True


def configure(*, is_drill: bool) -> None:
    """Say whether this process is in drill mode: where a carrier is real, so is the clock, whatever the database keeps
    of an earlier drill."""
    global _is_drill  # noqa: PLW0603  # one process, one mode
    _is_drill = is_drill


class DrillClock(Base):
    """One row, only in drill mode: where the invented calendar started, and the furthest it has shown."""

    __tablename__ = "drill_clock"
    id: Mapped[int] = mapped_column(primary_key=True)
    real_start: Mapped[datetime]
    drill_start: Mapped[datetime]
    furthest: Mapped[datetime]


def real_now() -> datetime:
    return datetime.now(UTC)


def start_drill(session: Session, drill_start: datetime = DRILL_START) -> None:
    """Start the invented calendar; does nothing when it runs already."""
    session.execute(
        text(
            "INSERT INTO drill_clock (id, real_start, drill_start, furthest) VALUES (1, :real, :drill, :drill)"
            " ON CONFLICT DO NOTHING"
        ),
        {"real": real_now(), "drill": drill_start},
    )


def campaign_now(session: Session) -> datetime:
    """Now, as the campaign counts it (aware UTC): the drill clock when one runs, else the real one."""
    row = session.execute(_DRILL_CLOCK).first() if _is_drill else None
    if row is None:
        return real_now()
    furthest: datetime = row.furthest
    return max(furthest, drill_time(row.real_start, row.drill_start, real_now()))


# In words of its own: the gate asks for every batch, and an object costs as much as the question.
_DRILL_CLOCK = text("SELECT real_start, drill_start, furthest FROM drill_clock WHERE id = 1")


def keep_furthest(session: Session) -> None:
    """Remember how far the drill clock has run, so that a real clock set back cannot turn it back."""
    if _is_drill:
        now = {"now": campaign_now(session)}
        session.execute(text("UPDATE drill_clock SET furthest = GREATEST(furthest, :now)"), now)


def drill_time(real_start: datetime, drill_start: datetime, now: datetime) -> datetime:
    """The invented time after `now - real_start` of running, nights and Sundays left out."""
    left = max(now - real_start, timedelta(0))
    local = drill_start.astimezone(ZONE)
    while True:
        closes = datetime.combine(local.date(), DAY_CLOSES, ZONE)
        if local + left < closes:
            return (local + left).astimezone(UTC)
        left -= closes - local
        local = _next_opening(local)


def _next_opening(local: datetime) -> datetime:
    day = local.date() + timedelta(days=1)
    if day.weekday() == 6:
        day += timedelta(days=1)
    return datetime.combine(day, DAY_OPENS, ZONE)
