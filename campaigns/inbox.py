"""Messages that people send us: kept once each, and obeyed when they say BAJA."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, exists, false, select
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import consent
from callcenter.base import audit
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound
from callcenter.base.outbox import tell_later
from callcenter.contacts import Contact
from campaigns import channels
from campaigns.channels import Reply, channel_addresses
from campaigns.correspondence import conversations
from campaigns.correspondence.conversation_campaigns import ConversationCampaign
from campaigns.correspondence.conversations import Heard
from campaigns.correspondence.replies import Meaning, meaning
from campaigns.messages import Message

TOPIC = "floor"
Listener = Callable[[Session, "InboundMessage"], None]
_listeners: list[Listener] = []


class InboundMessage(Base):
    """`provider_ref` makes a webhook that comes twice harmless. `is_opt_out`: understood as BAJA by our rules or, if
    these found it doubtful, by the person who read it (`reviewed_by`). `at` is campaign time.

    `phone` is E.164, None where the channel tells none; `address` is what the channel calls the sender
    (whatsapp:+521…), to which an answer would go; `sender` is which of ours they wrote to."""

    __tablename__ = "inbound_messages"
    __table_args__ = (
        Index("ix_inbound_messages_channel_address", "channel", "address", "received_at"),
        Index("ix_inbound_messages_doubtful", "conversation_id", postgresql_where=sql("is_doubtful")),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    provider_ref: Mapped[str] = mapped_column(unique=True)
    channel: Mapped[str]
    phone: Mapped[str | None] = mapped_column(index=True)
    address: Mapped[str | None]
    sender: Mapped[str] = mapped_column(default="", server_default="")
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id", ondelete="SET NULL"), index=True)
    text: Mapped[str]
    is_opt_out: Mapped[bool] = mapped_column(default=False)
    is_doubtful: Mapped[bool] = mapped_column(default=False, server_default=false())
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=real_now)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)


@dataclass(frozen=True)
class _Answered:
    """What a reply probably answers: whose message, of which campaign, and which colleague let it go."""

    contact_id: int | None = None
    campaign_id: int | None = None
    released_by: int | None = None


def receive(session: Session, reply: Reply, *, contact_id: int | None = None) -> InboundMessage | None:
    """Keep a reply in its conversation, and suppress its phone at once when it is an opt-out. None when we had it
    already. `contact_id`: who it is, where the channel knows them by another name than a phone."""
    understood = meaning(reply.text or reply.button)
    known = contact_id or _known(session, reply)
    answered = _answered(session, reply, known)
    who = contact_id or reply.contact_id or answered.contact_id or known or _first_at(session, reply.phone)
    inbound_id = _keep(session, reply, who, understood)
    if inbound_id is None:
        return None
    inbound = session.get_one(InboundMessage, inbound_id)
    if understood is Meaning.OPT_OUT:
        _opt_out(session, inbound)
    inbound.conversation_id = conversations.hear(session, Heard(
        who, reply.phone, reply.channel, reply.address, understood is Meaning.OPT_OUT, answered.campaign_id,
        answered.released_by,
    ))  # fmt: skip
    tell_later(session, TOPIC)
    session.flush()
    for hear in _listeners:
        hear(session, inbound)
    return inbound


def listen(hear: Listener) -> None:
    """Call this for every message that comes in, once it stands in its conversation. Harmless when repeated."""
    if hear not in _listeners:
        _listeners.append(hear)


def _keep(session: Session, reply: Reply, contact_id: int | None, understood: Meaning) -> int | None:
    """The row, unless the provider told us of it before."""
    row = insert(InboundMessage).values(
        provider_ref=reply.provider_ref, channel=reply.channel, phone=reply.phone, address=reply.address,
        sender=reply.sender, contact_id=contact_id, text=reply.text or reply.button, at=campaign_now(session),
        received_at=real_now(), payload=dict(reply.payload), is_opt_out=understood is Meaning.OPT_OUT,
        is_doubtful=understood is Meaning.DOUBTFUL,
    )  # fmt: skip
    return session.scalar(row.on_conflict_do_nothing().returning(InboundMessage.id))


def review(session: Session, inbound_id: int, *, is_opt_out: bool, user_id: int | None) -> InboundMessage:
    """A person decides what a doubtful reply means. Raises NotFound."""
    inbound = session.get(InboundMessage, inbound_id, with_for_update=True)
    if inbound is None:
        raise NotFound(_("There is no such message."))
    if is_opt_out and not inbound.is_opt_out:
        _opt_out(session, inbound)
        if inbound.conversation_id is not None:
            conversation = conversations.lock(session, inbound.conversation_id)
            conversation.state, conversation.resolution = conversations.RESOLVED, "opt_out"
            conversations.answered(session, conversation)
    inbound.is_opt_out = inbound.is_opt_out or is_opt_out
    inbound.is_doubtful, inbound.reviewed_by = False, user_id
    audit.record(session, user_id, "inbox.review", f"inbound-message/{inbound_id}", is_opt_out=is_opt_out)
    return inbound


def _opt_out(session: Session, inbound: InboundMessage) -> None:
    """The phone is suppressed; of whom has none here, the address, and the phone of whose address it is."""
    proof = f"inbound-message/{inbound.id}"
    if inbound.phone is not None:
        consent.opt_out(session, inbound.phone, reason="sms_reply", proof=proof, source="inbox")
    elif inbound.address is not None:
        channel_addresses.opt_out(
            session, inbound.channel, inbound.address, reason="sms_reply", proof=proof, source="inbox"
        )


def _known(session: Session, reply: Reply) -> int | None:
    """Whose address it is, on a channel that calls people by another name than a phone; the address is kept."""
    if channels.facts(reply.channel).reached_by == channels.BY_PHONE:
        return None
    return channel_addresses.heard(session, reply).contact_id


def _answered(session: Session, reply: Reply, contact_id: int | None) -> _Answered:
    """The message that we sent them last, by phone or, where there is none, by person. An answer of ours in a
    conversation names no other campaign."""
    if reply.phone is None and contact_id is None:
        return _Answered()
    is_theirs = Message.phone == reply.phone if reply.phone is not None else Message.contact_id == contact_id
    is_answer = exists().where(ConversationCampaign.campaign_id == Message.campaign_id)
    row = session.execute(
        select(Message.contact_id, Message.campaign_id, Message.released_by, is_answer.label("is_answer"))
        .where(is_theirs, Message.sent_at.is_not(None), Message.contact_id.is_not(None))
        .order_by(Message.sent_at.desc()).limit(1)
    ).first()  # fmt: skip
    if row is None:
        return _Answered()
    return _Answered(row.contact_id, None if row.is_answer else row.campaign_id, row.released_by)


def _first_at(session: Session, phone: str | None) -> int | None:
    """Of a household to which nobody wrote, its first person."""
    if phone is None:
        return None
    return session.scalar(select(Contact.id).where(Contact.phone == phone).order_by(Contact.id).limit(1))
