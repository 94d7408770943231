"""The reasons of a pause: an administrator's list, with limits that are shown and warned of."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.seats import operator_snapshot, pause_reasons
from callcenter.seats.pause_reasons import Reason, Wanted
from tests.base import conftest as base
from tests.base.conftest import MakePerson, SignIn, post
from tests.callcenter import cast

make_person, sign_in = base.make_person, base.sign_in
PAGE = "/floor/pause-reasons/"
SINCE = datetime(2026, 3, 3, 15, tzinfo=UTC)


@pytest.fixture
def adela(make_person: MakePerson, sign_in: SignIn) -> FlaskClient:
    return sign_in(make_person("administrator", username="adela"))


def boss(session: Session) -> int:
    return cast.operator(session, free=False).user_id


def codes(session: Session) -> list[str]:
    return [reason.code for reason in pause_reasons.listed(session)]


def test_the_house_has_its_reasons_without_anybody_setting_them(session: Session) -> None:
    assert codes(session) == ["break", "bathroom", "meal", "training", "technical", "paperwork"]


def test_an_administrator_changes_a_limit_takes_a_reason_away_and_adds_one(session: Session) -> None:
    by = boss(session)
    pause_reasons.save(session, "break", Wanted("", 20, None, is_work=False), by)
    pause_reasons.save(session, "meal", Wanted("", None, None, is_work=False, is_enabled=False), by)
    lactation = pause_reasons.save(session, None, Wanted("Lactancia", 30, 60, is_work=True), by)
    assert codes(session) == ["break", "bathroom", "training", "technical", "paperwork", lactation]
    assert pause_reasons.listed(session)[0].minutes == 20
    assert pause_reasons.chosen(session, lactation) == lactation
    assert pause_reasons.labels(session)[lactation] == "Lactancia"
    with pytest.raises(InvalidInput):
        pause_reasons.chosen(session, "meal")
    with pytest.raises(NotFound):
        pause_reasons.save(session, "siesta", Wanted("Siesta", 1, 1, is_work=False), by)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Wanted("", 10, None, is_work=False), "word"),
        (Wanted("x" * 41, 10, None, is_work=False), "word"),
        (Wanted("meal", 10, None, is_work=False), "word"),
        (Wanted("Agua", 0, None, is_work=False), "minutes"),
        (Wanted("Agua", None, 481, is_work=False), "minutes_a_day"),
        (Wanted("Agua", 30, 20, is_work=False), "minutes"),
    ],
)
def test_what_makes_no_sense_is_refused_and_names_its_field(session: Session, wanted: Wanted, field: str) -> None:
    with pytest.raises(InvalidInput) as fault:
        pause_reasons.save(session, None, wanted, boss(session))
    assert set(fault.value.faults) == {field}


def test_there_are_never_more_reasons_than_number_keys_nor_none(session: Session) -> None:
    by = boss(session)
    for number in range(3):
        pause_reasons.save(session, None, Wanted(f"Motivo {number}", None, None, is_work=False), by)
    with pytest.raises(InvalidInput):
        pause_reasons.save(session, None, Wanted("Uno más", None, None, is_work=False), by)
    for code in codes(session)[1:]:
        word = pause_reasons.labels(session)[code]
        pause_reasons.save(session, code, Wanted(word, None, None, is_work=False, is_enabled=False), by)
    with pytest.raises(InvalidInput):
        pause_reasons.save(session, "break", Wanted("", None, None, is_work=False, is_enabled=False), by)


@given(st.one_of(st.none(), st.integers(1, 480)), st.one_of(st.none(), st.integers(1, 480)), st.floats(0, 40_000))
def test_a_pause_ends_at_the_nearer_of_its_two_limits_and_never_before_it_began(
    minutes: int | None, a_day: int | None, earlier: float
) -> None:
    ends = pause_reasons.ends_at(Reason("break", "", minutes, a_day), SINCE, earlier)
    if minutes is None and a_day is None:
        assert ends is None
        return
    assert ends is not None
    assert ends >= SINCE
    if minutes is not None:
        assert ends <= SINCE + timedelta(minutes=minutes)
    if a_day is not None:
        assert ends <= SINCE + timedelta(minutes=a_day)


def test_the_screen_is_told_when_the_pause_reaches_its_limit(session: Session, app: Flask) -> None:
    olga = cast.operator(session)
    operators.pause(session, olga.id, "break")
    since = cast.seat(session, olga.id).state_since
    with app.test_request_context():
        shown = operator_snapshot.snapshot(session, olga.id)["operator"]
        operators.pause(session, olga.id, "training")
        unlimited = operator_snapshot.snapshot(session, olga.id)["operator"]
    assert shown["pause_until"] == (since + timedelta(minutes=15)).isoformat()
    assert unlimited["pause_until"] is None


def test_earlier_pauses_of_the_day_shorten_what_is_left_of_it(session: Session) -> None:
    olga = cast.operator(session)
    pause_reasons.save(session, "break", Wanted("", 15, 15, is_work=False), olga.user_id)
    operators.pause(session, olga.id, "break")
    operators.go_available(session, olga.id)
    operators.pause(session, olga.id, "break")
    seat = cast.seat(session, olga.id)
    seat.state_since = real_now()
    until = operator_snapshot.pause_until(session, seat)
    assert until is not None
    assert until < seat.state_since + timedelta(minutes=15)


def test_the_page_keeps_what_was_written_and_says_what_is_wrong(session: Session, adela: FlaskClient) -> None:
    answer = post(adela, PAGE, {"word": "Agua", "minutes": "ten", "is_enabled": "1"}, page=PAGE)
    assert answer.status_code == 422
    assert 'value="Agua"' in answer.text
    assert 'id="new-minutes-fault"' in answer.text
    answer = post(adela, PAGE, {"word": "Agua", "minutes": "5", "is_enabled": "1"}, page=PAGE)
    assert answer.status_code == 302
    assert "Agua" in adela.get(PAGE).text
    assert [reason.minutes for reason in pause_reasons.listed(session) if reason.label == "Agua"] == [5]


def test_an_operator_chooses_among_the_reasons_that_are_offered(
    session: Session, adela: FlaskClient, make_person: MakePerson, sign_in: SignIn
) -> None:
    form = {"word": "Lonche", "minutes": "30", "minutes_a_day": "30", "is_enabled": "1"}
    post(adela, f"{PAGE}meal", form, page=PAGE)
    page = sign_in(make_person("operator", username="olivia")).get("/console/").text
    assert "Lonche" in page
    assert 'data-pause="meal"' in page


def test_only_administrators_open_the_page(make_person: MakePerson, sign_in: SignIn) -> None:
    assert sign_in(make_person("supervisor", username="sergio")).get(PAGE).status_code == 403
