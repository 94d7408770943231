"""WhatsApp through Twilio: an approved template to anybody, free text only to who wrote within a day.

https://www.twilio.com/docs/api/errors/63016 (the window), https://www.twilio.com/docs/content (templates)."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from callcenter.base.errors import ProviderError
from callcenter.base.settings import Settings
from campaigns.channels import BY_EITHER, Facts, Letter, Receipt
from campaigns.channels.twilio_words import read_receipt

MEGABYTE = 2**20
FACTS = Facts(
    "whatsapp", "WhatsApp", BY_EITHER, 1600,
    has_receipts=True, can_look_up=True, has_templates=True, window=timedelta(hours=24),
    # https://www.twilio.com/docs/whatsapp/guidance-whatsapp-media-messages; WhatsApp itself takes images up to 5 MB
    media={"image/jpeg": 5 * MEGABYTE, "image/png": 5 * MEGABYTE, "video/mp4": 16 * MEGABYTE},
)  # fmt: skip
PREFIX = "whatsapp:"
PARTS_PER_SECOND = {"twilio": 80.0, "simulated": 1000.0}  # a number's throughput before Meta raises it
MOST_VALUES = 1024  # characters of all variables together: https://www.twilio.com/docs/api/errors/63021


class WhatsApp:
    """Keeps the Channel protocol (campaigns.channels)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.parts_per_second = PARTS_PER_SECOND.get(settings.carrier, PARTS_PER_SECOND["twilio"])

    async def __aenter__(self) -> Self:
        from campaigns.channels.twilio_wire import TwilioWire  # twilio and aiohttp are heavy: only who sends pays

        self._wire = TwilioWire(self._settings)
        await self._wire.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._wire.close()

    async def send(self, letter: Letter) -> Receipt:
        return await self._wire.send(letter, to=_to(letter), sender=prefixed(letter.sender), **_content(letter))

    async def look_up(self, letter: Letter) -> Sequence[Receipt]:
        return await self._wire.look_up(letter, to=_to(letter), sender=prefixed(letter.sender))

    def read_receipt(self, form: Mapping[str, str]) -> Receipt:
        return read_receipt(form)


def prefixed(sender: str) -> str:
    """A number as Twilio knows it on WhatsApp; a Messaging Service (MG…) keeps its name."""
    return sender if sender.startswith((PREFIX, "MG")) else PREFIX + sender


def _to(letter: Letter) -> str:
    """What WhatsApp itself called the person (+521…, or a name without a phone), else their phone."""
    to = letter.address or letter.phone
    if not to:
        raise ProviderError("This person has no address on WhatsApp.", code="no_address", permanent=True)
    return prefixed(to)


def _content(letter: Letter) -> dict[str, Any]:
    """A template travels by its name and values alone: with a Body beside it Twilio would send the Body."""
    template, media = letter.enclosed.template, letter.enclosed.media
    if template is not None:
        return {"content_sid": template.ref, "content_variables": json.dumps(dict(template.variables))}
    return {"body": letter.body, "media_url": [media.url]} if media else {"body": letter.body}
