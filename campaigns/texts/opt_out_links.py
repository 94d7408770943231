"""The page by which a person ends our messages without answering: its address goes with every e-mail, and with texts
whose sender nobody can answer. It names the message, signed, and nothing of the person."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import consent
from callcenter.base.errors import NotFound
from callcenter.base.settings import Settings
from callcenter.contacts import Contact
from campaigns import channels
from campaigns.channels import channel_addresses
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message

SIGNATURE = 8  # bytes: sixty-four bits, guessed over the network


@dataclass(frozen=True)
class Asked:
    """Whose message the page is about. `address`: what the channel calls them; None where that is the phone."""

    message_id: UUID
    channel: str
    on_behalf_of: str
    contact_id: int | None
    phone: str | None
    address: str | None


def url(message_id: UUID, settings: Settings | None = None) -> str:
    """Public, for good: a mail is found again after a year, and its way out must still work."""
    settings = settings or channels.configured()
    return f"{settings.public_url}/u/{code(message_id, settings)}"


def code(message_id: UUID, settings: Settings) -> str:
    return urlsafe_b64encode(message_id.bytes + _signature(message_id, settings)).decode().rstrip("=")


def read(session: Session, said: str, settings: Settings) -> Asked:
    """Whose message it is. Raises NotFound when we did not make the code, or the message is no more."""
    row = session.execute(
        select(Message.id, MessageCampaign.channel, MessageCampaign.on_behalf_of, Message.contact_id, Message.phone,
               Message.address)
        .join(MessageCampaign, MessageCampaign.id == Message.campaign_id).where(Message.id == _message(said, settings))
    ).one_or_none()  # fmt: skip
    if row is None:
        raise NotFound(_("This address is not complete, or it is no longer in use."))
    return Asked(*row)


def unsubscribe(session: Session, asked: Asked) -> None:
    """No more messages on this channel. Harmless twice."""
    if asked.channel == "sms" or asked.address is None:
        end_everything(session, asked)  # a phone is suppressed whole: nobody tells its channels apart
    else:
        channel_addresses.unsubscribe(session, asked.channel, asked.address, f"message/{asked.message_id}")


def end_everything(session: Session, asked: Asked) -> None:
    """Nobody contacts them again, by any means. Harmless twice."""
    proof = f"message/{asked.message_id}"
    if asked.address is not None:
        channel_addresses.unsubscribe(session, asked.channel, asked.address, proof)
    phone = asked.phone if asked.contact_id is None else session.scalar(
        select(Contact.phone).where(Contact.id == asked.contact_id)
    )  # fmt: skip
    if phone is not None and phone.startswith("+"):  # an erased person's row holds another word
        consent.opt_out(session, phone, reason="public_page", proof=proof, source="public page")


def _message(said: str, settings: Settings) -> UUID:
    try:
        raw = urlsafe_b64decode(said + "=" * (-len(said) % 4))
    except (NotBase64, ValueError):
        raw = b""
    if len(raw) != 16 + SIGNATURE or not hmac.compare_digest(raw[16:], _signature(UUID(bytes=raw[:16]), settings)):
        raise NotFound(_("This address is not complete, or it is no longer in use."))
    return UUID(bytes=raw[:16])


def _signature(message_id: UUID, settings: Settings) -> bytes:
    return hmac.digest(settings.secret_key.encode(), b"opt out " + message_id.bytes, "sha256")[:SIGNATURE]
