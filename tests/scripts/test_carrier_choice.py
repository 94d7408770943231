"""A start takes the carrier that an administrator chose, unless it was told another one."""

import os

import pytest

from callcenter.base.auth import Role, User
from callcenter.base.db import Sessions
from callcenter.base.settings import Settings
from callcenter.telephony import carrier_choice
from scripts import run

ADDRESS = "8.8.4.4"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    """As `make run` leaves it when nobody told it anything."""
    for name, value in {"CONVOCA_VAR": str(settings.var), "DATABASE_URL": settings.database_url,
                        "REDIS_URL": settings.redis_url, "CONVOCA_CARRIER": "simulated",
                        "CONVOCA_CARRIER_TOLD": "no", "CONVOCA_SIP_PUBLIC_ADDRESS": ""}.items():  # fmt: skip
        monkeypatch.setenv(name, value)


@pytest.fixture
def chosen(committed: Sessions, settings: Settings) -> Sessions:
    """An administrator with a password of their own has chosen Asterisk behind a router."""
    with committed() as session:
        role = Role(name="administrator")
        session.add(User(username="ana", full_name="Ana Lara", password="!", fs_uniquifier="a", roles=[role]))
        session.flush()
        carrier_choice.choose(session, "asterisk", f" {ADDRESS} ", None)
        session.commit()
    return committed


def test_without_a_choice_it_is_the_drill(committed: Sessions, settings: Settings) -> None:
    run._settle_carrier(settings.database_url)
    assert os.environ["CONVOCA_CARRIER"] == "simulated"


def test_a_choice_counts_where_nothing_was_told(chosen: Sessions, settings: Settings) -> None:
    run._settle_carrier(settings.database_url)
    assert (os.environ["CONVOCA_CARRIER"], os.environ["CONVOCA_SIP_PUBLIC_ADDRESS"]) == ("asterisk", ADDRESS)


def test_what_was_told_counts_more(chosen: Sessions, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVOCA_CARRIER_TOLD", "yes")
    monkeypatch.setenv("CONVOCA_SIP_PUBLIC_ADDRESS", "9.9.9.9")
    run._settle_carrier(settings.database_url)
    assert (os.environ["CONVOCA_CARRIER"], os.environ["CONVOCA_SIP_PUBLIC_ADDRESS"]) == ("simulated", "9.9.9.9")


def test_a_choice_that_lost_its_settings_ends_the_start_with_what_to_do(
    chosen: Sessions, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with chosen() as session, monkeypatch.context() as lenient:
        lenient.setattr(carrier_choice, "faults_of", lambda carrier: "")
        carrier_choice.choose(session, "twilio", "", None)
        session.commit()
    with pytest.raises(run.CannotRun, match=r"(?s)CONVOCA_TWILIO_ACCOUNT_SID.*CARRIER=simulated"):
        run._settle_carrier(settings.database_url)
