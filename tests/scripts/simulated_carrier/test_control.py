"""The control page and its orders: what a person sees, and what a test is told of people and requests."""

from typing import Any

import pytest
import requests

from scripts.simulated_carrier.options import Options
from tests.scripts.simulated_carrier.line import ALICE, OPERATOR, Line, running

WAIT = "<Response><Say>Espere.</Say><Pause length='3000'/></Response>"


def test_the_page_shows_calls_and_loads_nothing_from_elsewhere(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = WAIT
    call = line.call()
    line.until(lambda: line.status(call.sid) == "in-progress", "the call is answered")
    page = requests.get(line.url + "/", timeout=5)
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
    assert "http://" not in page.text
    assert 'data-order="/control/call-in"' in page.text
    assert "/control/page" in requests.get(line.url + "/control/page.js", timeout=5).text
    part = requests.get(line.url + "/control/page", timeout=5).text
    assert f'data-hang-up="{call.sid}"' in part
    assert "Espere." in part


def test_what_people_are_called_is_never_read_as_markup(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = "<Response><Say>&lt;script&gt;</Say><Pause length='3000'/></Response>"
    call = line.call()
    line.until(lambda: line.exchange.legs[call.sid].heard, "it is said")
    assert "<script>" not in requests.get(line.url + "/control/page", timeout=5).text


@pytest.mark.parametrize("path", ["hang-up", "press", "speak", "call-in", "token", "numbers/+529220100001"])
def test_orders_are_json_only_which_no_page_of_another_site_can_send(line: Line, path: str) -> None:
    assert requests.post(f"{line.url}/control/{path}", data={"phone": ALICE}, timeout=5).status_code == 415


@pytest.mark.parametrize(
    ("path", "order", "sentence"),
    [
        ("numbers/12", {"does": "busy"}, "is not a phone"),
        ("numbers/+529220100001", {"does": "sleep"}, "does must be one of"),
        ("numbers/+529220100001", {"does": "answer", "digits": "1x"}, "digits are keys"),
        ("numbers/+529220100001", {"does": "answer", "answered_by": "cat"}, "answered_by is one of"),
        ("press", {"phone": "nobody"}, "is not a phone"),
        ("speak", {"phone": ALICE, "seconds": 0}, "above 0"),
        ("speak", {"phone": ALICE, "seconds": "long"}, "above 0"),
        ("settings", {"countries_off": "Mexico"}, "may be countries"),
        ("settings", {"lost_events": "completed joy"}, "initiated, ringing, answered, completed"),
        ("settings", {"amd_wrong_share": 2}, "cannot be"),
        ("settings", {"balance": None}, "must be a number"),
        ("token", {}, "say secondary"),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_a_sentence(
    line: Line, path: str, order: dict[str, Any], sentence: str
) -> None:
    answer = requests.post(f"{line.url}/control/{path}", json=order, timeout=5)
    assert (answer.status_code, sentence in answer.text) == (422, True)


def test_wrong_keys_on_the_line_are_refused(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = WAIT
    call = line.call()
    line.until(lambda: line.status(call.sid) == "in-progress", "the call is answered")
    answer = requests.post(line.url + "/control/press", json={"phone": ALICE, "digits": "7é"}, timeout=5)
    assert (answer.status_code, "there are 0-9" in answer.text) == (422, True)
    assert line.post("/control/press", {"sid": "CA0", "digits": "7"}) == {"pressed": 0}


def test_requests_and_callbacks_are_kept_to_be_looked_at(line: Line) -> None:
    line.order(ALICE, does="busy")
    call = line.call()
    line.until(lambda: line.product.of("/status")[-1:] == ["busy"], "the last callback")
    (asked,) = [one for one in line.get("/control/exchanges") if one["method"] == "POST"]
    assert (asked["status"], asked["form"]["To"], asked["body"]["sid"]) == (201, [ALICE], call.sid)
    assert line.get(f"/control/exchanges?after={asked['n']}") == []
    line.until(lambda: {one["status"] for one in line.get("/control/callbacks")} == {204}, "all are answered")
    told = line.get("/control/callbacks")
    assert {one["form"]["CallStatus"] for one in told} == {"initiated", "ringing", "busy"}
    assert line.get(f"/control/callbacks?after={told[-1]['n']}") == []


def test_an_operators_browser_can_be_told_not_to_answer(line: Line) -> None:
    line.order(OPERATOR, does="no_answer")
    call = line.call(OPERATOR, timeout=5)
    line.until(lambda: line.status(call.sid) == "no-answer", "nobody takes it")


def test_an_hour_of_calling_takes_as_long_as_the_speed_says() -> None:
    with running(None, Options(speed=3600, calls_per_second=0)) as line:
        line.order(ALICE, does="answer", stay_seconds=3600, ring_seconds=0)
        line.product.pages["/answer"] = "<Response><Pause length='9000'/></Response>"
        call = line.call()
        line.until(lambda: line.status(call.sid) == "completed", "an hour passes in a second", 20)
        assert int(line.client.calls(call.sid).fetch().duration) >= 3600
