from collections.abc import Iterator
from threading import BoundedSemaphore
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator

from callcenter.base.settings import Settings
from callcenter.calls import Event, record_event
from callcenter.ledger import waiting_calls
from callcenter.seats import operator_lines, operator_rooms
from tests.callcenter import cast


class Callback:
    """Posts as the carrier does: signed for the public address."""

    def __init__(self, client: FlaskClient, settings: Settings) -> None:
        self._client, self._settings = client, settings
        self._validator = RequestValidator(settings.twilio.auth_token)

    def __call__(self, path: str, signature: str | None = None, **form: str) -> tuple[int, str]:
        form = {"CallSid": "CA1", "CallStatus": "in-progress"} | form
        good = self._validator.compute_signature(self._settings.public_url + path, form)
        answer = self._client.post(path, data=form, headers={"X-Twilio-Signature": signature or good})
        return answer.status_code, answer.text


@pytest.fixture
def post(app: Flask, settings: Settings) -> Iterator[Callback]:
    with app.test_client() as client:
        yield Callback(client, settings)


def test_a_webhook_not_signed_for_our_public_address_is_refused_in_words(session: Session, post: Callback) -> None:
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    session.commit()
    status, sentence = post(f"/hooks/voice/status/{call_id}", signature="bm9uZQ==", CallStatus="busy")
    assert status == 403
    assert f"http://convoca.test/hooks/voice/status/{call_id}" in sentence
    assert cast.call(session, call_id).state == "ringing"


def test_the_query_is_part_of_what_is_signed(session: Session, post: Callback) -> None:
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    session.commit()
    path = f"/hooks/voice/status/{call_id}?x=1"
    assert post(path, CallStatus="busy")[0] == 204
    good = RequestValidator("simulated-auth-token").compute_signature(
        f"http://convoca.test/hooks/voice/status/{call_id}", {"CallSid": "CA1", "CallStatus": "busy"}
    )
    assert post(path, signature=good, CallStatus="busy")[0] == 403


def test_an_answer_joins_the_room_of_the_free_operator_and_gives_the_same_when_asked_again(
    session: Session, post: Callback
) -> None:
    olga = cast.operator(session)
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    session.commit()
    status, twiml = post(f"/hooks/voice/answer/{call_id}")
    assert (status, post(f"/hooks/voice/answer/{call_id}")) == (200, (200, twiml))
    assert f">op-{olga.id}</Conference>" in twiml
    assert 'endConferenceOnExit="false"' in twiml
    assert cast.call(session, call_id).state == "connected"


def test_an_answer_that_nobody_took_in_time_is_an_apology_that_says_who_called_and_the_same_when_asked_again(
    session: Session, post: Callback
) -> None:
    call_id = cast.waiting(session, cast.queue(session, cast.person(session)))
    cast.patient(session, call_id, 1.9)
    session.commit()
    _, twiml = post(f"/hooks/voice/answer/{call_id}")
    assert 'Say language="es-MX"' in twiml
    assert "de parte de Casa Encuestadora" in twiml
    assert "<Hangup" in twiml
    assert post(f"/hooks/voice/answer/{call_id}")[1] == twiml
    assert cast.call(session, call_id).attempt.outcome == "abandoned"


