"""The account: whose credentials, how much money, which numbers, where it may call, how much at once."""

from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from scripts.simulated_carrier.options import AUTH_TOKEN, TEST_SID, TEST_TOKEN, Options
from tests.scripts.simulated_carrier.line import ALICE, VOICE, Line, running

MAGIC = "+15005550006"


def as_another(line: Line, sid: str, token: str, **how: Any) -> Client:
    client = Client(sid, token, **how)
    client.api.base_url = line.url
    return client


def refusal(call: Any) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as refused:
        call()
    return refused.value.status, refused.value.code


def test_the_account_tells_its_state_its_money_and_its_numbers(line: Line) -> None:
    line.settings(balance=-1.5)
    account = line.client.api.v2010.accounts(line.client.username).fetch()
    assert (account.status, account.type) == ("active", "Full")
    balance = line.client.balance.fetch()
    assert (balance.balance, balance.currency) == ("-1.5000", "USD")
    assert VOICE in {number.phone_number for number in line.client.incoming_phone_numbers.list()}
    assert line.client.outgoing_caller_ids.list() == []
    available = line.client.available_phone_numbers("MX").local.list(limit=2)
    bought = line.client.incoming_phone_numbers.create(phone_number=available[0].phone_number, friendly_name="Nueva")
    assert bought.friendly_name == "Nueva"
    assert bought.delete()
    assert refusal(lambda: line.client.incoming_phone_numbers(bought.sid).fetch()) == (404, 20404)


def test_a_number_is_pointed_to_an_address_only(line: Line) -> None:
    (number,) = line.client.incoming_phone_numbers.list(phone_number=VOICE)
    assert refusal(lambda: number.update(voice_url="convoca")) == (400, 21402)
    assert number.update(voice_url="").voice_url == ""


def test_without_money_no_call_is_taken_on_and_the_balance_can_still_be_asked(line: Line) -> None:
    line.settings(balance=0)
    assert refusal(line.call) == (401, 20005)
    assert line.client.balance.fetch().balance == "0.0000"


def test_a_country_without_permission_is_refused_and_listed_as_such(line: Line) -> None:
    line.client.voice.base_url = line.client.pricing.base_url = line.url
    assert line.client.voice.v1.dialing_permissions.countries("MX").fetch().low_risk_numbers_enabled
    line.settings(countries_off="MX US")
    assert refusal(line.call) == (400, 21215)
    mexico = line.client.voice.v1.dialing_permissions.countries("MX").fetch()
    assert (mexico.low_risk_numbers_enabled, mexico.country_codes) == (False, ["+52"])
    listed = line.client.voice.v1.dialing_permissions.countries.list()
    assert {country.iso_code for country in listed if not country.low_risk_numbers_enabled} == {"MX", "US"}


def test_prices_are_listed_and_each_call_gets_its_own_by_begun_minutes(line: Line) -> None:
    line.client.voice.base_url = line.client.pricing.base_url = line.url
    line.settings(price_per_minute=0.05)
    listed = line.client.pricing.v2.voice.countries("MX").fetch()
    assert listed.outbound_prefix_prices[0]["current_price"] == "0.0500"
    line.order(ALICE, does="answer", stay_seconds=70)
    line.product.pages["/answer"] = "<Response><Pause length='900'/></Response>"
    call = line.call()
    line.until(lambda: line.client.calls(call.sid).fetch().price == "-0.10000", "two begun minutes are paid")
    line.order(ALICE, does="busy")
    unpaid = line.call()
    line.until(lambda: line.client.calls(unpaid.sid).fetch().price == "0", "nothing is paid")


def test_more_calls_than_allowed_wait_in_line_and_a_long_line_is_refused() -> None:
    with running(None, Options(speed=1, calls_per_second=0.5)) as line:
        line.order(ALICE, does="busy")
        calls = [line.call() for _ in range(4)]
        assert line.status(calls[-1].sid) == "queued"
        line.client.calls(calls[-1].sid).update(status="canceled")
        line.until(lambda: line.status(calls[-1].sid) == "canceled", "who waits in line can be called off")
        line.until(lambda: line.status(calls[2].sid) == "busy", "the line moves on", 40)
        assert int(line.client.calls(calls[2].sid).fetch().queue_time) > 0
        line.settings(calls_per_second=0.1, call_queue_seconds=5)
        line.call()  # the next one would wait ten seconds
        assert refusal(line.call) == (429, 20429)


