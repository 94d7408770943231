"""What Twilio asks and tells of rooms: operators at a telephone, the other legs of a call, supervisors."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from callcenter import carriers, operators
from callcenter.base.auth import User
from callcenter.base.settings import Settings
from callcenter.ledger import call_acts, call_legs, transfer_targets
from callcenter.operators import Operator
from callcenter.seats import dial_in, operator_lines, operator_rooms
from callcenter.supervision import supervision
from tests.callcenter import cast
from tests.callcenter.cast import FakeCarrier
from tests.callcenter.test_webhooks import Callback

HOME = "+529221110001"


@pytest.fixture
def post(app: Flask, settings: Settings) -> Iterator[Callback]:
    carriers.use({"simulated": FakeCarrier()})
    with app.test_client() as client:
        yield Callback(client, settings)
    carriers.use({})


@pytest.fixture
def olga(session: Session, app: Flask) -> Operator:
    made = cast.operator(session, free=False)
    operators.pause(session, made.id, "starting")
    operator_lines.set_phone(session, made.id, HOME, made.user_id)
    session.commit()
    return made


def test_a_telephone_is_confirmed_by_the_code_of_the_screen(session: Session, post: Callback, olga: Operator) -> None:
    address = f"/hooks/voice/line-check/{olga.id}"
    assert "<Hangup" in post(address, To=HOME)[1]  # nobody asked for it
    code = operator_lines.begin_check(session, olga.id)
    session.commit()
    _, asked = post(address, To=HOME)
    assert f'action="http://convoca.test{address}/digits"' in asked
    assert 'numDigits="6"' in asked
    assert asked == post(address, To=HOME)[1]
    assert "no es correcto" in post(f"{address}/digits", To=HOME, Digits="*#0000")[1]
    _, thanks = post(f"{address}/digits", To=HOME, Digits=code)
    assert "confirmado" in thanks
    assert post(f"{address}/digits", To=HOME, Digits=code)[1] == thanks
    assert operator_lines.choose(session, olga.id, "ring", olga.user_id)


def test_an_operators_telephone_becomes_their_line_when_they_press_1(
    session: Session, post: Callback, olga: Operator
) -> None:
    operator_lines.check(session, olga.id, operator_lines.begin_check(session, olga.id))
    operator_lines.choose(session, olga.id, "ring", olga.user_id)
    assert operator_rooms.ask(session, olga.id)
    session.commit()
    ring = f"?ring={operator_lines.mark(olga.room_asked_at)}"
    _, asked = post(f"/hooks/voice/room/{olga.id}{ring}", CallSid="CA-tel", To=HOME)
    assert f'action="http://convoca.test/hooks/voice/room/{olga.id}/taken{ring}"' in asked
    assert not cast.seat(session, olga.id).has_room  # an answering machine has no line
    taken = f"/hooks/voice/room/{olga.id}/taken{ring}"
    assert "<Hangup" in post(taken, CallSid="CA-tel", To=HOME, Digits="4")[1]
    assert f">op-{olga.id}</Conference>" in post(taken, CallSid="CA-tel", To=HOME, Digits="1")[1]
    assert cast.seat(session, olga.id).room_ref == "CA-tel"
    post(f"/hooks/voice/room-status/{olga.id}{ring}", CallSid="CA-tel", CallStatus="completed", To=HOME)
    assert cast.seat(session, olga.id).pause_reason == "room_lost"
    assert "<Hangup" in post(taken, CallSid="CA-tel", To=HOME, Digits="1")[1]  # told again after its end


def test_an_operator_calls_us_with_a_code_from_any_telephone(session: Session, post: Callback, olga: Operator) -> None:
    code = dial_in.make(session, olga.id, olga.user_id).digits
    session.commit()
    leg = {"CallSid": "CA-in", "From": "+529221119999", "To": "+525512340000"}
    _, asked = post("/hooks/voice/dial-in", **leg)
    assert 'action="http://convoca.test/hooks/voice/dial-in/code"' in asked
    assert "no es correcto" in post("/hooks/voice/dial-in/code", **leg, Digits="ABCD*#")[1]
    _, joined = post("/hooks/voice/dial-in/code", **leg, Digits=code)
    assert f">op-{olga.id}</Conference>" in joined
    assert f'statusCallback="http://convoca.test/hooks/voice/room-news/{olga.id}"' in joined
    assert post("/hooks/voice/dial-in/code", **leg, Digits=code)[1] == joined  # Twilio asked twice
    assert cast.seat(session, olga.id).room_ref == "CA-in"
    news = f"/hooks/voice/room-news/{olga.id}"
    post(news, CallSid="CA-citizen", StatusCallbackEvent="participant-leave")
    assert cast.seat(session, olga.id).has_room
    post(news, CallSid="CA-in", StatusCallbackEvent="participant-leave")
    assert (cast.seat(session, olga.id).state, olga.pause_reason) == ("paused", "room_lost")


def test_whoever_guesses_codes_is_told_to_wait(session: Session, post: Callback, olga: Operator) -> None:
    leg = {"CallSid": "CA-in", "From": "+529221119999"}
    heard = [post("/hooks/voice/dial-in/code", **leg, Digits="000000")[1] for _ in range(dial_in.WRONG)]
    assert "Espere quince minutos" in heard[-1]
    assert "<Gather" not in heard[-1]
    assert "<Gather" in heard[0]


def test_whom_an_operator_asks_in_is_led_to_the_room_and_leaves_it(
    session: Session, post: Callback, olga: Operator
) -> None:
    operator_rooms.opened(session, olga.id, "CA-op")
    operators.go_available(session, olga.id)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    lawyer = transfer_targets.add(session, "Jurídico", "922 111 0077", olga.user_id)
    leg = call_acts.consult(session, call_id, olga.id, call_acts.Target("outside", lawyer.id))
    session.commit()
    status = f"/hooks/voice/leg-status/{leg.id}"
    post(status, CallSid="CA-leg", CallStatus="ringing")
    assert _state(session, leg) == "ringing"
    _, led = post(f"/hooks/voice/leg/{leg.id}", CallSid="CA-leg")
    assert f">op-{olga.id}</Conference>" in led
    assert post(f"/hooks/voice/leg/{leg.id}", CallSid="CA-leg")[1] == led
    assert _state(session, leg) == "up"
    post(status, CallSid="CA-leg", CallStatus="completed")
    assert _state(session, leg) == "ended"
    assert "<Hangup" in post(f"/hooks/voice/leg/{leg.id}", CallSid="CA-leg")[1]


def test_a_supervisors_leg_is_known_by_the_listening(
    session: Session, post: Callback, olga: Operator, people: dict[str, User]
) -> None:
    operator_rooms.opened(session, olga.id, "CA-op")
    listening = supervision.start(session, people["supervisor"].id, olga.id, "listen")
    assert supervision.claim(session, listening.id) is not None
    session.commit()
    told = f"/hooks/voice/listening/{listening.id}"
    assert post(told, CallSid="CA-sup", CallStatus="in-progress")[0] == 204
    session.refresh(listening)
    assert (listening.ref, listening.heard_at is not None) == ("CA-sup", True)
    post(told, CallSid="CA-older", CallStatus="completed")
    session.refresh(listening)
    assert listening.ended_at is None
    post(told, CallSid="CA-sup", CallStatus="completed")
    session.refresh(listening)
    assert listening.ended_at is not None
    assert post("/hooks/voice/listening/999999", CallSid="CA-x", CallStatus="completed")[0] == 204


@pytest.mark.parametrize("path", ["room/7/taken", "line-check/7", "line-check/7/digits", "dial-in", "dial-in/code",
                                  "room-news/7", "listening/7"])  # fmt: skip
def test_nothing_is_read_that_the_carrier_did_not_sign(post: Callback, session: Session, path: str) -> None:
    assert post(f"/hooks/voice/{path}", signature="bm9uZQ==", Digits="1")[0] == 403


def _state(session: Session, leg: call_legs.CallLeg) -> str:
    session.refresh(leg)
    return leg.state
