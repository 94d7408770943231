"""One message, out or in, as Twilio shows it and speaks of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from scripts.simulated_carrier.parts import parts
from scripts.simulated_carrier.resources import API_VERSION, Json, path, rfc2822, uris
from scripts.simulated_carrier.webhooks import Params

WHATSAPP = "whatsapp:"
# https://www.twilio.com/docs/api/errors
ERRORS = {
    "21610": "Attempt to send to unsubscribed recipient",
    "30001": "Queue overflow",
    "30003": "Unreachable destination handset",
    "30004": "Message blocked",
    "30005": "Unknown destination handset",
    "30006": "Landline or unreachable carrier",
    "30007": "Message filtered",
    "30008": "Unknown error",
    "30036": "Validity Period Expired",
    "63005": "Channel did not accept given content. Please see Channel specific error message for more information",
    "63014": "Message delivery failed because it was blocked by a user action",
    "63016": "Failed to send freeform message because you are outside the allowed window",
    "63018": "Rate limit exceeded for Channel",
    "63019": "Media failed to download",
    "63024": "Invalid message recipient",
    "63028": "Number of parameters provided does not match the expected number of parameters",
    "63040": "Template rejected",
    "63041": "Template paused",
    "63042": "Template disabled",
}


@dataclass(slots=True)
class Text:
    """`to` and `sender` are as the message says them: `+52…`, a short code, a name, `whatsapp:+52…`, `whatsapp:MX.…`.

    Times are seconds since the epoch (0: not yet). `number` is its place in the ledger, which gives it its `sid`."""

    to: str
    sender: str
    body: str
    status: str = "queued"
    is_inbound: bool = False
    status_callback: str | None = None
    validity_seconds: float = 36_000
    service_sid: str | None = None
    error_code: str | None = None
    media: Sequence[str] = ()
    buttons: Sequence[tuple[str, str]] = ()  # text and payload of each quick reply
    template_sid: str | None = None
    fault: str | None = None  # the code with which it will fail, known from the request on
    account_sid: str = ""
    number: int = -1
    sid: str = ""
    created_at: float = 0.0
    updated_at: float = 0.0
    sent_at: float = 0.0
    media_count: int = 0
    is_whatsapp: bool = field(init=False)
    _parts: int = field(init=False, default=0, repr=False, compare=False)  # asked for several times, counted once

    def __post_init__(self) -> None:
        self.is_whatsapp = self.to.startswith(WHATSAPP)
        self.media_count = self.media_count or len(self.media)

    @property
    def person(self) -> str:
        """The address of the citizen: whom we write to, or who writes to us."""
        return self.sender if self.is_inbound else self.to

    @property
    def ours(self) -> str:
        return self.to if self.is_inbound else self.sender

    @property
    def parts(self) -> int:
        """1 on WhatsApp, which knows none."""
        if not self._parts:
            self._parts = 1 if self.is_whatsapp else parts(self.body)
        return self._parts

    def day(self) -> date:
        """The day on which it was sent, or asked for (UTC)."""
        return datetime.fromtimestamp(self.sent_at or self.created_at, UTC).date()

    def params(self) -> Params:
        """https://www.twilio.com/docs/messaging/guides/track-outbound-message-status"""
        told = {
            "AccountSid": self.account_sid,
            "MessageSid": self.sid,
            "SmsSid": self.sid,
            "MessageStatus": self.status,
            "SmsStatus": self.status,
            "From": self.sender,
            "To": self.to,
            "ApiVersion": API_VERSION,
        }
        if self.service_sid:
            told["MessagingServiceSid"] = self.service_sid
        if self.error_code:
            told["ErrorCode"] = self.error_code
        if self.is_whatsapp:
            told |= {"ChannelPrefix": "whatsapp", "ChannelInstallSid": "XE" + "5" * 32}
            if self.status == "read":
                told["EventType"] = "READ"
        return told

    def show(self) -> Json:
        """https://www.twilio.com/docs/messaging/api/message-resource#message-properties"""
        is_unassigned = self.status == "accepted"  # the Messaging Service has not chosen a sender yet
        created = _rfc2822(self.created_at)
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "messaging_service_sid": self.service_sid,
            "to": self.to,
            "from": None if is_unassigned else self.sender,
            "body": self.body,
            "status": self.status,
            "direction": "inbound" if self.is_inbound else "outbound-api",
            "num_segments": "0" if is_unassigned else str(self.parts),
            "num_media": str(self.media_count),
            "date_created": created,
            "date_updated": created if self.updated_at == self.created_at else _rfc2822(self.updated_at),
            "date_sent": _rfc2822(self.sent_at),
            "price": None,
            "price_unit": "USD",
            "error_code": int(self.error_code) if self.error_code else None,
            "error_message": ERRORS.get(self.error_code or ""),
            "api_version": API_VERSION,
            "uri": path(self.account_sid, "Messages", f"{self.sid}.json"),
            "subresource_uris": uris(self.account_sid, "Messages", self.sid, ("media", "feedback")),
        }


def _rfc2822(at: float) -> str | None:
    return rfc2822(datetime.fromtimestamp(int(at), UTC)) if at else None
