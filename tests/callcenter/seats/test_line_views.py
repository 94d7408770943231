"""The card on the console in which an operator chooses how they telephone."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from callcenter import carriers, operators
from callcenter.base.auth import User
from callcenter.base.settings import Settings
from callcenter.operators import Operator
from callcenter.seats import operator_lines, operator_rooms
from tests.base import conftest as base
from tests.base.conftest import MakePerson, SignIn, token
from tests.callcenter import cast
from tests.callcenter.cast import FakeCarrier
from tests.queued import run_jobs

Post = Callable[..., TestResponse]
KEY, SECRET = "SK" + "7" * 32, "secret-of-the-key-0123456789abcdef"
CHECK, RING, CODE = (f'hx-post="/console/line/{act}"' for act in ("check", "ring", "code"))
make_person, sign_in = base.make_person, base.sign_in


class Ringing(FakeCarrier):
    """Rings telephones to check them, too."""

    def __init__(self) -> None:
        super().__init__()
        self.checked: list[str] = []

    def ring_to_check(self, operator_id: int, phone: str) -> str:
        self.checked.append(phone)
        return f"CA-check-{operator_id}"


@pytest.fixture
def rings(app: Flask) -> Iterator[Ringing]:
    fake = Ringing()
    carriers.use({"simulated": fake})
    yield fake
    carriers.use({})


@pytest.fixture
def olivia(make_person: MakePerson) -> User:
    return make_person("operator", username="olivia", full_name="Olivia Ruiz Ejemplo")


@pytest.fixture
def seat(session: Session, olivia: User) -> Operator:
    return operators.of_user(session, olivia.id)


@pytest.fixture
def client(rings: Ringing, olivia: User, sign_in: SignIn) -> FlaskClient:
    return sign_in(olivia)


@pytest.fixture
def post(client: FlaskClient) -> Post:
    csrf = token(client, "/console/")

    def send(path: str, json: dict[str, Any] | None = None, **form: str) -> TestResponse:
        headers = {"X-CSRFToken": csrf, "HX-Request": "true", "Accept": "application/json" if json else "text/html"}
        return client.post(path, json=json, data=None if json else form, headers=headers)

    return send


@pytest.fixture
def twilio(app: Flask, rings: Ringing, settings: Settings) -> Iterator[None]:
    """The carrier is Twilio itself, and tokens can be signed."""
    carriers.use({"twilio": rings})
    account = replace(settings.twilio, api_key=KEY, api_secret=SECRET)
    app.config["SETTINGS"] = replace(settings, carrier="twilio", twilio=account)
    yield
    app.config["SETTINGS"] = settings


def code_in(drawn: str) -> str:
    found = re.search(r"line-code[^>]*>\s*(\d{3}) (\d{3})", drawn)
    assert found is not None
    return found[1] + found[2]


def test_the_console_brings_the_card_and_says_that_a_drill_has_no_sound(client: FlaskClient) -> None:
    assert 'hx-get="/console/line/"' in client.get("/console/").text
    drawn = client.get("/console/line/").text
    assert "Simulado: sin audio." in drawn
    assert "twilio.min.js" not in client.get("/console/").text


def test_a_volunteer_confirms_a_telephone_and_works_by_it(
    session: Session, post: Post, client: FlaskClient, rings: Ringing, seat: Operator
) -> None:
    assert "line-phone-fault" in post("/console/line/phone", phone="12").text
    drawn = post("/console/line/phone", phone="922 111 0001").text
    assert CHECK in drawn
    assert "9221110001" not in drawn
    code = code_in(post("/console/line/check").text)
    run_jobs()
    assert rings.checked == ["+529221110001"]
    assert "HX-Trigger" not in client.get("/console/line/news").headers
    operator_lines.check(session, seat.id, code)
    session.commit()
    assert client.get("/console/line/news").headers["HX-Trigger"] == "line-changed"
    post("/console/line/way", way="ring")
    post("/console/connect", json={"x": 1})
    run_jobs()
    assert rings.rooms == [seat.id]
    assert RING in client.get("/console/line/").text
    operator_rooms.opened(session, seat.id, "CA-tel")
    session.commit()
    assert RING not in client.get("/console/line/").text


def test_a_code_is_shown_once(post: Post, client: FlaskClient) -> None:
    drawn = post("/console/line/code").text
    assert len(code_in(drawn)) == 6
    assert "55 1234 0000" in drawn
    assert "line-code" not in client.get("/console/line/").text


def test_an_unconfirmed_telephone_and_an_unknown_way_are_refused_in_words(post: Post) -> None:
    assert post("/console/line/way", way="ring").status_code == 409
    answer = post("/console/line/way", way="smoke")
    assert answer.status_code == 422
    assert "Elija" in answer.text
    assert post("/console/line/check").status_code == 409
    assert post("/console/line/ring").status_code == 409


def test_nobody_changes_their_line_in_a_call(session: Session, post: Post, seat: Operator) -> None:
    operators.seen(session, seat.id)
    operators.pause(session, seat.id, "starting")
    operator_rooms.opened(session, seat.id, "CA-1")
    operators.go_available(session, seat.id)
    cast.connected(session, cast.queue(session, cast.person(session)))
    session.commit()
    assert post("/console/line/way", way="dial_in").status_code == 409
    assert operator_lines.way(session, seat.id) == "browser"


def test_at_twilio_the_page_loads_its_telephone_and_gets_a_token(
    twilio: None, client: FlaskClient, post: Post, session: Session, seat: Operator, rings: Ringing
) -> None:
    page = client.get("/console/")
    assert "twilio-voice" in page.text
    assert "wss://voice-js.roaming.twilio.com" in page.headers["Content-Security-Policy"]
    post("/console/connect", json={"x": 1})
    given = post("/console/phone/account", json={"x": 1}).get_json()
    assert given["seconds"] == 3600
    assert given["token"].count(".") == 2
    run_jobs()
    assert rings.rooms == []  # nothing is rung before it can be
    assert post("/console/line/page", json={"there": True}).get_json() == {"there": True}
    run_jobs()
    assert rings.rooms == [seat.id]
    assert client.get("/console/state").get_json()["phone"]["registered"] is True
    quality = post("/console/phone/quality", json={"loss": 0.0, "jitter_ms": 3.0, "round_trip_ms": 90.0})
    assert quality.get_json() == {"quality": "good"}


def test_who_telephones_otherwise_has_no_telephone_in_the_page(
    twilio: None, client: FlaskClient, post: Post, session: Session
) -> None:
    answer = post("/console/line/way", way="dial_in")
    assert answer.headers["HX-Refresh"] == "true"
    assert client.get("/console/state").get_json()["phone"] is None
    assert "twilio.min.js" not in client.get("/console/").text


def test_without_an_api_key_the_page_says_what_is_missing(
    twilio: None, app: Flask, settings: Settings, post: Post
) -> None:
    app.config["SETTINGS"] = replace(settings, carrier="twilio")
    post("/console/connect", json={"x": 1})
    answer = post("/console/phone/account", json={"x": 1})
    assert answer.status_code == 409
    assert "clave de API" in answer.get_json()["error"]


def test_without_a_number_of_ours_no_telephone_is_offered(
    app: Flask, settings: Settings, client: FlaskClient, post: Post
) -> None:
    app.config["SETTINGS"] = replace(settings, twilio=replace(settings.twilio, voice_number=""))
    try:
        assert CODE not in client.get("/console/line/").text
        assert post("/console/line/way", way="dial_in").status_code == 409
    finally:
        app.config["SETTINGS"] = settings
