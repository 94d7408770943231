"""Working days, as the deadlines of privacy requests count them: Monday to Friday without holidays."""

from datetime import date, timedelta

from sqlalchemy.orm import Session

from callcenter.calendar import is_holiday
from callcenter.gate.house_rules import own_holidays

SATURDAY = 5


class WorkingDays:
    """Counts with the holidays of the law and those that an administrator added for the whole country."""

    def __init__(self, holidays: frozenset[date] = frozenset()) -> None:
        self._holidays = holidays

    def is_one(self, day: date) -> bool:
        """Is this a day on which an office works?"""
        return day.weekday() < SATURDAY and not is_holiday(day) and day not in self._holidays

    def after(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`, which itself does not count."""
        while count > 0:
            day += timedelta(days=1)
            count -= self.is_one(day)
        return day

    def between(self, day: date, end: date) -> int:
        """How many working days are left from `day` (not counted) to `end` (counted); below zero when it is past."""
        if end < day:
            return -self.between(end, day)
        return sum(self.is_one(day + timedelta(days=n)) for n in range(1, (end - day).days + 1))


def working_days(session: Session) -> WorkingDays:
    """The calendar as it stands: a holiday of one state or zone moves no deadline."""
    return WorkingDays(frozenset(row.day for row in own_holidays(session) if row.state is None and row.zone is None))
