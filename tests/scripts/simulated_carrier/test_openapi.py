"""What the carrier answers, held against Twilio's published OpenAPI documents.

CONVOCA_TWILIO_OPENAPI names a copy of the first (2010-04-01); those of Content and Messaging lie beside it."""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests

from scripts.simulated_carrier.senders import SERVICE
from tests.scripts.simulated_carrier.line import ALICE, OPERATOR, SMS, Line
from tests.scripts.simulated_carrier.test_texts import MOBILE
from tests.scripts.simulated_carrier.test_whatsapp import QUICK

DOCUMENT = os.environ.get("CONVOCA_TWILIO_OPENAPI")
pytestmark = pytest.mark.skipif(DOCUMENT is None, reason="CONVOCA_TWILIO_OPENAPI names no copy of the document")
TYPES = {"string": str, "boolean": bool, "object": dict, "integer": int, "array": list}
FILES = {"api.v2010.account.": "v2010", "content.v1.": "content_v1", "messaging.v1.": "messaging_v1"}


@cache
def schemas(document: str) -> dict[str, Any]:
    assert DOCUMENT is not None
    first = Path(DOCUMENT)
    path = first if document == "v2010" else first.with_name(f"twilio_{document}.json")
    return dict(json.loads(path.read_text())["components"]["schemas"])


def faults(name: str, body: dict[str, Any]) -> list[str]:
    """Where `body` is not what the schema says."""
    known = schemas(next(document for prefix, document in FILES.items() if name.startswith(prefix)))
    properties = known[name]["properties"]
    found = [f"{key} is unknown" for key in body.keys() - properties.keys()]
    for key, rule in properties.items():
        if key not in body:
            found.append(f"{key} is missing")
        elif "$ref" in rule:
            allowed = known[rule["$ref"].rpartition("/")[2]]["enum"]
            if body[key] is not None and body[key] not in allowed:
                found.append(f"{key} is {body[key]!r}")
        elif body[key] is None:
            if not rule.get("nullable"):
                found.append(f"{key} is null")
        elif not isinstance(body[key], TYPES[rule["type"]]) or not re.match(rule.get("pattern", ""), str(body[key])):
            found.append(f"{key} is {body[key]!r}")
    return found


def get(line: Line, path: str) -> Any:
    who = (line.client.username, line.client.password)
    return requests.get(line.url + path, auth=who, timeout=5).json()


def test_every_resource_of_calls_and_messages_has_the_published_shape(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = "<Response><Dial><Conference>op-17</Conference></Dial></Response>"
    operator = line.call(OPERATOR)
    line.until(line.client.conferences.list, "the room opens")
    line.client.messages.create(to=MOBILE, from_=SMS, body="Hola")
    root, name = f"/2010-04-01/Accounts/{line.client.username}", "api.v2010.account."
    conference = get(line, f"{root}/Conferences.json")["conferences"][0]
    assert faults(name + "call", get(line, f"{root}/Calls/{operator.sid}.json")) == []
    assert faults(name + "conference", conference) == []
    assert faults(name + "message", get(line, f"{root}/Messages.json")["messages"][0]) == []
    people = get(line, f"{root}/Conferences/{conference['sid']}/Participants.json")["participants"]
    assert faults(name + "conference.participant", people[0]) == []


def test_a_message_of_a_service_and_one_of_whatsapp_have_the_published_shape(line: Line) -> None:
    line.client.messages.create(to=MOBILE, messaging_service_sid=SERVICE, body="Hola")
    line.client.messages.create(to=f"whatsapp:{MOBILE}", from_=f"whatsapp:{SMS}", content_sid=QUICK)
    line.post("/control/whatsapp", {"from": MOBILE, "body": "Hola", "media": True})
    listed = get(line, f"/2010-04-01/Accounts/{line.client.username}/Messages.json")["messages"]
    assert [faults("api.v2010.account.message", message) for message in listed] == [[], [], []]
    assert {message["direction"] for message in listed} == {"inbound", "outbound-api"}


def test_templates_have_the_published_shape(line: Line) -> None:
    listed = get(line, "/v1/Content")
    assert faults("content.v1.content", listed["contents"][0]) == []
    assert faults("content.v1.content_and_approvals", get(line, "/v1/ContentAndApprovals")["contents"][1]) == []
    assert faults("content.v1.content.approval_fetch", get(line, f"/v1/Content/{QUICK}/ApprovalRequests")) == []
    who, asked = (line.client.username, line.client.password), {"name": "nueva", "category": "UTILITY"}
    answer = requests.post(f"{line.url}/v1/Content/{QUICK}/ApprovalRequests/whatsapp", json=asked, auth=who, timeout=5)
    assert faults("content.v1.content.approval_create", answer.json()) == []
    pages = {"first_page_url", "key", "next_page_url", "page", "page_size", "previous_page_url", "url"}
    assert listed["meta"].keys() == pages


def test_services_and_their_pools_have_the_published_shape(line: Line) -> None:
    service = line.client.messaging.v1.services(SERVICE)
    service.alpha_senders.create(alpha_sender="CONVOCA")
    line.exchange.texts.senders.services[SERVICE].senders += ["26262", f"whatsapp:{SMS}"]
    root = f"/v1/Services/{SERVICE}"
    assert faults("messaging.v1.service", get(line, root)) == []
    for pool, key, name in (
        ("PhoneNumbers", "phone_numbers", "phone_number"),
        ("AlphaSenders", "alpha_senders", "alpha_sender"),
        ("ShortCodes", "short_codes", "short_code"),
        ("ChannelSenders", "senders", "channel_sender"),
    ):
        found = get(line, f"{root}/{pool}")[key]
        assert found, pool
        assert faults(f"messaging.v1.service.{name}", found[0]) == []
