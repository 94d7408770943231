"""E-mail over SMTP: plain text, with a way out that mail programs show as a button (RFC 2369, RFC 8058).

A relay that took a message says so, and nothing more is heard of it: `sent` is the last state of an e-mail."""

import asyncio
import re
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

from flask_babel import lazy_gettext as _l

from callcenter.base.errors import InvalidInput, ProviderError
from callcenter.base.settings import Mail, Settings
from campaigns.channels import BY_ADDRESS, Facts, Letter, Receipt
from campaigns.dispatch import message_states as states

FACTS = Facts("email", _l("E-mail"), BY_ADDRESS, 20_000, has_title=True, has_way_out=False)
DEADLINE = 30.0  # seconds for each word of a relay
REST = 60.0  # seconds, when a relay wants nothing from us just now
CONNECTIONS = 4
PARTS_PER_SECOND = {"simulated": 200.0}
USUAL_SPEED = 10.0  # messages a second; relays ask for less more often than for more
# Citizens of the lists read Spanish, whatever language the house works in.
WAY_OUT = "Para no recibir más correos: {url}"


# As lists hold them; PostgreSQL reads it, too.
ADDRESS = r"[A-Za-z0-9_%+-]+(?:\.[A-Za-z0-9_%+-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}"
LONGEST = 254  # characters: RFC 5321, 4.5.3.1.3
_ADDRESS = re.compile(ADDRESS)


class Email:
    """Keeps the Channel protocol (campaigns.channels)."""

    def __init__(self, settings: Settings) -> None:
        self._mail = settings.mail
        self.parts_per_second = PARTS_PER_SECOND.get(settings.carrier, USUAL_SPEED)

    async def __aenter__(self) -> Self:
        self._idle: list[_Relay] = []
        self._slots = asyncio.Semaphore(CONNECTIONS)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for relay in self._idle:
            await asyncio.to_thread(relay.close)

    async def send(self, letter: Letter) -> Receipt:
        if not letter.address:
            raise ProviderError("This person has no e-mail address.", code="no_address", permanent=True)
        if not self._mail.url:
            raise ProviderError("This installation has no mail server.", code="not_set_up", permanent=True)
        message = composed(letter)
        async with self._slots:
            relay = self._idle.pop() if self._idle else _Relay(self._mail)
            try:
                await asyncio.to_thread(relay.hand_over, message, letter.address)
            finally:
                self._idle.append(relay)
        ref = str(message["Message-ID"])
        return Receipt("sent", states.SENT, ref, payload={"message_id": ref, "source": "smtp"})

    async def look_up(self, letter: Letter) -> Sequence[Receipt]:  # noqa: ARG002  # the protocol's
        raise ProviderError("A mail relay keeps no list that we could read.", code="no_list", permanent=True)

    def read_receipt(self, form: Mapping[str, str]) -> Receipt:  # noqa: ARG002  # the protocol's
        raise InvalidInput("E-mail has no receipts.")


def composed(letter: Letter) -> EmailMessage:
    """The letter as it leaves. Raises ProviderError where an address or a title cannot stand in a header."""
    name, sender = parseaddr(letter.sender)
    message, url = EmailMessage(policy=SMTP), letter.enclosed.opt_out_url
    if not is_address(str(letter.address)) or not is_address(sender):
        raise ProviderError("This address is none.", code="bad_address", permanent=True)
    try:
        message["From"] = Address(name, addr_spec=sender)
        message["To"] = Address(addr_spec=str(letter.address))
        message["Subject"] = " ".join(letter.enclosed.title.split())
    except (ValueError, IndexError) as error:
        raise ProviderError("This address is none.", code="bad_address", permanent=True) from error
    message["Date"] = format_datetime(letter.sent_at)
    message["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2]}>"
    if url:
        message["List-Unsubscribe"] = f"<{url}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(f"{letter.body}\n\n{WAY_OUT.format(url=url)}\n" if url else letter.body)
    return message


def is_address(text: str) -> bool:
    """Is this an address as lists hold them? Quoted and non-ASCII ones are not: few relays take them."""
    return len(text) <= LONGEST and _ADDRESS.fullmatch(text) is not None


class _Relay:
    """One connection, used by one thread at a time, opened when it is needed and again when it is lost."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._smtp: smtplib.SMTP | None = None

    def hand_over(self, message: EmailMessage, to: str) -> None:
        """Raises ProviderError that says whether it may be repeated."""
        smtp = self._connected()
        try:
            _check(smtp.mail(parseaddr(str(message["From"]))[1]), wait_seconds=REST)
            _check(smtp.rcpt(to))
            _check(smtp.docmd("DATA"), wanted=354)
            smtp.send(_lines(message.as_bytes()))
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise ProviderError("The relay hung up before the message.", code="no_connection") from error
        except ProviderError:
            self._reset()
            raise
        self._end(smtp)

    def _end(self, smtp: smtplib.SMTP) -> None:
        """From the last line on, silence means that the message may have been taken."""
        try:
            smtp.send(b".\r\n")
            _check(smtp.getreply())
        except (smtplib.SMTPException, OSError) as error:
            self.close()
            raise ProviderError("The relay did not answer.", code="no_answer", unknown=True) from error

    def _connected(self) -> smtplib.SMTP:
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                if self._smtp.noop()[0] == 250:
                    return self._smtp
            self.close()
        try:
            self._smtp = _open(self._mail)
        except smtplib.SMTPAuthenticationError as error:
            raise ProviderError("The relay refuses our account.", code="smtp-535", permanent=True) from error
        except (smtplib.SMTPException, OSError) as error:
            raise ProviderError("There was no connection to the relay.", code="no_connection") from error
        return self._smtp

    def _reset(self) -> None:
        with suppress(smtplib.SMTPException, OSError):
            if self._smtp is not None and self._smtp.rset()[0] == 250:
                return
        self.close()

    def close(self) -> None:
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()
            self._smtp.close()
        self._smtp = None


def _open(mail: Mail) -> smtplib.SMTP:
    """A connection that is encrypted wherever the relay is another machine."""
    place, trust = urlsplit(mail.url), ssl.create_default_context()
    host, is_near = place.hostname or "", _is_loopback(place.hostname or "")
    if place.scheme == "smtps":
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(host, place.port or 465, timeout=DEADLINE, context=trust)
    else:
        smtp = smtplib.SMTP(host, place.port or 587, timeout=DEADLINE)
        if not is_near:
            smtp.starttls(context=trust)
    if place.username:
        smtp.login(unquote(place.username), mail.password)
    smtp.ehlo_or_helo_if_needed()
    return smtp


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _lines(content: bytes) -> bytes:
    """As they travel: a line that begins with a point gets a second one (RFC 5321, 4.5.2)."""
    return re.sub(rb"(?m)^\.", b"..", content.removesuffix(b"\r\n")) + b"\r\n"


def _check(said: tuple[int, bytes], wanted: int | None = None, wait_seconds: float | None = None) -> None:
    """Raises ProviderError unless the relay agreed: 4xx may be said again later, except of one
    mailbox; 5xx never changes."""
    code = said[0]
    if code == wanted or (wanted is None and 200 <= code < 300):
        return
    if 400 <= code < 500 and not said[1].startswith(b"4.2."):  # RFC 3463: of this mailbox, which stays full for days
        raise ProviderError("The relay asks to wait.", code=f"smtp-{code}", wait_seconds=wait_seconds)
    raise ProviderError("The relay refused the message.", code=f"smtp-{code}", permanent=True)
