"""Somebody rings one of our numbers: the same conversation over Twilio's webhooks and over an Asterisk of our own."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from typing import Any
from typing import cast as typed
from urllib.parse import quote, urldefrag
from uuid import UUID
from xml.etree import ElementTree

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator

from callcenter import calls, carriers, operators, suppressions
from callcenter.base import clock
from callcenter.base.clock import real_now
from callcenter.base.settings import Settings
from callcenter.calls import Event
from callcenter.carriers.asterisk.client import Client
from callcenter.contacts import Contact
from callcenter.gate.consents import Consent
from callcenter.ledger import inbound
from callcenter.ledger.call_ledger import Call, CallEvent
from callcenter.operators import Operator
from callcenter.queues import CallQueue
from callcenter.seats import dial_in
from callcenter.sound import voice_messages
from scripts.ivr.line import Line, News
from scripts.ivr.reception import Reception
from surveys.fieldwork import recorded_calls
from surveys.voice.spool import Spool
from tests.callcenter import cast, switchboard_cast
from tests.callcenter.cast import FakeCarrier

PHONE, NUMBER = "+525555000199", "+525512340000"
MENU_SECONDS = 5  # a Gather that waits so long is a question; a shorter one only listens
_refs = count(1)


class OverTwilio:
    """Fetches each document that the one before it names, as Twilio does, and presses as told."""

    carrier = "simulated"

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._client, self._url = app.test_client(), settings.public_url
        self._validator = RequestValidator(settings.twilio.auth_token)
        self.said: list[str] = []
        self.room = ""

    def post(self, path: str, **form: str) -> tuple[int, str]:
        signature = self._validator.compute_signature(self._url + path, form)
        answer = self._client.post(path, data=form, headers={"X-Twilio-Signature": signature})
        return answer.status_code, answer.text

    def ring(self, *keys: str, speaks: int = 0, caller: str = PHONE, meanwhile: Callable[[], object] | None = None,
             hangs_up: bool = False) -> None:  # fmt: skip
        self.ref = f"CA{next(_refs):032x}"
        call = {"CallSid": self.ref, "From": caller, "To": NUMBER, "CallStatus": "ringing", "Direction": "inbound"}
        pressed, path, form = iter(keys), "/hooks/voice/inbound", call
        call = call | {"CallStatus": "in-progress"}
        while path:
            status, document = self.post(path, **form)
            assert (status, self.post(path, **form)) == (200, (200, document)), path  # fetched twice, the same
            path, more = self._follow(ElementTree.fromstring(document), pressed, speaks, meanwhile)
            form = call | more
        if not self.room or hangs_up:
            self.hang_up()

    def hang_up(self) -> None:
        form = {"CallSid": self.ref, "CallStatus": "completed", "From": PHONE, "To": NUMBER, "Direction": "inbound"}
        for _twice in range(2):
            assert self.post("/hooks/voice/inbound-status", **form)[0] == 204

    def _follow(self, document: ElementTree.Element, pressed: Iterator[str], speaks: int,
                meanwhile: Callable[[], object] | None) -> tuple[str, dict[str, str]]:  # fmt: skip
        self.said += [say.text or "" for say in document.iter("Say")]
        for verb in document:
            if verb.tag == "Gather":
                is_question = int(verb.attrib["timeout"]) >= MENU_SECONDS
                if not is_question and meanwhile:
                    meanwhile()
                return self._path(verb.attrib["action"]), {"Digits": next(pressed, "") if is_question else ""}
            if verb.tag == "Record" and speaks:
                left = {"RecordingSid": "RE" + "a" * 32, "RecordingDuration": str(speaks), "Digits": "#"}
                return self._path(verb.attrib["action"]), left
            if verb.tag == "Redirect":
                return self._path(verb.text or ""), {}
            if verb.tag == "Dial":
                self.room = verb[0].text or ""
                return "", {}
        return "", {}

    def _path(self, address: str) -> str:
        return urldefrag(address).url.removeprefix(self._url)


class OverAsterisk:
    """A leg of our own Asterisk with scripts.ivr at it: no network, no speech."""

    carrier = "asterisk"

    def __init__(self, session: Session) -> None:
        self._session = session
        self.said: list[str] = []
        self.room = ""

    def ring(self, *keys: str, speaks: int = 0, caller: str = PHONE, meanwhile: Callable[[], object] | None = None,
             hangs_up: bool = False) -> None:  # fmt: skip
        self._pressed, self._speaks, self._meanwhile = iter(keys), speaks, meanwhile
        channel = f"in-{next(_refs)}.1"
        self.ref = f"local/{channel}"
        arrived = inbound.arrived(self._session, self.ref, caller, NUMBER)
        self._session.commit()
        assert arrived is not None
        subject = recorded_calls.subject(self._session, "local", channel)
        assert subject is not None
        self._line = Line(typed(Client, self), channel)
        Reception(self._line, typed(Spool, self), subject, "local", "/spool/voices").receive()
        moved = [act for act in typed(Any, carriers.the_switchboard()).acts if act[0] == "move"]
        self.room = moved[-1][2] if moved else ""
        if not self.room or hangs_up:
            self.hang_up()

    def hang_up(self) -> None:
        call_id = inbound.of_ref(self._session, self.ref)
        assert call_id is not None
        for _twice in range(2):
            inbound.left(self._session, call_id, Event("hung_up", "ami:ended"))
        self._session.commit()

    def file(self, say: tuple[Any, ...], *_rest: Any) -> tuple[str, float]:
        """In place of the spool: what is said is written down."""
        self.said += [one.text for one in say]
        return "/prompts/x", 0.0

    def ask(self, action: Any) -> None:
        """In place of the switch."""
        command = action["Command"]
        if command.startswith("GET DATA"):
            answer = f"200 result={key}" if (key := next(self._pressed, "")) else "200 result= (timeout)"
        elif command.startswith("RECORD FILE"):
            answer = f"200 result=35 (dtmf) endpos={self._speaks * 8000}"
        else:
            if self._meanwhile and command.startswith("WAIT"):
                self._meanwhile()
            answer = "200 result=0"
        self._line.hear(News(action["CommandID"], quote(f"{answer}\n")))


Ringing = OverTwilio | OverAsterisk


@pytest.fixture(params=["asterisk", "twilio"])
def caller(request: pytest.FixtureRequest, app: Flask, session: Session, settings: Settings) -> Iterator[Ringing]:
    """Somebody with a telephone, on either carrier."""
    clock.start_drill(session)  # in the hours of the house, whatever the real time is
    session.commit()
    if request.param == "asterisk":
        with switchboard_cast.switchboard():
            yield OverAsterisk(session)
        return
    carriers.use({"simulated": FakeCarrier()})
    yield OverTwilio(app, settings)
    carriers.use({})


@pytest.fixture
def twilio(app: Flask, session: Session, settings: Settings) -> Iterator[OverTwilio]:
    clock.start_drill(session)
    session.commit()
    carriers.use({"simulated": FakeCarrier()})
    yield OverTwilio(app, settings)
    carriers.use({})


@pytest.fixture
def ana(session: Session) -> Contact:
    return cast.person(session, "Ana Pérez", PHONE)


def of(session: Session, caller: Ringing, ana: Contact) -> CallQueue:
    """A campaign that rang her, and she did not pick up."""
    made = cast.queue(session, ana, carrier=caller.carrier, on_behalf_of="Casa Encuestadora")
    calls.record_event(session, cast.rung(session, made), Event("no_answer", "no_answer"))
    session.commit()
    return made


def seated(session: Session, caller: Ringing, name: str, *, free: bool = True) -> Operator:
    room = switchboard_cast if caller.carrier == "asterisk" else cast
    made: Operator = room.operator(session, name)
    if not free:
        operators.enter(session, made, "in_call")
    session.commit()
    return made


def came_in(session: Session) -> Call:
    session.expire_all()
    return session.scalars(select(Call).where(Call.direction == "in")).one()


def test_who_rings_back_hears_who_called_and_why(session: Session, caller: Ringing, ana: Contact) -> None:
    of(session, caller, ana)
    caller.ring()
    words = " ".join(caller.said)
    assert "Le llamamos de parte de Casa Encuestadora para una encuesta de opinión." in words
    assert words.count("oprima 2") == 2  # asked twice, since nothing was pressed
    assert came_in(session).attempt.outcome == "inbound_informed"


def test_one_is_an_operator_with_the_card_on_the_screen_their_own_first(
    session: Session, caller: Ringing, ana: Contact
) -> None:
    queue = of(session, caller, ana)
    longest, olga = (seated(session, caller, name) for name in ("omar", "olga"))
    longest.state_since = real_now() - timedelta(hours=1)
    spoken = session.scalars(select(Call).where(Call.queue_id == queue.id)).one()
    spoken.operator_id, spoken.connected_at = olga.id, real_now()
    session.commit()
    caller.ring("1")
    assert caller.room == f"op-{olga.id}"
    call = came_in(session)
    assert (call.state, call.operator_id, call.attempt.contact_id) == ("connected", olga.id, ana.id)
    assert cast.seat(session, olga.id).call_id == call.id
    caller.hang_up()
    assert came_in(session).state == "wrap_up"


@pytest.mark.parametrize("key", ["2", "9"])
def test_two_is_never_again_with_proof(session: Session, caller: Ringing, ana: Contact, key: str) -> None:
    of(session, caller, ana)
    caller.ring(key)
    assert "No volveremos a llamarle" in caller.said[-1]
    assert suppressions.find(session, PHONE) is not None
    call = came_in(session)
    evidence = session.scalars(select(Consent).where(Consent.contact_id == ana.id)).one()
    assert (call.attempt.outcome, evidence.proof) == ("inbound_opted_out", f"call/{call.id}")


def test_three_is_a_message_that_is_told_to_be_recorded(session: Session, caller: Ringing, ana: Contact) -> None:
    of(session, caller, ana)
    caller.ring("3", speaks=4)
    assert "Su mensaje se graba" in " ".join(caller.said)
    assert "quedó guardado" in caller.said[-1]
    message = voice_messages.of_call(session, came_in(session).id)
    assert (message.state, message.is_with_carrier) == ("left", True)
    assert message.ref == (None if caller.carrier == "asterisk" else "RE" + "a" * 32)
    assert came_in(session).attempt.outcome == "inbound_message"


def test_who_says_nothing_after_the_tone_has_left_no_message(session: Session, caller: Ringing, ana: Contact) -> None:
    of(session, caller, ana)
    caller.ring("3")
    assert "No oímos ningún mensaje" in caller.said[-1]
    assert voice_messages.of_call(session, came_in(session).id).state == "asked"


def test_a_wrong_key_is_asked_again(session: Session, caller: Ringing, ana: Contact) -> None:
    of(session, caller, ana)
    caller.ring("*", "2")
    assert came_in(session).attempt.outcome == "inbound_opted_out"


def test_where_nobody_is_at_work_they_are_called_back_and_may_leave_a_message(
    session: Session, caller: Ringing, ana: Contact
) -> None:
    of(session, caller, ana)
    caller.ring("1", "3", speaks=3)
    words = " ".join(caller.said)
    assert "Le llamaremos en unos minutos" in words
    assert "Espere en la línea" not in words
    call = came_in(session)
    assert (call.attempt.outcome, cast.entry(session, call.id).is_callback) == ("inbound_missed", True)
    assert voice_messages.of_call(session, call.id).state == "left"


def test_who_waits_gets_the_first_who_is_free(session: Session, caller: Ringing, ana: Contact) -> None:
    of(session, caller, ana)
    olga = seated(session, caller, "olga", free=False)
    looks = count(1)

    def meanwhile() -> None:
        if next(looks) == 3:
            operators.enter(session, olga, "available")
            session.commit()

    caller.ring("1", meanwhile=meanwhile)
    assert "Espere en la línea" in " ".join(caller.said)
    assert caller.room == f"op-{olga.id}"


def test_who_has_waited_a_minute_is_called_back(session: Session, caller: Ringing, ana: Contact) -> None:
    of(session, caller, ana)
    seated(session, caller, "olga", free=False)
    looks = count(1)

    def meanwhile() -> None:
        if next(looks) == 3:
            waited = real_now() - timedelta(seconds=61)
            session.execute(update(CallEvent).where(CallEvent.key == "waits").values(at=waited))
            session.commit()

    caller.ring("1", meanwhile=meanwhile)
    assert "Le llamaremos en unos minutos" in " ".join(caller.said)
    assert cast.entry(session, came_in(session).id).is_callback


def test_who_hides_their_number_is_put_through_all_the_same(session: Session, caller: Ringing, ana: Contact) -> None:
    of(session, caller, ana)
    olga = seated(session, caller, "olga")
    caller.ring("1", caller="anonymous")
    assert "Su número está oculto" in " ".join(caller.said)
    assert caller.room == f"op-{olga.id}"
    assert came_in(session).attempt.contact_id is None


def test_a_stranger_hears_whose_number_it_is_and_may_leave_a_message(
    session: Session, caller: Ringing, ana: Contact
) -> None:
    of(session, caller, ana)
    caller.ring("1", "3", caller="+528112345678", speaks=2)
    words = " ".join(caller.said)
    assert "Llama usted a un número de Casa Encuestadora" in words
    assert "En este momento nadie está libre." in words
    assert "Le llamaremos" not in words
    assert voice_messages.of_call(session, came_in(session).id).state == "left"


# ── What only Twilio can do wrong


def test_a_number_that_no_campaign_shows_says_so(session: Session, twilio: OverTwilio) -> None:
    twilio.ring()
    assert "no llama a nadie" in twilio.said[0]
    assert session.scalars(select(Call)).all() == []


def test_who_rings_while_we_ring_them_is_told_so(session: Session, twilio: OverTwilio, ana: Contact) -> None:
    cast.rung(session, cast.queue(session, ana))
    session.commit()
    twilio.ring()
    assert "otra llamada nuestra" in twilio.said[0]


def test_a_call_of_somebody_else_is_not_served_under_another_name(
    session: Session, twilio: OverTwilio, ana: Contact
) -> None:
    of(session, twilio, ana)
    call_id = inbound.arrived(session, "CA-theirs", PHONE, NUMBER)
    session.commit()
    form = {"CallSid": "CA-other", "Digits": "2", "CallStatus": "in-progress"}
    assert twilio.post(f"/hooks/voice/inbound/{call_id}/menu/1", **form)[0] == 404
    assert twilio.post(f"/hooks/voice/inbound/{UUID(int=7)}/menu/1", **form)[0] == 404
    assert suppressions.find(session, PHONE) is None


def test_an_unsigned_request_is_refused(twilio: OverTwilio, app: Flask) -> None:
    answer = app.test_client().post("/hooks/voice/inbound", data={"CallSid": "CA1", "From": PHONE, "To": NUMBER})
    assert answer.status_code == 403


def test_the_end_of_a_call_that_we_do_not_know_is_harmless_and_an_unknown_status_is_named(twilio: OverTwilio) -> None:
    assert twilio.post("/hooks/voice/inbound-status", CallSid="CA-none", CallStatus="completed")[0] == 204
    status, words = twilio.post("/hooks/voice/inbound-status", CallSid="CA-none", CallStatus="sneezed")
    assert status == 422
    assert "sneezed" in words


def test_who_works_by_telephone_is_asked_for_their_code(
    session: Session, twilio: OverTwilio, ana: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    of(session, twilio, ana)
    call_id = UUID(str(inbound.arrived(session, "CA-op", "+528112345678", NUMBER)))
    session.commit()
    form = {"CallSid": "CA-op", "Digits": "0", "CallStatus": "in-progress", "From": "+528112345678", "To": NUMBER}
    _, document = twilio.post(f"/hooks/voice/inbound/{call_id}/menu/1", **form)
    assert ">http://convoca.test/hooks/voice/dial-in</Redirect>" in document
    assert came_in(session).state == "ended"
    monkeypatch.setattr(dial_in, "expects", lambda _session, caller: caller == "+528112340000")
    expected = {"CallSid": "CA-op2", "From": "+528112340000", "To": NUMBER, "CallStatus": "ringing"}
    assert "/hooks/voice/dial-in</Redirect>" in twilio.post("/hooks/voice/inbound", **expected)[1]
    assert inbound.of_ref(session, "CA-op2") is None  # no call of a citizen


def test_a_telephone_that_holds_an_operators_line_tells_of_its_end(session: Session, twilio: OverTwilio) -> None:
    olga = seated(session, twilio, "olga")
    olga.room_ref = "CA-line"
    session.commit()
    assert twilio.post("/hooks/voice/inbound-status", CallSid="CA-line", CallStatus="completed")[0] == 204
    assert cast.seat(session, olga.id).room_ref is None


@pytest.mark.parametrize("digits", ["*#ABCD", "", "7", "99", "é", "1" * 500])
def test_whatever_is_said_to_be_pressed_gets_an_answer(
    session: Session, twilio: OverTwilio, ana: Contact, digits: str
) -> None:
    of(session, twilio, ana)
    call_id = UUID(str(inbound.arrived(session, "CA-x", PHONE, NUMBER)))
    session.commit()
    form = {"CallSid": "CA-x", "Digits": digits, "CallStatus": "in-progress"}
    for stage in ("menu/1", "menu/2", "wait/1", "nobody", "speak"):
        assert twilio.post(f"/hooks/voice/inbound/{call_id}/{stage}", **form)[0] == 200
