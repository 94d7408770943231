"""Deadlines count working days: no weekend, no holiday."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from callcenter.calendar import is_holiday
from callcenter.gate import house_rules
from callcenter.gate.working_days import WorkingDays, working_days

DAYS = st.dates(date(2024, 1, 1), date(2032, 12, 31))


def test_twenty_working_days_step_over_weekends_and_holidays() -> None:
    # From Friday 13 November 2026: the 16th is the Revolution's Monday.
    assert WorkingDays().after(date(2026, 11, 13), 20) == date(2026, 12, 14)


def test_the_day_itself_does_not_count() -> None:
    monday = date(2026, 11, 23)
    assert WorkingDays().after(monday, 1) == date(2026, 11, 24)
    assert WorkingDays().between(monday, monday) == 0


def test_a_holiday_of_the_whole_country_moves_the_deadline_and_one_of_a_state_does_not(session: Session) -> None:
    house_rules.add_holiday(session, date(2026, 11, 24), "Puente", None)
    house_rules.add_holiday(session, date(2026, 11, 25), "Feria", None, state=30)
    assert working_days(session).after(date(2026, 11, 23), 1) == date(2026, 11, 25)


@given(day=DAYS, count=st.integers(0, 60))
def test_going_and_counting_agree(day: date, count: int) -> None:
    days = WorkingDays()
    end = days.after(day, count)
    assert days.between(day, end) == count
    assert days.between(end, day) == -count
    if count:
        assert end.weekday() < 5
        assert not is_holiday(end)


@given(day=DAYS, ahead=st.integers(0, 120))
def test_counting_is_the_slow_count(day: date, ahead: int) -> None:
    days, end = WorkingDays(), day + timedelta(days=ahead)
    slow = [one for n in range(1, ahead + 1) if days.is_one(one := day + timedelta(days=n))]
    assert days.between(day, end) == len(slow)
