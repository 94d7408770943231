"""Whose webhooks are read: signed by the old or the new token, for our public address, at our time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator

from callcenter.base.clock import real_now
from callcenter.base.settings import Settings, read_settings
from callcenter.carriers.twilio import signature
from tests.callcenter import cast
from wsgi import create_app

OLD, NEW = "token-before-the-rotation", "token-after-the-rotation"


@pytest.fixture
def rotating(session: Session, settings: Settings) -> Iterator[FlaskClient]:
    """The product during a rotation, behind a proxy that calls it by another name."""
    twilio = replace(settings.twilio, auth_token=NEW, old_auth_token=OLD)
    with create_app(replace(settings, twilio=twilio)).test_client() as client:
        yield client


def post(client: FlaskClient, settings: Settings, path: str, token: str, **form: str) -> int:
    form = {"CallSid": "CA1"} | form
    good = RequestValidator(token).compute_signature(settings.public_url + path, form)
    headers = {"X-Twilio-Signature": good, "Host": "10.0.0.7:8000", "X-Forwarded-Proto": "http"}
    return client.post(path, data=form, headers=headers).status_code


def test_both_tokens_count_during_a_rotation_and_no_third(
    session: Session, settings: Settings, rotating: FlaskClient
) -> None:
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    session.commit()
    path = f"/hooks/voice/status/{call_id}"
    assert post(rotating, settings, path, "somebody-else", CallStatus="busy") == 403
    assert cast.call(session, call_id).state == "ringing"
    assert post(rotating, settings, path, OLD, CallStatus="ringing") == 204
    assert post(rotating, settings, path, NEW, CallStatus="busy") == 204
    assert cast.call(session, call_id).attempt.outcome == "busy"


def test_a_receipt_of_a_message_is_let_in_by_either_token_too(
    session: Session, settings: Settings, rotating: FlaskClient
) -> None:
    path = "/hooks/messages/receipt/6f1d0f4e-1111-4222-8333-444455556666"
    told = {"MessageSid": "SM1", "MessageStatus": "sent"}
    assert post(rotating, settings, path, "somebody-else", **told) == 403
    assert post(rotating, settings, path, OLD, **told) == post(rotating, settings, path, NEW, **told) != 403


def test_without_a_rotation_an_empty_token_opens_nothing(app: Flask, session: Session, settings: Settings) -> None:
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    session.commit()
    assert post(app.test_client(), settings, f"/hooks/voice/status/{call_id}", "", CallStatus="busy") == 403


def test_a_caught_callback_counts_for_an_hour_and_says_that_a_clock_may_be_wrong(
    app: Flask, session: Session, settings: Settings
) -> None:
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    session.commit()
    path, client = f"/hooks/voice/status/{call_id}", app.test_client()
    old = format_datetime(real_now() - timedelta(hours=1, minutes=1))
    assert post(client, settings, path, settings.twilio.auth_token, CallStatus="busy", Timestamp=old) == 403
    assert cast.call(session, call_id).state == "ringing"
    late = format_datetime(real_now() - timedelta(minutes=50))
    assert post(client, settings, path, settings.twilio.auth_token, CallStatus="busy", Timestamp=late) == 204
    assert cast.call(session, call_id).state == "ended"


@pytest.mark.parametrize("posted", ["status", "answer"])
def test_what_is_caught_and_sent_again_after_the_end_changes_nothing(
    app: Flask, session: Session, settings: Settings, posted: str
) -> None:
    cast.operator(session)
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    session.commit()
    client, token = app.test_client(), settings.twilio.auth_token
    post(client, settings, f"/hooks/voice/status/{call_id}", token, CallStatus="busy")
    before = (cast.call(session, call_id).state, cast.call(session, call_id).cause)
    for status in ("ringing", "in-progress", "completed", "failed"):
        assert post(client, settings, f"/hooks/voice/{posted}/{call_id}", token, CallStatus=status) in (200, 204)
    assert (cast.call(session, call_id).state, cast.call(session, call_id).cause) == before
    assert cast.call(session, call_id).operator_id is None


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "is_old"),
    [
        ("Sun, 22 Nov 2026 11:30:00 +0000", False),
        ("Sun, 22 Nov 2026 10:59:59 +0000", True),
        ("Sun, 22 Nov 2026 13:00:01 +0000", True),
        ("Sun, 22 Nov 2026 06:10:00 -0600", False),
        ("yesterday", False),
        ("", False),
    ],
)
def test_only_a_time_that_can_be_read_and_is_far_away_is_old(told: str, is_old: bool) -> None:
    assert signature.is_old({"Timestamp": told}, NOW) is is_old


def test_the_old_token_comes_from_the_environment_and_is_shown_nowhere(settings: Settings) -> None:
    read = read_settings({
        "DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url, "CONVOCA_CARRIER": "twilio",
        "CONVOCA_TWILIO_ACCOUNT_SID": "AC" + "1" * 32, "CONVOCA_TWILIO_AUTH_TOKEN": NEW,
        "CONVOCA_TWILIO_AUTH_TOKEN_OLD": OLD, "CONVOCA_SECRET_KEY": "s", "CONVOCA_SUPPRESSION_KEY": "s",
    })  # fmt: skip
    assert read.twilio.old_auth_token == OLD
    assert OLD not in repr(read)
