"""Channels: how a message leaves and how its provider speaks of it. A channel is one module that keeps this protocol.

A channel knows nothing of campaigns or of the database: it is given what to send and says what became of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import UUID

from callcenter.base.settings import Settings


class Letter(Protocol):
    """What a channel needs to know of a message. `provider_ref` is None until the provider named it."""

    @property
    def id(self) -> UUID: ...
    @property
    def phone(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def sent_at(self) -> datetime: ...
    @property
    def provider_ref(self) -> str | None: ...


@dataclass(frozen=True)
class Receipt:
    """What a provider says of one message, in our words. `state` is one of campaigns.message_states, or None when its
    word is new to us (then only `payload`, the provider's own words, is kept). The same `key` is the same news."""

    key: str
    state: str | None
    provider_ref: str | None = None
    error_code: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """A message from a person. `phone` is E.164 (+52 and ten digits), `address` what the channel itself calls them."""

    provider_ref: str
    channel: str
    phone: str
    address: str
    text: str
    payload: Mapping[str, Any] = field(default_factory=dict)


class Channel(Protocol):
    """Used as `async with channel:`; `send` and `look_up` may run many times at once inside it."""

    parts_per_second: (
        float  # what the sender may carry; we keep to it, so that nothing is parked where we cannot stop it
    )

    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def send(self, letter: Letter) -> Receipt:
        """Send once, never twice. Raises ProviderError: `unknown` when it may have left, `permanent` when it never
        will; neither when it surely did not leave and may be sent later."""
        ...

    async def look_up(self, letter: Letter) -> Sequence[Receipt]:
        """Ask the provider what it knows of the message: one receipt, none, or several that look alike."""
        ...

    def read_receipt(self, form: Mapping[str, str]) -> Receipt:
        """Understand a status callback. Raises InvalidInput when it names no message."""
        ...


_settings: Settings | None = None


def configure(settings: Settings) -> None:
    """Make `settings` those of this process's channels. The composition root calls it once."""
    global _settings  # noqa: PLW0603  # one process, one provider account
    _settings = settings


def carrier() -> str:
    """Whose channels these are: `simulated` or the provider's name. A drill's campaign never leaves by a real one."""
    if _settings is None:
        raise RuntimeError("campaigns.channels.configure(settings) was not called in this process")
    return _settings.carrier


def channel(name: str) -> Channel:
    """The channel of that name. Raises KeyError naming the known ones."""
    from campaigns.channels.sms import Sms  # twilio and aiohttp are heavy: only who sends pays for them

    if _settings is None:
        raise RuntimeError("campaigns.channels.configure(settings) was not called in this process")
    makers: dict[str, Callable[[Settings], Channel]] = {"sms": Sms}
    if name not in makers:
        raise KeyError(f"{name} is not a channel; the channels are {', '.join(makers)}")
    return makers[name](_settings)
