"""SMS through Twilio's REST interface (or the simulated carrier, which speaks the same)."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from callcenter.base.settings import Settings
from campaigns.channels import BY_PHONE, Facts, Letter, Receipt
from campaigns.channels.twilio_words import read_receipt

FACTS = Facts(
    "sms", "SMS", BY_PHONE, 1600,  # https://www.twilio.com/docs/errors/21617
    has_receipts=True, can_look_up=True, is_cut_into_parts=True,
)  # fmt: skip
PARTS_PER_SECOND = {"twilio": 10.0, "simulated": 1000.0}  # MX long code: https://www.twilio.com/en-us/guidelines/mx/sms


class Sms:
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
        return await self._wire.send(letter, to=letter.phone, sender=letter.sender, body=letter.body)

    async def look_up(self, letter: Letter) -> Sequence[Receipt]:
        return await self._wire.look_up(letter, to=letter.phone, sender=letter.sender)

    def read_receipt(self, form: Mapping[str, str]) -> Receipt:
        return read_receipt(form)
