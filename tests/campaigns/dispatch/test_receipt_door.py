"""The short way in takes what is beyond doubt, and only that; the route answers all the rest in words."""

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from callcenter.base.group_commits import NotCommitted
from callcenter.base.settings import Settings
from campaigns import webhooks
from campaigns.channels import Receipt
from campaigns.dispatch import message_claims as claims
from campaigns.dispatch import receipt_commits
from campaigns.dispatch.message_claims import Outgoing
from tests.campaigns.cast import Campaign, Cast, message_of

FORM = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": "+529221110001", "Empty": ""}
Post = Callable[..., TestResponse]


@pytest.fixture
def sent(session: Session, cast: Cast, campaign: Campaign) -> Outgoing:
    """The message to Lupita, on its way."""
    claimed = claims.claim(session, campaign().id, 10)
    session.commit()
    return next(one for one in claimed if one.phone == cast.lupita.phone)


@pytest.fixture
def route_is_shut(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes through this test came by the short way."""
    monkeypatch.setitem(app.view_functions, "message_webhooks.receipt", webhooks.not_committed)


@pytest.fixture
def post(client: FlaskClient, settings: Settings) -> Post:
    def send(path: str, body: str, *, signed: dict[str, str] | None = None, **more: str) -> TestResponse:
        url = settings.public_url + path
        signature = RequestValidator(settings.twilio.auth_token).compute_signature(
            url, FORM if signed is None else signed
        )
        kind = more.get("content_type", "application/x-www-form-urlencoded; charset=UTF-8")
        return client.post(path, data=body, headers={"X-Twilio-Signature": signature, "Content-Type": kind})

    return send


def where(message: Outgoing) -> str:
    return f"/hooks/messages/receipt/{message.id}"


@pytest.mark.usefixtures("route_is_shut")
def test_a_plain_receipt_takes_the_short_way(session: Session, cast: Cast, sent: Outgoing, post: Post) -> None:
    assert post(where(sent), urlencode(FORM)).status_code == 204
    assert message_of(session, cast.lupita).state == "delivered"


@pytest.mark.usefixtures("route_is_shut")
def test_a_query_is_part_of_what_is_signed(session: Session, cast: Cast, sent: Outgoing, post: Post) -> None:
    assert post(where(sent) + "?from=us", urlencode(FORM)).status_code == 204


def test_a_forged_receipt_is_refused_in_words(session: Session, cast: Cast, sent: Outgoing, post: Post) -> None:
    refused = post(where(sent), urlencode(FORM), signed={"other": "form"})
    assert refused.status_code == 403
    assert "CONVOCA_PUBLIC_URL" in refused.text
    assert message_of(session, cast.lupita).state == "sending"


def test_an_unknown_message_is_not_found(cast: Cast, post: Post) -> None:
    path = "/hooks/messages/receipt/00000000-0000-4000-8000-000000000000"
    assert post(path, urlencode(FORM)).status_code == 404


def test_a_status_that_is_new_to_us_is_kept_by_the_route(
    session: Session, cast: Cast, sent: Outgoing, post: Post
) -> None:
    form = FORM | {"MessageStatus": "teleported"}
    assert post(where(sent), urlencode(form), signed=form).status_code == 204
    assert message_of(session, cast.lupita).state == "sending"


def test_a_form_without_a_status_is_said_to_be_incomplete(cast: Cast, sent: Outgoing, post: Post) -> None:
    form = {"MessageSid": "SM1"}
    assert post(where(sent), urlencode(form), signed=form).status_code == 422


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_what_is_no_form_goes_the_long_way(cast: Cast, sent: Outgoing, post: Post, kind: str) -> None:
    assert post(where(sent), urlencode(FORM), content_type=kind).status_code in (400, 403, 422)


def test_a_body_that_is_no_text_does_no_harm(cast: Cast, sent: Outgoing, client: FlaskClient) -> None:
    answer = client.post(where(sent), data=b"\xff\xfe=%zz", content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 403


def test_a_look_at_the_address_is_no_receipt(cast: Cast, sent: Outgoing, client: FlaskClient) -> None:
    assert client.get(where(sent)).status_code in (404, 405)


@pytest.mark.parametrize("status", ["delivered", "teleported"])  # by the short way and by the route
def test_without_postgresql_nothing_is_called_received(
    cast: Cast, sent: Outgoing, post: Post, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    def away(*_: object) -> bool:
        raise NotCommitted

    monkeypatch.setattr(receipt_commits, "commit", away)
    form = FORM | {"MessageStatus": status}
    assert post(where(sent), urlencode(form), signed=form).status_code == 503


def test_the_same_receipt_a_hundred_times_is_one(
    session: Session, cast: Cast, sent: Outgoing, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Receipt] = []
    real = receipt_commits.commit

    def commit(message_id: UUID, said: Receipt) -> bool:
        heard.append(said)
        return real(message_id, said)

    monkeypatch.setattr(receipt_commits, "commit", commit)
    assert {post(where(sent), urlencode(FORM)).status_code for _ in range(100)} == {204}
    assert len(heard) == 100
    assert message_of(session, cast.lupita).state == "delivered"
