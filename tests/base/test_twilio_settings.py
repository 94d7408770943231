"""The settings of Twilio: every fault is a sentence, and what is not said is what Twilio gives an account at first."""

from collections.abc import Mapping

import pytest

from callcenter.base import twilio_settings
from callcenter.base.twilio_settings import Twilio

ACCOUNT = {"CONVOCA_TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "CONVOCA_TWILIO_AUTH_TOKEN": "invented"}


def read(env: Mapping[str, str], *, is_used: bool = True) -> tuple[Twilio, list[str]]:
    faults: list[str] = []
    found = twilio_settings.read(
        env, is_used=is_used, secret=lambda name: env.get(f"CONVOCA_{name}", ""), faults=faults
    )
    return found, faults


def test_a_new_account_begins_one_call_a_second() -> None:
    found, faults = read(ACCOUNT)
    assert (found.calls_per_second, found.concurrent_calls, found.region, found.edge) == (1, 250, "", "")
    assert faults == []


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"CALLS_PER_SECOND": "0"}, "CONVOCA_TWILIO_CALLS_PER_SECOND is '0'; it must be a number from 1 to 100."),
        ({"CALLS_PER_SECOND": "diez"}, "must be a number from 1 to 100"),
        ({"CONCURRENT_CALLS": "-3"}, "CONVOCA_TWILIO_CONCURRENT_CALLS is '-3'"),
        ({"API_KEY": "SK1"}, "belong together"),
        ({"API_SECRET": "x"}, "belong together"),
        ({"API_KEY": "AC1", "API_SECRET": "x"}, "must begin with SK"),
        ({"REGION": "ie1"}, "CONVOCA_TWILIO_EDGE is not set"),
        ({"ACCOUNT_SID": "5"}, "34 characters that begin with AC"),
        ({"AUTH_TOKEN": ""}, "CONVOCA_TWILIO_AUTH_TOKEN is not set"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(said: dict[str, str], fault: str) -> None:
    _, faults = read(ACCOUNT | {f"CONVOCA_TWILIO_{name}": value for name, value in said.items()})
    assert fault in " ".join(faults)


def test_an_account_that_carries_no_calls_may_be_missing() -> None:
    assert read({}, is_used=False)[1] == []


def test_no_secret_of_an_account_is_shown() -> None:
    secrets = {"AUTH_TOKEN": "uno-7", "API_KEY": "SK1", "API_SECRET": "dos-7", "TEST_AUTH_TOKEN": "tres-7"}
    found, _ = read(ACCOUNT | {f"CONVOCA_TWILIO_{name}": value for name, value in secrets.items()})
    assert "-7" not in repr(found)
