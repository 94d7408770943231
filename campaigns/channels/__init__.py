"""Channels: how a message leaves and how its provider speaks of it. A channel is one module that keeps this protocol,
and one line in CHANNELS.

A channel knows nothing of campaigns or of the database: it is given what to send and says what became of it. What it
can do is data (`Facts`), so that pages and plans ask without importing anybody's client.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib import import_module
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import UUID

from flask_babel import LazyString

from callcenter.base.settings import Settings

# name -> module and class. The module has FACTS; nothing else needs to be told of a new channel.
CHANNELS: dict[str, tuple[str, str]] = {
    "sms": ("campaigns.channels.sms", "Sms"),
    "whatsapp": ("campaigns.channels.whatsapp", "WhatsApp"),
    "telegram": ("campaigns.channels.telegram", "Telegram"),
    "email": ("campaigns.channels.email", "Email"),
}
NAMES = tuple(CHANNELS)
BY_PHONE, BY_ADDRESS, BY_EITHER = "phone", "address", "either"  # what a channel calls a person; either: address first


@dataclass(frozen=True)
class Facts:
    """What a channel can do. `reached_by`: BY_PHONE | BY_ADDRESS (nobody without a row of channel_addresses) |
    BY_EITHER. `has_receipts`: its provider tells by itself what became of a message. `can_look_up`: it can be asked.
    `window`: free text only so long after the person wrote; else a template. `has_way_out`: a person can answer BAJA
    there. `has_title`: a message has a subject. `media`: content type → most bytes."""

    name: str
    label: LazyString | str
    reached_by: str
    most_characters: int
    has_receipts: bool = False
    can_look_up: bool = False
    is_cut_into_parts: bool = False
    has_templates: bool = False
    has_title: bool = False
    has_way_out: bool = True
    window: timedelta | None = None
    media: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class FilledTemplate:
    """A text that the provider approved, by its reference there, with this person's values: {"1": "Lupita"}."""

    ref: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Media:
    """An image or a video that the provider fetches from `url` (signed, public). `size` is in bytes."""

    kind: str  # image | video
    content_type: str
    url: str
    size: int


@dataclass(frozen=True)
class Enclosure:
    """What goes with a message beyond its text. `title`: an e-mail's subject. `opt_out_url`: a page that ends it."""

    template: FilledTemplate | None = None
    media: Media | None = None
    title: str = ""
    opt_out_url: str = ""


NOTHING_ENCLOSED = Enclosure()


class Letter(Protocol):
    """What a channel needs to know of a message. `address`: what the channel calls the person; None: the phone.
    `provider_ref` is None until the provider named it."""

    @property
    def id(self) -> UUID: ...
    @property
    def phone(self) -> str: ...
    @property
    def address(self) -> str | None: ...
    @property
    def sender(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def enclosed(self) -> Enclosure: ...
    @property
    def sent_at(self) -> datetime: ...
    @property
    def provider_ref(self) -> str | None: ...


@dataclass(frozen=True)
class Receipt:
    """What a provider says of one message, in our words. `state` is one of dispatch.message_states, or None when its
    word is new to us (then only `payload`, the provider's own words, is kept). The same `key` is the same news.
    `parts`: as how many it bills the message, where it says so."""

    key: str
    state: str | None
    provider_ref: str | None = None
    error_code: str | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    parts: int | None = None


@dataclass(frozen=True)
class ReplyMedia:
    """Something that a person sent us: where the provider keeps it, and what it says it is."""

    url: str
    content_type: str


@dataclass(frozen=True)
class Reply:
    """A message from a person. `phone` is E.164 (+52 and ten digits), or None where the channel does not tell it;
    `address` what the channel itself calls them. `sender`: which of our senders they wrote to. `name`: as the channel
    shows them. `button`: what a quick reply that they pressed stands for. `contact_id`: known when they came by a link
    that we gave them."""

    provider_ref: str
    channel: str
    phone: str | None
    address: str
    text: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    sender: str = ""
    name: str = ""
    media: Sequence[ReplyMedia] = ()
    button: str = ""
    contact_id: int | None = None


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
        will; neither when it surely did not leave and may be sent later (in `wait_seconds`, where the provider says
        so)."""
        ...

    async def look_up(self, letter: Letter) -> Sequence[Receipt]:
        """Ask the provider what it knows of the message: one receipt, none, or several that look alike.

        Raises ProviderError, with code `no_list` where a provider cannot be asked (`Facts.can_look_up`)."""
        ...

    def read_receipt(self, form: Mapping[str, str]) -> Receipt:
        """Understand a status callback. Raises InvalidInput when it names no message, or there are none here."""
        ...


_settings: Settings | None = None


def configure(settings: Settings) -> None:
    """Make `settings` those of this process's channels. The composition root calls it once."""
    global _settings  # noqa: PLW0603  # one process, one provider account
    _settings = settings


def configured() -> Settings:
    """The settings of this process's channels."""
    if _settings is None:
        raise RuntimeError("campaigns.channels.configure(settings) was not called in this process")
    return _settings


def carrier() -> str:
    """Whose channels these are: `simulated` or the provider's name. A drill's campaign never leaves by a real one."""
    return configured().carrier


def facts(name: str) -> Facts:
    """What the channel of that name can do; imports no provider's client. Raises KeyError naming the known ones."""
    found: Facts = _module(name).FACTS
    return found


def channel(name: str) -> Channel:
    """The channel of that name. Raises KeyError naming the known ones."""
    make: Callable[[Settings], Channel] = getattr(_module(name), CHANNELS[name][1] if name in CHANNELS else "")
    return make(configured())


def _module(name: str) -> Any:
    if name not in CHANNELS:
        raise KeyError(f"{name} is not a channel; the channels are {', '.join(CHANNELS)}")
    return import_module(CHANNELS[name][0])
