"""The adapter against the bytes of Twilio's interface; the whole protocol runs against scripts.simulated_carrier."""

import json
import logging
import socket
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ReadTimeout
from twilio.http.response import Response
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Twilio
from callcenter.carriers import BadNumber, Dial, Trace
from callcenter.carriers.twilio.carrier import TwilioCarrier

CALL = UUID("6f1d0f4e-1111-4222-8333-444455556666")
DIAL = Dial(CALL, "+529221234567", "+525512340000", 25)
ACCOUNT = Twilio("AC" + "5" * 32, "token", "http://127.0.0.1:9")
FOUND = {"sid": "CA7", "status": "ringing", "to": DIAL.phone, "from": DIAL.caller_id}


class Wire:
    """Answers each request with the next of `answers`: (status, body), or an exception to raise."""

    def __init__(self, *answers: tuple[int, Any] | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[tuple[str, str, dict[str, Any]]] = []

    def request(self, method: str, url: str, **rest: Any) -> Response:
        self.requests.append((method, url, rest.get("data") or rest.get("params") or {}))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return Response(status, body if isinstance(body, str) else json.dumps(body))


def carrier(*answers: tuple[int, Any] | Exception) -> tuple[TwilioCarrier, Wire]:
    made, wire = TwilioCarrier(ACCOUNT, public_url="https://convoca.example", simulated=True), Wire(*answers)
    made._client.http_client = wire
    return made, wire


def trace(ref: str | None) -> Trace:
    return Trace(CALL, ref, DIAL.phone, DIAL.caller_id, datetime(2026, 11, 20, 15, 0, 5, 400_000, tzinfo=UTC))


def test_a_call_carries_our_id_in_both_addresses_and_all_four_events() -> None:
    twilio, wire = carrier((201, FOUND))
    assert twilio.place(DIAL) == "CA7"
    method, url, data = wire.requests[0]
    assert (method, url) == ("POST", f"http://127.0.0.1:9/2010-04-01/Accounts/{ACCOUNT.account_sid}/Calls.json")
    assert data["Url"] == f"https://convoca.example/hooks/voice/answer/{CALL}"
    assert data["StatusCallback"] == f"https://convoca.example/hooks/voice/status/{CALL}"
    assert data["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert (data["To"], data["From"], data["Timeout"]) == (DIAL.phone, DIAL.caller_id, 25)


def test_a_call_that_nobody_keeps_asks_for_no_news() -> None:
    twilio, wire = carrier((201, FOUND))
    twilio.place(replace(DIAL, answered_by="recording", is_followed=False))
    data = wire.requests[0][2]
    assert data["Url"] == f"https://convoca.example/hooks/voice/survey/{CALL}"
    assert not [name for name in data if name.startswith("StatusCallback")]


REFUSED = NoConnection(MaxRetryError(None, "/", NewConnectionError(socket.socket, "refused")))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "permanent", "unknown", "code"),
    [
        ((429, {"code": 20429, "message": "too many"}), False, False, "20429"),
        (REFUSED, False, False, "no_connection"),
        (NoConnection(ProtocolError("Connection aborted.")), False, True, "cut_off"),
        (ReadTimeout(), False, True, "ReadTimeout"),
        ((500, "<html>"), False, True, "500"),
        ((503, {"code": 20503, "message": "down"}), False, True, "20503"),
        ((401, {"code": 20003, "message": "authenticate"}), True, False, "20003"),
        ((400, {"code": 21210, "message": "from"}), True, False, "21210"),
        ((201, "not json"), False, True, "unreadable"),
    ],
)
def test_each_failure_says_whether_it_may_be_tried_again(
    answer: tuple[int, Any] | Exception, permanent: bool, unknown: bool, code: str
) -> None:
    twilio, wire = carrier(answer)
    with pytest.raises(ProviderError) as caught:
        twilio.place(DIAL)
    assert not isinstance(caught.value, BadNumber)
    assert (caught.value.permanent, caught.value.unknown, caught.value.code) == (permanent, unknown, code)
    assert len(wire.requests) == 1  # never repeated by itself
    assert DIAL.phone not in str(caught.value)


def test_a_number_that_cannot_be_called_is_told_apart_from_a_refusal_of_us() -> None:
    twilio, _ = carrier((400, {"code": 21211, "message": "invalid To"}))
    with pytest.raises(BadNumber):
        twilio.place(DIAL)


@pytest.mark.parametrize("code", [21220, 20404])
def test_hanging_up_a_call_that_is_over_does_no_harm(code: int) -> None:
    twilio, _ = carrier((400 if code == 21220 else 404, {"code": code, "message": "over"}))
    twilio.hang_up("CA7")


def test_a_call_is_found_by_its_reference_or_is_not_there() -> None:
    twilio, _ = carrier((200, FOUND | {"status": "in-progress"}), (404, {"code": 20404, "message": "not found"}))
    known = twilio.find(trace("CA7"))
    assert known is not None
    assert (known.ref, known.event) == ("CA7", "answered")
    assert twilio.find(trace("CA8")) is None


def test_without_a_reference_the_call_is_found_by_phone_caller_and_time() -> None:
    def listed(sid: str, at: str, caller: str = DIAL.caller_id) -> dict[str, str]:
        return FOUND | {"sid": sid, "date_created": f"Fri, 20 Nov 2026 {at} +0000", "from": caller}

    calls = [listed("CA3", "15:00:09", "+520000000000"), listed("CA2", "15:00:05"), listed("CA1", "14:58:00")]
    twilio, wire = carrier((200, {"calls": calls, "page_size": 20}), (200, {"calls": calls[2:], "page_size": 20}))
    known = twilio.find(trace(None))
    assert known is not None
    assert known.ref == "CA2"
    _, url, params = wire.requests[0]
    assert (params.get("To") or parse_qs(urlsplit(url).query)["To"][0]) == DIAL.phone
    assert twilio.find(trace(None)) is None


@pytest.mark.parametrize(
    ("status", "body", "code", "is_open"),
    [(401, {"code": 20003, "message": "Authenticate"}, "20003", False), (429, {"code": 20429}, "20429", False),
     (503, "<html>", "503", True)],
)  # fmt: skip
def test_a_list_that_is_refused_fails_like_every_other_request(
    status: int, body: Any, code: str, is_open: bool
) -> None:
    twilio, _ = carrier((status, body))
    with pytest.raises(ProviderError) as refused:
        twilio.find(trace(None))
    assert (refused.value.code, refused.value.unknown) == (code, is_open)


def test_a_room_is_open_while_its_leg_is_in_progress() -> None:
    twilio, _ = carrier((200, FOUND | {"status": "in-progress"}), (200, FOUND | {"status": "completed"}))
    assert [twilio.is_room_open("CA7"), twilio.is_room_open("CA7")] == [True, False]


def test_no_phone_of_a_request_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.INFO, logger="twilio.http_client")
    made = TwilioCarrier(ACCOUNT, public_url="https://convoca.example", simulated=True)
    made._client.http_client.log_request(
        {"method": "GET", "url": "https://x", "params": {"To": DIAL.phone}, "data": {"To": DIAL.phone}, "headers": {}}
    )
    assert DIAL.phone not in caplog.text
