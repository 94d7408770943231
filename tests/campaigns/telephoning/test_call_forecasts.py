"""What a campaign will bring: its end in working days, its price, and how people answered campaigns like it."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import ZONE, real_now
from callcenter.gate.rulebook import Rulebook
from callcenter.ledger.call_ledger import Call
from callcenter.queueing.queue_pace import Pace
from campaigns.telephoning import call_forecasts
from campaigns.telephoning.call_forecasts import Effort, Experience, Staff
from tests.callcenter.cast import queue

BOOK = Rulebook()
MONDAY = datetime(2027, 5, 10, 10, 0, tzinfo=ZONE)
SATURDAY = datetime(2027, 5, 15, 15, 0, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("now", "hours", "hours_a_day", "day"),
    [
        (MONDAY, 0.5, 6.0, date(2027, 5, 10)),
        (MONDAY, 6.0, 6.0, date(2027, 5, 10)),
        (MONDAY, 6.1, 6.0, date(2027, 5, 11)),
        (MONDAY, 25.0, 24.0, date(2027, 5, 12)),  # 10 h are left of Monday, and a day has 11
        (SATURDAY, 6.0, 6.0, date(2027, 5, 16)),  # five on Saturday, one on Sunday
        (SATURDAY.replace(hour=21), 9.0, 10.0, date(2027, 5, 17)),  # Sunday has eight hours
        (MONDAY, 1e9, 6.0, None),
    ],
)
def test_the_end_is_the_day_on_which_the_hours_of_calling_are_done(
    now: datetime, hours: float, hours_a_day: float, day: date | None
) -> None:
    assert call_forecasts.end_of(BOOK, now, hours, hours_a_day) == day


@given(st.floats(0, 300), st.floats(0, 300), st.floats(0.5, 14))
def test_more_hours_never_end_earlier(one: float, other: float, hours_a_day: float) -> None:
    less, more = sorted((one, other))
    first = call_forecasts.end_of(BOOK, MONDAY, less, hours_a_day)
    last = call_forecasts.end_of(BOOK, MONDAY, more, hours_a_day)
    assert first is not None
    assert last is None or first <= last


def test_a_forecast_reckons_people_hours_end_and_price() -> None:
    staff = Staff(10, 6.0, Decimal(100), Decimal("0.50"))
    known = Experience(answer_rate=0.3, talk=120.0, wrap=15.0, calls=900)
    seen = call_forecasts.forecast(known, Pace("progressive"), staff, Effort(6_000, 3, 1_000), BOOK, MONDAY)
    assert 5 < seen.conversations_per_hour / 10 < 26
    assert seen.abandoned_share == 0
    assert seen.conversations == round(6_000 * (1 - 0.7**3))
    assert seen.hours is not None
    assert seen.hours == pytest.approx(6_000 * (1 - 0.7**3) / 0.3 / seen.attempts_per_hour)
    minutes = seen.conversations_per_hour * seen.hours * 2
    assert float(seen.cost or 0) == pytest.approx(seen.hours * 1_000 + minutes * 0.5, rel=0.001)
    assert seen.end == call_forecasts.end_of(BOOK, MONDAY, seen.hours, 6.0)
    assert call_forecasts.Forecast(**seen.as_kept()) == seen


def test_twice_the_team_talks_more_and_ends_no_later() -> None:
    known, effort = Experience(calls=900), Effort(6_000, 3, 1_000)
    small, large = (
        call_forecasts.forecast(known, Pace("predictive"), Staff(n, 6.0), effort, BOOK, MONDAY) for n in (5, 20)
    )
    assert large.conversations_per_hour > 2 * small.conversations_per_hour
    assert small.end is not None
    assert large.end is not None
    assert large.end <= small.end


def test_where_the_operator_dials_or_no_line_is_free_there_may_be_no_end() -> None:
    seen = call_forecasts.forecast(Experience(), Pace("progressive"), Staff(5, 6.0), Effort(100, 3, 0), BOOK, MONDAY)
    assert (seen.hours, seen.ends_on, seen.cost) == (None, None, None)


def past_calls(session: Session, script: str, number: int, *, answered: int, talk: float) -> None:
    """Calls of a campaign with this script that were placed an hour ago."""
    made, at = queue(session, script=script), real_now() - timedelta(hours=1)
    rows: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for place in range(number):
        is_answered = place < answered
        up, ends = at + timedelta(seconds=10), at + timedelta(seconds=10 + talk)
        attempt = {
            "id": uuid4(), "channel": "call", "purpose": "survey", "phone": f"+5292250{place:05}", "at": at,
            "created_at": at, "deadline_at": at, "closed_at": at, "outcome": "completed" if is_answered else "busy",
        }  # fmt: skip
        rows.append((attempt, {
            "id": attempt["id"], "queue_id": made.id, "script": script, "carrier": "simulated", "caller_id": "",
            "state": "ended", "placed_at": at, "answered_at": up if is_answered else None,
            "connected_at": up if is_answered else None, "hung_up_at": ends,
            "ended_at": ends + timedelta(seconds=20),
        }))  # fmt: skip
    session.execute(insert(Attempt), [attempt for attempt, _call in rows])
    session.execute(insert(Call), [call for _attempt, call in rows])


def test_experience_comes_from_the_same_script_then_the_same_kind_then_from_nowhere(session: Session) -> None:
    assert call_forecasts.experience(session, "survey/1", "operator") == Experience()
    past_calls(session, "survey/2", 80, answered=40, talk=100.0)
    other = call_forecasts.experience(session, "survey/1", "operator")
    assert (other.answer_rate, other.talk, other.wrap, other.calls) == (0.5, 100.0, 20.0, 80)
    past_calls(session, "survey/1", 60, answered=15, talk=200.0)
    own = call_forecasts.experience(session, "survey/1", "operator")
    assert (own.answer_rate, own.talk, own.calls) == (0.25, 200.0, 60)
    assert call_forecasts.experience(session, "operator", "operator") == Experience()
    assert call_forecasts.experience(session, "survey/1", "recording") == Experience()


def test_a_handful_of_calls_proves_nothing(session: Session) -> None:
    past_calls(session, "survey/1", 20, answered=20, talk=1.0)
    assert call_forecasts.experience(session, "survey/1", "operator") == Experience()


def test_hours_of_the_house_move_the_end() -> None:
    short = replace(BOOK, hours={kind: (time(10), time(14)) for kind in BOOK.hours})
    assert call_forecasts.end_of(short, MONDAY, 8.0, 12.0) == date(2027, 5, 11)
