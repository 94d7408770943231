"""A mailbox for everybody: takes every mail that is sent to this machine's port and keeps the last ones to be read.

Some addresses refuse, as real ones do; the part before the @ says so: `noexiste…` (no such mailbox), `lleno…` (full),
`grey…` (refuses the first time)."""

import asyncio
import logging
import random
from collections import Counter, deque
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

from scripts.simulated_carrier.options import Options

KEPT = 200
NOBODY = "550 5.1.1 The email account that you tried to reach does not exist"
FULL = "452 4.2.2 The recipient's inbox is out of storage space"
LATER = "451 4.7.1 Greylisted, please try again"
REFUSED = "554 5.7.1 Message rejected as spam"


@dataclass(frozen=True)
class Letter:
    """`sender` and `to` are of the envelope."""

    sender: str
    to: str
    message: EmailMessage

    def show(self) -> dict[str, object]:
        body = self.message.get_body(("plain", "html"))
        return {
            "from": self.sender,
            "to": self.to,
            "headers": {name: str(value) for name, value in self.message.items()},
            "text": body.get_content() if isinstance(body, EmailMessage) else "",
        }


class Mail:
    """Keeps the handler's protocol of aiosmtpd (https://aiosmtpd.aio-libs.org/en/latest/handlers.html)."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.letters: deque[Letter] = deque(maxlen=KEPT)
        self.received: Counter[str] = Counter()  # mails by address
        self._asked_before: set[str] = set()
        self._dice = random.Random(options.seed)

    async def listen(self, port: int) -> asyncio.Server:
        """On 127.0.0.1 only."""
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells every word, addresses too
        loop = asyncio.get_running_loop()
        return await loop.create_server(
            lambda: SMTP(self, hostname="localhost", enable_SMTPUTF8=True, loop=loop), "127.0.0.1", port
        )

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        name = address.partition("@")[0].lower()
        if name.startswith("noexiste"):
            return NOBODY
        if name.startswith("lleno"):
            return FULL
        if name.startswith("grey") and address not in self._asked_before:
            self._asked_before.add(address)
            return LATER
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self._dice.random() < self._options.mail_refused_share:
            return REFUSED
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(message, EmailMessage)
        for address in envelope.rcpt_tos:
            self.received[address] += 1
            self.letters.append(Letter(envelope.mail_from or "", address, message))
        return "250 OK"
