"""One user of one Asterisk: asks it for things, hears its events, and connects again when it was cut off."""

import queue
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer

from callcenter.base.errors import ProviderError
from callcenter.carriers.asterisk.actions import Action
from callcenter.carriers.asterisk.packets import Packet
from callcenter.carriers.asterisk.wire import Answer, Lost, Pace, Wire
from callcenter.switches import Door

__all__ = ["Answer", "Client", "Lost", "Pace", "Packet", "Question"]
PACE = Pace()


class Client:
    """Threads may share it. It connects on first use and again, with everything new, after it was cut off.

    `listens`: this user hears Asterisk's events; they come in `events`, with a `Lost` where the connection broke."""

    def __init__(self, door: Door, *, listens: bool = False, pace: Pace = PACE) -> None:
        self.door = door
        self.events: queue.SimpleQueue[Packet | Lost] = queue.SimpleQueue()
        self._listens = listens
        self._pace = pace
        self._wire: Wire | None = None
        self._connecting = threading.Lock()
        self._connected_at = time.monotonic()

    @property
    def is_connected(self) -> bool:
        return self._wire is not None and self._wire.is_alive

    @property
    def silence(self) -> float:
        """Seconds since the switch gave its last sign of life."""
        return self._wire.silence if self._wire is not None else float("inf")

    @property
    def age(self) -> float:
        """Seconds since this connection was made."""
        return time.monotonic() - self._connected_at

    def connect(self) -> None:
        """Log in, when we are not. Raises ProviderError: `unreachable`, `silent`, `not_ami`, `wrong_password`."""
        self._live_wire()

    def ask(self, action: Action, *, seconds: float | None = None) -> Answer:
        """Do one action. Raises ProviderError: see `begin` and `Question.wait`."""
        return self.begin(action).wait(seconds)

    def begin(self, action: Action) -> "Question":
        """Send one action and go on; the answer is fetched with `wait`. Raises ProviderError: those of `connect`, and
        `bad_action`; nothing has reached Asterisk then, and nothing is done."""
        wire = self._live_wire()
        try:
            return self._send(wire, action)
        except OSError:
            # What the socket did not take whole has no end, and Asterisk does nothing with it.
            wire.give_up()
        return self._send_or_say(self._live_wire(), action)

    def close(self) -> None:
        """Harmless when repeated; the next use connects again."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.give_up()

    def _send(self, wire: Wire, action: Action) -> "Question":
        return Question(wire.ask(action), str(action.get("Action")), self._pace.answer)

    def _send_or_say(self, wire: Wire, action: Action) -> "Question":
        try:
            return self._send(wire, action)
        except OSError:
            wire.give_up()
            raise _unreachable(self.door) from None

    def _live_wire(self) -> Wire:
        with self._connecting:
            if self._wire is None or not self._wire.is_alive:
                self._wire = None
                self._wire = self._log_in()
                self._connected_at = time.monotonic()
            return self._wire

    def _log_in(self) -> Wire:
        wire = Wire(self.door, self._pace, self.events.put if self._listens else _forget)
        try:
            wire.connect()
        except OSError:
            raise _unreachable(self.door) from None
        login = {"Action": "Login", "Username": self.door.user, "Secret": self.door.secret,
                 "Events": "on" if self._listens else "off"}  # fmt: skip
        try:
            wire.greeted.result(self._pace.connect)
            Question(wire.ask(login), "Login", self._pace.answer).wait()
        except ProviderError as error:
            wire.give_up()
            raise _not_let_in(self.door, error.code) from None
        except OSError:  # it closed, or says nothing
            wire.give_up()
            raise _not_let_in(self.door, "silent") from None
        return wire


class Question:
    """One action that was sent."""

    def __init__(self, answer: "Future[Answer]", name: str, seconds: float) -> None:
        self._answer, self._name, self._seconds = answer, name, seconds

    @property
    def is_answered(self) -> bool:
        """Would `wait` return or raise at once?"""
        return self._answer.done()

    def wait(self, seconds: float | None = None) -> Answer:
        """The answer. Raises ProviderError: `no_answer` and `cut_off` (unknown: it may have been done); permanent are
        `gone` (the leg has ended), `none` (the list is empty) and `ami_refused`, in Asterisk's words."""
        seconds = self._seconds if seconds is None else seconds
        try:
            answer = self._answer.result(seconds)
        except NoAnswer:
            sentence = f"The switch did not answer {self._name} within {seconds:g} s."
            raise ProviderError(sentence, code="no_answer", unknown=True) from None
        except ConnectionError:
            sentence = f"The switch broke off before it answered {self._name}."
            raise ProviderError(sentence, code="cut_off", unknown=True) from None
        if answer.response.get("Response").lower() == "error":
            raise _refused(self._name, answer.response.get("Message"))
        return answer


def _forget(packet: Packet | Lost) -> None:
    """Nobody listens here."""


def _unreachable(door: Door) -> ProviderError:
    return ProviderError(f"The switch {door.switch} cannot be reached at its address and port.", code="unreachable")


def _not_let_in(door: Door, code: str) -> ProviderError:
    if code == "ami_refused":
        sentence = f"The switch {door.switch} does not accept the secret of its user {door.user}."
        return ProviderError(sentence, code="wrong_password", permanent=True)
    if code == "not_ami":
        sentence = f"What answers for the switch {door.switch} is no Asterisk."
        return ProviderError(sentence, code="not_ami", permanent=True)
    # Nothing was asked for yet, so that it is safe to try again.
    sentence = f"The switch {door.switch} takes the connection and does not let us in."
    return ProviderError(sentence, code="silent")


def _refused(name: str, message: str) -> ProviderError:
    lower = message.lower()
    if "channel" in lower and any(word in lower for word in ("no such", "not exist", "not found", "find", "not up")):
        return ProviderError("The leg has ended.", code="gone", permanent=True)
    if lower.startswith("no ") and "found" in lower:  # a list that is empty is told as an error
        return ProviderError(f"The switch has none: {message}", code="none", permanent=True)
    # Asterisk's sentences name what is wrong with the action, and may quote it: a phone must not get out.
    words = "".join("#" if character.isdigit() else character for character in message)
    return ProviderError(f"The switch refused {name}: {words}", code="ami_refused", permanent=True)
