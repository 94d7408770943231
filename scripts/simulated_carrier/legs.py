"""A leg: one call as the carrier holds it, from the request to its last callback."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from scripts.simulated_carrier.citizens import Citizen, Reaction
from scripts.simulated_carrier.conferences import Conference, Participant
from scripts.simulated_carrier.hearing import Heard
from scripts.simulated_carrier.keys import Keys
from scripts.simulated_carrier.machine_detection import BEEP_SECONDS, Detection, Finding
from scripts.simulated_carrier.recordings import Recording, Wanted
from scripts.simulated_carrier.resources import new_sid, now
from scripts.simulated_carrier.webhooks import Params

FINAL = ("completed", "busy", "failed", "no-answer", "canceled")


class Over(Exception):
    """Somebody hung up."""


class Sent(Exception):
    """The caller sent the leg to other TwiML (an update of the call with Url or Twiml)."""


class Failed(Exception):
    """The call ends with an application error, of which the person was told."""


@dataclass(frozen=True)
class Source:
    """Where a leg's next TwiML comes from: an address, or the document itself."""

    url: str | None = None
    twiml: str | None = None
    fallback_url: str | None = None
    params: Params = field(default_factory=dict)  # told beside the call's own
    method: str = "POST"
    fallback_method: str = "POST"


@dataclass
class Leg:
    """`reaction` is None for an operator's `client:` address: answered at once, never hung up from that side.

    `person` is who is behind the phone that is not ours, `attempt` how often it was dialled."""

    account_sid: str
    to: str
    sender: str
    source: Source
    tell: Callable[["Leg", str], None]  # a change of its status, by the name of the event
    speed: Callable[[], float]
    timeout: float = 60
    time_limit: float = 14_400
    status_callback: str | None = None
    callback_method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})
    direction: str = "outbound-api"
    parent_sid: str | None = None
    reaction: Reaction | None = None
    person: Citizen | None = None
    attempt: int = 1
    detection: Detection | None = None
    finding: Finding | None = None
    send_digits: str = ""
    recorded: Wanted | None = None  # record it from its answer on
    sid: str = field(default_factory=lambda: new_sid("CA"))
    status: str = "queued"
    sip: int | None = None
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    queue_milliseconds: int = 0
    price: str | None = None
    hung_up_by: str = ""
    conference: Conference | None = None
    participant: Participant | None = None
    room: Conference | None = None  # where a leg dialled as a Participant goes, without TwiML
    base_url: str = ""  # of the last document: relative addresses in it start here
    sequence: int = 0  # of the next callback
    heard: list[Heard] = field(default_factory=list)
    pressed: str = ""
    spoken: list[str] = field(default_factory=list)
    menus: int = 0  # how many asked for keys
    keys: Keys = field(default_factory=Keys)
    speech: asyncio.Event = field(default_factory=asyncio.Event)
    speech_seconds: float = 0.0
    recordings: list[Recording] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    _over: bool = False
    _sent_to: Source | None = None
    _nudge: asyncio.Event = field(default_factory=asyncio.Event)
    _silence: asyncio.TimerHandle | None = None
    _timers: list[asyncio.TimerHandle] = field(default_factory=list)

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def is_client(self) -> bool:
        return self.to.startswith("client:") or (self.sender.startswith("client:") and self.direction == "inbound")

    @property
    def phone(self) -> str:
        """Of the person: who is called, or who called us."""
        return self.sender if self.direction == "inbound" else self.to

    @property
    def was_sent(self) -> bool:
        """Other TwiML waits for it."""
        return self._sent_to is not None

    async def wait(self, seconds: float | None, *until: asyncio.Event) -> bool:
        """Let `seconds` pass (None: for ever), or one of `until` be set: True. Raises Over or Sent when that comes
        first."""
        self.check()
        loop = asyncio.get_running_loop()
        waits = [loop.create_task(event.wait()) for event in (self._nudge, *until)]
        try:
            await asyncio.wait(
                waits,
                timeout=None if seconds is None else seconds / self.speed(),
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for task in waits:
                task.cancel()
        self.check()
        return any(event.is_set() for event in until)

    def check(self) -> None:
        if self._over:
            raise Over
        if self._sent_to is not None:
            raise Sent

    def hang_up(self, by: str) -> None:
        """`by` citizen | caller | control | limit; harmless when the call is over."""
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

    def hang_up_in(self, seconds: float, by: str) -> None:
        """Whoever is on the line: the person loses patience, or the call may last no longer."""
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(min(seconds / self.speed(), 86_400), self.hang_up, by))

    def hears_somebody(self, somebody: bool) -> None:
        """Start or stop the patience of a person who hears silence."""
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if not somebody and self.reaction is not None and not self.is_final:
            seconds = self.reaction.silence_seconds / self.speed()
            self._silence = asyncio.get_running_loop().call_later(min(seconds, 86_400), self.hang_up, "citizen")

    def hear(self, verb: str, text: str, language: str = "") -> None:
        self.heard.append(Heard(verb, text, self.elapsed, self._beeped(), language))

    def _beeped(self) -> bool:
        machine = self.reaction if self.reaction is not None and self.reaction.kind == "voicemail" else None
        return machine is not None and machine.beep and self.elapsed >= machine.greeting_seconds + BEEP_SECONDS - 0.05

    def speak(self, seconds: float, words: str = "") -> None:
        """Somebody speaks into whatever listens."""
        self.speech_seconds, self.spoken = seconds, [*self.spoken, words]
        self.speech.set()

    def chance(self, purpose: str) -> float:
        """A number from 0 to 1: the same whenever this person's phone is dialled for the same time."""
        return self.person.chance(f"{purpose}/{self.attempt}") if self.person is not None else 0.5

    def move(self, status: str, event: str) -> None:
        """Take `status` and report it when the caller asked for `event`."""
        self.status, self.updated_at = status, now()
        if status == "in-progress":
            self.answered_at = self.updated_at
        if status in FINAL:
            self.ended_at = self.updated_at
            self.ended.set()
            self.hears_somebody(True)
            for timer in self._timers:
                timer.cancel()
        self.tell(self, event)
        self.sequence += 1

    @property
    def elapsed(self) -> float:
        """Answered to now or to the end, in the carrier's own seconds."""
        if self.answered_at is None:
            return 0.0
        return ((self.ended_at or now()) - self.answered_at).total_seconds() * self.speed()

    @property
    def seconds(self) -> int:
        return round(self.elapsed)
