"""Replies and conversations as the tests of the inbox want them."""

from itertools import count

from sqlalchemy.orm import Session

from campaigns import inbox
from campaigns.channels import Reply
from campaigns.correspondence import conversations
from campaigns.correspondence.conversation_replies import Answer
from campaigns.correspondence.conversations import Conversation
from campaigns.inbox import InboundMessage

OURS = "+525512340001"  # the sender to whom people write
_refs = count(1)


def heard(session: Session, phone: str | None, text: str = "¿A qué hora?", **said: object) -> InboundMessage:
    """A person writes: by SMS unless `channel` and `address` say otherwise."""
    values = {"channel": "sms", "address": phone or "", "sender": OURS, **said}
    reply = Reply(f"SM-in-{next(_refs)}", phone=phone, text=text, **values)  # type: ignore[arg-type]  # fields of Reply
    found = inbox.receive(session, reply)
    assert found is not None
    session.flush()
    return found


def conversation(session: Session, inbound: InboundMessage) -> Conversation:
    """Where a reply stands, as it is now."""
    assert inbound.conversation_id is not None
    return conversations.lock(session, inbound.conversation_id)


def answer(found: Conversation, text: str = "A las diez.", channel: str = "sms") -> Answer:
    """What somebody writes who has read everything."""
    return Answer(text, channel, found.last_at)
