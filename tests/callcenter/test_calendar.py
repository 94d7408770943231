"""When somebody may be contacted: hours where they live, rest days, phases."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from callcenter import calendar, contacts
from callcenter.base.errors import InvalidInput
from callcenter.gate import elections
from callcenter.places import zones
from callcenter.places.zones import zones_of

MEXICO = ZoneInfo("America/Mexico_City")
TIJUANA = ZoneInfo("America/Tijuana")


@pytest.mark.parametrize(
    ("state", "municipality", "phone", "zones"),
    [
        (30, "Minatitlán", "+529221234567", {"America/Mexico_City"}),
        (None, None, "+529221234567", {"America/Mexico_City"}),
        (None, None, "+526641234567", {"America/Tijuana"}),
        (2, "Tijuana", "+526641234567", {"America/Tijuana"}),
        (2, None, "+525512345678", {"America/Mexico_City", "America/Tijuana"}),
        (30, None, "+526641234567", {"America/Mexico_City", "America/Tijuana"}),
        (23, None, "+529981234567", {"America/Cancun"}),
        (18, "Bahía de Banderas", "+523291234567", {"America/Bahia_Banderas", "America/Mexico_City"}),
        (18, "Tepic", "+523111234567", {"America/Mazatlan"}),
        (8, "JUÁREZ", "+526561234567", {"America/Ciudad_Juarez"}),
        (8, "Chihuahua", "+526141234567", {"America/Mexico_City"}),
        (8, "Ojinaga", "+526261234567", {"America/Ojinaga"}),
        (28, "Matamoros", "+528681234567", {"America/Matamoros"}),
        (19, "Anáhuac", "+528731234567", {"America/Matamoros"}),
        (None, None, "+526161234567", {"America/Tijuana"}),
        (None, None, "+529971234567", {"America/Cancun", "America/Mexico_City"}),  # an area code of two zones
        (31, "Tekax", "+529971234567", {"America/Mexico_City"}),
        (8, None, "+526361234567", {"America/Ciudad_Juarez", "America/Mexico_City"}),
        (28, None, "+528991234567", {"America/Matamoros", "America/Mexico_City"}),
        # A list that does not say the state: the municipality's name tells, and both where it and the phone disagree.
        (None, "Minatitlán", "+526641234567", {"America/Mexico_City", "America/Tijuana"}),
        (None, "Cd. Obregón", "+525512345678", {"America/Hermosillo", "America/Mexico_City"}),
        (None, "CULIACÁN", "+526671234567", {"America/Mazatlan"}),
        (None, "Bahía de Banderas", "+523291234567", {"America/Bahia_Banderas", "America/Mexico_City"}),
        (None, "Tuxpan", "+527831234567", {"America/Mazatlan", "America/Mexico_City"}),  # of Veracruz or of Nayarit
        (None, "Puebla", "+522221234567", {"America/Mexico_City"}),
    ],
)
def test_a_contact_lives_in_the_zone_of_home_and_of_phone(
    state: int | None, municipality: str | None, phone: str, zones: set[str]
) -> None:
    assert {zone.key for zone in zones_of(state, municipality, phone)} == zones


@pytest.mark.parametrize(
    ("local", "opens"),
    [
        ("2027-05-10 08:59", "2027-05-10 09:00"),
        ("2027-05-10 09:00", None),
        ("2027-05-10 19:59", None),
        ("2027-05-10 20:00", "2027-05-11 09:00"),
        ("2027-05-08 19:30", None),  # Saturday
        ("2027-05-08 21:00", "2027-05-09 10:00"),
        ("2027-05-09 09:30", "2027-05-09 10:00"),  # Sunday
        ("2027-05-09 18:00", "2027-05-10 09:00"),
        ("2027-05-01 09:30", "2027-05-01 10:00"),  # Labour Day
    ],
)
def test_calling_hours_open_and_close(local: str, opens: str | None) -> None:
    now = datetime.fromisoformat(local).replace(tzinfo=MEXICO)
    expected = datetime.fromisoformat(opens).replace(tzinfo=MEXICO) if opens else None
    assert calendar.opens_at(now, (MEXICO,)) == expected


@given(
    state=st.integers(1, 32), phone=st.sampled_from([*zones.AREA_CODES, *zones.SHARED_AREA_CODES, "551", "222"]),
    name=st.sampled_from(["Nogales", "Juárez", "Cancún", "(any)", *(name for _, name in zones.MUNICIPALITIES)]),
)  # fmt: skip
def test_only_in_a_divided_state_does_the_municipality_matter(state: int, phone: str, name: str) -> None:
    home = zones.MUNICIPALITIES.get((state, contacts.name_key(name))) or zones.STATES.get(state, zones.CENTRAL)
    areas = set(zones.SHARED_AREA_CODES.get(phone) or (zones.AREA_CODES.get(phone, zones.CENTRAL),))
    expected = {home} if home in areas else {home, *areas}
    assert {zone.key for zone in zones_of(state, name, f"+52{phone}1234567")} == expected


def test_with_two_zones_a_call_must_be_legal_in_both() -> None:
    morning = datetime(2027, 5, 10, 9, 30, tzinfo=MEXICO)
    assert calendar.opens_at(morning, (MEXICO, TIJUANA)) == datetime(2027, 5, 10, 9, 0, tzinfo=TIJUANA)


@given(st.integers(0, 4 * 366 * 24 * 60))
def test_at_the_next_opening_one_may_call(minutes: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    opens = calendar.opens_at(now, (MEXICO, TIJUANA))
    assert opens is None or (opens > now and calendar.opens_at(opens, (MEXICO, TIJUANA)) is None)


@pytest.mark.parametrize(
    "day",
    [date(2027, 1, 1), date(2027, 2, 1), date(2027, 3, 15), date(2027, 5, 1), date(2027, 9, 16), date(2026, 11, 16),
     date(2027, 12, 25), date(2030, 10, 1)],
)  # fmt: skip
def test_the_rest_days_of_the_labour_law(day: date) -> None:
    assert calendar.is_holiday(day)


def test_ordinary_days_are_no_holidays() -> None:
    assert not any(map(calendar.is_holiday, (date(2027, 2, 8), date(2027, 10, 1), date(2026, 11, 20))))


def test_every_purpose_has_a_rule_in_every_phase() -> None:
    assert len(calendar.RULES) == len(calendar.PURPOSES) * len(calendar.PHASES)
    assert set(calendar.RULES.values()) == {"yes", "no", "members", "sign_off", "drill", "notice"}


def test_the_phase_of_a_day_is_the_one_that_began_last(session: Session) -> None:
    elections.set_phases(session, calendar.election_of(date(2027, 6, 6)))
    phases = {day: elections.phase_at(session, datetime(2027, *day, 12, tzinfo=MEXICO)) for day in
              ((5, 10), (6, 2), (6, 3), (6, 5), (6, 6), (6, 7), (12, 1))}  # fmt: skip
    assert list(phases.values()) == ["campaign", "campaign", "silence", "silence", "election_day", "post", "ordinary"]


def test_a_stretch_that_cannot_be_is_refused(session: Session) -> None:
    with pytest.raises(InvalidInput, match="no phase"):
        elections.set_phases(session, [calendar.Stretch("x", "party", date(2027, 1, 1), date(2027, 1, 2))])
    with pytest.raises(InvalidInput, match="ends before"):
        elections.set_phases(session, [calendar.Stretch("x", "post", date(2027, 1, 2), date(2027, 1, 1))])
