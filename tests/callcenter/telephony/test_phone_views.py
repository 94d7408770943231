"""What the telephone in the console's page may ask of the server, and what the page may reach."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import carriers, operators, switches
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.operators import Operator
from callcenter.seats import operator_rooms
from callcenter.telephony import softphones
from callcenter.telephony.softphones import Softphone
from tests.base import conftest as base
from tests.base.conftest import MakePerson, SignIn, token
from tests.callcenter.cast import FakeCarrier

Post = Callable[..., Any]
STATIC = Path(__file__).parents[3] / "callcenter" / "static"
NO_FAULTS = {"none", "null", "off", "reconnecting", "opening", "danger"}  # other words of the scripts
make_person, sign_in = base.make_person, base.sign_in


@pytest.fixture
def olivia(make_person: MakePerson) -> User:
    return make_person("operator", username="olivia", full_name="Olivia Ruiz Ejemplo")


@pytest.fixture
def asterisk(olivia: User, session: Session, request: pytest.FixtureRequest) -> Iterator[None]:
    """This installation's carrier has a switchboard, and one switch."""
    request.getfixturevalue("app")
    carriers.use({"asterisk": FakeCarrier()})
    switches.register(session, "norte", host="127.0.0.1", ami_port=5038, ws_url="ws://127.0.0.1:18088/ws", secrets={})
    session.commit()
    yield
    carriers.use({})


@pytest.fixture
def client(asterisk: None, olivia: User, sign_in: SignIn) -> FlaskClient:
    return sign_in(olivia)


@pytest.fixture
def post(client: FlaskClient) -> Post:
    csrf = token(client, "/console/")

    def send(path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"X-CSRFToken": csrf, "Accept": "application/json", "Idempotency-Key": str(uuid4())}
        return client.post(f"/console/{path}", json=body or {}, headers=headers)

    return send


def state(client: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/console/state").get_json()
    return found


@pytest.fixture
def seat(session: Session, olivia: User) -> Operator:
    return operators.of_user(session, olivia.id)


def test_who_has_connected_gets_an_account_of_their_own(post: Post, session: Session, seat: Operator) -> None:
    post("connect")
    given = post("phone/account").json
    assert set(given) == {"name", "uri", "ws_url", "password"}
    assert given["name"] == f"op-{seat.id}"
    assert session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()[-1] == "softphones.log_in"


def test_an_account_is_refused_before_the_connect(post: Post) -> None:
    answer = post("phone/account")
    assert answer.status_code == 409
    assert answer.json["error"]


def test_without_a_switch_the_account_is_refused_in_words(post: Post, session: Session) -> None:
    switches.named(session, "norte").is_enabled = False
    session.commit()
    post("connect")
    assert post("phone/account").status_code == 409


def test_a_drill_gives_no_account_and_its_page_no_telephone(olivia: User, sign_in: SignIn, session: Session) -> None:
    client = sign_in(olivia)
    page = client.get("/console/")
    assert "readiness" not in page.text
    assert "jssip" not in page.text
    assert state(client)["phone"] is None
    headers = {"X-CSRFToken": token(client, "/console/"), "Accept": "application/json"}
    assert client.post("/console/phone/account", headers=headers).status_code == 409


def test_the_page_may_reach_the_switch_and_nothing_else(client: FlaskClient) -> None:
    policy = client.get("/console/").headers["Content-Security-Policy"]
    (connect,) = [part for part in policy.split("; ") if part.startswith("connect-src")]
    assert "ws://127.0.0.1:18088" in connect.split()
    assert "18088" not in client.get("/account").headers["Content-Security-Policy"]


def test_behind_our_own_proxy_the_socket_is_our_own_origin(client: FlaskClient, session: Session) -> None:
    switches.named(session, "norte").ws_url = "/ws"
    session.commit()
    assert "ws://convoca.test" in client.get("/console/").headers["Content-Security-Policy"]


def test_the_state_shows_whether_the_switch_reaches_the_browser(
    post: Post, client: FlaskClient, session: Session, seat: Operator
) -> None:
    post("connect")
    assert state(client)["phone"] == {"registered": False, "quality": None, "fault": None}
    post("phone/account")
    softphones.registered(session, f"op-{seat.id}", True)
    session.commit()
    assert post("phone/quality", {"loss": 0.2, "jitter_ms": 3, "round_trip_ms": None}).json == {"quality": "poor"}
    assert state(client)["phone"] == {"registered": True, "quality": "poor", "fault": None}


@pytest.mark.parametrize("body", [{"loss": 2}, {"loss": "much"}, {"jitter_ms": -1}, {"round_trip_ms": True}])
def test_figures_that_are_none_are_refused_by_name(post: Post, body: dict[str, object]) -> None:
    post("connect")
    post("phone/account")
    answer = post("phone/quality", body)
    assert answer.status_code == 422
    assert set(answer.json["detail"]) == set(body)


def test_available_is_refused_with_words_until_the_line_is_open(post: Post, session: Session, seat: Operator) -> None:
    post("connect")
    answer = post("available")
    assert answer.status_code == 409
    assert answer.json["error"]
    operator_rooms.opened(session, seat.id, "norte/leg")
    session.commit()
    assert post("available").json["operator"]["state"] == "available"


def test_a_page_that_lost_its_leg_may_ask_for_it_again(post: Post) -> None:
    post("connect")
    assert post("phone/redial").json["operator"]["state"] == "paused"


def test_signing_out_ends_the_account_and_the_shift(
    post: Post, client: FlaskClient, session: Session, seat: Operator, olivia: User
) -> None:
    post("connect")
    post("phone/account")
    softphones.log_in(session, f"sup-{olivia.id}", olivia.id)
    session.commit()
    answer = client.post("/logout", data={"csrf_token": token(client, "/account")})
    assert answer.status_code == 302, answer.text
    session.expire_all()
    assert operators.of_user(session, olivia.id).state == "offline"
    assert all(phone.closing_at for phone in session.scalars(select(Softphone)))


def test_every_fault_that_the_scripts_name_has_a_sentence_and_no_other(client: FlaskClient) -> None:
    names = ("microphone", "page_phone", "phone", "twilio_phone", "console_phone")
    scripts = "".join((STATIC / f"{name}.js").read_text() for name in names)
    named = re.findall(r'(?:say\(|fault\(|error, |return |Error: |\? )"([a-z_]+)"', scripts)
    page = client.get("/console/").text
    found = re.search(r'id="console-words">(.*?)</script>', page, re.DOTALL)
    assert found
    faults = json.loads(found[1])["phone"]["faults"]
    assert set(faults) <= set(named)
    assert {code for code in named if code not in faults} <= NO_FAULTS


def test_a_data_clerk_has_no_telephone(asterisk: None, make_person: MakePerson, sign_in: SignIn) -> None:
    client = sign_in(make_person("data_clerk", username="diana"))
    headers = {"X-CSRFToken": token(client, "/account"), "Accept": "application/json"}
    assert client.post("/console/phone/account", headers=headers).status_code == 403
