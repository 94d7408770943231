"""How the account stands: asked in a job, kept with its time, and in the way of a campaign only while it is new."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator

from callcenter.base.errors import NotFound, ProviderError, Refused
from callcenter.base.settings import Settings
from callcenter.carriers.twilio import account
from callcenter.carriers.twilio.account import Finding
from callcenter.telephony import account_checks, account_jobs, call_prices, trunk_alarms
from callcenter.telephony.account_checks import AccountCheck
from tests.callcenter.cast import FakeCarrier
from tests.queued import run_jobs

OURS = "+525512340000"
NUMBERS = {"numbers": [{"sid": "PN1", "number": OURS, "name": "Oficina", "rings": "nowhere"}], "verified": ["+5255999"]}
WELL = [
    Finding("address", "ok"), Finding("account", "ok", "", {"name": "Casa", "status": "active", "type": "Full"}),
    Finding("balance", "ok", "", {"balance": "80.5", "currency": "USD"}), Finding("numbers", "ok", "", NUMBERS),
    Finding("countries", "ok"),
    Finding("prices", "ok", "", {"currency": "USD", "rates": [{"prefix": "52", "price": "0.04", "name": "Mexico"}]}),
]  # fmt: skip


class Twilio:
    """Answers the questions with `findings`; keeps what it was asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.findings: list[Finding] = list(WELL)
        self.probes: list[UUID] = []
        self.pointed: list[str] = []
        self.refuses: ProviderError | None = None
        monkeypatch.setattr(account, "look", lambda _settings: self.findings)
        monkeypatch.setattr(account, "probe", lambda _settings, probe_id: self._take(self.probes, probe_id))
        monkeypatch.setattr(account, "point", lambda _settings, sid: self._take(self.pointed, sid))

    def _take(self, kept: list[Any], thing: object) -> None:
        if self.refuses is not None:
            raise self.refuses
        kept.append(thing)

    def says(self, *changed: Finding) -> None:
        names = {each.name for each in changed}
        self.findings = [*(each for each in WELL if each.name not in names), *changed]


