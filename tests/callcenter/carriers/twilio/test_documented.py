"""Twilio's documented errors, callbacks and TwiML: our readers and writers against them."""

import json
from typing import Any
from uuid import UUID

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Twilio
from callcenter.carriers import BadNumber, Dial
from callcenter.carriers.twilio import words
from callcenter.carriers.twilio.carrier import TwilioCarrier
from tests.callcenter.carriers.twilio.documented import callback_faults, form, golden, kind_of, twiml_faults

ACCOUNT = Twilio("AC" + "5" * 32, "token", "http://127.0.0.1:9")
DIAL = Dial(UUID("6f1d0f4e-1111-4222-8333-444455556666"), "+529221234567", "+525512340000", 25)
ERRORS = golden("errors")


class Says:
    """Answers every request of the real client with one documented refusal."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.error = error

    def request(self, *_: Any, **__: Any) -> Response:
        kept = {name: self.error[name] for name in ("code", "message", "status")}
        more = f"https://www.twilio.com/docs/errors/{self.error['code']}"
        return Response(self.error["status"], json.dumps(kept | {"more_info": more}))


def by_code(error: dict[str, Any]) -> str:
    return str(error["code"])


@pytest.mark.parametrize("error", ERRORS, ids=by_code)
def test_the_real_client_reads_every_documented_error(error: dict[str, Any]) -> None:
    client = Client(ACCOUNT.account_sid, ACCOUNT.auth_token, http_client=TwilioHttpClient())
    client.http_client = Says(error)
    with pytest.raises(TwilioRestException) as caught:
        client.calls.create(to=DIAL.phone, from_=DIAL.caller_id, url="https://convoca.example/")
    assert (caught.value.status, caught.value.code) == (error["status"], error["code"])


@pytest.mark.parametrize("error", ERRORS, ids=by_code)
def test_every_documented_error_has_one_of_our_four_meanings(error: dict[str, Any]) -> None:
    twilio = TwilioCarrier(ACCOUNT, public_url="https://convoca.example", simulated=True)
    twilio._client.http_client = Says(error)
    with pytest.raises(ProviderError) as caught:
        twilio.place(DIAL)
    told = caught.value
    expected = {
        "refused": (True, False, False), "later": (False, False, False), "unknown": (False, True, False),
        "bad_number": (True, False, True),
    }[error["means"]]  # fmt: skip
    assert (told.permanent, told.unknown, isinstance(told, BadNumber)) == expected
    assert told.code == str(error["code"])


def test_every_page_of_the_documentation_is_named() -> None:
    entries = [*ERRORS, *golden("callbacks").values(), *golden("twiml").values()]
    assert [entry for entry in entries if not entry["source"].startswith("https://www.twilio.com/docs/")] == []


@pytest.mark.parametrize("kind", golden("callbacks"))
def test_each_kind_of_callback_is_told_by_its_own_names(kind: str) -> None:
    assert kind_of(form(kind)) == kind
    assert callback_faults(kind, form(kind)) == []
    assert callback_faults(kind, form(kind) | {"Colour": "red"}) == [f"{kind}: Colour is unknown"]
    some = next(iter(golden("callbacks")[kind]["always"]))
    without = {name: value for name, value in form(kind).items() if name != some}
    assert callback_faults(kind, without) == [f"{kind}: {some} is missing"]


@pytest.mark.parametrize(
    ("status", "sip", "event"),
    [("initiated", "", "placed"), ("ringing", "", "ringing"), ("in-progress", "", "answered"),
     ("completed", "200", "hung_up"), ("busy", "486", "busy"), ("no-answer", "487", "no_answer"),
     ("failed", "404", "invalid_number"), ("canceled", "487", "canceled")],
)  # fmt: skip
def test_every_documented_status_is_an_event_of_ours_and_no_phone_is_kept(status: str, sip: str, event: str) -> None:
    told = form("status", CallStatus=status, SipResponseCode=sip)
    assert words.event_of(told) == event
    assert not set(words.cause_of(told).values()) & {told["From"], told["To"]}


GOOD = [
    '<Response><Gather action="/a" numDigits="1" timeout="5" actionOnEmptyResult="true" finishOnKey=""><Say'
    ' language="es-MX" voice="Polly.Mia-Neural">Uno</Say><Play>https://convoca.example/1.wav</Play><Pause/></Gather>'
    "<Redirect method=\"POST\">/again</Redirect></Response>",
    '<Response><Dial action="/after"><Conference beep="false" waitUrl="" maxParticipants="4" statusCallback="/room"'
    ' statusCallbackEvent="join leave">op-7</Conference></Dial></Response>',
    '<Response><Record maxLength="60" finishOnKey="#" playBeep="true" recordingStatusCallback="/rec"'
    ' recordingStatusCallbackEvent="completed absent"/><Hangup/></Response>',
    '<Response><Play digits="12"/><Dial><Number>+529221234567</Number></Dial></Response>',
    '<Response><Reject reason="busy"/></Response>',
]  # fmt: skip
BAD = [
    ("<Response><Say>Uno", "no XML"),
    ("<Respuesta/>", "the root is Respuesta"),
    ("<Response><Enqueue>x</Enqueue></Response>", "Enqueue stands in Response"),
    ('<Response><Gather numDigits="0"/></Response>', "Gather numDigits is '0'"),
    ('<Response><Gather actionOnEmptyResult="1"/></Response>', "actionOnEmptyResult is '1'"),
    ("<Response><Gather><Dial>+529221234567</Dial></Gather></Response>", "Dial stands in Gather"),
    ('<Response><Dial><Conference maxParticipants="1">x</Conference></Dial></Response>', "maxParticipants is '1'"),
    ('<Response><Dial><Conference statusCallbackEvent="join,leave">x</Conference></Dial></Response>', "join,leave"),
    ('<Response><Pause length="0"/></Response>', "Pause length is '0'"),
    ('<Response><Say idioma="es">Uno</Say></Response>', "Say has no attribute idioma"),
    ("<Response><Play></Play></Response>", "Play says ''"),
    ("<Response><Say/></Response>", "Say is empty"),
]


@pytest.mark.parametrize("document", GOOD)
def test_twiml_as_documented_has_no_fault(document: str) -> None:
    assert twiml_faults(document) == []


@pytest.mark.parametrize(("document", "fault"), BAD)
def test_other_twiml_is_named(document: str, fault: str) -> None:
    found = twiml_faults(document)
    assert len(found) == 1
    assert fault in found[0]


def test_every_document_of_the_house_is_twiml_as_documented() -> None:
    documents = [
        words.join_as_operator(7), words.join_as_citizen(7), words.apology("Casa Encuestadora"),
        words.ask_again("6f1d0f4e"), words.sentence("Esta es una prueba."), words.goodbye(),
    ]  # fmt: skip
    assert [twiml_faults(document) for document in documents] == [[]] * len(documents)
