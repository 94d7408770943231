"""The pages of the calendar and of the house's rules, as an administrator and the others use them."""

import io
import re
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from callcenter import calendar, suppressions
from callcenter.base.audit import AuditEntry
from callcenter.calendar import Stretch
from callcenter.consent import Consent
from callcenter.gate import calendar_strip, do_not_call, elections, house_rules, rulebook
from callcenter.gate.do_not_call import DoNotCallList
from callcenter.gate.elections import Election
from callcenter.gate.signoffs import LegalSignoff
from tests.callcenter.cast import person
from tests.conftest import ClientAs

FORM: dict[str, Any] = {
    "name": "Elección local", "day": "2027-06-06", "states": ["30"],
    "phase": ["campaign", "silence", "election_day", "ordinary"], "title": ["Campaña", "Veda", "", ""],
    "starts": ["2027-04-04", "2027-06-03", "2027-06-06", ""], "ends": ["2027-06-02", "2027-06-05", "2027-06-06", ""],
}  # fmt: skip


@pytest.fixture
def client_as(client_as: ClientAs) -> ClientAs:
    """Clients that read English, whatever is compiled."""

    def english(role: str) -> FlaskClient:
        client = client_as(role)
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        return client

    return english


def post(client: FlaskClient, url: str, page: str = "/calendar/", **data: object) -> TestResponse:
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get(page).text)
    assert token
    return client.post(url, data={"csrf_token": token[1], **data})


def test_an_election_is_proposed_from_its_day_and_kept(session: Session, client_as: ClientAs) -> None:
    client = client_as("administrator")
    proposal = post(client, "/calendar/elections/new", name="Federal", day="2027-06-06", act="propose").text
    assert 'value="2027-04-04"' in proposal
    assert session.scalars(select(Election)).all() == []
    answer = post(client, "/calendar/elections/new", **FORM)
    assert answer.status_code == 302
    (made,) = session.scalars(select(Election))
    assert ([phase.name for phase in made.phases], made.states) == (["Campaña", "Veda", "Election day"], [30])
    page = client.get("/calendar/?year=2027").text
    assert "Elección local" in page
    assert 'class="phase-silence"' in page
    edited = client.get(f"/calendar/elections/{made.id}").text
    assert 'value="2027-06-03"' in edited
    assert post(client, f"/calendar/elections/{made.id}/remove").status_code == 302
    assert session.scalars(select(Election)).all() == []


def test_a_calendar_that_cannot_be_is_refused_in_words_and_nothing_is_lost(
    session: Session, client_as: ClientAs
) -> None:
    client = client_as("administrator")
    wrong = FORM | {"starts": ["2027-04-04", "2027-06-01", "2027-06-06", ""]}
    answer = post(client, "/calendar/elections/new", **wrong)
    assert answer.status_code == 422
    assert "two phases share days" in answer.text
    assert 'value="2027-06-01"' in answer.text
    for change in ({"day": "soon"}, {"ends": ["2027-06-02", "never", "2027-06-06", ""]}, {"name": ""}):
        assert post(client, "/calendar/elections/new", **FORM | change).status_code == 422
    assert post(client, "/calendar/elections/new", day="soon", act="propose").status_code == 422
    assert session.scalars(select(Election)).all() == []


def test_a_gap_is_kept_and_named(client_as: ClientAs) -> None:
    client = client_as("administrator")
    post(client, "/calendar/elections/new", **FORM | {"ends": ["2027-05-31", "2027-06-05", "2027-06-06", ""]})
    page = client.get("/calendar/").text
    assert "gap: those days count as ordinary time" in page
    assert "there is no phase" in page


def test_who_only_reads_sees_no_forms_and_may_not_write(client_as: ClientAs) -> None:
    for role in ("strategist", "supervisor"):
        client = client_as(role)
        assert "Add an election" not in client.get("/calendar/").text
        assert post(client, "/calendar/cells", purpose="survey", phase="silence", rule="no").status_code == 403
    assert client_as("operator").get("/calendar/").status_code == 403


