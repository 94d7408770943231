"""Pages of people: who sees what, what is audited, and the public opt-out."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from callcenter import calendar
from callcenter.base.audit import AuditEntry
from callcenter.contacts import name_key
from tests.callcenter.cast import person
from tests.conftest import ClientAs


def post(client: FlaskClient, url: str, page: str, **data: object) -> TestResponse:
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get(page).text)
    assert token
    return client.post(url, data={"csrf_token": token[1], **data})


def test_a_name_is_found_without_accents_from_any_of_its_beginnings(session: Session, client_as: ClientAs) -> None:
    who = person(session, "María Núñez")
    who.name_key = name_key(who.name)
    person(session, "Pedro Ruiz")
    session.commit()
    page = client_as("supervisor").get("/contacts/?name=NUÑ")
    assert "María Núñez" in page.text
    assert "Pedro Ruiz" not in page.text
    assert "%" not in client_as("supervisor").get("/contacts/?name=%25").text.partition("<tbody>")[2]


def test_a_phone_is_found_in_any_spelling(session: Session, client_as: ClientAs) -> None:
    who = person(session, "María Núñez", "+522281234567")
    session.commit()
    assert who.name in client_as("supervisor").get("/contacts/?phone=044 228 123 4567").text


@pytest.mark.parametrize(("role", "sees"), [("supervisor", True), ("data_clerk", True), ("strategist", False)])
def test_phones_are_masked_for_who_need_not_see_them(
    session: Session, client_as: ClientAs, role: str, sees: bool
) -> None:
    who = person(session, phone="+522281234567")
    session.commit()
    for url in ("/contacts/", f"/contacts/{who.id}"):
        assert (who.phone in client_as(role).get(url).text) == sees


def test_looking_a_person_up_is_audited_without_their_data(session: Session, client_as: ClientAs) -> None:
    who = person(session)
    session.commit()
    client_as("supervisor").get(f"/contacts/{who.id}")
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "contacts.look_up")).one()
    assert (entry.subject, entry.detail) == (f"contact/{who.id}", {})


def test_the_gates_verdict_is_shown_for_each_channel(session: Session, client_as: ClientAs) -> None:
    who = person(session, phone="+522281234567")
    who.consent = "opted_out"
    session.commit()
    page = client_as("strategist").get(f"/contacts/{who.id}/verdict?purpose=survey").text
    assert page.count("#x-circle") == 5  # call, SMS, WhatsApp, Telegram, e-mail
    assert client_as("strategist").get(f"/contacts/{who.id}/verdict?purpose=x").status_code == 422


def test_the_verdict_and_the_pledges_come_with_the_page_and_cost_few_statements(
    session: Session, client_as: ClientAs
) -> None:
    who = person(session, phone="+522281234567")
    session.commit()
    supervisor, said, connection = client_as("supervisor"), list[str](), session.connection()
    supervisor.get("/contacts/")

    def hear(*call: Any) -> None:
        said.append(call[2])

    event.listen(connection, "before_cursor_execute", hear)
    page = supervisor.get(f"/contacts/{who.id}").text
    event.remove(connection, "before_cursor_execute", hear)
    body = page.partition("<main")[2]
    assert 'hx-trigger="load"' not in body
    assert body.count('aria-pressed="') == len(calendar.PURPOSES)
    assert 'id="pledges"' in body
    work = [each for each in said if not each.startswith(("SAVEPOINT", "RELEASE"))]
    assert len(work) <= 50, work


def test_a_clerk_opts_a_person_out_for_good(session: Session, client_as: ClientAs) -> None:
    who = person(session)
    session.commit()
    clerk = client_as("data_clerk")
    assert post(clerk, f"/contacts/{who.id}/opt-out", f"/contacts/{who.id}").status_code == 302
    session.expire_all()
    assert who.consent == "opted_out"
    assert "alert-warning" in clerk.get(f"/contacts/{who.id}").text
    assert post(client_as("strategist"), f"/contacts/{who.id}/opt-out", "/contacts/").status_code == 403


def test_an_export_is_for_the_administrator_escaped_and_audited(session: Session, client_as: ClientAs) -> None:
    person(session, "=HYPERLINK()", "+522281234567")
    session.commit()
    answer = client_as("administrator").get("/contacts/export.csv")
    assert "'=HYPERLINK()" in answer.text
    assert "'+522281234567" in answer.text
    assert session.scalars(select(AuditEntry).where(AuditEntry.action == "contacts.export")).one().detail == {"rows": 1}
    assert client_as("supervisor").get("/contacts/export.csv").status_code == 403


def test_the_list_is_paged_by_the_last_person_seen(session: Session, client_as: ClientAs) -> None:
    people = [person(session, f"Persona {n}") for n in range(51)]
    session.commit()
    clerk = client_as("data_clerk")
    assert f"after={people[49].id}" in clerk.get("/contacts/").text
    assert "Persona 50" in clerk.get(f"/contacts/?after={people[49].id}").text
