"""The life of a message: accepted, in its sender's queue, sent, received or lost on the way, answered."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from scripts.simulated_carrier.contents import Contents
from scripts.simulated_carrier.filters import Filters
from scripts.simulated_carrier.handsets import DELIVERED, Handsets
from scripts.simulated_carrier.journal import Journal, our_id
from scripts.simulated_carrier.ledger import Ledger
from scripts.simulated_carrier.media import MMS, WHATSAPP, Media
from scripts.simulated_carrier.opt_outs import OptOuts
from scripts.simulated_carrier.options import Options
from scripts.simulated_carrier.senders import Senders
from scripts.simulated_carrier.texts import Text
from scripts.simulated_carrier.webhooks import Params, Webhooks
from scripts.simulated_carrier.whatsapp import WhatsApp

log = logging.getLogger(__name__)
GAP = (0.3, 2.0)  # seconds from `sent` to `delivered`
READ_AFTER = (1.0, 6.0)
REPLY_AFTER = (2.0, 15.0)
FINAL = (DELIVERED, "undelivered", "failed", "read")
OVERTAKEN = 0.5  # seconds by which `delivered` overtakes `sent`


class Texts:
    """Every message of this life of the carrier, and all that decides what becomes of one."""

    def __init__(
        self, options: Options, webhooks: Webhooks, journal: Journal, stopped: set[tuple[str, str]], public_url: str
    ) -> None:
        self.options, self.webhooks, self.journal = options, webhooks, journal
        self.inbound_urls: dict[str, str] = {}  # our sender -> where its messages are posted
        self.ledger = Ledger(options.account_sid)
        self.senders, self.handsets = Senders(options), Handsets(options, self.ledger.phones)
        self.opt_outs = OptOuts(options, self.senders, stopped)
        self.filters, self.contents, self.media = Filters(options.seed), Contents(public_url), Media()
        self.whatsapp = WhatsApp(options, self.handsets, self.contents)
        self._dice = random.Random(options.seed)
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def accept(self, text: Text) -> None:
        """Queue a message; the journal has it before the answer leaves."""
        self._keep(text)
        self.journal.write("message", sid=text.sid, to=text.to, id=our_id(text.status_callback))
        asyncio.get_running_loop().call_soon(self._do, self._begin, text)

    async def until_final(self, text: Text, seconds: float = 5) -> None:
        """Wait for the last receipt of a message, and until it was told."""
        give_up = time.monotonic() + seconds
        while (text.status not in FINAL or self.webhooks.waiting) and time.monotonic() < give_up:
            await asyncio.sleep(0.02)

    def is_told_late(self) -> bool:
        """Is this opt-out told by a callback instead of in the answer?"""
        return self._dice.random() < self.options.late_opt_out_share

    def _begin(self, text: Text) -> None:
        sender = self.senders.known[text.sender]
        if text.service_sid and sender.is_full:
            self._move(text, "failed", "30001")
            return
        if text.status == "accepted":
            self._move(text, "queued")
        sender.put(text, self._leave)

    def _leave(self, text: Text) -> None:
        """It is its turn."""
        if time.time() - text.created_at > text.validity_seconds:
            self._move(text, "failed", "30036")
        elif self.opt_outs.is_stopped(self.handsets.canonical(text.to), text.sender, text.service_sid):
            self._move(text, "failed", "21610")  # they opted out while it waited, or we are told late
        elif text.fault:
            self._move(text, "failed", text.fault)
        elif text.media:
            self._start(self._leave_with_media(text))
        else:
            self._go(text)

    async def _leave_with_media(self, text: Text) -> None:
        accepted = WHATSAPP if text.is_whatsapp else MMS
        for url in text.media:
            code = await self.media.refusal(url, accepted)
            if code is not None:
                self._move(text, "failed", code)
                return
        self._go(text)

    def _go(self, text: Text) -> None:
        refused = self.whatsapp.refusal(text, self.senders.known[text.sender]) if text.is_whatsapp else None
        if refused is not None:
            self._move(text, "undelivered", refused)
            return
        text.sent_at = time.time()
        gap = self.options.gap_seconds or self._dice.uniform(*GAP) / self.options.speed
        is_overtaken = self._dice.random() < self.options.reordered_share
        self._move(text, "sent", told_after=gap + OVERTAKEN if is_overtaken else 0.0)
        self._later(gap, self._arrive, text)

    def _arrive(self, text: Text) -> None:
        code = self._lost_on_the_way(text)
        if code is not None:
            self._move(text, "undelivered", code)
            return
        self._move(text, DELIVERED)
        if self.handsets.reads(text):
            self._later(self._dice.uniform(*READ_AFTER) / self.options.speed, self._move, text, "read")
        reply = self.handsets.reply(text)
        if reply is not None:
            body, button = reply
            pressed = {"ButtonText": button[0], "ButtonPayload": button[1], "MessageType": "button"} if button else {}
            wait = self._dice.uniform(*REPLY_AFTER) / self.options.speed
            self._later(wait, self._write_back, text, body, pressed)

    def _lost_on_the_way(self, text: Text) -> str | None:
        phone = self.handsets.canonical(text.to)
        if self.senders.known[text.sender].state == "blocked":
            return "30007"
        filtered = self.filters.code(text.sender, phone, text.body)
        if filtered is not None:
            return filtered
        outcome = self.handsets.outcome(text)
        return None if outcome == DELIVERED else outcome

    def _write_back(self, text: Text, body: str, more: Mapping[str, str]) -> None:
        if not text.is_whatsapp:
            self.receive(text.to, text.sender, body)
            return
        self.receive(text.to, text.sender, body, {**self.names_of(self.handsets.canonical(text.to)), **more})

    def names_of(self, phone: str) -> Params:
        """How WhatsApp introduces the person: `From`, and what stands beside it."""
        user_id = self.handsets.whatsapp_id(phone)
        if self.handsets.hides_phone(phone):
            return {"From": f"whatsapp:{user_id}", "ExternalUserId": user_id, "ProfileName": "Vecina"}
        digits = phone.removeprefix("+")
        if self.handsets.says_521(phone) and phone.startswith("+52"):
            digits = "521" + digits[2:]
        return {"From": f"whatsapp:+{digits}", "ExternalUserId": user_id, "ProfileName": "Vecina", "WaId": digits}

    def receive(self, person: str, ours: str, body: str, more: Mapping[str, str] | None = None) -> Text:
        """A citizen writes to one of our senders; `more` is told beside the usual, and may name them otherwise."""
        extra = dict(more or {})
        text = Text(
            ours, extra.pop("From", person), body, status="received", is_inbound=True,
            media_count=int(extra.get("NumMedia", 0)), sent_at=time.time(),
        )  # fmt: skip
        self._keep(text)
        phone = self.handsets.canonical(person)
        handled = None if text.is_whatsapp else self.opt_outs.hear(phone, ours, body)
        if text.is_whatsapp:
            self.whatsapp.heard(person, ours)
        self.journal.write(
            "reply", sid=text.sid, **{"from": person}, to=ours, opt_out=handled == "STOP", opt_in=handled == "START"
        )
        params = text.params() | {
            "SmsMessageSid": text.sid, "SmsStatus": "received", "Body": body, "NumMedia": "0",
            "NumSegments": str(text.parts),
        }  # fmt: skip
        params.pop("MessageStatus")
        params |= {"MessageType": "text"} if text.is_whatsapp else {}
        if "MediaUrl0" in extra:
            extra["MediaUrl0"] = extra["MediaUrl0"].format(sid=text.sid)
        params |= extra | ({"OptOutType": handled} if handled else {})
        self.webhooks.tell(self._inbound_url(ours), params)
        return text

    def _inbound_url(self, ours: str) -> str | None:
        by_service = [service.inbound_url for service in self.senders.services_of(ours) if service.inbound_url]
        return by_service[0] if by_service else self.inbound_urls.get(ours)

    def _move(self, text: Text, status: str, error_code: str | None = None, *, told_after: float = 0.0) -> None:
        text.status, text.error_code, text.updated_at = status, error_code, time.time()
        self.ledger.move(text)
        if status in self.options.told.split():
            self.webhooks.tell(text.status_callback, text.params(), told_after)

    def _keep(self, text: Text) -> None:
        text.created_at = text.updated_at = time.time()
        self.ledger.add(text)

    def _later(self, seconds: float, do: Callable[..., None], *arguments: Any) -> None:
        asyncio.get_running_loop().call_later(seconds, self._do, do, *arguments)

    def _do(self, do: Callable[..., None], *arguments: Any) -> None:
        if not self._is_closed:
            do(*arguments)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        self.senders.close()
        self.ledger.close()
        await self.media.close()