def test_a_cell_is_made_stricter_and_never_laxer(session: Session, client_as: ClientAs) -> None:
    client = client_as("administrator")
    assert post(client, "/calendar/cells", purpose="survey", phase="silence", rule="no").status_code == 302
    assert rulebook.read(session).house_cells == {("survey", "silence"): "no"}
    page = client.get("/calendar/").text
    assert "the law: Allowed" in page
    assert post(client, "/calendar/cells", purpose="persuasion", phase="silence", rule="members").status_code == 409
    assert post(client, "/calendar/cells", purpose="survey", phase="silence", rule="").status_code == 302
    assert rulebook.read(session).house_cells == {}


def test_an_approval_is_recorded_and_withdrawn(session: Session, client_as: ClientAs) -> None:
    (election,) = [elections.set_phases(session, calendar.election_of(date(2027, 6, 6)))]
    session.commit()
    client = client_as("administrator")
    approval = {"purpose": "neutral_reminder", "election_id": str(election.id), "phase": "silence",
                "signed_by": "Lic. Prueba", "document": "Oficio 12", "valid_from": "2027-06-03"}  # fmt: skip
    missing = post(client, "/calendar/signoffs", **approval)
    assert missing.status_code == 422
    assert "Oficio 12" in missing.text
    assert post(client, "/calendar/signoffs", **approval, valid_until="2027-06-05").status_code == 302
    (row,) = session.scalars(select(LegalSignoff))
    assert "Oficio 12" in client.get("/calendar/").text
    assert post(client, f"/calendar/signoffs/{row.id}/withdraw").status_code == 302
    assert rulebook.read(session).signoffs == ()


HOURS = {"weekday-opens": "09:00", "weekday-closes": "20:00", "sunday-opens": "10:00", "sunday-closes": "18:00",
         "holiday-opens": "10:00", "holiday-closes": "18:00"}  # fmt: skip


def test_hours_are_narrowed_by_a_supervisor_and_widened_by_an_administrator_only(
    session: Session, client_as: ClientAs
) -> None:
    supervisor, administrator = client_as("supervisor"), client_as("administrator")
    narrow, wide = HOURS | {"weekday-closes": "19:00"}, HOURS | {"weekday-closes": "21:00"}
    assert post(supervisor, "/rules/hours", "/rules/", **narrow).status_code == 302
    assert post(supervisor, "/rules/hours", "/rules/", **wide).status_code == 409
    assert post(administrator, "/rules/hours", "/rules/", **wide).status_code == 302
    assert rulebook.read(session).hours["weekday"][1].hour == 21
    late = post(administrator, "/rules/hours", "/rules/", **HOURS | {"sunday-closes": "22:00"})
    assert late.status_code == 422
    assert "after 21:00" in late.text
    assert post(administrator, "/rules/hours", "/rules/", **HOURS | {"sunday-closes": "late"}).status_code == 422
    assert session.scalars(select(AuditEntry).where(AuditEntry.action == "house_rules.hours")).all()


def test_limits_and_holidays_are_kept_or_refused_in_words(session: Session, client_as: ClientAs) -> None:
    client = client_as("administrator")
    assert post(client, "/rules/caps", "/rules/", per_week="2", in_all="4").status_code == 302
    assert rulebook.read(session).per_week == 2
    assert post(client, "/rules/caps", "/rules/", per_week="9", in_all="x").status_code == 422
    for where in ("", "30", "America/Cancun"):
        assert (
            post(client, "/rules/holidays", "/rules/", day="2027-11-02", name="Muertos", where=where).status_code == 302
        )
    assert post(client, "/rules/holidays", "/rules/", day="2027-11-02", name="Muertos", where="30").status_code == 422
    assert post(client, "/rules/holidays", "/rules/", day="x", name="Muertos").status_code == 422
    first = house_rules.own_holidays(session)[0]
    assert post(client, f"/rules/holidays/{first.id}/remove", "/rules/").status_code == 302
    assert len(house_rules.own_holidays(session)) == 2


