"""The pages of telephony, as an administrator uses them, and nobody else."""

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from callcenter import carriers, trunks
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from callcenter.calls import Event
from callcenter.telephony import carrier_choice, trunk_jobs, trunk_tests
from callcenter.telephony.trunk_book import Trunk
from tests.callcenter.telephony.test_trunk_tests import Switchboard
from tests.callcenter.trunk_cast import fresh, switch, trunk
from tests.conftest import ClientAs

FORM = {
    "name": "Proveedor", "host": "sip.example.com", "port": "5060", "transport": "udp", "username": "cuenta1",
    "password": "clave-secreta-1", "registers": "1", "asks_alive": "1", "number_format": "plus", "number_prefix": "",
    "numbers": "55 1234 0000: 55", "prefixes": "52: 0.35", "channels": "30", "calls_per_second": "5", "position": "10",
}  # fmt: skip


@pytest.fixture
def client(client_as: ClientAs) -> Iterator[FlaskClient]:
    """An administrator who reads English; Asterisk is the carrier."""
    client = client_as("administrator")
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    board = Switchboard()
    carriers.use({"asterisk": board})
    yield client
    carriers.use({})


def post(client: FlaskClient, url: str, **data: object) -> TestResponse:
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/telephony/").text)
    assert token
    return client.post(url, data={"csrf_token": token[1], **data})


def only(session: Session) -> Trunk:
    return session.scalars(select(Trunk).execution_options(populate_existing=True)).one()


def test_an_administrator_adds_a_trunk_tries_it_and_takes_it_into_use(session: Session, client: FlaskClient) -> None:
    where = switch(session)
    session.commit()
    assert "There is no trunk yet" in client.get("/telephony/").text
    answer = post(client, "/telephony/trunks/new", **FORM, switch_id=where.id)
    assert answer.status_code == 302
    page = client.get(answer.headers["Location"]).text
    assert "Try it out, then take it into use." in page
    assert "clave-secreta-1" not in page
    line = only(session)
    said = post(client, f"/telephony/trunks/{line.id}/test", number="55 9876 0001").text
    assert "Getting ready" in said
    test = trunk_tests.newest(session, line.id)
    assert test is not None
    trunk_tests.heard(session, test.call_id, Event("not_placed", "x", {"Cause": "21", "TechCause": "403"}))
    session.commit()
    state = client.get(f"/telephony/trunks/{line.id}/test").text
    assert "SIP 403" in state
    assert "Check user and password" in state
    assert "9876" not in state
    post(client, f"/telephony/trunks/{line.id}/enable")
    assert only(session).is_enabled
    trunks.heard(session, line.id, True, "Registered")
    line.written_at = line.changed_at
    session.commit()
    assert "Registered since" in client.get("/telephony/").text


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(session: Session, client: FlaskClient) -> None:
    where = switch(session)
    session.commit()
    answer = post(client, "/telephony/trunks/new", **{**FORM, "host": "sip example", "port": "0"}, switch_id=where.id)
    assert answer.status_code == 422
    assert 'id="host-fault"' in answer.text
    assert 'id="port-fault"' in answer.text
    assert 'value="sip example"' in answer.text
    assert "55 1234 0000: 55" in answer.text
    assert "clave-secreta-1" not in answer.text
    assert session.scalars(select(Trunk)).all() == []


def test_a_trunk_is_changed_and_shows_what_is_kept_but_its_password(session: Session, client: FlaskClient) -> None:
    line = trunk(session, {"52": "0.3500"}, username="cuenta1", secret_sealed="x", is_enabled=False)
    session.commit()
    page = client.get(f"/telephony/trunks/{line.id}").text
    for shown in ("52: 0.35", "+525512340000: 55, 56", "cuenta1", "empty keeps it"):
        assert shown in page
    assert (
        post(client, f"/telephony/trunks/{line.id}", **{**FORM, "host": "a b"}, switch_id=line.switch_id).status_code
        == 422
    )
    assert post(client, f"/telephony/trunks/{line.id}", **FORM, switch_id=line.switch_id).status_code == 302
    assert fresh(session, line.id).host == "sip.example.com"


def test_simulated_and_real_at_once_are_refused_with_a_sentence(session: Session, client: FlaskClient) -> None:
    trunk(session)
    real = trunk(session, simulated=False, is_enabled=False)
    session.commit()
    post(client, f"/telephony/trunks/{real.id}/enable")
    assert "never in use together" in client.get("/telephony/").text
    assert not fresh(session, real.id).is_enabled


