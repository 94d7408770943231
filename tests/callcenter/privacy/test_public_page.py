"""The public page: what it answers depends on what was written, never on whom we know."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from callcenter.base import outbox
from callcenter.base.audit import AuditEntry
from callcenter.privacy import privacy_jobs, public_requests
from callcenter.privacy.arco import ArcoRequest
from callcenter.privacy.public_requests import PublicRequest
from callcenter.suppressions import Suppression
from tests.callcenter.cast import person

KNOWN, UNKNOWN = "+522281234567", "+522281234568"
RIGHTS = {"kind": "access", "asker": "Ana Pérez", "answer_to": "ana@example.org", "text": "¿Qué tienen de mí?"}


def post(client: FlaskClient, url: str, **form: Any) -> TestResponse:
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/privacidad").text)
    assert token
    return client.post(url, data={"csrf_token": token[1], **form})


def bare(answer: TestResponse) -> tuple[int, list[Any], str]:
    """All of an answer but its token and the drill's clock, which differ in each."""
    token = re.compile(r'(name="csrf-token" content|name="csrf_token" value)="[^"]+"|<time.*?</time>')
    kept = sorted((name, value) for name, value in answer.headers if name not in ("Set-Cookie", "Content-Length"))
    return answer.status_code, kept, token.sub("", answer.text)


def work(session: Session) -> None:
    """What the worker does."""
    for request_id in session.scalars(select(PublicRequest.id).order_by(PublicRequest.id)).all():
        privacy_jobs.do_public_request(request_id)
    session.expire_all()


@pytest.mark.parametrize("url", ["/privacidad/baja", "/baja"])
def test_an_opt_out_is_answered_the_same_whether_the_phone_is_known_or_not(
    session: Session, client: FlaskClient, url: str
) -> None:
    who = person(session, phone=KNOWN)
    session.commit()
    known, unknown = post(client, url, phone="228 123 4567"), post(client, url, phone="2281234568")
    assert known.status_code == 200
    assert bare(known) == bare(unknown)
    work(session)
    again = post(client, url, phone="228 123 4567")
    assert bare(again) == bare(known)
    assert who.consent == "opted_out"
    assert session.scalar(select(func.count()).select_from(Suppression)) == 2


def test_a_privacy_request_is_answered_the_same_whether_the_phone_is_known_or_not(
    session: Session, client: FlaskClient
) -> None:
    who = person(session, phone=KNOWN)
    session.commit()
    known = post(client, "/privacidad/derechos", phone=KNOWN, **RIGHTS)
    unknown = post(client, "/privacidad/derechos", phone=UNKNOWN, **RIGHTS)
    assert known.status_code == 200
    assert bare(known) == bare(unknown)
    work(session)
    cases = session.scalars(select(ArcoRequest).order_by(ArcoRequest.id)).all()
    assert [(case.contact_id, case.phone, case.asker, case.way) for case in cases] == [
        (who.id, KNOWN, "Ana Pérez", "public_page"),
        (None, UNKNOWN, "Ana Pérez", "public_page"),
    ]


def test_the_page_asks_the_database_the_same_whoever_is_known(session: Session, client: FlaskClient) -> None:
    person(session, phone=KNOWN)
    session.commit()
    asked: list[str] = []
    connection = session.connection()
    event.listen(connection, "before_cursor_execute", lambda *call: asked.append(call[2]))
    counts = []
    for phone in (KNOWN, UNKNOWN):
        asked.clear()
        post(client, "/privacidad/baja", phone=phone)
        counts.append([statement for statement in asked if "SAVEPOINT" not in statement])
    assert counts[0] == counts[1]


def test_what_was_asked_leaves_no_phone_behind_once_it_is_done(session: Session, client: FlaskClient) -> None:
    post(client, "/privacidad/baja", phone=KNOWN)
    work(session)
    assert session.scalar(select(PublicRequest.id)) is None
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "contacts.opt_out_publicly")).one()
    assert (entry.subject, entry.detail) == ("suppressions", {})


def test_a_request_is_not_lost_with_redis_and_not_done_twice(
    session: Session, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = Redis(host="127.0.0.1", port=9, socket_connect_timeout=0.2)
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "redis", lambda: nowhere)
        public_requests.leave(session, "opt_out", KNOWN)
        session.commit()
    left = session.scalars(select(PublicRequest)).one()
    left.made_at -= public_requests.PATIENCE * 2
    session.commit()
    assert public_requests.sweep(session) == 1
    assert public_requests.sweep(session) == 0
    number = left.id
    work(session)
    privacy_jobs.do_public_request(number)
    assert session.scalar(select(func.count()).select_from(Suppression)) == 1


def test_a_household_is_linked_by_a_person_not_by_us(session: Session, client: FlaskClient) -> None:
    person(session, "Ana Pérez", KNOWN)
    person(session, "Luis Pérez", KNOWN)
    session.commit()
    post(client, "/privacidad/derechos", phone=KNOWN, **RIGHTS)
    work(session)
    assert session.scalars(select(ArcoRequest)).one().contact_id is None


@pytest.mark.parametrize("url", ["/privacidad/baja", "/privacidad/derechos"])
@pytest.mark.parametrize("phone", ["hola", "", "12345678", "5555555555", "2281234567 2281234568"])
def test_a_bad_phone_gets_a_sentence_and_nothing_is_lost(client: FlaskClient, url: str, phone: str) -> None:
    answer = post(client, url, phone=phone, **RIGHTS)
    assert answer.status_code == 422
    assert "diez dígitos, con su clave" in answer.text or "ten digits, with its area code" in answer.text
    if url.endswith("derechos"):
        assert "ana@example.org" in answer.text
        assert "¿Qué tienen de mí?" in answer.text


def test_a_request_without_a_kind_or_a_name_says_what_lacks(client: FlaskClient) -> None:
    answer = post(client, "/privacidad/derechos", phone=KNOWN, kind="x", asker=" ", answer_to="", text="x" * 2001)
    assert answer.status_code == 422
    assert answer.text.count("invalid-feedback") == 4


def test_numbers_of_identity_papers_are_not_kept(session: Session, client: FlaskClient) -> None:
    text = {"text": "mi CURP es HEGG560427MVZRRL04 y quiero mis datos"}
    post(client, "/privacidad/derechos", phone=KNOWN, **(RIGHTS | text))
    work(session)
    assert "HEGG560427" not in (session.scalars(select(ArcoRequest)).one().text or "")


def test_the_public_page_is_throttled_by_address(client: FlaskClient) -> None:
    answers = [post(client, "/privacidad/baja", phone=KNOWN).status_code for _ in range(12)]
    assert (answers[0], answers[-1]) == (200, 429)


def test_a_forged_form_does_nothing(session: Session, client: FlaskClient) -> None:
    assert client.post("/privacidad/baja", data={"phone": KNOWN}).status_code == 400
    assert session.scalar(select(PublicRequest.id)) is None


@pytest.mark.parametrize(
    ("language", "words"), [("es", "Sus datos y sus derechos"), ("en", "Your data and your rights")]
)
def test_the_page_speaks_both_languages(client: FlaskClient, language: str, words: str) -> None:
    assert words in client.get("/privacidad", headers={"Accept-Language": language}).text
