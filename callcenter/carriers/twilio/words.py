"""Twilio's words: what its callbacks say in ours, and the TwiML that we answer. Light enough for the web process."""

from collections.abc import Mapping

from twilio.twiml.voice_response import Dial, VoiceResponse

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
# SipResponseCode of a number that is nobody's (Q.850 cause 1 and 22).
NOBODY = {"404", "410", "484", "604"}
KEPT = ("CallStatus", "SipResponseCode", "ErrorCode", "CallDuration", "SequenceNumber", "Timestamp", "AnsweredBy")


def event_of(form: Mapping[str, str]) -> str:
    """Our event for what Twilio says; raises ValueError that names the status and the known ones."""
    status = form.get("CallStatus", "")
    if status not in EVENTS:
        raise ValueError(f"CallStatus is {status!r}; known are {', '.join(EVENTS)}")
    if status == "failed" and form.get("SipResponseCode") in NOBODY:
        return "invalid_number"
    return EVENTS[status]


def cause_of(form: Mapping[str, str]) -> dict[str, str]:
    """What Twilio said of the call itself, raw, without the phones."""
    return {name: form[name] for name in KEPT if form.get(name)}


def room_name(operator_id: int) -> str:
    return f"op-{operator_id}"


def join_as_operator(operator_id: int) -> str:
    """TwiML of the permanent leg: the room lives as long as the operator is in it."""
    return _conference(operator_id, start_conference_on_enter=True, end_conference_on_exit=True)


def join_as_citizen(operator_id: int) -> str:
    """TwiML of an answered call: into the operator's room; leaving it does not end it."""
    return _conference(operator_id, start_conference_on_enter=False, end_conference_on_exit=False)


def apology(on_behalf_of: str) -> str:
    """TwiML for somebody whom no operator could take in time."""
    response = VoiceResponse()
    response.say(apologies.words(on_behalf_of), language="es-MX")
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
    response.say(words, language="es-MX")
    response.hangup()
    return str(response)


def goodbye() -> str:
    """TwiML for a call that is over in our books."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def _conference(operator_id: int, **how: bool) -> str:
    response = VoiceResponse()
    dial = Dial()
    # Silence instead of music: the citizen joins an operator who is there already.
    dial.conference(room_name(operator_id), beep="false", wait_url="", max_participants=4, **how)
    response.append(dial)
    return str(response)