@pytest.fixture
def twilio(session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Twilio:
    account_checks.configure(settings)
    return Twilio(monkeypatch)


@pytest.fixture
def reach(app: Flask, settings: Settings) -> Callable[[UUID], int]:
    """Twilio calls the address of a probe."""
    validator = RequestValidator(settings.twilio.auth_token)

    def call(probe_id: UUID) -> int:
        path, form = f"/hooks/voice/reach/{probe_id}", {"CallSid": "CA1", "CallStatus": "in-progress"}
        good = validator.compute_signature(settings.public_url + path, form)
        client: FlaskClient = app.test_client()
        return client.post(path, data=form, headers={"X-Twilio-Signature": good}).status_code

    return call


def standing(session: Session) -> dict[str, tuple[str, str]]:
    checks = account_checks.latest(session, "simulated")
    return {name: (check.standing, check.reason) for name, check in checks.items()}


def age(session: Session, name: str, by: timedelta) -> AccountCheck:
    check = account_checks.latest(session, "simulated")[name]
    check.checked_at -= by
    session.commit()
    return check


def test_everything_is_asked_and_kept_and_twilio_is_made_to_call_us(
    session: Session, twilio: Twilio, reach: Callable[[UUID], int]
) -> None:
    account_jobs.look(True)
    assert standing(session) == dict.fromkeys((each.name for each in WELL), ("ok", "")) | {"reach": ("asked", "")}
    assert [(name, currency) for name, _price, currency in call_prices.rates(session, "simulated")] == [
        ("Mexico", "USD")
    ]
    assert reach(uuid4()) == 200
    assert standing(session)["reach"] == ("asked", "")  # somebody else's question
    assert [reach(twilio.probes[0]), reach(twilio.probes[0])] == [200, 200]
    assert standing(session)["reach"] == ("ok", "")


def test_a_server_that_twilio_does_not_reach_is_known_after_half_a_minute(session: Session, twilio: Twilio) -> None:
    account_jobs.look(True)
    age(session, "reach", account_checks.PATIENCE)
    assert standing(session)["reach"] == ("fault", "unreached")
    with pytest.raises(Refused, match="could not reach this server"):
        account_checks.require(session, "simulated", OURS)
    account_jobs.look()
    assert len(twilio.probes) == 2  # while it is not proved, each look proves it
    account_checks.reached(session, twilio.probes[0])
    assert standing(session)["reach"] == ("asked", "")  # an answer to the question before


def test_a_probe_that_twilio_does_not_take_says_why(session: Session, twilio: Twilio) -> None:
    twilio.refuses = ProviderError("no", code="21205", permanent=True)
    account_jobs.look(True)
    assert standing(session)["reach"] == ("fault", "21205")
    twilio.refuses = ProviderError("no", code="no_connection")
    account_jobs.look(True)
    assert standing(session)["reach"] == ("unknown", "no_connection")


def test_a_proof_lasts_an_hour(session: Session, twilio: Twilio) -> None:
    account_jobs.look()
    account_checks.reached(session, twilio.probes[0])
    session.commit()
    account_jobs.look()
    assert len(twilio.probes) == 1
    age(session, "reach", timedelta(hours=1))
    account_jobs.look()
    assert len(twilio.probes) == 2


@pytest.mark.parametrize(
    ("finding", "sentence"),
    [
        (Finding("account", "fault", "20003"), "account SID or auth token"),
        (Finding("account", "fault", "suspended"), "suspended"),
        (Finding("balance", "fault", "empty"), "balance of the Twilio account is used up"),
        (Finding("numbers", "fault", "not_owned"), "not one of this Twilio account"),
        (Finding("countries", "fault", "country_off"), "may not call Mexico"),
        (Finding("address", "fault", "private_address"), "cannot reach it from outside"),
        (Finding("account", "fault", "98765"), "Twilio 98765: unknown"),
    ],
)
def test_a_known_fault_refuses_a_start_with_its_sentence_until_it_is_old(
    app: Flask, session: Session, twilio: Twilio, carrier: FakeCarrier, finding: Finding, sentence: str
) -> None:
    twilio.says(finding)
    account_jobs.look()
    with app.test_request_context(headers={"Accept-Language": "en"}):
        with pytest.raises(Refused, match=sentence):
            account_checks.require(session, "simulated", OURS)
        assert [alarm.subject for alarm in trunk_alarms.now(session)] == ["Twilio"]
        age(session, finding.name, account_checks.COUNTS_FOR)
        account_checks.require(session, "simulated", OURS)
        assert trunk_alarms.now(session) == []


@pytest.mark.parametrize(
    "finding",
    [
        Finding("balance", "warning", "low"), Finding("balance", "unknown", "no_balance"),
        Finding("account", "unknown", "no_connection"), Finding("prices", "fault", "20003"),
    ],
)  # fmt: skip
def test_what_is_no_fault_or_hinders_no_call_keeps_nothing_from_starting(
    session: Session, twilio: Twilio, finding: Finding
) -> None:
    twilio.says(finding)
    account_jobs.look()
    account_checks.require(session, "simulated", OURS)


def test_a_campaign_shows_only_a_number_of_the_account(session: Session, twilio: Twilio) -> None:
    account_checks.require(session, "simulated", "+520000000000")  # nobody has looked yet
    account_jobs.look()
    for number in (OURS, "+5255999"):
        account_checks.require(session, "simulated", number)
    with pytest.raises(Refused, match="not one of this Twilio account"):
        account_checks.require(session, "simulated", "+520000000000")
    account_checks.require(session, "asterisk", "+520000000000")


def test_what_is_known_stays_beside_a_look_that_told_nothing(session: Session, twilio: Twilio) -> None:
    account_jobs.look()
    twilio.says(Finding("numbers", "unknown", "ReadTimeout"))
    account_jobs.look()
    kept = account_checks.latest(session, "simulated")["numbers"]
    assert (kept.standing, account_checks.owned(kept)) == ("unknown", [OURS, "+5255999"])


def test_a_number_is_pointed_to_us_by_a_job_and_a_strange_one_by_none(session: Session, twilio: Twilio) -> None:
    account_jobs.look()
    with pytest.raises(NotFound):
        account_checks.point_later(session, "simulated", "PN9", None)
    account_checks.reached(session, twilio.probes[0])
    account_jobs.point("PN1")
    assert twilio.pointed == ["PN1"]
    assert standing(session)["point"] == ("ok", "")
    twilio.refuses = ProviderError("no", code="21402", permanent=True)
    account_jobs.point("PN1")
    assert standing(session)["point"] == ("warning", "21402")
    account_checks.require(session, "simulated", OURS)


def test_the_clock_asks_every_five_minutes_and_nothing_of_an_asterisk(
    session: Session, twilio: Twilio, settings: Settings
) -> None:
    def asked() -> list[str]:
        account_checks.tend(session)
        session.commit()
        return run_jobs()

    assert asked() == ["callcenter.telephony.account_jobs.look"]
    assert asked() == []
    for name in standing(session):
        age(session, name, account_checks.EVERY)
    account_checks.configure(replace(settings, carrier="asterisk"))
    assert asked() == []
    account_checks.configure(settings)
    assert asked() == ["callcenter.telephony.account_jobs.look"]
