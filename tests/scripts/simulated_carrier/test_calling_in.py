"""People who ring our numbers."""

from typing import Any

import pytest
import requests

from tests.scripts.simulated_carrier.line import ALICE, SMS, VOICE, Line


def point(line: Line, **more: str) -> Any:
    """Our first number leads to the product."""
    (number,) = line.client.incoming_phone_numbers.list(phone_number=VOICE)
    return line.client.incoming_phone_numbers(number.sid).update(
        voice_url=line.product.url + "/called", status_callback=line.product.url + "/status", **more
    )


def call_in(line: Line, **order: Any) -> str:
    return str(line.post("/control/call-in", {"from": ALICE} | order)["sid"])


def test_who_rings_us_is_answered_by_our_twiml_and_presses_keys(line: Line) -> None:
    assert point(line).voice_url == line.product.url + "/called"
    line.product.pages["/called"] = (
        "<Response><Gather action='/pressed' numDigits='1'><Say language='es-MX'>¿Qué desea?</Say></Gather></Response>"
    )
    line.product.pages["/pressed"] = "<Response><Hangup/></Response>"
    sid = call_in(line, presses=["2"])
    line.until(lambda: line.product.of("/status") == ["completed"], "the call ends")
    (asked,) = (form for form in line.product.heard if form["path"] == "/called")
    assert (asked["From"], asked["To"], asked["Direction"], asked["CallStatus"]) == (ALICE, VOICE, "inbound", "ringing")
    assert asked["CallSid"] == sid
    assert line.product.of("/pressed", "Digits") == ["2"]
    assert line.product.of("/pressed") == ["in-progress"]
    assert [heard["language"] for heard in line.get(f"/control/calls/{sid}")["heard"]] == ["es-MX"]
    assert line.client.calls(sid).fetch().direction == "inbound"


def test_who_hides_their_number_comes_as_twilio_says_it(line: Line) -> None:
    point(line)
    line.product.pages["/called"] = "<Response><Reject/></Response>"
    sid = call_in(line, **{"from": "anonymous"})
    line.until(lambda: line.product.of("/called", "From") == ["+266696687"], "the call arrives")
    line.until(lambda: line.status(sid) == "busy", "it was rejected, and never answered")
    assert line.client.calls(sid).fetch().duration == "0"


def test_a_fallback_is_asked_when_our_page_fails(line: Line) -> None:
    point(line, voice_fallback_url=line.product.url + "/fallback")
    line.product.pages["/fallback"] = "<Response><Say>Lo sentimos.</Say></Response>"
    sid = call_in(line)  # /called has no page: an empty answer
    line.until(lambda: line.status(sid) == "completed", "the call ends")
    assert line.product.of("/fallback", "ErrorCode") == ["12100"]
    assert [heard["text"] for heard in line.get(f"/control/calls/{sid}")["heard"]] == ["Lo sentimos."]


def test_who_rings_meets_an_operator_in_a_room_and_hangs_up(line: Line) -> None:
    point(line)
    line.product.pages["/called"] = line.product.pages["/operator"] = (
        "<Response><Dial><Conference>op-7</Conference></Dial></Response>"
    )
    line.call("client:op-7", url=line.product.url + "/operator")
    sid = call_in(line)
    line.until(lambda: line.get(f"/control/calls/{sid}")["hears"] == ["client:op-7"], "they talk")
    line.post("/control/hang-up", {"phone": ALICE})
    line.until(lambda: line.status(sid) == "completed", "the call ends")
    assert line.get(f"/control/calls?phone={ALICE.replace('+', '%2B')}")[0]["hung_up_by"] == "citizen"


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ({"from": "12"}, "is not a phone"),
        ({"from": ALICE, "to": "+525500000000"}, "to must be one of"),
        ({"from": ALICE, "to": SMS}, "is pointed nowhere"),
        ({"from": ALICE, "to": VOICE, "presses": "1"}, "presses a list"),
        ({"from": ALICE, "to": VOICE, "presses": ["x"]}, "digits are keys"),
        ({"from": ALICE, "to": VOICE, "sings": True}, "unknown"),
        ({"from": ALICE, "to": VOICE, "says": "much"}, "numbers of seconds"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_a_sentence(
    line: Line, order: dict[str, Any], sentence: str
) -> None:
    point(line)
    answer = requests.post(line.url + "/control/call-in", json=order, timeout=5)
    assert (answer.status_code, sentence in answer.text) == (422, True)
