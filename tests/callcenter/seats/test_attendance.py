"""Attendance is read from the log of changes: first log-in, last log-out, and where the time went."""

import io
from csv import DictReader
from datetime import date, datetime, time, timedelta

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls, operators
from callcenter.base.audit import AuditEntry
from callcenter.base.clock import ZONE, real_now
from callcenter.operators import Operator
from callcenter.seats import attendance
from callcenter.seats.attendance import Shift
from callcenter.seats.operator_log import OperatorChange
from tests.base import conftest as base
from tests.base.conftest import MakePerson, SignIn
from tests.callcenter import cast

make_person, sign_in = base.make_person, base.sign_in
DAY = date(2026, 3, 3)


@pytest.fixture
def sergio(make_person: MakePerson, sign_in: SignIn) -> FlaskClient:
    return sign_in(make_person("supervisor", username="sergio"))


def worker(session: Session, name: str = "olga") -> Operator:
    """Somebody whose log is still empty."""
    return cast.operator(session, name, free=False)


def changed(session: Session, operator: Operator, *changes: tuple[str, str, str | None], day: date = DAY) -> None:
    """(hour, state, reason) of a day."""
    for hour, state, reason in changes:
        at = datetime.combine(day, time.fromisoformat(hour), ZONE)
        session.add(OperatorChange(operator_id=operator.id, at=at, state=state, reason=reason))
    session.flush()


def a_shift(session: Session, operator: Operator) -> None:
    changed(
        session, operator,
        ("09:00", "paused", "starting"), ("09:01", "available", None), ("09:11", "in_call", None),
        ("09:15", "wrap_up", None), ("09:16", "paused", "break"), ("09:36", "available", None),
        ("09:40", "paused", "training"), ("10:00", "offline", "silent"),
    )  # fmt: skip


def only(found: list[Shift]) -> Shift:
    assert len(found) == 1
    return found[0]


def test_a_shift_adds_up_by_state_and_by_pause(session: Session) -> None:
    olga = worker(session)
    a_shift(session, olga)
    shift = only(attendance.shifts(session, DAY, DAY))
    assert (shift.name, shift.day) == ("Olga", DAY)
    assert (f"{shift.began.astimezone(ZONE):%H:%M}", f"{shift.ended.astimezone(ZONE):%H:%M}") == ("09:00", "10:00")  # type: ignore[union-attr]  # it has ended
    assert shift.left == "silent"
    assert shift.seconds == {"paused": 41 * 60, "available": 14 * 60, "in_call": 240, "wrap_up": 60}
    assert shift.pauses == {"starting": 60, "break": 20 * 60, "training": 20 * 60}
    assert shift.connected == 3600
    assert shift.worked == 3600 - 20 * 60  # a training is work, a break is rest
    assert shift.over == 1  # the break took twenty minutes of fifteen


def test_somebody_who_comes_back_has_one_first_log_in_and_one_last_log_out(session: Session) -> None:
    olga = worker(session)
    changed(session, olga, ("09:00", "available", None), ("10:00", "offline", "own"), ("15:00", "available", None),
            ("16:30", "offline", "supervisor"))  # fmt: skip
    shift = only(attendance.shifts(session, DAY, DAY))
    assert (shift.began.astimezone(ZONE).hour, shift.left) == (9, "supervisor")
    assert shift.connected == 2.5 * 3600


def test_a_night_shift_counts_in_both_days_and_stays_open_at_midnight(session: Session) -> None:
    olga = worker(session)
    changed(session, olga, ("23:00", "available", None))
    changed(session, olga, ("01:00", "offline", "own"), day=DAY + timedelta(days=1))
    first, second = attendance.shifts(session, DAY, DAY + timedelta(days=1))
    assert (first.connected, first.ended) == (3600, None)
    assert (second.connected, second.began.astimezone(ZONE).hour, second.left) == (3600, 0, "own")
    assert attendance.shifts(session, DAY + timedelta(days=2), DAY + timedelta(days=2)) == []


