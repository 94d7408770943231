"""Text messages: a queue that empties at the agreed rate, receipts, and citizens who write back."""

import asyncio
import logging
import random
import re
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

from scripts.simulated_carrier.citizens import citizen
from scripts.simulated_carrier.journal import Journal, our_id
from scripts.simulated_carrier.options import Options
from scripts.simulated_carrier.rates import Rate
from scripts.simulated_carrier.resources import API_VERSION, Json, new_sid, now, path, rfc2822, uris
from scripts.simulated_carrier.webhooks import Params, Webhooks

log = logging.getLogger(__name__)
KEPT = 50_000
# Twilio's Advanced Opt-Out with Spanish words: the carrier itself stops writing to who sent one of these.
OPT_OUT_WORDS = frozenset(("baja", "alto", "stop", "stopall", "unsubscribe", "cancel", "end", "quit"))
OPT_IN_WORDS = frozenset(("alta", "start", "unstop"))
ERRORS = {
    "30003": "Unreachable destination handset",
    "30005": "Unknown destination handset",
    "30036": "Validity Period Expired",
}
_GSM_7 = re.compile(r"[A-Za-z0-9 \r\n@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,\-./:;<=>?¡ÄÖÑÜ§¿äöñüà^{}\\\[~\]|€]*")


def segments(body: str) -> int:
    """How many parts it is billed as (https://www.twilio.com/docs/glossary/what-is-gsm-7-character-encoding)."""
    one, many = (160, 153) if _GSM_7.fullmatch(body) else (70, 67)
    return 1 if len(body) <= one else -(-len(body) // many)


@dataclass
class Text:
    """One message, out or in."""

    account_sid: str
    to: str
    sender: str
    body: str
    status: str = "queued"
    direction: str = "outbound-api"
    status_callback: str | None = None
    validity_seconds: float = 36_000
    service_sid: str | None = None
    error_code: str | None = None
    sid: str = field(default_factory=lambda: new_sid("SM"))
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    sent_at: datetime | None = None

    def params(self) -> Params:
        """https://www.twilio.com/docs/messaging/guides/track-outbound-message-status"""
        return {
            "AccountSid": self.account_sid,
            "MessageSid": self.sid,
            "SmsSid": self.sid,
            "MessageStatus": self.status,
            "SmsStatus": self.status,
            "From": self.sender,
            "To": self.to,
            "ApiVersion": API_VERSION,
            **({"MessagingServiceSid": self.service_sid} if self.service_sid else {}),
            **({"ErrorCode": self.error_code} if self.error_code else {}),
        }

    def show(self) -> Json:
        """https://www.twilio.com/docs/messaging/api/message-resource#message-properties"""
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "messaging_service_sid": self.service_sid,
            "to": self.to,
            "from": self.sender,
            "body": self.body,
            "status": self.status,
            "direction": self.direction,
            "num_segments": str(segments(self.body)),
            "num_media": "0",
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.updated_at),
            "date_sent": rfc2822(self.sent_at),
            "price": None,
            "price_unit": "USD",
            "error_code": int(self.error_code) if self.error_code else None,
            "error_message": ERRORS.get(self.error_code or ""),
            "api_version": API_VERSION,
            "uri": path(self.account_sid, "Messages", f"{self.sid}.json"),
            "subresource_uris": uris(self.account_sid, "Messages", self.sid, ("media", "feedback")),
        }


class Texts:
    """Every message of this life of the carrier, and who may not be written to any more."""

    def __init__(self, options: Options, webhooks: Webhooks, journal: Journal, unsubscribed: set[str]) -> None:
        self.options, self.webhooks, self.journal = options, webhooks, journal
        self.unsubscribed = unsubscribed
        self.inbound_urls: dict[str, str] = {}  # our number -> where its messages are posted
        self.by_sid: OrderedDict[str, Text] = OrderedDict()
        self._turns = Rate(lambda: options.messages_per_second)
        self._dice = random.Random(options.seed)
        self._tasks: set[asyncio.Task[None]] = set()

    def accept(self, text: Text) -> None:
        """Queue a message; the journal has it before the answer leaves."""
        self._keep(text)
        self.journal.write("message", sid=text.sid, to=text.to, id=our_id(text.status_callback))
        self._start(text)

    def _start(self, text: Text) -> None:
        task = asyncio.create_task(self._carry(text))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, text: Text) -> None:
        await self._turns.turn()
        if (now() - text.created_at).total_seconds() > text.validity_seconds:
            self._move(text, "failed", "30036")
            return
        text.sent_at = now()
        self._move(text, "sent")
        await self._sleep(self._dice.uniform(0.3, 2))
        person = citizen(text.to, self.options.seed)
        outcome = person.receives(text.body)
        if outcome != "delivered":
            self._move(text, "undelivered", outcome)
            return
        self._move(text, "delivered")
        reply = person.replies(text.body)
        if reply is not None:
            await self._sleep(self._dice.uniform(2, 15))
            self.receive(text.to, text.sender, reply)

    def receive(self, person: str, number: str, body: str) -> Text:
        """A citizen writes to one of our numbers."""
        text = Text(
            self.options.account_sid, number, person, body, status="received", direction="inbound", sent_at=now()
        )
        self._keep(text)
        word = body.strip().lower().rstrip(".!")
        kind = "STOP" if word in OPT_OUT_WORDS else "START" if word in OPT_IN_WORDS else None
        if kind == "STOP":
            self.unsubscribed.add(person)
        elif kind == "START":
            self.unsubscribed.discard(person)
        self.journal.write("reply", sid=text.sid, **{"from": person}, opt_out=kind == "STOP")
        params = text.params() | {
            "SmsMessageSid": text.sid,
            "Body": body,
            "NumMedia": "0",
            "NumSegments": str(segments(body)),
        }
        params.pop("MessageStatus")
        self.webhooks.tell(self.inbound_urls.get(number), params | ({"OptOutType": kind} if kind else {}))
        return text

    def _move(self, text: Text, status: str, error_code: str | None = None) -> None:
        text.status, text.error_code, text.updated_at = status, error_code, now()
        self.webhooks.tell(text.status_callback, text.params())

    def _keep(self, text: Text) -> None:
        self.by_sid[text.sid] = text
        while len(self.by_sid) > KEPT:
            self.by_sid.popitem(last=False)

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.options.speed)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
