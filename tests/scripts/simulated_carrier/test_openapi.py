"""What the carrier answers, held against Twilio's published OpenAPI documents.

CONVOCA_TWILIO_OPENAPI names their folder. Every other test of a line holds its own exchanges against them as well
(`Witness.judged`); here each resource that the product uses is asked for once, so that none is left out."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from scripts.bench import openapi
from scripts.simulated_carrier.senders import SERVICE
from tests.scripts.simulated_carrier.line import ALICE, OPERATOR, SMS, Line
from tests.scripts.simulated_carrier.test_texts import MOBILE
from tests.scripts.simulated_carrier.test_whatsapp import QUICK

pytestmark = pytest.mark.skipif(
    openapi.folder() is None, reason=f"{openapi.VARIABLE} names no copy of Twilio's documents"
)


OURS = ("/Calls", "/Conferences", "/Recordings", "/IncomingPhoneNumbers", "/Messages", "/Balance", "/v1/Content")


def examples() -> Iterator[tuple[str, Any, Any, Any]]:
    """Those that Twilio's documents hold themselves, of resources that we use: name, document, schema, value."""
    where = openapi.folder()
    assert where is not None
    for name in openapi.FILES:
        document = json.loads((where / name).read_text())
        for path, operations in document["paths"].items():
            for answer in [each for one in operations.values() if isinstance(one, dict) and "responses" in one
                           for each in one["responses"].values()]:  # fmt: skip
                told = answer.get("content", {}).get("application/json", {})
                if any(part in path for part in OURS):
                    for title, example in told.get("examples", {}).items():
                        yield f"{path} {title}", document, told["schema"], example["value"]


def test_the_judge_finds_nothing_wrong_in_what_twilio_itself_gives_as_examples() -> None:
    found = [
        fault
        for name, document, schema, value in examples()
        for fault in openapi.Check(document).value(name, schema, value)
        if not fault.endswith("is missing")  # some are shortened
    ]
    assert found == []
    assert len(list(examples())) > 50


def get(line: Line, path: str) -> Any:
    who = (line.client.username, line.client.password)
    return requests.get(line.url + path, auth=who, timeout=5).json()


def test_calls_and_conferences_have_the_published_shape(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = "<Response><Dial><Conference>op-17</Conference></Dial></Response>"
    operator = line.call(OPERATOR)
    line.until(line.client.conferences.list, "the room opens")
    citizen = line.call(ALICE)
    (room,) = line.client.conferences.list(friendly_name="op-17", status="in-progress")
    line.until(lambda: len(room.participants.list()) == 2, "both are in the room")
    line.client.conferences(room.sid).fetch()
    line.client.conferences(room.sid).participants(citizen.sid).fetch()
    line.client.conferences(room.sid).participants(citizen.sid).update(hold=True)
    line.client.calls(citizen.sid).update(status="completed")
    line.until(lambda: line.status(citizen.sid) == "completed", "the citizen is gone")
    line.client.calls.list(to=ALICE, limit=20)
    line.client.conferences(room.sid).update(status="completed")
    line.until(lambda: line.status(operator.sid) == "completed", "the operator is gone")
    assert line.witness.judged() >= 10


def test_a_message_of_a_number_of_a_service_and_of_whatsapp_have_the_published_shape(line: Line) -> None:
    line.client.messages.create(to=MOBILE, from_=SMS, body="Hola")
    line.client.messages.create(to=MOBILE, messaging_service_sid=SERVICE, body="Hola")
    line.client.messages.create(to=f"whatsapp:{MOBILE}", from_=f"whatsapp:{SMS}", content_sid=QUICK)
    line.post("/control/whatsapp", {"from": MOBILE, "body": "Hola", "media": True})
    listed = line.client.messages.list(limit=20)
    assert {message.direction for message in listed} == {"inbound", "outbound-api"}
    assert line.witness.judged() == 4


def test_templates_have_the_published_shape(line: Line) -> None:
    listed = get(line, "/v1/Content")
    get(line, "/v1/ContentAndApprovals")
    get(line, f"/v1/Content/{QUICK}/ApprovalRequests")
    who, asked = (line.client.username, line.client.password), {"name": "nueva", "category": "UTILITY"}
    requests.post(f"{line.url}/v1/Content/{QUICK}/ApprovalRequests/whatsapp", json=asked, auth=who, timeout=5)
    pages = {"first_page_url", "key", "next_page_url", "page", "page_size", "previous_page_url", "url"}
    assert listed["meta"].keys() == pages
    assert line.witness.judged() == 4


def test_services_and_their_pools_have_the_published_shape(line: Line) -> None:
    service = line.client.messaging.v1.services(SERVICE)
    service.alpha_senders.create(alpha_sender="CONVOCA")
    line.exchange.texts.senders.services[SERVICE].senders += ["26262", f"whatsapp:{SMS}"]
    get(line, f"/v1/Services/{SERVICE}")
    for pool, key in (
        ("PhoneNumbers", "phone_numbers"), ("AlphaSenders", "alpha_senders"), ("ShortCodes", "short_codes"),
        ("ChannelSenders", "senders"),
    ):  # fmt: skip
        assert get(line, f"/v1/Services/{SERVICE}/{pool}")[key], pool
    assert line.witness.judged() == 6


def test_an_error_has_the_documented_shape(line: Line) -> None:
    for path in ("Calls/CA" + "0" * 32 + ".json", "Conferences/CF" + "0" * 32 + ".json"):
        assert get(line, f"/2010-04-01/Accounts/{line.client.username}/{path}")["code"] == 20404
    line.settings(credentials="revoked")
    assert get(line, f"/2010-04-01/Accounts/{line.client.username}/Calls.json")["code"] == 20003
    assert line.witness.judged() == 3
