"""What the carrier answers, held against Twilio's published OpenAPI document (named by CONVOCA_TWILIO_OPENAPI)."""

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.scripts.simulated_carrier.line import ALICE, OPERATOR, SMS, Line
from tests.scripts.simulated_carrier.test_texts import MOBILE

DOCUMENT = os.environ.get("CONVOCA_TWILIO_OPENAPI")
pytestmark = pytest.mark.skipif(DOCUMENT is None, reason="CONVOCA_TWILIO_OPENAPI names no copy of the document")
TYPES = {"string": str, "boolean": bool, "object": dict, "integer": int}


@cache
def schemas() -> dict[str, Any]:
    assert DOCUMENT is not None
    return dict(json.loads(Path(DOCUMENT).read_text())["components"]["schemas"])


def faults(name: str, body: dict[str, Any]) -> list[str]:
    """Where `body` is not what the schema says."""
    properties = schemas()[f"api.v2010.account.{name}"]["properties"]
    found = [f"{key} is unknown" for key in body.keys() - properties.keys()]
    for key, rule in properties.items():
        if key not in body:
            found.append(f"{key} is missing")
        elif "$ref" in rule:
            allowed = schemas()[rule["$ref"].rpartition("/")[2]]["enum"]
            if body[key] is not None and body[key] not in allowed:
                found.append(f"{key} is {body[key]!r}")
        elif body[key] is None:
            if not rule.get("nullable"):
                found.append(f"{key} is null")
        elif not isinstance(body[key], TYPES[rule["type"]]) or not re.match(rule.get("pattern", ""), str(body[key])):
            found.append(f"{key} is {body[key]!r}")
    return found


def test_every_resource_has_the_published_shape(line: Line) -> None:
    line.order(ALICE, does="answer")
    line.product.pages["/answer"] = "<Response><Dial><Conference>op-17</Conference></Dial></Response>"
    operator = line.call(OPERATOR)
    line.until(line.client.conferences.list, "the room opens")
    line.client.messages.create(to=MOBILE, from_=SMS, body="Hola")
    root = f"{line.url}/2010-04-01/Accounts/{line.client.username}"

    def get(path: str) -> Any:
        return requests.get(root + path, auth=(line.client.username, line.client.password), timeout=5).json()

    conference = get("/Conferences.json")["conferences"][0]
    assert faults("call", get(f"/Calls/{operator.sid}.json")) == []
    assert faults("conference", conference) == []
    assert faults("message", get("/Messages.json")["messages"][0]) == []
    people = get(f"/Conferences/{conference['sid']}/Participants.json")["participants"]
    assert faults("conference.participant", people[0]) == []
