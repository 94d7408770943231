"""The calls that the carrier holds: which it takes on, who is behind each phone, and who rings us."""

import asyncio
import itertools
import logging
import re
from collections import Counter, OrderedDict
from dataclasses import replace

from scripts.simulated_carrier import errors
from scripts.simulated_carrier.call_resource import Teller
from scripts.simulated_carrier.citizens import Reaction, citizen
from scripts.simulated_carrier.journal import Journal, Past, our_id
from scripts.simulated_carrier.legs import Leg, Over, Source
from scripts.simulated_carrier.message_desk import is_phone
from scripts.simulated_carrier.numbers import Number, Numbers
from scripts.simulated_carrier.options import Options
from scripts.simulated_carrier.rates import Rate
from scripts.simulated_carrier.voice import Voice

log = logging.getLogger(__name__)
KEPT = 10_000
_CLIENT = re.compile(r"client:[A-Za-z0-9_.-]{1,100}")
# Dialling codes of the countries that a campaign here may reach by mistake.
COUNTRIES = {"+52": "MX", "+1": "US", "+34": "ES", "+502": "GT", "+57": "CO"}
# https://help.twilio.com/articles/223179988: who hides their number comes as the letters of «anonymous».
ANONYMOUS = "+266696687"


class Calls:
    """`legs` by SID, oldest first; `orders`: what the control page told a number to do."""

    def __init__(self, options: Options, voice: Voice, teller: Teller, numbers: Numbers, journal: Journal) -> None:
        self._options, self._voice, self._tell = options, voice, teller
        self._numbers, self._journal = numbers, journal
        voice.dialling.switch, voice.known_as = self, self.known_as
        self.legs: OrderedDict[str, Leg] = OrderedDict()
        self.orders: dict[str, Reaction] = {}
        self.dials: Counter[str] = Counter()
        self._sids: dict[str, str] = {}  # the caller's own id -> sid
        self._turns = Rate(lambda: options.calls_per_second * options.speed)
        self._open: set[str] = set()  # SIDs
        self._tasks: set[asyncio.Task[None]] = set()

    def speed(self) -> float:
        return self._options.speed

    def tell(self, leg: Leg, event: str) -> None:
        self._tell(leg, event)

    def place(self, leg: Leg) -> Leg:
        """Take on a call. Raises ApiError."""
        self._check_limits(leg)
        self.prepare(leg)
        known_as = our_id(leg.source.url, leg.status_callback)
        if known_as:
            self.known_as(known_as, leg)
        self._journal.write(
            "call", sid=leg.sid, to=leg.to, **{"from": leg.sender}, id=known_as,
            callback=leg.status_callback, events=sorted(leg.events),
        )  # fmt: skip
        self._run(leg, self._turns.reserve() if not leg.is_client else 0.0)
        return leg

    def prepare(self, leg: Leg) -> None:
        """Who is behind this phone, and how they react to this try. Raises ApiError when it cannot be called."""
        self._check_call(leg)
        self.dials[leg.to] += 1
        leg.attempt = self.dials[leg.to]
        if not leg.is_client:
            leg.person = citizen(leg.to, self._options.seed)
            leg.reaction = leg.person.reaction(leg.attempt)
        leg.reaction = self.orders.get(leg.to, leg.reaction)
        self._keep(leg)

    def _check_limits(self, leg: Leg) -> None:
        options = self._options
        if options.balance <= 0:
            raise errors.suspended()
        if leg.is_client:
            return
        if options.concurrent_calls and len(self._open) >= options.concurrent_calls:
            raise errors.concurrency()
        if self._turns.waiting * options.speed > options.call_queue_seconds:
            raise errors.too_many()

    def _check_call(self, leg: Leg) -> None:
        if not (is_phone(leg.to) or _CLIENT.fullmatch(leg.to)):
            raise errors.invalid_to(leg.to)
        ours = leg.sender in self._numbers or _CLIENT.fullmatch(leg.sender)
        is_passed_on = leg.parent_sid is not None and leg.sender == self.legs[leg.parent_sid].sender
        if not ours and not is_passed_on:
            raise errors.not_ours(leg.sender) if is_phone(leg.sender) else errors.invalid_from(leg.sender)
        codes = [code for code in COUNTRIES if leg.to.startswith(code)]
        if codes and COUNTRIES[max(codes, key=len)] in self._options.countries_off.upper().split():
            raise errors.no_permission(leg.to)

    def call_in(self, phone: str, ours: Number, reaction: Reaction) -> Leg:
        """Somebody rings one of our numbers."""
        source = Source(
            ours.voice_url, fallback_url=ours.voice_fallback_url or None, method=ours.voice_method,
            fallback_method=ours.voice_fallback_method,
        )  # fmt: skip
        leg = Leg(
            self._options.account_sid, ours.phone, phone, source, self.tell, self.speed, direction="inbound",
            status_callback=ours.status_callback or None, callback_method=ours.status_callback_method,
            reaction=reaction, person=citizen(phone, self._options.seed), status="ringing",
        )  # fmt: skip
        self._keep(leg)
        self._run(leg, 0.0)
        return leg

    def _run(self, leg: Leg, delay: float) -> None:
        async def live() -> None:
            if delay:
                try:
                    await leg.wait(delay * self._options.speed)
                except Over:
                    self._voice.end(leg, "canceled")
                    return
                leg.queue_milliseconds = round(delay * self._options.speed * 1000)
            await self._voice.live(leg)

        task = asyncio.create_task(live())
        self._tasks.add(task)
        if not leg.is_client:
            self._open.add(leg.sid)

        def done(task: "asyncio.Task[None]") -> None:
            self._open.discard(leg.sid)
            self._tasks.discard(task)
            if not task.cancelled() and task.exception():
                log.error("a call failed inside the simulation", exc_info=task.exception())

        task.add_done_callback(done)

    def known_as(self, our_id: str, leg: Leg) -> None:
        """The caller knows this leg by an id of its own, too."""
        self._sids[our_id] = leg.sid

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

    def of(self, phone: str) -> list[Leg]:
        """The calls to and from a person, newest first."""
        return [leg for leg in reversed(self.legs.values()) if leg.phone == phone]

    def hang_up(self, phone: str) -> int:
        """Everybody behind `phone` hangs up now; returns how many were on the line."""
        on_line = [leg for leg in self.of(phone) if not leg.is_final]
        for leg in on_line:
            leg.hang_up("citizen")
        return len(on_line)

    def recover(self, past: Past) -> None:
        """Calls that an earlier life left open are over: report them, as a carrier does after an outage."""
        for sid, entry in past.open_calls.items():
            leg = Leg(
                self._options.account_sid, entry["to"], entry["from"], Source(), self.tell, self.speed,
                status_callback=entry.get("callback"), events=frozenset(entry.get("events", ())), sid=sid, sequence=3,
            )  # fmt: skip
            self._keep(leg)
            if "answered" in entry:
                leg.move("in-progress", "")
            leg.move("completed" if "answered" in entry else "failed", "completed")
            self._journal.write("end", sid=sid, to=leg.to, status=leg.status, by="outage")

    def _keep(self, leg: Leg) -> None:
        self.legs[leg.sid] = leg
        if len(self.legs) > KEPT:
            oldest = list(itertools.islice(self.legs.values(), KEPT // 10))
            for old in oldest:
                if old.is_final:
                    del self.legs[old.sid]
            self._sids = {known_as: sid for known_as, sid in self._sids.items() if sid in self.legs}

    async def close(self) -> None:
        tasks = self._tasks | self._voice.tasks
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
