"""The pump of a worker: letters are claimed, leave when it is their turn at their sender, and what became of them is
written down, all at once. The wire is asyncio in one thread; the ledger, which blocks, has threads of its own."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Protocol, TypeVar

from callcenter.base import stopping
from callcenter.base.errors import ProviderError
from campaigns.channels import Channel, Receipt
from campaigns.dispatch.message_claims import LEASE, Outgoing

log = logging.getLogger(__name__)
T = TypeVar("T")
IN_FLIGHT = 64  # requests at once: enough for 400 messages a second at 150 ms; more only wait in line
IN_HAND = 240  # claimed letters that are not on the wire yet: what a killed worker leaves in doubt
AT_ONCE = 160  # letters of one claim
WATCH, RECORD, PAUSE = 0.2, 0.1, 0.05  # seconds: looking for a pause; writing down answers; between two empty claims
BARRED = 5.0  # seconds for the ledger to pause a campaign of which a request said that all others would fail alike
REST = 1.0  # seconds in which no letter of a sender leaves that was asked to wait; the ledger knows for how long
TOO_OLD = LEASE.total_seconds() * 0.8  # a letter in hand for longer may be another worker's by now


@dataclass(frozen=True)
class Letter:
    """A claimed message with the name of its channel."""

    channel: str
    message: Outgoing


@dataclass(frozen=True)
class Sent:
    """What became of one request."""

    letter: Letter
    result: Receipt | ProviderError


class Ledger(Protocol):
    """What the pump asks of the ledger. Each call blocks, commits, and may be made from any thread."""

    def claim(self, limit: int) -> Sequence[Letter]:
        """Up to so many letters, first whose turn comes first."""
        ...

    def is_done(self) -> bool:
        """Was nothing left at the last claim, and has nothing been written down since?"""
        ...

    def record(self, sent: Sequence[Sent]) -> None:
        """Write down what the provider answered; waits for a database that is away."""
        ...

    def give_back(self, letters: Sequence[Letter]) -> None:
        """These surely did not leave."""
        ...

    def halted(self, campaign_ids: set[int]) -> set[int]:
        """Those of these campaigns of which nothing may leave any more."""
        ...


class Pump:
    """`run` for some seconds. `open_channel` makes a channel by its name; `stops` says that an error's code concerns
    the whole campaign."""

    def __init__(
        self, ledger: Ledger, open_channel: Callable[[str], Channel], stops: Callable[[str], bool] = lambda _code: False
    ) -> None:
        self._ledger, self._open_channel, self._stops = ledger, open_channel, stops
        self._channels: dict[str, Channel] = {}
        self._sent: list[Sent] = []
        self._held: list[Letter] = []
        self._halted: set[int] = set()
        self._barred: dict[int, float] = {}  # campaign → monotonic moment until which nothing of it leaves
        self._resting: dict[int, float] = {}  # the same of senders
        self._in_hand: dict[int, int] = {}  # campaign → letters that are not on the wire yet
        self._is_over = self._is_recording = False

    async def run(self, seconds: float) -> None:
        """Send until the time is up, nothing is left or the process is asked to end; every answer is written down."""
        self._slots = asyncio.Semaphore(IN_FLIGHT)
        self._threads = ThreadPoolExecutor(3, thread_name_prefix="ledger")
        tasks: set[asyncio.Task[None]] = set()
        async with AsyncExitStack() as doors:
            watching, recording = asyncio.create_task(self._watch()), asyncio.create_task(self._keep_recording())
            try:
                await self._feed(monotonic() + seconds, tasks, doors)
            finally:
                await asyncio.gather(*tasks)
                self._is_over = True
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching
                await recording
                self._threads.shutdown()

    async def _feed(self, ends: float, tasks: set[asyncio.Task[None]], doors: AsyncExitStack) -> None:
        while monotonic() < ends and not stopping.is_asked():
            if sum(self._in_hand.values()) > IN_HAND - AT_ONCE:
                await asyncio.sleep(0.01)
                continue
            begun = monotonic()
            letters = await self._in_thread(self._ledger.claim, AT_ONCE)
            for letter in letters:
                if letter.channel not in self._channels:
                    channel = self._open_channel(letter.channel)
                    self._channels[letter.channel] = await doors.enter_async_context(channel)
                campaign_id = letter.message.campaign_id
                self._halted.discard(campaign_id)  # it was running when this was claimed
                self._in_hand[campaign_id] = self._in_hand.get(campaign_id, 0) + 1
                task = asyncio.create_task(self._carry(letter, begun))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            if not letters:
                if self._ledger.is_done() and not (tasks or self._sent or self._held or self._is_recording):
                    return
                await asyncio.sleep(PAUSE)

    async def _carry(self, letter: Letter, claimed_at: float) -> None:
        message = letter.message
        if (early := message.leaves_at - monotonic()) > 0:
            await asyncio.sleep(early)
        async with self._slots:
            self._in_hand[message.campaign_id] -= 1
            if not self._may_leave(message, claimed_at):
                self._held.append(letter)
                return
            try:
                result: Receipt | ProviderError = await self._channels[letter.channel].send(message)
            except ProviderError as error:
                self._heed(message, error)
                result = error
            except Exception:  # a bug of a channel: whether the message left, only the provider's list can say
                log.exception("sending: the channel %s failed", letter.channel)
                result = ProviderError("The channel failed; the message may have left.", code="fault", unknown=True)
        self._sent.append(Sent(letter, result))

    def _may_leave(self, message: Outgoing, claimed_at: float) -> bool:
        now = monotonic()
        waits_until = max(self._resting.get(message.sender_id, 0.0), self._barred.get(message.campaign_id, 0.0))
        is_halted = message.campaign_id in self._halted
        return not (is_halted or waits_until > now or now - claimed_at > TOO_OLD or stopping.is_asked())

    def _heed(self, message: Outgoing, error: ProviderError) -> None:
        """Let nothing more leave that would only hear the same."""
        if self._stops(error.code):
            self._barred[message.campaign_id] = monotonic() + BARRED
        elif not error.permanent and not error.unknown:
            self._resting[message.sender_id] = monotonic() + REST

    async def _watch(self) -> None:
        """A pause is obeyed within this look and the next."""
        while True:
            await asyncio.sleep(WATCH)
            in_hand = {campaign_id for campaign_id, count in self._in_hand.items() if count}
            if in_hand:
                self._halted |= await self._in_thread(self._ledger.halted, in_hand)

    async def _keep_recording(self) -> None:
        while not self._is_over or self._sent or self._held:
            self._is_recording = bool(self._sent or self._held)
            if self._sent:
                sent, self._sent = self._sent, []
                await self._in_thread(self._ledger.record, sent)
            if self._held:
                held, self._held = self._held, []
                await self._in_thread(self._ledger.give_back, held)
            self._is_recording = False
            if not self._is_over:
                await asyncio.sleep(RECORD)

    async def _in_thread(self, work: Callable[..., T], *args: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)
