"""What Twilio says of a call: in every request about it, in its callbacks, and as a resource."""

import asyncio

from scripts.simulated_carrier.legs import Leg
from scripts.simulated_carrier.options import Options
from scripts.simulated_carrier.resources import API_VERSION, Json, now, path, rfc2822, uris
from scripts.simulated_carrier.webhooks import Params, Webhooks

SIP_CODES = {"completed": 200, "busy": 486, "no-answer": 487, "canceled": 487, "failed": 404}
SUBRESOURCES = (
    "events", "notifications", "payments", "recordings", "siprec", "streams", "transcriptions",
    "user_defined_message_subscriptions", "user_defined_messages",
)  # fmt: skip
PLACES = ("City", "State", "Zip")


def params(leg: Leg) -> Params:
    """What every request about this call carries (https://www.twilio.com/docs/voice/twiml#request-parameters)."""
    told = {
        "CallSid": leg.sid,
        "AccountSid": leg.account_sid,
        "From": leg.sender,
        "To": leg.to,
        "Caller": leg.sender,
        "Called": leg.to,
        "CallStatus": leg.status,
        "ApiVersion": API_VERSION,
        "Direction": leg.direction,
    }
    if leg.parent_sid:
        told["ParentCallSid"] = leg.parent_sid
    if leg.direction == "inbound":
        for whose in ("From", "To", "Caller", "Called"):
            told |= {f"{whose}{place}": "" for place in PLACES} | {f"{whose}Country": "MX"}
    is_told_now = leg.detection is not None and not leg.detection.is_async
    if leg.finding is not None and is_told_now:
        told |= {"AnsweredBy": leg.finding.answered_by, "MachineDetectionDuration": leg.finding.milliseconds}
    return told


def progress(leg: Leg, event: str) -> Params:
    """A status callback (https://www.twilio.com/docs/voice/api/call-resource#statuscallback)."""
    told = params(leg) | {
        "CallStatus": "initiated" if event == "initiated" else leg.status,
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(leg.sequence),
        "Timestamp": rfc2822(now()) or "",
    }
    if leg.is_final:
        told |= {"CallDuration": str(leg.seconds), "SipResponseCode": str(leg.sip or SIP_CODES[leg.status])}
        if leg.answered_at:
            told["Duration"] = str(minutes(leg))
        of_the_call = [one for one in leg.recordings if one.wanted.source == "OutboundAPI"]
        if of_the_call:
            told |= {"RecordingSid": of_the_call[0].sid, "RecordingDuration": str(round(of_the_call[0].seconds))}
    return told


def minutes(leg: Leg) -> int:
    """Begun ones: they are what is paid."""
    return -(-leg.seconds // 60)


class Teller:
    """Tells of a leg's changes, and prices it some time after its end."""

    def __init__(self, webhooks: Webhooks, options: Options) -> None:
        self._webhooks, self._options = webhooks, options

    def __call__(self, leg: Leg, event: str) -> None:
        if event in leg.events:
            self._webhooks.tell(leg.status_callback, progress(leg, event), kind=event, method=leg.callback_method)
        if leg.is_final:
            loop = asyncio.get_running_loop()
            loop.call_later(self._options.price_seconds / self._options.speed, self._price, leg)

    def _price(self, leg: Leg) -> None:
        """https://www.twilio.com/docs/voice/api/call-resource: a price is negative, and of unanswered calls zero."""
        if leg.is_client:
            leg.price = "0"
        else:
            leg.price = f"{-minutes(leg) * self._options.price_per_minute:.5f}" if leg.seconds else "0"


def show(leg: Leg) -> Json:
    """https://www.twilio.com/docs/voice/api/call-resource#call-properties"""
    return {
        "sid": leg.sid,
        "account_sid": leg.account_sid,
        "parent_call_sid": leg.parent_sid,
        "phone_number_sid": None,
        "to": leg.to,
        "to_formatted": leg.to,
        "from": leg.sender,
        "from_formatted": leg.sender,
        "status": leg.status,
        "direction": leg.direction,
        "date_created": rfc2822(leg.created_at),
        "date_updated": rfc2822(leg.updated_at),
        "start_time": rfc2822(leg.answered_at or (leg.created_at if leg.is_final else None)),
        "end_time": rfc2822(leg.ended_at),
        "duration": str(leg.seconds) if leg.is_final else None,
        "price": leg.price,
        "price_unit": "USD",
        "answered_by": leg.finding.answered_by if leg.finding is not None else None,
        "api_version": API_VERSION,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": str(leg.queue_milliseconds),
        "trunk_sid": None,
        "uri": path(leg.account_sid, "Calls", f"{leg.sid}.json"),
        "subresource_uris": uris(leg.account_sid, "Calls", leg.sid, SUBRESOURCES),
    }
