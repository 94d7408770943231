"""Elections as an administrator enters them: what is refused, what is only warned of, what the gate reads of them."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from callcenter import calendar
from callcenter.base.audit import AuditEntry
from callcenter.base.clock import ZONE
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.calendar import Stretch
from callcenter.gate import elections, rulebook
from callcenter.gate.elections import Gap, Plan

DAY = date(2027, 6, 6)
LINES = tuple(calendar.election_of(DAY))


def plan(*stretches: Stretch, name: str = "Local", day: date = DAY, states: tuple[int, ...] = ()) -> Plan:
    return Plan(name, day, states, stretches or LINES)


def faults(given: Plan) -> dict[str, str]:
    return {field: str(sentence) for field, sentence in elections.faults_of(given).items()}


def test_the_proposal_has_no_gap_and_no_overlap_on_any_day() -> None:
    for days in range(0, 1500, 7):
        day = date(2026, 1, 1) + timedelta(days=days)
        lines = calendar.election_of(day)
        assert (elections.gaps(lines), faults(plan(*lines, day=day))) == ([], {})


def test_two_phases_that_share_days_are_refused_with_both_names() -> None:
    late = Stretch("Campaña local", "campaign", date(2027, 6, 1), date(2027, 6, 2))
    (sentence,) = faults(plan(*LINES, late)).values()
    assert "Campaña" in sentence
    assert "Campaña local" in sentence


def test_a_phase_that_ends_before_it_begins_is_refused_where_it_stands() -> None:
    wrong = Stretch("Veda", "silence", date(2027, 6, 5), date(2027, 6, 3))
    found = faults(plan(*LINES[:3], wrong))
    assert set(found) == {"stretch-3"}
    assert "Veda" in found["stretch-3"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (plan(name="  "), "name"),
        (plan(states=(30, 33)), "states"),
        (Plan("x", DAY, (), ()), "stretches"),
        (plan(Stretch("x", "party", DAY, DAY)), "stretch-0"),
        (plan(Stretch("Jornada", "election_day", date(2027, 6, 7), date(2027, 6, 7))), "stretch-0"),
        (plan(*[Stretch("x", "post", DAY, DAY)] * 31), "stretches"),
        # Nobody asks for votes on election day or after it, and nothing is over before it.
        (plan(Stretch("Campaña", "campaign", date(2027, 4, 4), DAY)), "stretch-0"),
        (plan(Stretch("Veda", "silence", date(2027, 6, 3), DAY)), "stretch-0"),
        (plan(*LINES[4:5], Stretch("Campaña", "campaign", date(2027, 6, 7), date(2027, 6, 9))), "stretch-1"),
        (plan(*LINES[4:5], Stretch("Después", "post", date(2027, 6, 3), date(2027, 6, 5))), "stretch-1"),
    ],
)
def test_what_cannot_be_is_named(wrong: Plan, field: str) -> None:
    assert field in faults(wrong)


def test_a_gap_is_named_and_no_fault() -> None:
    lines = (LINES[0], LINES[2])
    assert faults(plan(*lines)) == {}
    assert elections.gaps(list(lines)) == [
        Gap("Precampaña", "Campaña", LINES[0].ends + timedelta(days=1), LINES[2].starts - timedelta(days=1))
    ]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=6))
def test_a_calendar_is_refused_exactly_when_a_day_is_in_two_phases(spans: list[tuple[int, int]]) -> None:
    first = date(2027, 7, 1)
    lines = [Stretch(str(n), "post", first + timedelta(days=at), first + timedelta(days=at + length))
             for n, (at, length) in enumerate(spans)]  # fmt: skip
    days = [day for line in lines for day in range(line.starts.toordinal(), line.ends.toordinal() + 1)]
    assert bool(faults(plan(*lines))) == (len(days) != len(set(days)))
    if len(days) == len(set(days)):
        missing = set(range(min(days), max(days) + 1)) - set(days)
        named = {
            day for gap in elections.gaps(lines) for day in range(gap.starts.toordinal(), gap.ends.toordinal() + 1)
        }
        assert named == missing


def test_an_election_is_held_on_its_day_whether_or_not_a_phase_says_so(session: Session) -> None:
    elections.save(session, plan(LINES[2]), None)
    book = rulebook.read(session)
    assert [one.phase for one in book.standings(DAY, 30)] == ["election_day"]
    assert elections.phase_at(session, datetime(2027, 6, 6, 12, tzinfo=ZONE)) == "election_day"
    assert [one.phase for one in book.standings(DAY - timedelta(days=1), 30)] == ["ordinary"]
    assert book.standings(DAY + timedelta(days=1), 30)[0].election_id is None


def test_an_election_is_saved_changed_and_removed(session: Session) -> None:
    made = elections.save(session, plan(states=(30, 9, 30)), None)
    assert (made.states, len(made.phases)) == ([9, 30], 6)
    with pytest.raises(InvalidInput) as fault:
        elections.save(session, plan(name="LOCAL"), None)
    assert set(fault.value.faults) == {"name"}
    changed = elections.save(session, plan(*LINES[2:], name="Local 2"), None, election_id=made.id)
    assert (changed.id, changed.name, len(changed.phases)) == (made.id, "Local 2", 4)
    (dates,) = rulebook.read(session).elections
    assert (dates.states, dates.stretches) == (frozenset(), LINES[2:])
    elections.remove(session, made.id, None)
    assert rulebook.read(session).elections == ()
    with pytest.raises(NotFound):
        elections.remove(session, made.id, None)
    actions = list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert actions == ["elections.save", "elections.save", "elections.remove"]
    (removed,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "elections.remove"))
    assert "campaign 2027-04-04 2027-06-02" in removed.detail["phases"]


def test_a_refused_calendar_leaves_the_old_one(session: Session) -> None:
    made = elections.save(session, plan(), None)
    with pytest.raises(InvalidInput):
        elections.save(session, plan(LINES[0], LINES[0]), None, election_id=made.id)
    assert rulebook.read(session).elections[0].stretches == LINES


def test_the_database_itself_refuses_two_phases_on_one_day(session: Session) -> None:
    made = elections.save(session, plan(), None)
    row = "INSERT INTO phases (election_id, name, phase, starts, ends) VALUES (:id, 'x', 'post', :day, :day)"
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text(row), {"id": made.id, "day": DAY})


def test_the_phase_of_a_screen_is_the_strictest_of_what_runs_in_the_state(session: Session) -> None:
    elections.save(session, plan(), None)
    elections.save(session, plan(*calendar.election_of(date(2027, 5, 12)), name="L", day=date(2027, 5, 12),
                                 states=(30,)), None)  # fmt: skip
    noon = datetime(2027, 5, 11, 12, tzinfo=ZONE)
    assert [elections.phase_at(session, noon, state) for state in (30, 9)] == ["silence", "campaign"]
    assert elections.phase_at(session, datetime(2029, 1, 1, tzinfo=ZONE)) == "ordinary"
