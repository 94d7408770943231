"""When results may not leave: computed from the calendar, until the last polls close in the west."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calendar
from callcenter.base import clock
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.base.clock import ZONE
from callcenter.base.errors import InvalidInput, Refused
from callcenter.calendar import Stretch
from callcenter.gate import elections
from callcenter.gate.rulebook import Dates
from surveys.publishing import silence
from surveys.questionnaire import Survey

DAY = date(2027, 6, 6)
WEEK_BEFORE = datetime(2027, 5, 31, 11, 0, tzinfo=ZONE)
IN_SILENCE = datetime(2027, 6, 4, 11, 0, tzinfo=ZONE)


def election(*states: int, day: date = DAY, stretches: tuple[Stretch, ...] | None = None) -> Dates:
    lines = tuple(calendar.election_of(day)) if stretches is None else stretches
    return Dates(1, "Elección inventada", frozenset(states), lines)


def central(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("states", "since", "until"),
    [
        # The whole country: the east begins an hour before the centre, the west closes an hour after it.
        ((), central(2027, 6, 2, 23), central(2027, 6, 6, 19)),
        ((30,), central(2027, 6, 3), central(2027, 6, 6, 18)),
        ((26,), central(2027, 6, 3, 1), central(2027, 6, 6, 19)),
        ((2, 23), central(2027, 6, 2, 23), central(2027, 6, 6, 19)),
        ((18,), central(2027, 6, 3), central(2027, 6, 6, 19)),  # Nayarit and Bahía de Banderas
    ],
)
def test_silence_lasts_from_three_days_before_until_the_westernmost_polls_close(
    states: tuple[int, ...], since: datetime, until: datetime
) -> None:
    lock = silence.lock_of(election(*states))
    assert (lock.since, lock.until) == (since, until)


def test_an_election_without_phases_has_its_silence_all_the_same() -> None:
    lock = silence.lock_of(election(30, stretches=(Stretch("Jornada", "election_day", DAY, DAY),)))
    assert lock.since == central(2027, 6, 3)


def test_an_earlier_silence_in_the_calendar_holds_and_a_later_one_shortens_nothing() -> None:
    jornada = Stretch("Jornada", "election_day", DAY, DAY)
    early = Stretch("Veda", "silence", DAY - timedelta(5), DAY - timedelta(1))
    late = Stretch("Veda", "silence", DAY - timedelta(1), DAY - timedelta(1))
    assert silence.lock_of(election(30, stretches=(early, jornada))).since == central(2027, 6, 1)
    assert silence.lock_of(election(30, stretches=(late, jornada))).since == central(2027, 6, 3)


@given(st.sets(st.integers(1, 32)), st.dates(date(2024, 1, 10), date(2040, 12, 1)))
def test_no_polls_of_the_territory_are_open_when_the_silence_ends(states: set[int], day: date) -> None:
    lock = silence.lock_of(election(*states, day=day))
    for name in silence.zones_of(states):
        here = ZoneInfo(name)
        assert lock.until >= datetime(day.year, day.month, day.day, 18, tzinfo=here)
        assert lock.since <= datetime.combine(day - timedelta(3), datetime.min.time(), here)
    assert timedelta(days=3, hours=17) <= lock.until - lock.since <= timedelta(days=3, hours=23)


@pytest.fixture
def in_english(app: Flask) -> Iterator[None]:
    """Sentences need to know the reader's language."""
    with app.test_request_context(headers={"Accept-Language": "en"}):
        yield


def _elect(session: Session, *states: int, name: str = "Municipal") -> int:
    plan = elections.Plan(name, DAY, states, tuple(calendar.election_of(DAY)))
    return elections.save(session, plan, None).id


@pytest.mark.usefixtures("in_english")
def test_a_figure_leaves_before_the_silence_and_not_within_it(session: Session, survey: Survey, rosa: User) -> None:
    _elect(session, 30)
    before, within = silence.lock_at(session, WEEK_BEFORE), silence.lock_at(session, IN_SILENCE)
    assert before is None
    assert within is not None
    assert within.election == "Municipal"
    clock.start_drill(session, IN_SILENCE)
    with pytest.raises(Refused) as refused:
        silence.check_leaving(session, survey.id, rosa.id)
    assert refused.value.code == "silence"
    assert "Municipal" in str(refused.value)


@pytest.mark.usefixtures("in_english")
def test_the_silence_of_another_election_does_not_hold_a_study_that_names_its_own(
    session: Session, survey: Survey, rosa: User
) -> None:
    _elect(session, 30)
    later = date(2027, 8, 1)
    plan = elections.Plan("Extraordinaria", later, (14,), tuple(calendar.election_of(later)))
    other = elections.save(session, plan, None)
    clock.start_drill(session, IN_SILENCE)
    silence.check_leaving(session, survey.id, rosa.id, election_id=other.id)
    with pytest.raises(Refused):
        silence.check_leaving(session, survey.id, rosa.id)


def test_of_several_silences_the_one_that_ends_last_is_told(session: Session) -> None:
    _elect(session, 30)
    _elect(session, 2, name="Del norte")
    lock = silence.lock_at(session, IN_SILENCE)
    assert lock is not None
    assert lock.election == "Del norte"


@pytest.mark.usefixtures("in_english")
def test_a_pollster_with_a_reason_takes_files_out_for_an_hour_and_the_reason_is_kept(
    session: Session, survey: Survey, people: dict[str, User]
) -> None:
    _elect(session, 30)
    clock.start_drill(session, IN_SILENCE)
    pollster = people["pollster"]
    made = silence.release(session, survey.id, pollster.id, "La autoridad pidió la base de datos por oficio.")
    silence.check_leaving(session, survey.id, pollster.id)
    with pytest.raises(Refused):
        silence.check_leaving(session, survey.id, people["administrator"].id)
    made.until -= timedelta(hours=2)
    session.flush()
    with pytest.raises(Refused):
        silence.check_leaving(session, survey.id, pollster.id)
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"survey/{survey.id}")).all()
    assert "silence.release" in actions


@pytest.mark.parametrize("reason", ["", "porque sí", "x" * 501])
def test_no_reason_is_no_release(session: Session, survey: Survey, rosa: User, reason: str) -> None:
    with pytest.raises(InvalidInput) as fault:
        silence.release(session, survey.id, rosa.id, reason)
    assert set(fault.value.faults) == {"reason"}


def test_the_next_silence_is_the_one_that_has_not_begun(session: Session) -> None:
    _elect(session, 30)
    coming = silence.next_lock(session, WEEK_BEFORE)
    assert coming is not None
    assert coming.since == central(2027, 6, 3)
    assert silence.next_lock(session, IN_SILENCE) is None
