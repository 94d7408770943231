from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter import calendar as law
from campaigns.rehearsal.rehearsal_hours import Calendar, Group, Line, Load, outlook

HOME, TIJUANA = Group(("America/Mexico_City",)), Group(("America/Tijuana",))
TUESDAY = datetime(2027, 5, 11, 10, 0, tzinfo=ZoneInfo("America/Mexico_City"))  # open from 9:00 to 20:00


def calendar(allows_until: datetime | None = None) -> Calendar:
    return Calendar(
        opens=lambda group, at: law.opens_at(at, group.homes),
        closes=lambda group, at: law.closes_at(at, group.homes),
        allows=lambda _group, at: allows_until is None or at < allows_until,
    )


NIGHTLESS = Calendar(
    opens=lambda _group, _at: None, closes=lambda _group, at: datetime.max.replace(tzinfo=UTC),
    allows=lambda _group, _at: True,
)  # fmt: skip


def test_a_short_list_ends_today() -> None:
    found = outlook({HOME: Load(600, 1_200)}, [Line("a", 1.0)], TUESDAY, calendar())
    assert found.ends_at == TUESDAY + timedelta(minutes=20)
    assert (found.seconds, found.ends_today, found.left, found.expired) == (1_200, True, 0, 0)


def test_calling_hours_cut_a_send_and_it_goes_on_next_day() -> None:
    parts = 12 * 3600  # twelve hours of a part a second; ten are left today
    found = outlook({HOME: Load(parts, parts)}, [Line("a", 1.0)], TUESDAY, calendar())
    assert [(day.day.day, round(day.people)) for day in found.days] == [(11, 36_000), (12, 7_200)]
    assert found.ends_at is not None
    assert found.ends_at.astimezone(TUESDAY.tzinfo).time() == time(11, 0)
    assert not found.ends_today


def test_two_senders_take_half_the_time() -> None:
    loads = {HOME: Load(1_000, 1_000)}
    one = outlook(loads, [Line("a", 2.0)], TUESDAY, calendar())
    two = outlook(loads, [Line("a", 2.0), Line("b", 2.0)], TUESDAY, calendar())
    assert one.seconds == pytest.approx(2 * two.seconds)


def test_who_lives_where_it_is_earlier_waits_for_their_own_morning() -> None:
    nine = TUESDAY.replace(hour=9)
    found = outlook({HOME: Load(60, 60), TIJUANA: Load(60, 60)}, [Line("a", 1.0)], nine, calendar())
    assert found.ends_at is not None
    assert found.ends_at >= nine + timedelta(hours=1)
    assert sum(day.people for day in found.days) == pytest.approx(120)


def test_what_the_calendar_blocks_before_its_turn_comes_expires() -> None:
    midnight = TUESDAY.replace(hour=0) + timedelta(days=1)
    parts = 12 * 3600
    found = outlook({HOME: Load(parts, parts)}, [Line("a", 1.0)], TUESDAY, calendar(allows_until=midnight))
    assert round(found.expired) == 7_200
    assert len(found.days) == 1


def test_a_purpose_that_the_calendar_blocks_now_reaches_nobody() -> None:
    found = outlook({HOME: Load(5, 5)}, [Line("a", 1.0)], TUESDAY, calendar(allows_until=TUESDAY))
    assert (found.expired, found.days, found.left) == (5, [], 0)


def test_how_many_people_a_sender_may_reach_in_a_day_stretches_it() -> None:
    found = outlook({HOME: Load(2_500, 2_500)}, [Line("a", 80.0, 1_000)], TUESDAY, NIGHTLESS)
    assert [round(day.people) for day in found.days] == [1_000, 1_000, 500]


@pytest.mark.parametrize("lines", [[], [Line("a", 80.0, 0)]])
def test_without_a_sender_that_may_send_nothing_ends(lines: list[Line]) -> None:
    found = outlook({HOME: Load(10, 10)}, lines, TUESDAY, NIGHTLESS)
    assert (found.ends_at, found.days, found.left) == (None, [], 10)


def test_nobody_to_write_to_ends_at_once() -> None:
    assert outlook({}, [Line("a", 1.0)], TUESDAY, calendar()).ends_at == TUESDAY


amounts = st.integers(0, 200_000)


@given(amounts, amounts, st.floats(0.5, 500), st.one_of(st.none(), st.integers(1, 50_000)), st.integers(0, 23))
def test_nobody_is_lost_and_nothing_leaves_at_night(
    here: int, there: int, speed: float, a_day: int | None, hour: int
) -> None:
    begins = TUESDAY.replace(hour=hour)
    loads = {HOME: Load(here, 2 * here), TIJUANA: Load(there, there)}
    found = outlook(loads, [Line("a", speed, a_day)], begins, calendar())
    sent = sum(day.people for day in found.days)
    assert sent + found.left + found.expired == pytest.approx(here + there, abs=0.01)
    for day in found.days:
        local = day.begins.astimezone(TUESDAY.tzinfo)
        assert law.opens_at(local, HOME.homes) is None or law.opens_at(local, TIJUANA.homes) is None
        assert day.parts <= speed * (day.ends - day.begins).total_seconds() + 0.01
        assert a_day is None or day.people <= a_day + 0.01
