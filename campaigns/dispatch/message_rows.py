"""Which rows of the ledger of messages are counted as what: the list, who was let go, what is paid for. SQL only."""

from decimal import Decimal

from sqlalchemy import ColumnElement, and_, case, func, or_

from campaigns.dispatch import message_states as states
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import TEST, Message

LEFT = (states.ACCEPTED, states.SENT, states.UNKNOWN, states.DELIVERED, states.UNDELIVERED, states.FAILED)
# What becomes of a row, for people: kind → states. Every state is in one of them.
KINDS: dict[str, tuple[str, ...]] = {
    "delivered": (states.DELIVERED,),
    "failed": (states.UNDELIVERED, states.FAILED),
    "excluded": (states.EXCLUDED,),
    "stopped": (states.STOPPED,),
    "open": (states.PLANNED, states.SENDING, states.ACCEPTED, states.SENT),
    "unknown": (states.UNKNOWN,),
}


def of_list(campaign_id: int) -> ColumnElement[bool]:
    """The rows of the people whom the campaign was made for: no tests to our own phones, no conversations."""
    return and_(Message.campaign_id == campaign_id, Message.wave != TEST, Message.turn == 0)


def kind() -> ColumnElement[str]:
    """The kind (of KINDS) of a row."""
    whens = [(Message.state.in_(members), name) for name, members in KINDS.items() if name != "open"]
    return case(*whens, else_="open")


def was_left() -> ColumnElement[bool]:
    """Did it leave this house, whatever became of it?"""
    return Message.state.in_(LEFT)


def is_billed() -> ColumnElement[bool]:
    """Does the provider ask money for it? What it refused at once (errors 2…) or never had costs nothing; what failed
    later was carried. https://www.twilio.com/docs/api/errors"""
    refused = or_(Message.error_code.like("2____"), Message.error_code == "never_taken")
    return and_(was_left(), ~and_(Message.state == states.FAILED, func.coalesce(refused, False)))


def parts() -> ColumnElement[int]:
    """The parts that were carried: as billed where the provider said so, else as we count them."""
    return func.coalesce(Message.provider_parts, Message.parts, 0)


def unit_price(campaign: ColumnElement[Decimal] | Decimal | None = None) -> ColumnElement[Decimal]:
    """MXN a part: as kept at the claim, else the campaign's own (`campaign`, or its column in a joined SELECT)."""
    return func.coalesce(Message.unit_price, MessageCampaign.unit_price if campaign is None else campaign)


def cost(campaign: ColumnElement[Decimal] | Decimal | None = None) -> ColumnElement[Decimal]:
    """MXN of one row; nothing where nothing is billed."""
    return case((is_billed(), parts() * unit_price(campaign)), else_=Decimal(0))
