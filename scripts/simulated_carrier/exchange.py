"""The exchange: everything the carrier holds, and what happens to a request before it is read."""

import asyncio
import random
from urllib.parse import urlsplit

from scripts.simulated_carrier import errors
from scripts.simulated_carrier.accounts import Accounts
from scripts.simulated_carrier.call_resource import Teller
from scripts.simulated_carrier.calls import Calls
from scripts.simulated_carrier.exchanges import Exchanges
from scripts.simulated_carrier.journal import Journal, Past
from scripts.simulated_carrier.legs import Leg
from scripts.simulated_carrier.mail import Mail
from scripts.simulated_carrier.messages import Texts
from scripts.simulated_carrier.notifications import Notifications
from scripts.simulated_carrier.numbers import Number, Numbers
from scripts.simulated_carrier.options import Options
from scripts.simulated_carrier.rates import Allowance
from scripts.simulated_carrier.recordings import Recordings
from scripts.simulated_carrier.senders import Sender
from scripts.simulated_carrier.sounds import Sounds
from scripts.simulated_carrier.speaking import Speaker
from scripts.simulated_carrier.telegram import Telegram
from scripts.simulated_carrier.voice import Voice
from scripts.simulated_carrier.webhooks import Webhooks


class Cut(Exception):
    """The connection is closed without an answer."""


class Exchange:
    """`public_url`: where the product is reached, hence where templates of the first day have their media."""

    def __init__(self, options: Options, journal: Journal, public_url: str = "https://convoca.example") -> None:
        self._past: Past | None = journal.past()
        self.options, self.journal = options, journal
        self.accounts, self.numbers, self.exchanges = Accounts(options), Numbers(), Exchanges()
        self.webhooks = Webhooks(options, self.accounts)
        self.texts = Texts(options, self.webhooks, journal, self._past.unsubscribed, public_url)
        self.telegram = Telegram(options, journal, self._past.telegram)
        self.mail = Mail(options)
        self.base_url = "http://127.0.0.1"  # our own address, for what we tell the product to fetch
        self.notifications = Notifications()
        self.recordings = Recordings(options, self.webhooks, lambda: self.base_url)
        hosts = {"127.0.0.1", "::1", "localhost", urlsplit(public_url).hostname or ""}
        speaker = Speaker(Sounds(self.webhooks, hosts), self.notifications)
        self.voice = Voice(options, self.webhooks, journal, self.notifications, self.recordings, speaker)
        self.calls = Calls(options, self.voice, Teller(self.webhooks, options), self.numbers, journal)
        self.calls.dials = self._past.dials
        self._dice = random.Random(options.seed)
        self._requests = Allowance(lambda: options.requests_per_second)

    @property
    def legs(self) -> "dict[str, Leg]":
        return self.calls.legs

    def set_inbound_url(self, url: str, number: str | None = None) -> None:
        for ours in [number] if number else self.texts.senders.known:
            self.texts.inbound_urls[ours] = url

    def own(self, phone: str) -> Number:
        """A number of ours, also if it was not one before."""
        if phone not in self.numbers:
            self.numbers[phone] = Number(phone, phone)
            self.adopt(phone)
        return self.numbers[phone]

    def adopt(self, address: str) -> Sender:
        """A new sender, which is answered where the first ones are."""
        urls, first = self.texts.inbound_urls, next(iter(self.numbers))
        if first in urls:
            urls.setdefault(address, urls[first])
        return self.texts.senders.add(address)

    def gate(self) -> None:
        """Refuse a request before anything is accepted. Raises ApiError."""
        options = self.options
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

    def recover(self) -> None:
        """Once, at the start: what an earlier life left open is over."""
        if self._past is not None:
            self.calls.recover(self._past)
            self._past = None

    async def close(self) -> None:
        self.webhooks.is_stopping = True
        await self.calls.close()
        await self.recordings.close()
        await self.texts.close()
        await self.telegram.close()
        await self.webhooks.close()
        self.journal.close()
