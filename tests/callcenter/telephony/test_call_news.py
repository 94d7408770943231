"""What Twilio says of calls comes in by a short way, in groups; the route answers all that is not beyond doubt."""

from collections.abc import Callable
from email.utils import format_datetime
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from callcenter.base.clock import real_now
from callcenter.base.settings import Settings
from callcenter.calls import CallEvent, Event
from callcenter.telephony import call_news
from callcenter.telephony.call_news import PATH
from tests.callcenter import cast

Post = Callable[..., TestResponse]


@pytest.fixture
def call_id(session: Session) -> UUID:
    made = cast.rung(session, cast.queue(session, cast.person(session)))
    session.commit()
    return made


@pytest.fixture
def post(client: FlaskClient, settings: Settings) -> Post:
    def send(path: str, signature: str | None = None, **said: str) -> TestResponse:
        form = {"CallSid": "CA1", "CallStatus": "busy"} | said
        right = RequestValidator(settings.twilio.auth_token).compute_signature(settings.public_url + path, form)
        headers = {"X-Twilio-Signature": signature or right}
        return client.post(
            path, data=urlencode(form), headers=headers, content_type="application/x-www-form-urlencoded"
        )

    return send


@pytest.fixture
def route_is_shut(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes through came by the short way."""
    monkeypatch.setitem(app.view_functions, "voice_webhooks.status", lambda **_: ("shut", 500))


def said(kind: str, key: str | None = None) -> Event:
    return Event(kind, key or f"status:CA1:{kind}", {"CallStatus": kind}, "CA1")


@pytest.mark.usefixtures("route_is_shut")
def test_news_of_a_call_of_ours_take_the_short_way(session: Session, call_id: UUID, post: Post) -> None:
    assert post(f"{PATH}{call_id}").status_code == 204
    assert cast.call(session, call_id).attempt.outcome == "busy"


@pytest.mark.usefixtures("route_is_shut")
def test_the_same_news_ten_times_are_one(session: Session, call_id: UUID, post: Post) -> None:
    assert {post(f"{PATH}{call_id}").status_code for _ in range(10)} == {204}
    kept = select(func.count()).where(CallEvent.call_id == call_id, CallEvent.kind == "busy")
    assert session.scalar(kept) == 1


def test_a_forged_word_is_refused_in_words(session: Session, call_id: UUID, post: Post) -> None:
    refused = post(f"{PATH}{call_id}", signature="bm9uZQ==")
    assert refused.status_code == 403
    assert "CONVOCA_PUBLIC_URL" in refused.text
    assert cast.call(session, call_id).state == "ringing"


def test_an_old_word_is_refused_although_its_signature_fits(session: Session, call_id: UUID, post: Post) -> None:
    long_ago = format_datetime(real_now().replace(year=2020))
    assert post(f"{PATH}{call_id}", Timestamp=long_ago).status_code == 403
    assert cast.call(session, call_id).state == "ringing"


def test_a_call_that_is_not_ours_is_not_found(post: Post, session: Session) -> None:
    assert post(f"{PATH}{uuid4()}").status_code == 404


def test_a_status_that_nobody_knows_is_answered_with_the_known_ones(call_id: UUID, post: Post) -> None:
    answer = post(f"{PATH}{call_id}", CallStatus="teleported")
    assert answer.status_code == 422
    assert "ringing" in answer.text


def test_a_group_may_hold_several_words_of_one_call_and_a_stranger(session: Session, call_id: UUID) -> None:
    stranger = uuid4()
    group = [(call_id, said("busy")), (stranger, said("busy")), (call_id, said("busy")), (call_id, said("hung_up"))]
    assert call_news.record(session, group) == [True, False, True, True]
    call = cast.call(session, call_id)
    assert (call.state, call.attempt.outcome) == ("ended", "busy")
    kinds = select(CallEvent.kind).where(CallEvent.call_id == call_id, CallEvent.key.like("status:%"))
    assert session.scalars(kinds.order_by(CallEvent.id)).all() == ["busy", "hung_up"]
    assert cast.entry(session, call_id).attempts == 1


def test_each_call_of_a_group_goes_its_own_way(session: Session) -> None:
    queue = cast.queue(session, *(cast.person(session) for _ in range(4)))
    rung = [cast.rung(session, queue) for _ in range(4)]
    ends = ["busy", "no_answer", "failed", "invalid_number"]
    assert all(call_news.record(session, [(call_id, said(kind)) for call_id, kind in zip(rung, ends, strict=True)]))
    assert [cast.call(session, call_id).attempt.outcome for call_id in rung] == ends
