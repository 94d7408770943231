"""What a strategist does in the wizard of calling campaigns: begin, write every step, start."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from campaigns.telephoning.draft_steps import REVIEW, STEPS

WRITTEN = tuple(key for key in STEPS if key != REVIEW)


def begin(client: FlaskClient) -> int:
    """A draft; its number."""
    answer = client.get("/campaigns/calls/new")
    assert answer.status_code == 302, answer.text
    return int(answer.headers["Location"].split("/")[-2])


def write(client: FlaskClient, draft_id: int, form: dict[str, Any]) -> None:
    """Each step with the fields that are its own, right or wrong."""
    for key in WRITTEN:
        answer = client.post(f"/campaigns/calls/drafts/{draft_id}/{key}", data=form | {"go": REVIEW})
        assert answer.status_code == 302, answer.text


def next_of(client: FlaskClient, draft_id: int, key: str, form: dict[str, Any]) -> TestResponse:
    """«Save and go on» of one step: the page that it leads to, its own again when something is wrong."""
    answer = client.post(f"/campaigns/calls/drafts/{draft_id}/{key}", data=form | {"go": "next"})
    assert answer.status_code == 302, answer.text
    return client.get(answer.headers["Location"])


def page(client: FlaskClient, draft_id: int, key: str) -> str:
    answer = client.get(f"/campaigns/calls/drafts/{draft_id}/{key}")
    assert answer.status_code == 200, answer.text
    return answer.text


def start(client: FlaskClient, draft_id: int) -> TestResponse:
    return client.post(f"/campaigns/calls/drafts/{draft_id}/start")


def make(client: FlaskClient, form: dict[str, Any]) -> TestResponse:
    """From the beginning to the start; what the start answers."""
    draft_id = begin(client)
    write(client, draft_id, form)
    return start(client, draft_id)