def test_a_file_of_the_register_is_uploaded_and_its_outcome_shown(session: Session, client_as: ClientAs) -> None:
    client, page = client_as("administrator"), "/rules/do-not-call"
    file = (io.BytesIO(b"2281234567\n2281234568\n"), "lista.csv")
    answer = post(client, page, page, file=file, source="REPEP", made_on="2026-11-01", mode="replace")
    assert answer.status_code == 302
    (row,) = session.scalars(select(DoNotCallList))
    assert f'data-live="do-not-call/{row.id}"' in client.get(page).text
    assert "HX-Refresh" not in client.get(f"{page}/progress").headers
    assert list(do_not_call.load(session, row.id))
    session.commit()
    assert client.get(f"{page}/progress").headers["HX-Refresh"] == "true"
    assert "In the register" in client.get(page).text
    assert post(client, page, page, source="REPEP", made_on="2026-11-01").status_code == 422
    wrong = post(client, page, page, file=(io.BytesIO(b"x"), "x.csv"), source="", made_on="2026-11-01")
    assert wrong.status_code == 422
    assert post(client, "/rules/do-not-call-purposes", page, purposes=["survey"]).status_code == 302
    assert rulebook.read(session).do_not_call == {"survey"}


def test_a_phone_is_suppressed_by_hand_and_lifted_with_proof_and_never_shown(
    session: Session, client_as: ClientAs
) -> None:
    client, page = client_as("administrator"), "/rules/suppressions"
    phone = "228 123 4567"
    assert post(client, page, page, act="add", phone=phone, source="").status_code == 422
    assert post(client, page, page, act="add", phone="1234", source="carta").status_code == 422
    assert post(client, page, page, act="add", phone=phone, source="carta").status_code == 302
    assert suppressions.find(session, "+522281234567")
    assert "2281234567" not in client.get(page).text
    assert post(client, page, page, act="lift", phone=phone, reason="", proof="").status_code == 422
    assert post(client, page, page, act="lift", phone=phone, reason="lo pidió", proof="carta 2").status_code == 302
    assert post(client, page, page, act="lift", phone=phone, reason="lo pidió", proof="carta 2").status_code == 422
    session.expire_all()
    assert suppressions.find(session, "+522281234567") is None
    assert all("2281234567" not in str(row.detail) + row.subject for row in session.scalars(select(AuditEntry)))


def test_a_consent_is_put_on_file_with_its_proof(session: Session, client_as: ClientAs) -> None:
    who = person(session)
    session.commit()
    client, page = client_as("data_clerk"), f"/contacts/{who.id}/consents"
    given = {"kind": "opted_in", "channel": "sms", "text_version": "aviso 3", "proof": "folio 8", "at": ""}
    wrong = post(client, page, page, **given | {"proof": "", "at": "yesterday"})
    assert wrong.status_code == 422
    assert post(client, page, page, **given | {"proof": " "}).status_code == 422
    assert post(client, page, page, **given).status_code == 302
    (row,) = session.scalars(select(Consent))
    assert (row.kind, row.channel, row.proof, row.text_version) == ("opted_in", "sms", "folio 8", "aviso 3")
    assert client_as("strategist").get(page).status_code == 403


@pytest.mark.parametrize(("year", "days"), [(2027, 365), (2028, 366)])
def test_a_strip_cuts_the_phases_to_its_year(year: int, days: int) -> None:
    lines = [Stretch("a", "post", date(year - 1, 12, 1), date(year, 1, 2)),
             Stretch("b", "post", date(year, 12, 31), date(year + 1, 1, 1))]  # fmt: skip
    assert [(bar.at, bar.days) for bar in calendar_strip.bars(lines, year)] == [(0, 2), (days - 1, 1)]
    assert (calendar_strip.length(year), len(calendar_strip.months(year))) == (days, 12)
    assert calendar_strip.years(lines, date(2020, 1, 1)) == [2020, year - 1, year, year + 1]
