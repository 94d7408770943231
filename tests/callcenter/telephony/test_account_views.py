"""The page «Twilio», as an administrator uses it, and nobody else."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from callcenter.base.audit import AuditEntry
from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from callcenter.carriers.twilio.account import Finding
from callcenter.ledger import trial_jobs
from callcenter.ledger.trial_calls import TrialCall
from callcenter.telephony import account_checks, account_jobs, call_prices
from tests.callcenter import cast
from tests.callcenter.cast import FakeCarrier
from tests.callcenter.telephony.test_account_checks import OURS, Twilio
from tests.callcenter.telephony.test_call_prices import RATES, ended
from tests.conftest import ClientAs
from tests.queued import run_jobs

PAGE = "/telephony/twilio/"


@pytest.fixture
def twilio(session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Twilio:
    account_checks.configure(settings)
    return Twilio(monkeypatch)


@pytest.fixture
def client(client_as: ClientAs, carrier: FakeCarrier) -> FlaskClient:
    """An administrator who reads English."""
    client = client_as("administrator")
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def post(client: FlaskClient, path: str, **data: str) -> TestResponse:
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get(PAGE).text)
    assert token
    return client.post(PAGE + path, data={"csrf_token": token[1], **data})


def test_a_newcomer_asks_and_reads_how_the_account_stands(client: FlaskClient, twilio: Twilio) -> None:
    assert "Twilio has not been asked yet" in client.get(PAGE).text
    twilio.says(
        Finding("countries", "fault", "country_off"),
        Finding("balance", "warning", "low", {"balance": "4.2", "currency": "USD"}),
    )
    assert post(client, "check").status_code == 302
    assert run_jobs() == ["callcenter.telephony.account_jobs.look"]
    part = client.get(PAGE + "standing").text
    rows = dict(re.findall(r'data-check="(\w+)" data-state="(\w+)"', part))
    assert rows == {"account": "ok", "address": "ok", "reach": "asked", "balance": "warning", "numbers": "ok",
                    "countries": "fault", "prices": "ok"}  # fmt: skip
    assert "Allow it in Twilio" in part
    assert "USD\u00a04.20" in part
    assert "Casa" in part
    assert len(twilio.probes) == 1


def test_no_secret_stands_in_the_page(app: Flask, client: FlaskClient, settings: Settings, twilio: Twilio) -> None:
    account_jobs.look()
    twice = replace(settings.twilio, auth_token="secreto-de-prueba", old_auth_token="secreto-anterior",
                    api_key="SK1", api_secret="secreto-de-la-llave")  # fmt: skip
    app.config["SETTINGS"] = replace(settings, twilio=twice)
    page = client.get(PAGE).text
    assert "secreto" not in page
    assert settings.twilio.account_sid not in page
    assert "AC…5555" in page
    assert "The old token still counts" in page


def test_a_number_that_rings_nowhere_is_pointed_here_by_a_button(
    session: Session, client: FlaskClient, twilio: Twilio
) -> None:
    account_jobs.look()
    assert f'Let it ring here<span class="visually-hidden"> {OURS}' in client.get(PAGE).text
    assert post(client, "numbers/PN9/point").status_code == 404
    assert post(client, "numbers/PN1/point").status_code == 302
    run_jobs()
    assert twilio.pointed == ["PN1"]
    acts = session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("carrier.%"))).all()
    assert acts == ["carrier.point_number"]


def test_a_test_call_that_twilio_refuses_says_what_it_answered(
    session: Session, client: FlaskClient, carrier: FakeCarrier, twilio: Twilio
) -> None:
    carrier.fails = ProviderError("no", code="21215", permanent=True)
    assert post(client, "trial", number="922 123 4567").status_code == 302
    trial_jobs.ring(str(session.scalars(select(TrialCall.id)).one()))
    said = client.get(PAGE + "trial").text
    assert "The account may not call this country" in said
    assert "Twilio 21215" in said
    assert "4567" in said
    assert "1234567" not in said


def test_a_number_that_is_none_is_said_beside_its_field_and_kept(client: FlaskClient, twilio: Twilio) -> None:
    answer = post(client, "trial", number="12")
    assert answer.status_code == 422
    assert "ten digits" in answer.text
    assert 'value="12"' in answer.text


def test_prices_and_what_was_paid_are_shown_and_a_rate_is_kept(
    session: Session, client: FlaskClient, twilio: Twilio
) -> None:
    call_prices.keep_rates(session, "simulated", "USD", RATES)
    ended(session, cast.queue(session, cast.person(session)), "CA1")
    call_prices.keep(session, "simulated", [("CA1", Decimal("0.09"), "USD")])
    session.commit()
    page = client.get(PAGE).text
    assert "USD\u00a00.0500" in page
    assert "1 call of the last 30 days has its price: USD\u00a00.09 in all, USD\u00a00.0450 a started minute." in page
    assert post(client, "rate", rate="dieciocho").status_code == 422
    assert post(client, "rate", rate="18.5").status_code == 302
    assert call_prices.exchange_rate(session) == Decimal("18.5")
    assert 'value="18.5"' in client.get(PAGE).text


def test_what_twilio_answered_lately_is_counted_in_words(session: Session, client: FlaskClient, twilio: Twilio) -> None:
    queue = cast.queue(session, *[cast.person(session) for _ in range(4)])
    told = ({"ErrorCode": "32017"}, {"ErrorCode": "32017"}, {"SipResponseCode": "486"}, {"SipResponseCode": "503"})
    for number, cause in enumerate(told):
        cast.call(session, ended(session, queue, f"CA{number}")).cause = {"event": "failed", **cause}
    session.commit()
    page = client.get(PAGE).text
    assert "2 calls: The other network does not take calls from our number." in page
    assert "1 call: The telephone network has a fault" in page
    assert "SIP 486" not in page
    account_checks.latest(session, "simulated")


def test_a_question_without_answer_becomes_a_fault_while_the_page_is_open(
    session: Session, client: FlaskClient, twilio: Twilio
) -> None:
    account_jobs.look(True)
    check = account_checks.latest(session, "simulated")["reach"]
    check.checked_at -= timedelta(minutes=1)
    session.commit()
    part = client.get(PAGE + "standing").text
    assert 'data-check="reach" data-state="fault"' in part
    assert "Twilio could not reach this server" in part


@pytest.mark.parametrize("role", ["strategist", "supervisor", "pollster", "operator", "data_clerk"])
def test_nobody_else_enters(client_as: ClientAs, role: str) -> None:
    assert client_as(role).get(PAGE).status_code == 403