def test_an_answer_is_held_back_until_somebody_is_free(session: Session, post: Callback,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    session.commit()
    freed: list[int] = []

    def somebody_frees(_: float) -> None:
        if not freed:
            freed.append(cast.operator(session).id)
            session.commit()

    monkeypatch.setattr("callcenter.webhooks.time.sleep", somebody_frees)
    _, twiml = post(f"/hooks/voice/answer/{call_id}")
    assert f">op-{freed[0]}</Conference>" in twiml
    assert cast.call(session, call_id).state == "connected"


def test_where_too_many_wait_already_twilio_waits_and_asks_again(
    session: Session, post: Callback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_calls, "holds", BoundedSemaphore(1))
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    session.commit()
    with waiting_calls.holds:
        _, twiml = post(f"/hooks/voice/answer/{call_id}")
        assert f'<Pause length="1" /><Redirect method="POST">{call_id}</Redirect>' in twiml
        olga = cast.operator(session)
        session.commit()
        assert f">op-{olga.id}</Conference>" in post(f"/hooks/voice/answer/{call_id}")[1]


def test_an_answer_to_a_call_that_is_over_is_only_a_hang_up(session: Session, post: Callback) -> None:
    cast.operator(session)
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    record_event(session, call_id, Event("busy", "b"))
    session.commit()
    _, twiml = post(f"/hooks/voice/answer/{call_id}")
    assert "<Hangup" in twiml
    assert "Say" not in twiml


@pytest.mark.parametrize(
    ("form", "outcome"),
    [
        ({"CallStatus": "busy", "SipResponseCode": "486"}, "busy"),
        ({"CallStatus": "no-answer", "SipResponseCode": "487"}, "no_answer"),
        ({"CallStatus": "failed", "SipResponseCode": "404"}, "invalid_number"),
        ({"CallStatus": "failed", "SipResponseCode": "503"}, "not_placed"),
        ({"CallStatus": "canceled"}, "canceled"),
        ({"CallStatus": "completed"}, "abandoned"),
    ],
)
def test_each_end_that_the_carrier_tells_has_its_own_outcome_and_is_kept_raw(
    session: Session, post: Callback, form: dict[str, str], outcome: str
) -> None:
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    session.commit()
    assert post(f"/hooks/voice/status/{call_id}", **form)[0] == 204
    assert post(f"/hooks/voice/status/{call_id}", **form)[0] == 204
    call = cast.call(session, call_id)
    assert call.attempt.outcome == outcome
    assert call.cause is not None
    assert form.items() <= call.cause.items()


def test_completed_after_a_conversation_puts_the_operator_in_wrap_up(session: Session, post: Callback) -> None:
    olga = cast.operator(session)
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    session.commit()
    post(f"/hooks/voice/answer/{call_id}")
    post(f"/hooks/voice/status/{call_id}", CallStatus="completed")
    post(f"/hooks/voice/status/{call_id}", CallStatus="in-progress")
    assert (cast.call(session, call_id).state, cast.seat(session, olga.id).state) == ("wrap_up", "wrap_up")


def test_a_call_that_is_not_ours_and_a_status_that_nobody_knows_are_said_so(session: Session, post: Callback) -> None:
    assert post(f"/hooks/voice/status/{uuid4()}", CallStatus="busy")[0] == 404
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    session.commit()
    status, words = post(f"/hooks/voice/status/{call_id}", CallStatus="sneezed")
    assert status == 422
    assert "sneezed" in words


def test_an_operators_leg_opens_the_room_and_its_end_closes_it(session: Session, post: Callback) -> None:
    olga = cast.operator(session, free=False)
    olga.state = "available"
    assert operator_rooms.ask(session, olga.id)
    session.commit()
    ring = f"{olga.id}?ring={operator_lines.mark(olga.room_asked_at)}"
    to = f"client:op-{olga.id}"
    _, twiml = post(f"/hooks/voice/room/{ring}", CallSid="CA-leg", To=to)
    assert f">op-{olga.id}</Conference>" in twiml
    assert 'endConferenceOnExit="false"' in twiml  # a reload cuts no citizen off
    assert cast.seat(session, olga.id).has_room
    post(f"/hooks/voice/room-status/{ring}", CallSid="CA-leg", CallStatus="completed", To=to)
    assert not cast.seat(session, olga.id).has_room
    assert "<Hangup" in post(f"/hooks/voice/room/{ring}", CallSid="CA-leg", To=to)[1]  # an old ring, told again
    assert operator_rooms.ask(session, olga.id)
    session.commit()
    ring = f"{olga.id}?ring={operator_lines.mark(cast.seat(session, olga.id).room_asked_at)}"
    post(f"/hooks/voice/room-status/{ring}", CallSid="CA-leg2", CallStatus="no-answer", To=to)
    assert (cast.seat(session, olga.id).state, cast.seat(session, olga.id).pause_reason) == ("paused", "room_lost")
