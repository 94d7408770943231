"""A leg: one call as the carrier holds it, from the request to its last callback."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from scripts.simulated_carrier.citizens import Reaction
from scripts.simulated_carrier.conferences import Conference
from scripts.simulated_carrier.resources import API_VERSION, Json, new_sid, now, path, rfc2822, uris
from scripts.simulated_carrier.webhooks import Params, Webhooks

FINAL = ("completed", "busy", "failed", "no-answer", "canceled")
SIP_CODES = {"completed": 200, "busy": 486, "no-answer": 487, "canceled": 487, "failed": 404}
SUBRESOURCES = ("notifications", "recordings", "payments", "events", "siprec", "streams", "transcriptions")


class Over(Exception):
    """Somebody hung up."""


class Sent(Exception):
    """The caller sent the leg to other TwiML (an update of the call with Url or Twiml)."""


@dataclass(frozen=True)
class Source:
    """Where a leg's next TwiML comes from: an address, or the document itself."""

    url: str | None = None
    twiml: str | None = None
    fallback_url: str | None = None
    params: Params = field(default_factory=dict)  # told beside the call's own


@dataclass
class Leg:
    """`reaction` is None for an operator's `client:` address: answered at once, never hung up from that side."""

    account_sid: str
    to: str
    sender: str
    source: Source
    webhooks: Webhooks
    speed: float
    timeout: float = 60
    status_callback: str | None = None
    events: frozenset[str] = frozenset({"completed"})
    reaction: Reaction | None = None
    sid: str = field(default_factory=lambda: new_sid("CA"))
    status: str = "queued"
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    hung_up_by: str = ""
    conference: Conference | None = None
    room: Conference | None = None  # where a leg dialled as a Participant goes, without TwiML
    base_url: str = ""  # of the last document: relative addresses in it start here
    sequence: int = 0  # of the next callback
    _over: bool = False
    _sent_to: Source | None = None
    _nudge: asyncio.Event = field(default_factory=asyncio.Event)
    _silence: asyncio.TimerHandle | None = None
    _patience: asyncio.TimerHandle | None = None

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    async def wait(self, seconds: float | None, *, until: asyncio.Event | None = None) -> None:
        """Let `seconds` pass (None: for ever) or `until` be set. Raises Over or Sent when that comes first."""
        loop = asyncio.get_running_loop()
        waits = [loop.create_task(event.wait()) for event in (self._nudge, until) if event is not None]
        try:
            await asyncio.wait(
                waits,
                timeout=None if seconds is None else seconds / self.speed,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for task in waits:
                task.cancel()
        self.check()

    def check(self) -> None:
        if self._over:
            raise Over
        if self._sent_to is not None:
            raise Sent

    def hang_up(self, by: str) -> None:
        """`by` citizen | caller | control; harmless when the call is over."""
        if not self._over:
            self._over, self.hung_up_by = True, by
            self._nudge.set()

    def send_to(self, source: Source) -> None:
        self._sent_to = source
        self._nudge.set()

    def take_source(self) -> Source:
        """Where the leg was sent; the leg is free to be sent again."""
        source, self._sent_to = self._sent_to or self.source, None
        if not self._over:
            self._nudge.clear()
        return source

    def patience(self, seconds: float) -> None:
        """The person leaves after `seconds`, whoever is on the line."""
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(seconds / self.speed, self.hang_up, "citizen")

    def hears_somebody(self, somebody: bool) -> None:
        """Start or stop the patience of a person who hears silence."""
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if not somebody and self.reaction is not None:
            seconds = self.reaction.silence_seconds / self.speed
            self._silence = asyncio.get_running_loop().call_later(seconds, self.hang_up, "citizen")

    def move(self, status: str, event: str) -> None:
        """Take `status` and report it when the caller asked for `event`."""
        self.status, self.updated_at = status, now()
        if status == "in-progress":
            self.answered_at = self.updated_at
        if status in FINAL:
            self.ended_at = self.updated_at
            self.hears_somebody(True)
            if self._patience is not None:
                self._patience.cancel()
        if event in self.events:
            self.webhooks.tell(self.status_callback, self._progress(event))
        self.sequence += 1

    def params(self) -> Params:
        """What every request about this call carries (https://www.twilio.com/docs/voice/twiml#request-parameters)."""
        return {
            "CallSid": self.sid,
            "AccountSid": self.account_sid,
            "From": self.sender,
            "To": self.to,
            "Caller": self.sender,
            "Called": self.to,
            "CallStatus": self.status,
            "ApiVersion": API_VERSION,
            "Direction": "outbound-api",
        }

    def _progress(self, event: str) -> Params:
        params = self.params() | {
            "CallStatus": "initiated" if event == "initiated" else self.status,
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self.sequence),
            "Timestamp": rfc2822(now()) or "",
        }
        if self.is_final:
            params |= {"CallDuration": str(self.seconds), "SipResponseCode": str(SIP_CODES[self.status])}
            if self.answered_at:
                params["Duration"] = str(-(-self.seconds // 60))  # begun minutes
        return params

    @property
    def seconds(self) -> int:
        """Answered to now or to the end."""
        if self.answered_at is None:
            return 0
        return round(((self.ended_at or now()) - self.answered_at).total_seconds())

    def show(self) -> Json:
        """https://www.twilio.com/docs/voice/api/call-resource#call-properties"""
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "parent_call_sid": None,
            "phone_number_sid": None,
            "to": self.to,
            "to_formatted": self.to,
            "from": self.sender,
            "from_formatted": self.sender,
            "status": self.status,
            "direction": "outbound-api",
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.updated_at),
            "start_time": rfc2822(self.answered_at or (self.created_at if self.is_final else None)),
            "end_time": rfc2822(self.ended_at),
            "duration": str(self.seconds) if self.is_final else None,
            "price": None,
            "price_unit": "USD",
            "answered_by": None,
            "api_version": API_VERSION,
            "forwarded_from": None,
            "group_sid": None,
            "caller_name": None,
            "queue_time": "0",
            "trunk_sid": None,
            "uri": path(self.account_sid, "Calls", f"{self.sid}.json"),
            "subresource_uris": uris(self.account_sid, "Calls", self.sid, SUBRESOURCES),
        }
