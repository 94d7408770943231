"""The ZIP that a person is given, and how long it lies there."""

import csv
import io
import json
import zipfile
from datetime import timedelta

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy.orm import Session

from callcenter.base import outbox
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.errors import NotFound, Refused
from callcenter.privacy import person_exports
from callcenter.privacy.person_exports import PersonExport
from tests.callcenter.cast import person


@pytest.fixture
def made(app: Flask, session: Session, people: dict[str, User]) -> PersonExport:
    who = person(session, "<script>alert(1)</script> Ñandú", phone_raw="=1+1")
    return person_exports.ask(session, who.id, people["administrator"].id)


def test_the_export_is_readable_by_people_spreadsheets_and_programs(session: Session, made: PersonExport) -> None:
    assert person_exports.make(session, made.id)
    assert made.content
    with zipfile.ZipFile(io.BytesIO(made.content)) as file:
        page = file.read("index.html").decode()
        table = list(csv.reader(io.StringIO(file.read("person.csv").decode("utf-8-sig"))))
        data = json.loads(file.read("data.json"))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "'=1+1" in {row[1] for row in table}
    assert {"person"} <= set(data)


def test_it_speaks_the_language_asked_for(session: Session, made: PersonExport) -> None:
    pages = {}
    for language in ("es", "en"):
        made.state, made.language = "asked", language
        person_exports.make(session, made.id)
        with zipfile.ZipFile(io.BytesIO(made.content or b"")) as file:
            pages[language] = file.read("index.html").decode()
    assert "Personal data that we hold of you" in pages["en"]
    assert "Datos personales que tenemos de usted" in pages["es"]


def test_it_is_taken_once_by_who_asked_for_it(session: Session, made: PersonExport, people: dict[str, User]) -> None:
    admin = people["administrator"].id
    with pytest.raises(Refused):
        person_exports.take(session, made.id, admin)
    person_exports.make(session, made.id)
    with pytest.raises(NotFound):
        person_exports.take(session, made.id, people["supervisor"].id)
    assert person_exports.take(session, made.id, admin)
    assert made.content is None
    with pytest.raises(Refused):
        person_exports.take(session, made.id, admin)
    assert not person_exports.make(session, made.id)


def test_one_that_nobody_took_is_emptied(session: Session, made: PersonExport) -> None:
    person_exports.make(session, made.id)
    made.ready_at = real_now() - person_exports.LIFE - timedelta(minutes=1)
    session.flush()
    assert person_exports.sweep(session) == 1
    session.expire_all()
    assert (made.state, made.content) == ("expired", None)


def test_one_whose_job_is_gone_is_asked_for_again(
    session: Session, made: PersonExport, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = Redis(host="127.0.0.1", port=9, socket_connect_timeout=0.2)
    monkeypatch.setattr(outbox, "redis", lambda: nowhere)
    made.made_at = real_now() - person_exports.PATIENCE - timedelta(minutes=1)
    session.flush()
    assert person_exports.sweep(session) == 1
    assert person_exports.sweep(session) == 0
