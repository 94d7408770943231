"""Answering: by which channels one may write to a person just now, and the answer itself.

An answer is a row of the ledger like every message; the gate speaks when it is written, and again when it leaves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import consent
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.contacts import Contact
from campaigns import channels, conversation_campaigns, conversation_threads, conversations, labels, messages, wording
from campaigns.conversations import Conversation
from campaigns.inbox import InboundMessage

# A channel whose provider takes free words only so long after the person's own last message.
# https://www.twilio.com/docs/api/errors/63016
WINDOWS = {"whatsapp": timedelta(hours=24)}
LATELY = timedelta(days=7)  # who wrote since then is answered, however often others of ours have tried them
WAITS = frozenset({"hours", "household"})


@dataclass(frozen=True)
class Way:
    """One channel by which to answer. `fault`: why not, in words. `waits_until` (campaign time): when it may leave.
    `closes_at` (real time): until when the provider takes free words."""

    channel: str
    to: str
    fault: str = ""
    waits_until: datetime | None = None
    closes_at: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """What somebody wrote. `seen`: when the conversation that stood on their page had moved last."""

    text: str
    channel: str
    seen: datetime | None


def ways(session: Session, conversation: Conversation, sms_sender: str) -> list[Way]:
    """The channel on which the person wrote, then SMS where they have a phone and we a sender."""
    contact = session.get(Contact, conversation.contact_id) if conversation.contact_id else None
    phone = conversation.phone or (contact.phone if contact is not None else None)
    found = [_way(session, conversation, contact, conversation.channel, conversation.address or phone or "", phone)]
    if conversation.channel != "sms" and phone and sms_sender and _takes_sms(contact):
        found.append(_way(session, conversation, contact, "sms", phone, phone))
    return found


def reply(session: Session, conversation: Conversation, answer: Answer, sms_sender: str, user_id: int) -> UUID:
    """Write an answer into the ledger; audited. `conversation` is locked by the caller. Returns the message's id.

    Raises InvalidInput for the text and when the person wrote meanwhile, Refused when nobody may write to them now."""
    text = _checked(session, conversation, answer)
    offered = {way.channel: way for way in ways(session, conversation, sms_sender)}
    way = offered.get(answer.channel)
    if way is None:
        raise InvalidInput({"channel": _("Choose one of the channels by which this person can be reached.")})
    if way.fault:
        raise Refused("no_way", way.fault)
    campaign = conversation_campaigns.carry(session, conversation, answer.channel, sms_sender, user_id)
    phone = conversation.phone or _phone_of(session, conversation)
    message_id = messages.add_reply(
        session, campaign.id, conversation.contact_id, text, phone=phone,
        address=way.to if way.to != phone else None, user_id=user_id,
    )  # fmt: skip
    conversation.assigned_to = conversation.assigned_to or user_id
    if conversation.state != conversations.OPEN:
        conversation.state, conversation.resolution = conversations.OPEN, None
    conversations.answered(session, conversation)
    audit.record(session, user_id, "inbox.reply", f"conversation/{conversation.id}", message=str(message_id))
    return message_id


def is_paused(session: Session, conversation: Conversation, channel: str) -> bool:
    """Has somebody paused the campaign by which the answers leave? They wait then."""
    campaign = conversation_campaigns.carrying(session, conversation, channel)
    return campaign is not None and campaign.state == "paused"


def _checked(session: Session, conversation: Conversation, answer: Answer) -> str:
    text = wording.clean(answer.text)
    if not text:
        raise InvalidInput({"text": _("Write an answer.")})
    if len(text) > wording.MAX_CHARACTERS:
        raise InvalidInput({"text": _(
            "The answer has %(length)s characters; the limit is %(limit)s. Shorten it or send it in two.",
            length=len(text), limit=wording.MAX_CHARACTERS,
        )})  # fmt: skip
    if answer.seen != conversation.last_at:
        raise InvalidInput({"text": _moved(session, conversation, answer.seen)})
    return text


def _moved(session: Session, conversation: Conversation, seen: datetime | None) -> str:
    """What happened while somebody was writing; the same answer sent twice is stopped here, too."""
    newest = conversation_threads.newest_heard(session, conversation.id)
    if newest is not None and (seen is None or newest.received_at > seen):
        return _("The person wrote again while you were writing. Read it, then send your answer.")
    return _("Somebody answered while you were writing. Read it, then send your answer if it is still needed.")


def _takes_sms(contact: Contact | None) -> bool:
    return contact is not None and contact.line_kind != "landline" and contact.extension is None


def _way(
    session: Session, conversation: Conversation, contact: Contact | None, channel: str, to: str, phone: str | None
) -> Way:
    """One channel, with the first thing that stands in its way."""
    if contact is None:
        return Way(
            channel, to, _("Nobody on our lists writes from there, and only who is on a list may be written to.")
        )
    closes_at = _closes_at(session, conversation, channel)
    if closes_at is not None and closes_at <= real_now():
        sentence = _("WhatsApp takes free words only for 24 hours after the person's last message. Those are over.")
        return Way(channel, to, sentence, closes_at=closes_at)
    refusal = _refusal(session, conversation, contact.id, channel, phone or "")
    if refusal is None:
        return Way(channel, to, closes_at=closes_at)
    if refusal.code in WAITS and refusal.until is not None:
        return Way(channel, to, waits_until=refusal.until, closes_at=closes_at)
    return Way(channel, to, labels.refusal(refusal.code), closes_at=closes_at)


def _refusal(
    session: Session, conversation: Conversation, contact_id: int, channel: str, phone: str
) -> consent.Refusal | None:
    """What the gate says of an answer at this moment."""
    newest = conversation_threads.newest_heard(session, conversation.id)
    is_answer = newest is not None and newest.received_at > real_now() - LATELY
    purpose = conversation_campaigns.purpose(session, conversation)
    simulated = channels.carrier() == "simulated"
    asked = [(contact_id, phone)]
    found = consent.refusals(session, asked, channel, purpose, simulated=simulated, is_answer=is_answer)
    return found.get(contact_id)


def _closes_at(session: Session, conversation: Conversation, channel: str) -> datetime | None:
    """When the provider's window closes; None for a channel that has none."""
    if channel not in WINDOWS:
        return None
    heard = select(func.max(InboundMessage.received_at)).where(
        InboundMessage.conversation_id == conversation.id, InboundMessage.channel == channel
    )
    newest = session.scalar(heard)
    return conversation.opened_at if newest is None else newest + WINDOWS[channel]


def _phone_of(session: Session, conversation: Conversation) -> str | None:
    if conversation.contact_id is None:
        return None
    return session.scalar(select(Contact.phone).where(Contact.id == conversation.contact_id))
