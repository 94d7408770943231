"""What is asked of the account, against the simulated carrier: one finding a question, and a code for each fault."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest

from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from callcenter.carriers.twilio import account
from callcenter.carriers.twilio.account import Finding
from scripts.simulated_carrier.options import Options
from tests.scripts.simulated_carrier.line import VOICE, Line, running


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with running(tmp_path / "journal.jsonl", Options(speed=20, calls_per_second=0, price_seconds=0.1)) as line:
        yield line


@pytest.fixture
def own(settings: Settings, line: Line) -> Settings:
    """An installation whose account is the simulated carrier's; behind its address stands the line's small program."""
    options = Options()
    twilio = replace(settings.twilio, account_sid=options.account_sid, auth_token=options.auth_token,
                     base_url=line.url, voice_number=VOICE)  # fmt: skip
    return replace(settings, public_url=line.product.url, twilio=twilio)


def found(settings: Settings) -> dict[str, Finding]:
    return {each.name: each for each in account.look(settings)}


def test_an_account_that_may_do_everything_is_found_in_order(own: Settings) -> None:
    seen = found(own)
    assert list(seen) == ["address", "account", "balance", "numbers", "countries", "prices"]
    assert {(each.state, each.code) for each in seen.values()} == {("ok", "")}
    assert Decimal(seen["balance"].facts["balance"]) == 100
    assert VOICE in {each["number"] for each in seen["numbers"].facts["numbers"]}
    assert all(Decimal(rate["price"]) > 0 and rate["prefix"].startswith("52") for rate in seen["prices"].facts["rates"])


@pytest.mark.parametrize(
    ("order", "name", "state", "code"),
    [
        ({"credentials": "revoked"}, "account", "fault", "20003"),
        ({"credentials": "suspended"}, "account", "fault", "20005"),
        ({"balance": 0}, "balance", "fault", "empty"),
        ({"balance": -3.2}, "balance", "fault", "empty"),
        ({"balance": 4.99}, "balance", "warning", "low"),
        ({"countries_off": "MX"}, "countries", "fault", "country_off"),
    ],
)
def test_each_fault_has_its_own_code(
    own: Settings, line: Line, order: dict[str, float | str], name: str, state: str, code: str
) -> None:
    line.settings(**order)
    seen = found(own)
    assert (seen[name].state, seen[name].code) == (state, code)
    assert all(each.state == "ok" for each in seen.values() if each.name != name)


def test_a_wrong_sid_and_a_wrong_token_are_told_and_nothing_more_is_asked(own: Settings, line: Line) -> None:
    before = len(line.get("/control/exchanges?after=0"))
    twilio = own.twilio
    for wrong in (replace(twilio, account_sid="AC" + "0" * 32), replace(twilio, auth_token="x")):
        seen = found(replace(own, twilio=wrong))
        assert list(seen) == ["address", "account"]
        assert (seen["account"].state, seen["account"].code) == ("fault", "20003")
    assert len(line.get("/control/exchanges?after=0")) == before + 2


@pytest.mark.parametrize(("number", "code"), [("+525500000000", "not_owned"), ("", "no_number")])
def test_a_number_that_is_not_ours_is_a_fault(own: Settings, number: str, code: str) -> None:
    seen = found(replace(own, twilio=replace(own.twilio, voice_number=number)))
    assert (seen["numbers"].state, seen["numbers"].code) == ("fault", code)
    assert seen["numbers"].facts["numbers"]  # what there is to choose from


def test_a_carrier_that_cannot_be_reached_says_nothing_of_the_account(own: Settings) -> None:
    seen = found(replace(own, twilio=replace(own.twilio, base_url="http://127.0.0.1:9")))
    assert (seen["account"].state, seen["account"].code) == ("unknown", "no_connection")
    assert list(seen) == ["address", "account"]


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://convoca.example", ""),
        ("https://198.18.0.1", "private_address"),
        ("https://10.0.0.7", "private_address"),
        ("https://oficina.local", "private_address"),
        ("https://localhost:8000", "private_address"),
        ("http://convoca.example", "not_https"),
    ],
)
def test_an_address_that_twilio_could_never_reach_is_known_without_asking(own: Settings, url: str, code: str) -> None:
    seen = found(replace(own, public_url=url, carrier="twilio"))
    assert (seen["address"].state, seen["address"].code) == ("fault" if code else "ok", code)


def test_a_number_is_pointed_to_us_and_then_found_to_ring_here(own: Settings) -> None:
    number = next(each for each in found(own)["numbers"].facts["numbers"] if each["number"] == VOICE)
    account.point(own, number["sid"])
    again = next(each for each in found(own)["numbers"].facts["numbers"] if each["number"] == VOICE)
    assert again == number | {"rings": "here"}
    with pytest.raises(ProviderError, match="20404"):
        account.point(own, "PN" + "0" * 32)


def test_a_probe_makes_the_carrier_call_us(own: Settings, line: Line) -> None:
    probe_id = uuid4()
    account.probe(own, probe_id)
    line.until(lambda: any(form["path"] == f"/hooks/voice/reach/{probe_id}" for form in line.product.heard), "a call")


def test_the_price_of_a_call_is_read_once_the_carrier_has_made_it_up(own: Settings, line: Line) -> None:
    began = real_now()
    line.product.pages["/answer"] = "<Response><Pause length='1'/><Hangup/></Response>"
    line.order("+529220100001", does="answer", ring_seconds=0.1)
    sid = line.call().sid
    line.until(lambda: line.client.calls(sid).fetch().price is not None, "a price")
    prices = {price.ref: price for price in account.prices_since(own, began - timedelta(minutes=1), 100)}
    assert prices[sid].currency == "USD"
    assert prices[sid].amount == Decimal(str(Options().price_per_minute))
