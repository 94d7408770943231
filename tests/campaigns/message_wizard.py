"""What a strategist does in the wizard of message campaigns: begin, write every step, look."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from campaigns.mailings.message_steps import STEPS
from campaigns.wizards.wizard_steps import REVIEW

WRITTEN = tuple(key for key in STEPS if key != REVIEW)
TEXT = "Hola {given_names}, Estudio Prueba le saluda. BAJA para no recibir"


def form(segment_id: int, **fields: str) -> dict[str, str]:
    """Everything that the steps ask for, right."""
    return {
        "name": "Aviso", "segment_id": str(segment_id), "purpose": "survey", "on_behalf_of": "Estudio Prueba",
        "channel": "sms", "text": TEXT, "sender": "+525512340001", "unit_price": "0.35", "way": "list",
        "urgency": "bulk",
    } | fields  # fmt: skip


def begin(client: FlaskClient) -> int:
    """A draft; its number."""
    answer = client.get("/campaigns/messages/new")
    assert answer.status_code == 302, answer.text
    return int(answer.headers["Location"].split("/")[-2])


def write(client: FlaskClient, draft_id: int, said: dict[str, Any]) -> TestResponse:
    """Each step with the fields that are its own, right or wrong, then the look; what that answers."""
    answer = None
    for place, key in enumerate(WRITTEN):
        last = place == len(WRITTEN) - 1
        go = REVIEW if last else WRITTEN[place + 1]
        answer = client.post(f"/campaigns/messages/drafts/{draft_id}/{key}", data=said | {"go": go})
        assert answer.status_code == 302, answer.text
    assert answer is not None
    return answer


def make(client: FlaskClient, said: dict[str, Any]) -> int:
    """From the beginning to the campaign's page; its number."""
    answer = write(client, begin(client), said)
    place = answer.headers["Location"]
    assert "/drafts/" not in place, client.get(place).text
    return int(place.rstrip("/").split("/")[-1])