def test_more_calls_at_once_than_allowed_are_refused_until_one_ends(line: Line) -> None:
    line.settings(concurrent_calls=2)
    line.order(ALICE, does="no_answer")
    first, _ = line.call(), line.call()
    assert refusal(line.call) == (429, 10004)
    line.client.calls(first.sid).update(status="canceled")
    line.until(lambda: line.status(first.sid) == "canceled", "one ends")
    assert line.call().status == "queued"


def test_a_subaccount_keeps_its_calls_to_itself_and_signs_with_its_own_token(line: Line) -> None:
    made = line.client.api.v2010.accounts.create(friendly_name="Sucursal")
    assert made.owner_account_sid == line.client.username
    own = as_another(line, made.sid, made.auth_token)
    line.order(ALICE, does="busy")
    call = own.calls.create(to=ALICE, from_=VOICE, url=line.product.url + "/answer",
                            status_callback=line.product.url + "/status")  # fmt: skip
    line.until(lambda: line.product.badly_signed == 1, "the product only knows the other token")
    (posted,) = (one for one in line.get("/control/callbacks") if one["form"]["CallSid"] == call.sid)
    assert posted["form"]["AccountSid"] == made.sid
    assert line.client.calls.list(to=ALICE) == []
    above = as_another(line, line.client.username, line.client.password, account_sid=made.sid)
    assert [one.sid for one in above.calls.list()] == [call.sid]
    line.client.api.v2010.accounts(made.sid).update(status="suspended")
    assert refusal(lambda: own.calls(call.sid).fetch()) == (401, 20005)


def test_during_a_change_both_tokens_are_good_and_after_it_only_the_new_one(line: Line) -> None:
    sid, renewed = line.client.username, "the-new-token"
    line.post("/control/token", {"secondary": renewed})
    both = [as_another(line, sid, token) for token in (AUTH_TOKEN, renewed)]
    assert [client.balance.fetch().currency for client in both] == ["USD", "USD"]
    line.post("/control/token", {"promote": True})
    assert refusal(both[0].balance.fetch) == (401, 20003)
    line.order(ALICE, does="busy")
    both[1].calls.create(to=ALICE, from_=VOICE, url="http://127.0.0.1:9/", status_callback=line.product.url + "/s")
    line.until(lambda: line.product.badly_signed == 1, "the callback is signed with the new one")
    (posted,) = line.get("/control/callbacks")
    signed = RequestValidator(renewed).compute_signature(posted["url"], posted["form"])
    assert signed != RequestValidator(AUTH_TOKEN).compute_signature(posted["url"], posted["form"])
    assert posted["status"] == 403
    again = requests.post(line.url + "/control/token", json={"promote": True}, timeout=5)
    assert (again.status_code, "no secondary" in again.text) == (422, True)


@pytest.mark.parametrize(
    ("to", "sender", "code"),
    [("+15005550001", MAGIC, 21217), ("+15005550002", MAGIC, 21214), ("+15005550003", MAGIC, 21215),
     ("+15005550004", MAGIC, 21216), (ALICE, VOICE, 21210)],
)  # fmt: skip
def test_the_test_credentials_know_the_magic_numbers(line: Line, to: str, sender: str, code: int) -> None:
    tester = as_another(line, TEST_SID, TEST_TOKEN)
    assert refusal(lambda: tester.calls.create(to=to, from_=sender, url="http://127.0.0.1:9/"))[1] == code


def test_with_the_test_credentials_nobody_is_called(line: Line) -> None:
    tester = as_another(line, TEST_SID, TEST_TOKEN)
    assert tester.calls.create(to=ALICE, from_=MAGIC, url="http://127.0.0.1:9/").status == "queued"
    assert line.get("/control/calls") == []
    assert refusal(tester.balance.fetch) == (403, 20008)
