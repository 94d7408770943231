"""What a person's page shows of messages: why each reached them or did not, and that they wrote back."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.people.contact_history import Deed, earlier
from campaigns import labels
from campaigns.inbox import InboundMessage
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message

WHY = "campaigns.message_whys.show"  # the page that says why one message reached its person, or did not


def deeds(session: Session, contact_id: int, limit: int, before: datetime | None) -> list[Deed]:
    """The newest messages to the person and replies from them; the texts stay where they are."""
    return [
        *(
            Deed(row.at, row.channel.upper(), row.name, _outcome(row.Message), (WHY, {"message_id": row.Message.id}))
            for row in _sent(session, contact_id, limit, before)
        ),
        *(
            Deed(
                reply.at,
                reply.channel.upper(),
                "",
                _("Asked not to be contacted") if reply.is_opt_out else _("Wrote back"),
            )
            for reply in _replies(session, contact_id, limit, before)
        ),
    ]


def _sent(session: Session, contact_id: int, limit: int, before: datetime | None) -> list[Row[Any]]:
    """columns: Message, at (None when it was not tried), name and channel of its campaign"""
    written = (
        select(Message, Attempt.at, MessageCampaign.name, MessageCampaign.channel)
        .join(MessageCampaign, MessageCampaign.id == Message.campaign_id)
        .outerjoin(Attempt, Attempt.id == Message.id)
        .where(Message.contact_id == contact_id)
    )
    return list(session.execute(earlier(written, Attempt.at, limit, before)))


def _replies(session: Session, contact_id: int, limit: int, before: datetime | None) -> list[InboundMessage]:
    received = select(InboundMessage).where(InboundMessage.contact_id == contact_id)
    return list(session.scalars(earlier(received, InboundMessage.at, limit, before)))


def _outcome(message: Message) -> str:
    """The state, and why, in words."""
    state = str(labels.MESSAGE_STATES[message.state])
    if message.refusal:
        return f"{state}: {labels.refusal(message.refusal)}"
    return f"{state}: {labels.error(message.error_code)}" if message.error_code else state
