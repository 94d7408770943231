"""The judge itself, with a small document in which every rule stands once."""

from typing import Any

import pytest

from scripts.bench.openapi import Documents, Exchange, Unknown, is_described, judge, refusal_faults

ACCOUNT = "/2010-04-01/Accounts/AC1"
SID = {"type": "string", "pattern": "^CA[0-9]$", "minLength": 3, "maxLength": 3, "nullable": True}
SCHEMAS: dict[str, Any] = {
    "status": {"type": "string", "enum": ["queued", "busy"]},
    "call": {"type": "object", "properties": {
        "sid": SID, "status": {"$ref": "#/components/schemas/status"}, "tags": {"type": "array", "items": SID},
        "at": {"type": "string", "format": "date-time-rfc-2822", "nullable": True}, "muted": {"type": "boolean"},
        "page": {"type": "integer"}}},
}  # fmt: skip
ASKED = {"type": "object", "required": ["To"], "properties": {
    "To": {"type": "string"}, "Timeout": {"type": "integer"}, "Record": {"type": "boolean"},
    "Method": {"type": "string", "format": "http-method", "enum": ["GET", "POST"]},
    "Event": {"type": "array", "items": {"type": "string"}}}}  # fmt: skip


def answer(status: int) -> dict[str, Any]:
    return {str(status): {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/call"}}}}}


DOCUMENT = {
    "components": {"schemas": SCHEMAS},
    "paths": {
        "/2010-04-01/Accounts/{AccountSid}/Calls.json": {
            "post": {"requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": ASKED}}},
                     "responses": answer(201)},
            "get": {"parameters": [{"name": "To", "in": "query", "schema": {"type": "string", "maxLength": 4}}],
                    "responses": answer(200)}},
        "/2010-04-01/Accounts/{AccountSid}/Calls/{Sid}.json": {"delete": {"responses": {"204": {}}}}},
}  # fmt: skip
CALL = {"sid": "CA1", "status": "queued", "tags": [], "at": "Sun, 22 Nov 2026 07:00:00 +0000", "muted": False,
        "page": 0}  # fmt: skip
DOCUMENTS = Documents([DOCUMENT])


def created(body: Any = CALL, status: int = 201, form: dict[str, list[str]] | None = None) -> list[str]:
    asked = {"To": ["+52"]} | (form or {})
    return DOCUMENTS.faults(Exchange("POST", f"{ACCOUNT}/Calls.json", status, body, form=asked))


def test_an_exchange_as_the_document_says_has_no_fault() -> None:
    assert created(form={"Timeout": ["25"], "Record": ["true"], "Event": ["initiated", "ringing"]}) == []
    assert DOCUMENTS.faults(Exchange("DELETE", f"{ACCOUNT}/Calls/CA1.json", 204)) == []
    assert created(CALL | {"sid": None, "at": None, "tags": ["CA1", "CA2"]}) == []
    assert created(CALL | {"status": None}) == []  # an enum that is referred to


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"Timeout": ["soon"]}, "Timeout is 'soon', no integer"),
        ({"Record": ["1"]}, "Record is '1', no boolean"),
        ({"Method": ["PUT"]}, "Method is 'PUT', none of GET, POST"),
        ({"Whatever": ["1"]}, "Whatever is unknown"),
        ({"To": ["+52", "+53"]}, "To is said 2 times"),
    ],
)
def test_a_request_that_the_document_does_not_allow_is_named(form: dict[str, list[str]], fault: str) -> None:
    (found,) = created(form=form)
    assert found.endswith(fault)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"sid": "CAx"}, "answer.sid is 'CAx', not ^CA[0-9]$"),
        ({"status": "odd"}, "answer.status is 'odd', none of queued, busy"),
        ({"muted": None}, "answer.muted is null"),
        ({"tags": ["CA1", 5]}, "answer.tags[1] is 5"),
        ({"at": "yesterday"}, "answer.at is 'yesterday', no date-time-rfc-2822"),
        ({"muted": "false"}, "answer.muted is 'false'"),
        ({"page": True}, "answer.page is True"),
        ({"more": 1}, "answer.more is unknown"),
    ],
)
def test_an_answer_that_the_document_does_not_know_is_named(change: dict[str, Any], fault: str) -> None:
    (found,) = created(CALL | change)
    assert found == f"POST {ACCOUNT}/Calls.json: {fault}"


def test_what_is_missing_is_named_on_both_sides() -> None:
    without = {key: value for key, value in CALL.items() if key != "sid"}
    found = DOCUMENTS.faults(Exchange("POST", f"{ACCOUNT}/Calls.json", 201, without))
    assert [fault.rpartition(": ")[2] for fault in found] == ["field To is missing", "answer.sid is missing"]


def test_another_status_than_the_documented_one_is_a_fault() -> None:
    assert created(status=200) == [f"POST {ACCOUNT}/Calls.json: HTTP 200, known are 201"]


def test_a_query_is_judged_and_paging_is_always_allowed() -> None:
    def listed(**query: list[str]) -> list[str]:
        return DOCUMENTS.faults(Exchange("GET", f"{ACCOUNT}/Calls.json", 200, CALL, query=query))

    assert listed(To=["+52"], PageSize=["20"], Page=["1"]) == []
    assert listed(To=["+52123"])[0].endswith("parameter To has 6 characters")
    assert listed(Colour=["red"])[0].endswith("parameter Colour is unknown")


def test_of_a_refusal_the_request_may_be_anything_and_the_body_must_be_twilios() -> None:
    body = {"code": 21211, "message": "Invalid", "more_info": "https://www.twilio.com/docs/errors/21211", "status": 400}
    assert created(body, 400, {"Timeout": ["soon"]}) == []
    assert list(refusal_faults(400, body | {"status": 404, "hint": "x"})) == [
        "status is 404 in an answer of HTTP 400", "hint is unknown"
    ]  # fmt: skip
    assert list(refusal_faults(500, "<html>")) == ["'<html>' is no object"]


def test_what_no_document_knows_is_said_and_what_none_need_know_is_left_out() -> None:
    with pytest.raises(Unknown):
        DOCUMENTS.faults(Exchange("GET", f"{ACCOUNT}/Nothing.json", 200))
    media = Exchange("GET", f"{ACCOUNT}/Recordings/RE1.wav", 200)
    odd = Exchange("GET", f"{ACCOUNT}/Nothing.json", 200)
    assert (is_described(media.path), is_described("/v1/DialingPermissions/Countries")) == (False, False)
    assert judge(DOCUMENTS, [media, odd]) == (1, [f"GET {ACCOUNT}/Nothing.json: no document knows it"])
