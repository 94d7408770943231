"""The request of a call, tried with test credentials: Twilio reads all of it and nobody is rung."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from callcenter.base.settings import Settings
from callcenter.telephony.twilio_cli import twilio_group
from tests.scripts.simulated_carrier.line import Line, running

TEST = {"test_account_sid": "AC" + "7" * 32, "test_auth_token": "simulated-test-token"}


@pytest.fixture
def line() -> Iterator[Line]:
    with running(None) as line:
        yield line


def run(app: Flask, settings: Settings, line: Line, **account: Any) -> Result:
    twilio = replace(settings.twilio, base_url=line.url, **account)
    app.config["SETTINGS"] = replace(settings, twilio=twilio, public_url="https://convoca.example")
    return app.test_cli_runner().invoke(twilio_group, ["try-call"])


def test_a_call_that_twilio_takes_rings_nobody(app: Flask, settings: Settings, line: Line) -> None:
    said = run(app, settings, line, **TEST)
    assert (said.exit_code, "Nobody was rung" in said.output) == (0, True), said.output
    assert line.product.heard == []


def test_credentials_that_twilio_does_not_take_are_told(app: Flask, settings: Settings, line: Line) -> None:
    said = run(app, settings, line, **(TEST | {"test_auth_token": "wrong"}))
    assert (said.exit_code, "20003" in said.output) == (1, True), said.output


def test_without_test_credentials_it_says_where_they_are(app: Flask, settings: Settings, line: Line) -> None:
    said = run(app, settings, line, test_account_sid="", test_auth_token="")
    assert said.exit_code == 2
    assert "CONVOCA_TWILIO_TEST_ACCOUNT_SID" in said.output
