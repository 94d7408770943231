"""Pages of privacy requests: who enters, and a case from the first letter to the deletion."""

import io
import re
import zipfile
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from callcenter.base.audit import AuditEntry
from callcenter.contacts import Contact
from callcenter.privacy import privacy_jobs
from callcenter.privacy.arco import ArcoRequest
from callcenter.privacy.person_exports import PersonExport
from callcenter.suppressions import Suppression
from tests.callcenter.cast import person, queue
from tests.conftest import ClientAs

NEW = {"kind": "cancellation", "asker": "Ana Pérez Solís", "answer_to": "228 000 0000", "way": "in_person"}


@pytest.fixture
def admin(client_as: ClientAs) -> FlaskClient:
    return client_as("administrator")


def post(client: FlaskClient, url: str, **form: Any) -> TestResponse:
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/privacy/").text)
    assert token
    return client.post(url, data={"csrf_token": token[1], **form})


def opened(session: Session, client: FlaskClient, who: Contact | None = None) -> ArcoRequest:
    about = {"contact": who.id} if who else {}
    assert post(client, "/privacy/", **NEW, **about).status_code == 302
    session.expire_all()
    return session.scalars(select(ArcoRequest)).one()


def test_the_pages_are_for_administrators(session: Session, client_as: ClientAs) -> None:
    for role in ("supervisor", "strategist", "data_clerk", "operator"):
        assert client_as(role).get("/privacy/").status_code == 403
        assert client_as(role).get("/privacy/retention").status_code == 403


def test_a_case_is_opened_and_stands_on_the_list_with_its_light(session: Session, admin: FlaskClient) -> None:
    case = opened(session, admin)
    page = admin.get("/privacy/").text
    assert case.reference in page
    assert "20 " in page
    assert case.reference not in admin.get("/privacy/?closed=yes").text


def test_a_form_that_cannot_be_used_loses_nothing(admin: FlaskClient) -> None:
    answer = post(admin, "/privacy/", **(NEW | {"phone": "12", "text": "Lo que dijo"}))
    assert answer.status_code == 422
    assert "Lo que dijo" in answer.text
    assert "Ana Pérez Solís" in answer.text
    assert post(admin, "/privacy/", **(NEW | {"received_on": "ayer"})).status_code == 422


def test_nothing_is_done_before_it_is_known_who_asks(session: Session, admin: FlaskClient) -> None:
    who = person(session)
    session.commit()
    case = opened(session, admin, who)
    for act in ("export", "block", "delete", "oppose"):
        assert post(admin, f"/privacy/{case.id}/{act}", reason="ya").status_code == 409
    assert post(admin, f"/privacy/{case.id}/identity").status_code == 422
    assert session.scalar(select(PersonExport.id)) is None


def test_a_person_gets_their_data_once_and_is_then_deleted(session: Session, admin: FlaskClient) -> None:
    who = person(session, "Ana Pérez Solís", "+522281234567")
    queue(session, who)
    session.commit()
    number = who.id
    case = opened(session, admin, who)
    here = f"/privacy/{case.id}"
    assert post(admin, f"{here}/identity", documents=["voter_card"]).status_code == 302
    assert post(admin, f"{here}/export").status_code == 302
    made = session.scalars(select(PersonExport)).one()
    privacy_jobs.make_export(made.id)
    session.expire_all()
    taken = post(admin, f"/privacy/exports/{made.id}/take")
    with zipfile.ZipFile(io.BytesIO(taken.data)) as file:
        assert {"index.html", "data.json", "person.csv", "queues.csv", "privacy_requests.csv"} <= set(file.namelist())
        assert "Ana Pérez Solís" in file.read("index.html").decode()
    assert post(admin, f"/privacy/exports/{made.id}/take").status_code == 409
    assert post(admin, f"{here}/answer", note="Se le entregaron y se borrarán").status_code == 302
    assert post(admin, f"{here}/delete", reason="Ya").status_code == 409
    assert post(admin, f"{here}/block", reason="").status_code == 422
    assert post(admin, f"{here}/block", reason="Lo pidió").status_code == 302
    assert post(admin, f"{here}/delete", keep_off_lists="yes").status_code == 422
    assert post(admin, f"{here}/delete", keep_off_lists="yes", reason="Lo pidió hoy").status_code == 302
    session.expire_all()
    assert session.get(Contact, number) is None
    assert session.scalar(select(Suppression.reason)) == "administrator"
    assert post(admin, f"{here}/carry_out", note="Borrado").status_code == 302
    page = admin.get(here).text
    assert "Ana Pérez" not in page
    actions = session.scalars(select(AuditEntry.action).where(AuditEntry.subject == f"contact/{number}")).all()
    assert {"person_exports.ask", "person_exports.take", "contacts.block", "contacts.erase"} <= set(actions)


def test_another_administrator_cannot_take_the_export(
    session: Session, admin: FlaskClient, people: dict[str, Any]
) -> None:
    who = person(session)
    export = PersonExport(contact_id=who.id, made_by=people["supervisor"].id, state="ready", content=b"x")
    session.add(export)
    session.commit()
    assert post(admin, f"/privacy/exports/{export.id}/take").status_code == 404


def test_a_case_without_a_person_finds_them_by_phone_or_number(session: Session, admin: FlaskClient) -> None:
    who = person(session, "Ana Pérez Solís", "+522281234567")
    session.commit()
    post(admin, "/privacy/", **(NEW | {"phone": "228 123 4567"}))
    case = session.scalars(select(ArcoRequest)).one()
    assert f'value="{who.id}"' in admin.get(f"/privacy/{case.id}").text
    assert post(admin, f"/privacy/{case.id}/link", contact="99999999999").status_code == 422
    assert post(admin, f"/privacy/{case.id}/link", contact=str(who.id)).status_code == 302
    session.expire_all()
    assert case.contact_id == who.id


def test_an_opposition_keeps_the_phone_off_all_lists(session: Session, admin: FlaskClient) -> None:
    who = person(session, phone="+522281234567")
    session.commit()
    case = opened(session, admin, who)
    post(admin, f"/privacy/{case.id}/identity", documents=["called_back"])
    assert post(admin, f"/privacy/{case.id}/oppose").status_code == 302
    session.expire_all()
    assert who.consent == "opted_out"
    assert session.scalar(select(Suppression.reason)) == "administrator"


def test_the_front_page_warns_the_administrator_and_nobody_else(session: Session, client_as: ClientAs) -> None:
    admin = client_as("administrator")
    assert "Solicitudes de datos personales:" not in admin.get("/floor/").text
    post(admin, "/privacy/", **(NEW | {"received_on": "2024-01-15"}))
    assert "Solicitudes de datos personales:" in admin.get("/floor/").text
    assert "Solicitudes de datos personales:" not in client_as("supervisor").get("/floor/").text
