"""What became of messages, written straight into the ledger: for tests that only read it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now, real_now
from callcenter.contacts import Contact
from campaigns.dispatch import message_rows
from campaigns.dispatch import message_states as states
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message
from tests.campaigns.cast import message_of


def end(session: Session, contact: Contact, state: str, **values: Any) -> Message:
    """The person's message is in this state; one that left was tried, bears a name, and has one part at 0.35."""
    message = message_of(session, contact)
    if state in message_rows.LEFT:
        now = real_now()
        usual = {"sent_at": now - timedelta(minutes=5), "provider_ref": f"SM{message.id.hex}", "parts": 1,
                 "unit_price": Decimal("0.35"), "body": "Hola"}  # fmt: skip
        values = usual | values
        _try(session, message, contact.id, state)
    if state in states.FINAL:
        values = {"finished_at": real_now()} | values
    message.state = state
    for name, value in values.items():
        setattr(message, name, value)
    session.flush()
    return message


def beside_the_list(session: Session, campaign: MessageCampaign, state: str, **values: Any) -> Message:
    """A message that is not of the list: a test (`wave=2`) or one of a conversation (`turn=1`)."""
    usual = {"phone": "+529221119999", "sent_at": real_now(), "parts": 1, "body": "Hola", "turn": -1}
    message = Message(id=uuid4(), campaign_id=campaign.id, state=state, **usual | values)
    session.add(message)
    session.flush()
    return message


def _try(session: Session, message: Message, contact_id: int, state: str) -> None:
    is_over = state in states.FINAL
    at, now = campaign_now(session), real_now()
    assert message.phone is not None
    session.add(Attempt(
        id=message.id, channel="sms", purpose="survey", contact_id=contact_id, phone=message.phone, at=at,
        created_at=now, deadline_at=now + timedelta(hours=72), closed_at=now if is_over else None,
        outcome=state if is_over else None,
    ))  # fmt: skip
