"""Answering: by which channels one may write to a person just now, and the answer itself.

An answer is a row of the ledger like every message; the gate speaks when it is written, and again when it leaves.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from callcenter import consent, suppressions
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.contacts import Contact
from campaigns import channels, labels, messages, wording
from campaigns.channels import channel_addresses
from campaigns.correspondence import conversation_campaigns, conversation_threads, conversation_windows, conversations
from campaigns.correspondence.conversations import Conversation
from campaigns.dispatch import senders

LATELY = timedelta(days=7)  # who wrote since then is answered, however often others of ours have tried them
WAITS = frozenset({"hours", "household"})


@dataclass(frozen=True)
class Way:
    """One channel by which to answer: to whom, and from which sender. `fault`: why not, in words. `waits_until`
    (campaign time): when it may leave. `closes_at` (real time): until when the provider takes free words."""

    channel: str
    to: str
    sender: str = ""
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
    """The channel on which the person wrote, then SMS where they have a phone and we a sender (`sms_sender`: the
    installation's own)."""
    contact = session.get(Contact, conversation.contact_id) if conversation.contact_id else None
    phone = _phone(conversation, contact)
    to = conversation.address or phone or ""
    found = [_way(session, conversation, contact, conversation.channel, to, sms_sender)]
    if conversation.channel != "sms" and phone and _takes_sms(contact):
        found.append(_way(session, conversation, contact, "sms", phone, sms_sender))
    return found


def reply(session: Session, conversation: Conversation, answer: Answer, sms_sender: str, user_id: int | None) -> UUID:
    """Write an answer into the ledger; audited. `conversation` is locked by the caller. Returns the message's id.
    `user_id` None: a survey asks (campaigns.correspondence.survey_chats).

    Raises InvalidInput for the text and when the person wrote meanwhile, Refused when nobody may write to them now."""
    text = _checked(session, conversation, answer)
    way = {one.channel: one for one in ways(session, conversation, sms_sender)}.get(answer.channel)
    if way is None:
        raise InvalidInput({"channel": _("Choose one of the channels by which this person can be reached.")})
    if way.fault:
        raise Refused("no_way", way.fault)
    campaign = conversation_campaigns.carry(session, conversation, way.channel, way.sender, user_id)
    contact = session.get(Contact, conversation.contact_id) if conversation.contact_id else None
    phone = _phone(conversation, contact)
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
    most = channels.facts(answer.channel).most_characters if answer.channel in channels.NAMES else 0
    if len(text) > most > 0:
        raise InvalidInput({"text": _(
            "The answer has %(length)s characters; the limit is %(limit)s. Shorten it or send it in two.",
            length=len(text), limit=most,
        )})  # fmt: skip
    if answer.seen != conversation.last_at:
        raise InvalidInput({"text": _moved(session, conversation, answer.seen)})
    return text


def _moved(session: Session, conversation: Conversation, seen: datetime | None) -> str:
    """What happened while somebody was writing; the same answer sent twice is stopped here, too."""
    newest = conversation_threads.newest_heard(session, conversation.id)
    if newest is not None and (seen is None or newest.received_at > seen):
        return str(_("The person wrote again while you were writing. Read it, then send your answer."))
    return str(_("Somebody answered while you were writing. Read it, then send your answer if it is still needed."))


def _takes_sms(contact: Contact | None) -> bool:
    return contact is not None and contact.line_kind != "landline" and contact.extension is None


def _phone(conversation: Conversation, contact: Contact | None) -> str | None:
    """Where the law finds the person: the phone from which they wrote, else their first."""
    return conversation.phone or (contact.phone if contact is not None else None)


def _way(
    session: Session, conversation: Conversation, contact: Contact | None, channel: str, to: str, sms_sender: str
) -> Way:
    """One channel, with the first thing that stands in its way."""
    sender = _sender(session, conversation, channel, sms_sender)
    if not sender:
        return Way(channel, to, fault=_("This installation has no sender for this channel."))
    closes_at = None
    if channels.facts(channel).window is not None:
        closes_at = conversation_windows.closes_at(session, channel, to, conversation.phone)
        if closes_at is None or closes_at <= real_now():
            sentence = _("WhatsApp takes free words only for 24 hours after the person's last message. Those are over.")
            return Way(channel, to, sender, sentence)
    if contact is None:
        fault = _of_stranger(session, conversation, channel, to)
        return Way(channel, to, sender, fault, closes_at=closes_at)
    refusal = _refusal(session, conversation, contact, channel)
    if refusal is None:
        return Way(channel, to, sender, closes_at=closes_at)
    if refusal.code in WAITS and refusal.until is not None:
        return Way(channel, to, sender, waits_until=refusal.until, closes_at=closes_at)
    return Way(channel, to, sender, labels.refusal(refusal.code), closes_at=closes_at)


def _of_stranger(session: Session, conversation: Conversation, channel: str, to: str) -> str:
    """Whoever wrote to us is answered though no list has them, unless they want nothing more; "" is no fault."""
    newest = conversation_threads.newest_heard(session, conversation.id)
    if newest is None:
        return str(_("Nobody on our lists is reached there, and they have not written to us."))
    is_out = conversation.phone is not None and suppressions.find(session, conversation.phone) is not None
    if is_out or channel_addresses.shut(session, channel, [to]):
        return labels.refusal("suppressed")
    return ""


def _refusal(session: Session, conversation: Conversation, contact: Contact, channel: str) -> consent.Refusal | None:
    """What the gate says of an answer at this moment."""
    newest = conversation_threads.newest_heard(session, conversation.id)
    is_answer = newest is not None and newest.received_at > real_now() - LATELY
    purpose = conversation_campaigns.purpose(session, conversation)
    simulated = channels.carrier() == "simulated"
    asked = [(contact.id, _phone(conversation, contact) or contact.phone)]
    found = consent.refusals(session, asked, channel, purpose, simulated=simulated, is_answer=is_answer)
    return found.get(contact.id)


def _sender(session: Session, conversation: Conversation, channel: str, sms_sender: str) -> str:
    """From whom the answer comes: from where the campaign wrote or the person was heard, else the first that may."""
    campaign = conversation_campaigns.answered_by(session, conversation, channel)
    if campaign is not None:
        return campaign.sender
    newest = conversation_threads.newest_heard(session, conversation.id)
    if newest is not None and newest.channel == channel and newest.sender:
        return newest.sender
    known = senders.listed(session, channel, channels.carrier())
    usable = [one.address for one in known if one.state == senders.ACTIVE and not one.is_alphanumeric]
    return next(iter(usable), sms_sender if channel == "sms" else "")