def test_every_change_of_an_operator_is_in_the_log_and_today_runs_until_now(session: Session) -> None:
    olga = cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    calls.dispose(session, call_id, olga.id, "completed")
    operators.pause(session, olga.id, "meal")
    session.flush()
    spells = attendance.spells(session, olga.id, attendance.today())
    assert [(spell.state, spell.reason) for spell in spells] == [
        ("available", None), ("in_call", None), ("available", None), ("paused", "meal")]  # fmt: skip
    shift = only(attendance.shifts(session, attendance.today(), attendance.today()))
    assert (shift.ended, shift.calls, shift.outcomes) == (None, 1, 1)


def test_the_pauses_of_a_day_are_added_up_by_their_reason(session: Session) -> None:
    olga = worker(session)
    changed(session, olga, ("09:00", "paused", "break"), ("09:10", "available", None), ("09:20", "paused", "meal"),
            ("09:50", "paused", "break"))  # fmt: skip
    until = datetime.combine(DAY, time(9, 55), ZONE)
    assert attendance.paused_seconds(session, olga.id, "break", until) == 15 * 60
    assert attendance.paused_seconds(session, olga.id, "bathroom", until) == 0


def test_the_report_shows_shifts_and_goes_out_as_csv_and_workbook(session: Session, sergio: FlaskClient) -> None:
    olga = worker(session)
    a_shift(session, olga)
    session.commit()
    page = sergio.get(f"/floor/attendance/?first={DAY}&last={DAY}", headers={"Accept-Language": "en"}).text
    assert "Olga" in page
    assert "The page was silent for two minutes" in page
    assert "1:00:00" in page
    answer = sergio.get(f"/floor/attendance/attendance.csv?first={DAY}", headers={"Accept-Language": "en"})
    (cells,) = DictReader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert (cells["Day"], cells["Operator"], cells["Logged in"]) == (str(DAY), "Olga", "60.0")
    assert (cells["Pause: Short break"], cells["Pauses over their limit"]) == ("20.0", "1")
    book = load_workbook(io.BytesIO(sergio.get(f"/floor/attendance/attendance.xlsx?first={DAY}").data))
    assert book.active is not None
    assert "Olga" in [cell.value for row in book.active for cell in row]
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == "attendance")).all()
    assert actions == ["attendance.export", "attendance.export"]


@pytest.mark.parametrize(
    "asked",
    ["first=2026-03-05&last=2026-03-04", "first=yesterday", "first=2999-01-01", "first=2026-01-01&last=2026-06-01"],
)
def test_days_that_make_no_sense_are_said_in_a_sentence(sergio: FlaskClient, asked: str) -> None:
    answer = sergio.get(f"/floor/attendance/?{asked}")
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_a_day_of_one_operator_is_told_state_by_state(session: Session, sergio: FlaskClient) -> None:
    olga = worker(session)
    a_shift(session, olga)
    session.commit()
    page = sergio.get(f"/floor/attendance/{olga.id}?day={DAY}", headers={"Accept-Language": "en"}).text
    assert "Paused: Short break" in page
    assert "over its limit" in page
    assert sergio.get("/floor/attendance/987654").status_code == 404


def test_operators_see_their_own_day_and_nobody_elses(
    session: Session, make_person: MakePerson, sign_in: SignIn
) -> None:
    olivia = make_person("operator", username="olivia")
    mine = operators.of_user(session, olivia.id)
    now = real_now()
    session.add(OperatorChange(operator_id=mine.id, at=now - timedelta(seconds=5), state="paused", reason="break"))
    session.commit()
    client = sign_in(olivia)
    page = client.get("/floor/attendance/my-day", headers={"Accept-Language": "en"}).text
    assert "Paused: Short break" in page
    assert client.get(f"/floor/attendance/{mine.id}").status_code == 403
    assert client.get("/floor/attendance/").status_code == 403
