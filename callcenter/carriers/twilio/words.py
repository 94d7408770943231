"""Twilio's words: what its callbacks say in ours, and the TwiML that we answer. Light enough for the web process."""

from collections.abc import Mapping
from typing import Any

from twilio.twiml.voice_response import Dial, VoiceResponse

from callcenter.base.errors import InvalidInput
from callcenter.carriers.twilio import errors
from callcenter.ledger import apologies

# Twilio's CallStatus → our event. https://www.twilio.com/docs/voice/api/call-resource#call-status-values
EVENTS = {
    "queued": "placed",
    "initiated": "placed",
    "ringing": "ringing",
    "in-progress": "answered",
    "answered": "answered",
    "completed": "hung_up",
    "busy": "busy",
    "no-answer": "no_answer",
    "failed": "failed",
    "canceled": "canceled",
}
LANGUAGE = "es-MX"  # of everything that we say: the citizens', and those who work here
MOST = 4  # in a room: operator, citizen, a supervisor, somebody who was asked in
KEPT = ("CallStatus", "SipResponseCode", "ErrorCode", "CallDuration", "SequenceNumber", "Timestamp", "AnsweredBy")


def event_of(form: Mapping[str, str]) -> str:
    """Our event for what Twilio says. Raises InvalidInput that names the status and the known ones."""
    status = form.get("CallStatus", "")
    if status not in EVENTS:
        raise InvalidInput(f"CallStatus is {status!r}; known are {', '.join(EVENTS)}")
    if status == "failed":
        return errors.outcome_of_failed(form.get("SipResponseCode"), form.get("ErrorCode"))
    return EVENTS[status]


def cause_of(form: Mapping[str, str]) -> dict[str, str]:
    """What Twilio said of the call itself, raw, without the phones."""
    return {name: form[name] for name in KEPT if form.get(name)}


def room_name(operator_id: int) -> str:
    return f"op-{operator_id}"


def join_as_operator(operator_id: int, *, says: str = "", told_at: str = "") -> str:
    """TwiML of the permanent leg. Its end does not end the room: a page that is reloaded finds its citizen there, and
    who is left alone in it is let go by us (operator_sweep). `says`: spoken before; `told_at`: where the room tells who
    leaves it."""
    response = VoiceResponse()
    if says:
        response.say(says, language=LANGUAGE)
    news = {"status_callback": told_at, "status_callback_event": "leave"} if told_at else {}
    return conference(response, room_name(operator_id), start_conference_on_enter=True, **news)


def join_as_citizen(operator_id: int) -> str:
    """TwiML of an answered call: into the operator's room; leaving it does not end it."""
    return conference(VoiceResponse(), room_name(operator_id), start_conference_on_enter=False)


def apology(on_behalf_of: str) -> str:
    """TwiML for somebody whom no operator could take in time."""
    response = VoiceResponse()
    response.say(apologies.words(on_behalf_of), language=LANGUAGE)
    response.hangup()
    return str(response)


def ask_again(address: str) -> str:
    """TwiML for somebody who waits: silence, and the same question once more. `address` may be relative to this one.

    Twilio counts whole seconds: https://www.twilio.com/docs/voice/twiml/pause"""
    response = VoiceResponse()
    response.pause(length=1)
    response.redirect(address, method="POST")
    return str(response)


def sentence(words: str) -> str:
    """TwiML that says this, in the citizens' language, and hangs up."""
    response = VoiceResponse()
    response.pause(length=1)
    response.say(words, language=LANGUAGE)
    response.hangup()
    return str(response)


def goodbye() -> str:
    """TwiML for a call that is over in our books."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def conference(response: VoiceResponse, name: str, **how: Any) -> str:
    """`response` with the leg led into this conference: no beeps, and silence while it is alone there (`wait_url`),
    since whoever joins an operator's room finds somebody. https://www.twilio.com/docs/voice/twiml/conference"""
    dial = Dial()
    settings = {"end_conference_on_exit": False, "wait_url": ""} | how
    dial.conference(name, beep="false", max_participants=MOST, **settings)
    response.append(dial)
    return str(response)
