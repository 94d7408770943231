"""The exchange: everything the carrier holds, and the rules by which it accepts or refuses a request."""

import asyncio
import itertools
import logging
import random
import re
from collections import Counter, OrderedDict
from dataclasses import replace

from scripts.simulated_carrier import errors
from scripts.simulated_carrier.citizens import Reaction, citizen
from scripts.simulated_carrier.journal import Journal, our_id
from scripts.simulated_carrier.legs import Leg, Source
from scripts.simulated_carrier.mail import Mail
from scripts.simulated_carrier.message_desk import is_phone
from scripts.simulated_carrier.messages import Texts
from scripts.simulated_carrier.options import NUMBERS, Options
from scripts.simulated_carrier.rates import Allowance, Rate
from scripts.simulated_carrier.senders import Sender
from scripts.simulated_carrier.telegram import Telegram
from scripts.simulated_carrier.voice import Voice
from scripts.simulated_carrier.webhooks import Webhooks

log = logging.getLogger(__name__)
KEPT = 20_000
_CLIENT = re.compile(r"client:[A-Za-z0-9_.-]{1,100}")


class Cut(Exception):
    """The connection is closed without an answer."""


class Exchange:
    """`public_url`: where the product is reached, hence where templates of the first day have their media."""

    def __init__(self, options: Options, journal: Journal, public_url: str = "https://convoca.example") -> None:
        past = journal.past()
        self.options, self.journal = options, journal
        self.webhooks = Webhooks(options)
        self.voice = Voice(options.account_sid, self.webhooks, journal)
        self.texts = Texts(options, self.webhooks, journal, past.unsubscribed, public_url)
        self.telegram = Telegram(options, journal, past.telegram)
        self.mail = Mail(options)
        self.legs: OrderedDict[str, Leg] = OrderedDict()
        self.orders: dict[str, Reaction] = {}  # what the control page told a number to do
        self.dials: Counter[str] = past.dials
        self.numbers = list(NUMBERS)
        self.base_url = "http://127.0.0.1"  # our own address, for what we tell the product to fetch
        self._past_calls = past.open_calls
        self._sids: dict[str, str] = {}  # the caller's own id -> sid
        self._dice = random.Random(options.seed)
        self._turns = Rate(lambda: options.calls_per_second)
        self._requests = Allowance(lambda: options.requests_per_second)
        self._tasks: set[asyncio.Task[None]] = set()

    def set_inbound_url(self, url: str, number: str | None = None) -> None:
        for ours in [number] if number else self.texts.senders.known:
            self.texts.inbound_urls[ours] = url

    def own(self, number: str) -> None:
        """A number of ours, if it was not one before."""
        if number not in self.numbers:
            self.numbers.append(number)
            self.adopt(number)

    def adopt(self, address: str) -> Sender:
        """A new sender, which is answered where the first ones are."""
        urls = self.texts.inbound_urls
        if self.numbers[0] in urls:
            urls.setdefault(address, urls[self.numbers[0]])
        return self.texts.senders.add(address)

    def gate(self) -> None:
        """Refuse a request before anything is accepted. Raises ApiError."""
        options = self.options
        if options.credentials != "good":
            raise errors.authenticate() if options.credentials == "revoked" else errors.suspended()
        if not self._requests.take() or self.happens(options.refused_share):
            raise errors.too_many()
        if self.happens(options.failed_share):
            raise errors.internal()
        if self.happens(options.unavailable_share):
            raise errors.unavailable()

    async def hold_answer(self) -> None:
        """What was asked is accepted; the answer takes its time, or does not say so. Raises ApiError, or Cut."""
        options = self.options
        if options.answer_seconds:
            await asyncio.sleep(options.answer_seconds)
        if self.happens(options.unknown_share):
            raise errors.internal()
        if self.happens(options.hang_share):
            await asyncio.sleep(options.hang_seconds)
            raise Cut
        if self.happens(options.cut_share):
            raise Cut

    def happens(self, share: float) -> bool:
        """With that share of chance."""
        return share > 0 and self._dice.random() < share

    def place(self, leg: Leg) -> Leg:
        """Take on a call. Raises ApiError."""
        self._check_call(leg)
        self.dials[leg.to] += 1
        if not leg.to.startswith("client:"):
            leg.reaction = self.orders.get(leg.to) or citizen(leg.to, self.options.seed).reaction(self.dials[leg.to])
        self._keep(leg)
        known_as = our_id(leg.source.url, leg.status_callback)
        if known_as:
            self._sids[known_as] = leg.sid
        self.journal.write(
            "call", sid=leg.sid, to=leg.to, **{"from": leg.sender}, id=known_as,
            callback=leg.status_callback, events=sorted(leg.events),
        )  # fmt: skip
        self._run(leg)
        return leg

    def _check_call(self, leg: Leg) -> None:
        if not (is_phone(leg.to) or _CLIENT.fullmatch(leg.to)):
            raise errors.invalid_to(leg.to)
        if leg.sender not in self.numbers and not _CLIENT.fullmatch(leg.sender):
            raise errors.not_ours(leg.sender) if is_phone(leg.sender) else errors.invalid_from(leg.sender)

    def _run(self, leg: Leg) -> None:
        async def live() -> None:
            if leg.reaction is not None:
                await self._turns.turn()
            await self.voice.live(leg)

        task = asyncio.create_task(live())
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            log.error("a call failed inside the simulation", exc_info=task.exception())

    def on_line(self, our_id: str) -> Leg | None:
        """The answered call whose caller knows it by this id, while it lasts."""
        leg = self.legs.get(self._sids.get(our_id, ""))
        return leg if leg is not None and leg.status == "in-progress" else None

    def order(self, phone: str, reaction: Reaction | None) -> None:
        """From now on `phone` does as told; None sets it free again."""
        if reaction is None:
            self.orders.pop(phone, None)
        else:
            self.orders[phone] = replace(reaction)

    def hang_up(self, phone: str) -> int:
        """Everybody behind `phone` hangs up now; returns how many were on the line."""
        on_line = [leg for leg in self.legs.values() if leg.to == phone and not leg.is_final]
        for leg in on_line:
            leg.hang_up("citizen")
        return len(on_line)

    def recover(self) -> None:
        """Calls that an earlier life left open are over: report them, as a carrier does after an outage."""
        for sid, entry in self._past_calls.items():
            leg = Leg(
                self.options.account_sid, entry["to"], entry["from"], Source(), self.webhooks, self.options.speed,
                status_callback=entry.get("callback"), events=frozenset(entry.get("events", ())), sid=sid, sequence=3,
            )  # fmt: skip
            self._keep(leg)
            if "answered" in entry:
                leg.move("in-progress", "")
            leg.move("completed" if "answered" in entry else "failed", "completed")
            self.journal.write("end", sid=sid, to=leg.to, status=leg.status, by="outage")
        self._past_calls = {}

    def _keep(self, leg: Leg) -> None:
        self.legs[leg.sid] = leg
        if len(self.legs) > KEPT:
            oldest = list(itertools.islice(self.legs.values(), KEPT // 10))
            for old in oldest:
                if old.is_final:
                    del self.legs[old.sid]
            self._sids = {known_as: sid for known_as, sid in self._sids.items() if sid in self.legs}

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.texts.close()
        await self.telegram.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.webhooks.close()
        self.journal.close()