def test_a_resting_trunk_is_woken_disabled_and_deleted(session: Session, client: FlaskClient) -> None:
    line = trunk(session, name="Troncal Prueba")
    for _ in range(3):
        trunks.note_result(session, line.id, 21, 403)
    session.commit()
    page = client.get("/telephony/").text
    assert "Rests until" in page
    assert "100%" in page
    assert "Troncal Prueba: Rests until" in page
    post(client, f"/telephony/trunks/{line.id}/wake")
    assert not fresh(session, line.id).is_resting
    post(client, f"/telephony/trunks/{line.id}/remove")
    assert "Take the trunk out of use first." in client.get("/telephony/").text
    post(client, f"/telephony/trunks/{line.id}/disable")
    post(client, f"/telephony/trunks/{line.id}/remove")
    assert session.scalars(select(Trunk)).all() == []


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("wrong_password", "does not accept our AMI password"),
        ("unreachable", "cannot be reached at its address"),
        ("", "lets us in"),
    ],
)
def test_a_switch_is_asked_and_its_answer_said_in_words(
    session: Session, client: FlaskClient, code: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch(session, is_heard=False)
    session.commit()
    monkeypatch.setattr(trunk_jobs, "look", lambda name: code or None)
    assert "Not heard of" in client.get("/telephony/").text
    post(client, "/telephony/switches/local/ask")
    assert says in client.get("/telephony/").text
    assert post(client, "/telephony/switches/other/ask").status_code == 404


def test_a_test_that_cannot_be_says_why_below_the_form(session: Session, client: FlaskClient) -> None:
    line = trunk(session)
    session.commit()
    answer = post(client, f"/telephony/trunks/{line.id}/test", number="55 CALL ME")
    assert answer.status_code == 200
    assert "ten digits" in answer.text
    assert trunk_tests.newest(session, line.id) is None


def test_the_carrier_of_the_next_start_is_kept_and_audited(
    session: Session, client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVOCA_VAR", str(settings.var))
    assert "As long as it is, the choice below does not count." in client.get("/telephony/").text
    assert carrier_choice.chosen(session) is None
    post(client, "/telephony/carrier", carrier="asterisk")
    assert carrier_choice.chosen(session) == "asterisk"
    assert (
        session.scalars(select(AuditEntry).where(AuditEntry.action == "carrier.choose")).one().detail["now"]
        == "asterisk"
    )
    assert post(client, "/telephony/carrier", carrier="pigeon").status_code == 422


@pytest.mark.parametrize("address", ["casa", "10.0.0.5", "127.0.0.1", "8.8.8.8\r\nx", "999.1.1.1", "192.168.1.7"])
def test_a_public_address_is_an_address_of_the_world(
    session: Session, client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("CONVOCA_VAR", str(settings.var))
    answer = post(client, "/telephony/carrier", carrier="simulated", public_address=address)
    assert answer.status_code == 422
    assert 'id="public_address-fault"' in answer.text
    assert post(client, "/telephony/carrier", carrier="simulated", public_address="8.8.8.8").status_code == 302
    assert 'value="8.8.8.8"' in client.get("/telephony/").text


def test_a_carrier_that_this_server_cannot_start_with_is_refused_with_what_it_lacks(
    session: Session, client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVOCA_VAR", str(settings.var))
    answer = post(client, "/telephony/carrier", carrier="twilio")
    assert answer.status_code == 422
    assert "CONVOCA_TWILIO_ACCOUNT_SID" in answer.text
    assert carrier_choice.chosen(session) is None


def test_nobody_locks_the_house_by_its_carrier(
    session: Session, client: FlaskClient, people: dict[str, User], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVOCA_VAR", str(settings.var))
    people["administrator"].has_demo_password = True
    session.commit()
    answer = post(client, "/telephony/carrier", carrier="asterisk")
    assert answer.status_code == 422
    assert "nobody could sign in" in answer.text
    assert post(client, "/telephony/carrier", carrier="simulated").status_code == 302


@pytest.mark.parametrize("role", ["strategist", "supervisor", "pollster", "operator", "data_clerk"])
def test_nobody_else_opens_telephony(session: Session, client_as: ClientAs, role: str) -> None:
    assert client_as(role).get("/telephony/").status_code == 403


def test_the_floor_shows_the_alarm_of_a_trunk(session: Session, client: FlaskClient) -> None:
    line = trunk(session, name="Troncal Prueba")
    for _ in range(3):
        trunks.note_result(session, line.id, 21, 403)
    session.commit()
    board = client.get("/floor/board").text
    assert "Troncal Prueba: Rests until" in board
    assert "Check user and password" in board


def test_the_ringing_of_a_dead_switch_is_no_page_that_breaks(session: Session, client: FlaskClient) -> None:
    line = trunk(session)
    session.commit()
    board = carriers.the_switchboard()
    assert isinstance(board, Switchboard)
    board.fails = ProviderError("no", code="unreachable")
    post(client, f"/telephony/trunks/{line.id}/test", number="55 9876 0001")
    test = trunk_tests.newest(session, line.id)
    assert test is not None
    trunk_jobs.try_out(test.id)
    assert "cannot be reached at its address" in client.get(f"/telephony/trunks/{line.id}/test").text
