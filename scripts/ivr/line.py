"""One citizen's leg while a recorded survey talks to it: AGI commands over AMI, one after the other."""

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from callcenter.base.errors import ProviderError
from callcenter.carriers.asterisk.client import Client
from surveys.faces import wire
from surveys.faces.turns import Heard, Step

CALM = 0.2  # seconds after which nobody else's next prompt waits for the work that one's own leaves behind
ROOM = 2.0  # seconds beyond what a step may take, before its answer counts as lost


class Gone(Exception):
    """The leg has ended."""


class Elsewhere(Exception):
    """The leg is up, and not ours to talk with (not yet, or no more)."""


@dataclass(frozen=True)
class Said:
    """A step that is under way. `seconds`: its prompt; `began`: on the monotonic clock; `voice`: what it records."""

    step: Step
    seconds: float
    began: float
    command_id: str
    voice: str = ""


@dataclass(frozen=True)
class News:
    """`command_id` answered with `result`; `is_end`: the leg left the recorded survey."""

    command_id: str = ""
    result: str = ""
    is_end: bool = False


class Line:
    """`hear` is given the news of this leg by whoever reads the events; everything else belongs to one thread."""

    def __init__(self, client: Client, channel: str) -> None:
        self.channel = channel  # its unique id
        self._client = client
        self._news: queue.SimpleQueue[News] = queue.SimpleQueue()
        self._commands = 0
        self._is_abandoned = False

    def hear(self, news: News) -> None:
        self._news.put(news)

    def abandon(self) -> None:
        """Another program goes on with this leg: nothing more is said or closed here."""
        self._is_abandoned = True
        self._news.put(News())

    def say(self, step: Step, sound: str, seconds: float, voice: str = "", folder: str = "") -> Said:
        """Begin a step; returns at once. Raises Gone, Elsewhere, ProviderError (the switch cannot be reached)."""
        command_id = self._send(wire.command(step, sound, f"{folder}/{voice}"))
        return Said(step, seconds, time.monotonic(), command_id, voice)

    def answer(self, said: Said, meanwhile: Callable[[], object] | None = None) -> Heard | None:
        """What came of the step; None when its answer is lost and the step must be said again. Raises Gone.

        `meanwhile` is done once the step is well under way and nothing has come of it yet."""
        until = said.began + wire.longest(said.step, said.seconds) + ROOM
        while (left := until - time.monotonic()) > 0:
            try:
                news = self._news.get(timeout=min(left, CALM) if meanwhile else left)
            except queue.Empty:
                if meanwhile is None:
                    break
                meanwhile()
                meanwhile = None
                continue
            if self._is_abandoned:
                raise Elsewhere
            if news.is_end:
                raise Gone
            if news.command_id == said.command_id:
                return self._heard(said, news.result)
        return None

    def hang_up(self) -> None:
        """Harmless when the leg has ended."""
        try:
            self._send("HANGUP")
        except (Gone, Elsewhere, ProviderError):
            return

    def _send(self, command: str) -> str:
        if self._is_abandoned:
            raise Elsewhere
        self._commands += 1
        command_id = f"{self.channel}:{self._commands}:{time.monotonic_ns()}"
        action = {"Action": "AGI", "Channel": self.channel, "Command": command, "CommandID": command_id}
        try:
            self._client.ask(action)
        except ProviderError as error:
            if error.code == "gone":
                raise Gone from error
            if error.code == "ami_refused":
                raise Elsewhere from error
            raise
        return command_id

    def _heard(self, said: Said, result: str) -> Heard:
        try:
            return wire.heard(said.step, wire.read(unquote(result)), said.voice)
        except wire.Unanswered as error:
            if error.is_gone:
                raise Gone from error
            raise
