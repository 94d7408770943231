"""What was said in a conversation, both ways and on every channel, in the order in which it happened."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.auth import User
from campaigns import labels
from campaigns.correspondence.conversations import Conversation
from campaigns.dispatch import message_states as states
from campaigns.inbox import InboundMessage
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import TEST, Message

MOST = 200  # of each way; a longer conversation shows its newest
STILL_HERE = datetime.max.replace(tzinfo=UTC)  # of an answer that waits: it comes after everything
_FAILED = frozenset({states.UNDELIVERED, states.FAILED, states.EXCLUDED, states.STOPPED})


@dataclass(frozen=True)
class Line:
    """One message. `at`: campaign time, None while it waits. `by`: the colleague who wrote it, or its campaign.

    `kind`: in | out. `fate` (out): what became of it, in words, and `is_bad`: nobody will read it."""

    kind: str
    id: str
    channel: str
    text: str
    at: datetime | None
    by: str = ""
    fate: str = ""
    is_bad: bool = False
    is_doubtful: bool = False
    is_opt_out: bool = False


def read(session: Session, conversation: Conversation) -> list[Line]:
    """The newest messages, oldest first."""
    heard = [(one.received_at, _heard(one)) for one in _received(session, conversation)]
    said = [(row.Message.sent_at or row.Message.finished_at or STILL_HERE, _said(row))
            for row in _sent(session, conversation)]  # fmt: skip
    return [line for _at, line in sorted([*heard, *said], key=lambda each: each[0])]


def newest_heard(session: Session, conversation_id: int) -> InboundMessage | None:
    """What came last from the person."""
    newest = select(InboundMessage).where(InboundMessage.conversation_id == conversation_id)
    return session.scalars(newest.order_by(InboundMessage.id.desc()).limit(1)).first()


def _received(session: Session, conversation: Conversation) -> list[InboundMessage]:
    newest = select(InboundMessage).where(InboundMessage.conversation_id == conversation.id)
    return list(session.scalars(newest.order_by(InboundMessage.id.desc()).limit(MOST)))


def _sent(session: Session, conversation: Conversation) -> list[Row[Any]]:
    """columns: Message, at (campaign time of the try), full_name (who wrote it), name and is_standing of its campaign,
    channel"""
    query = (
        select(Message, Attempt.at, User.full_name, MessageCampaign.name, MessageCampaign.is_standing,
               MessageCampaign.channel)
        .join(MessageCampaign, MessageCampaign.id == Message.campaign_id)
        .outerjoin(Attempt, Attempt.id == Message.id)
        .outerjoin(User, User.id == Message.released_by)
        .where(_theirs(conversation), Message.body.is_not(None), Message.wave != TEST)
    )  # fmt: skip
    return list(session.execute(query.order_by(Message.sent_at.desc().nulls_first()).limit(MOST)))


def _theirs(conversation: Conversation) -> ColumnElement[bool]:
    if conversation.contact_id is not None:
        return Message.contact_id == conversation.contact_id
    return (Message.contact_id.is_(None)) & (Message.phone == conversation.phone)


def _heard(one: InboundMessage) -> Line:
    has_file = str(one.payload.get("NumMedia", "0")) not in ("", "0")
    text = one.text or (str(_("(a picture or another file, which is at the provider)")) if has_file else "")
    return Line("in", str(one.id), one.channel, text, one.at, is_doubtful=one.is_doubtful, is_opt_out=one.is_opt_out)


def _said(row: Row[Any]) -> Line:
    message: Message = row.Message
    fate = str(labels.MESSAGE_STATES[message.state])
    if message.refusal:
        fate = f"{fate}: {labels.refusal(message.refusal)}"
    elif message.error_code:
        fate = f"{fate}: {labels.error(message.error_code)}"
    by = row.full_name or row.name
    return Line("out", str(message.id), row.channel, message.body or "", row.at, by, fate, message.state in _FAILED)
