"""What a house may set around the law: only stricter, only narrower, only less, and always on record."""

from datetime import date, time

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calendar
from callcenter.base.audit import AuditEntry
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.calendar import RULES, STRICTER
from callcenter.gate import house_rules, rulebook

HOURS = rulebook.DEFAULT_HOURS


@pytest.mark.parametrize(("purpose", "phase"), sorted(RULES))
def test_a_cell_becomes_stricter_or_is_refused(session: Session, purpose: str, phase: str) -> None:
    law = RULES[purpose, phase]
    for rule in set(house_rules.RULE_LABELS) - {law}:
        if rule in STRICTER[law]:
            house_rules.set_cell(session, purpose, phase, rule, None)
            assert rulebook.read(session).rules_of(purpose, phase) == (law, rule)
        else:
            with pytest.raises(Refused, match="stricter"):
                house_rules.set_cell(session, purpose, phase, rule, None)
    house_rules.set_cell(session, purpose, phase, None, None)
    assert rulebook.read(session).rules_of(purpose, phase) == (law,)


def test_nothing_is_stricter_than_itself_and_a_block_has_no_stricter() -> None:
    assert STRICTER["no"] == ()
    assert all(rule not in stricter for rule, stricter in STRICTER.items())
    assert set(STRICTER) == set(house_rules.RULE_LABELS) == set(RULES.values())


def test_each_change_of_a_cell_is_a_version_and_on_record(session: Session) -> None:
    assert house_rules.version(session) is None
    house_rules.set_cell(session, "survey", "silence", "no", None)
    house_rules.set_cell(session, "survey", "silence", "no", None)  # the same again is no change
    house_rules.set_cell(session, "survey", "silence", "yes", None)  # the law's own word: back to it
    last = house_rules.version(session)
    assert last is not None
    assert last.rule is None
    kept = select(AuditEntry.detail).where(AuditEntry.action == "calendar.set_cell").order_by(AuditEntry.id)
    changes = [(detail["was"], detail["now"]) for detail in session.scalars(kept)]
    assert changes == [(None, "no"), ("no", None)]
    with pytest.raises(InvalidInput):
        house_rules.set_cell(session, "gossip", "silence", "no", None)


@pytest.mark.parametrize(
    ("opens", "closes", "fits"),
    [
        (time(8), time(21), True),
        (time(7, 59), time(20), False),
        (time(9), time(21, 1), False),
        (time(12), time(12), False),
        (time(14), time(10), False),
        (time(9), time(12, 59), False),
        (time(9), time(13), True),
    ],
)
def test_hours_stay_inside_the_widest(session: Session, opens: time, closes: time, fits: bool) -> None:
    hours = {**HOURS, "weekday": (opens, closes)}
    if fits:
        house_rules.set_hours(session, hours, None, may_widen=True)
        assert rulebook.read(session).hours_on(date(2027, 5, 11)) == (opens, closes)
    else:
        with pytest.raises(InvalidInput) as fault:
            house_rules.set_hours(session, hours, None, may_widen=True)
        assert set(fault.value.faults) == {"weekday"}


def test_who_may_not_widen_may_only_narrow_what_holds_now(session: Session) -> None:
    narrow = {**HOURS, "sunday": (time(11), time(16))}
    house_rules.set_hours(session, narrow, None, may_widen=False)
    with pytest.raises(Refused, match="longer"):
        house_rules.set_hours(session, HOURS, None, may_widen=False)
    house_rules.set_hours(session, HOURS, None, may_widen=True)
    assert rulebook.read(session).hours == HOURS


def test_a_holiday_on_a_sunday_has_the_shorter_of_both(session: Session) -> None:
    sunday = date(2027, 5, 16)
    hours = {**HOURS, "sunday": (time(10), time(15)), "holiday": (time(11), time(18))}
    house_rules.set_hours(session, hours, None, may_widen=False)
    house_rules.add_holiday(session, sunday, "Feria", None)
    assert rulebook.read(session).hours_on(sunday) == (time(11), time(15))


@pytest.mark.parametrize(("per_week", "in_all"), [(4, 6), (0, 6), (3, 7), (3, 0), (3, 2)])
def test_caps_only_go_down(session: Session, per_week: int, in_all: int) -> None:
    with pytest.raises(InvalidInput):
        house_rules.set_caps(session, per_week, in_all, None)
    house_rules.set_caps(session, 1, 2, None)
    book = rulebook.read(session)
    assert (book.per_week, book.in_all) == (1, 2)


def test_a_holiday_is_entered_once_for_a_place(session: Session) -> None:
    day = date(2027, 11, 2)
    row = house_rules.add_holiday(session, day, "Muertos", None, state=30)
    house_rules.add_holiday(session, day, "Muertos", None)
    for wrong in ({"state": 30, "name": "x"}, {"state": 33, "name": "x"}, {"name": " "}):
        with pytest.raises(InvalidInput):
            house_rules.add_holiday(session, day, wrong["name"], None, state=wrong.get("state"))  # type: ignore[arg-type]
    house_rules.remove_holiday(session, row.id, None)
    assert [one.state for one in house_rules.own_holidays(session)] == [None]
    with pytest.raises(NotFound):
        house_rules.remove_holiday(session, row.id, None)


def test_without_a_word_of_the_house_the_law_holds(session: Session) -> None:
    assert rulebook.read(session) == rulebook.Rulebook()
    assert rulebook.read(session).hours_on(date(2027, 5, 16)) == calendar.REST_DAY_HOURS
