"""What campaigns keep of a person: messages to them, replies from them, clicks, and frozen lists they are on."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import String, cast, delete, literal, or_, select, update
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.privacy import person_register
from callcenter.privacy.person_keeping import BLOCKED, NOBODY
from callcenter.privacy.person_register import Gone, Sheet, mentions
from campaigns import labels, messages
from campaigns.correspondence import conversation_keeping
from campaigns.dispatch import message_states as states
from campaigns.inbox import InboundMessage
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message, MessageReceipt
from campaigns.segmenting.frozen_segments import FrozenMember, FrozenSegment

UNSETTLED = (states.ACCEPTED, states.SENT, states.UNKNOWN)
TABLES = ("messages", "message_receipts", "inbound_messages", "conversations", "frozen_members")
SPARED = {
    "message_templates": "texts that WhatsApp approved, with variables",
    "message_media": "images and videos for everybody, and their names",
    "message_enclosures": "titles and values with placeholders",
    "message_openings": "keyed hashes, a day old at most where they matter",
    "message_campaigns": "names and wordings of campaigns, with placeholders",
    "message_wordings": "wordings of campaigns, with placeholders",
    "message_drafts": "a message campaign that somebody of the house is writing",
    "message_breaks": "counts of results, and the beginnings of phones that thousands share",
    "message_approvals": "who of the house approved a campaign, or why not",
    "senders": "the house's own numbers and names",
    "sender_pools": "names of pools of the house's own numbers",
    "call_campaigns": "names of campaigns",
    "segments": "names and rules",
    "segment_versions": "names and rules",
    "canned_replies": "wordings, with placeholders",
    "segment_drafts": "a rule that somebody is writing; emptied of whom it names",
    "frozen_segments": "names and rules",
}
_AT, _CAMPAIGN, _CHANNEL = _l("When"), _l("Campaign"), _l("Channel")


def compose() -> None:
    """Put the floor into the register."""
    person_register.register("campaigns", export=export, erase=erase, block=block, tables=TABLES)
    person_register.keep_rows("message_clicks", _l("Links you opened"), {"at": _AT})
    person_register.keep_rows("sticky_senders", _l("When each of our numbers last wrote to you"), {"last_at": _AT})
    person_register.keep_rows(
        "channel_addresses", _l("Your addresses"),
        {"channel": _CHANNEL, "address": _l("Address"), "name": _l("Name"), "heard_at": _l("You last wrote")},
    )  # fmt: skip
    for table, why in SPARED.items():
        person_register.spare(table, why)


def export(session: Session, contact_id: int) -> list[Sheet]:
    """Every message with what it said and what became of it, both ways, and the lists."""
    return [_sent(session, contact_id), _received(session, contact_id), _lists(session, contact_id)]


def _sent(session: Session, contact_id: int) -> Sheet:
    rows = session.execute(
        select(Attempt.at, MessageCampaign.name, MessageCampaign.channel, Message.phone, Message.state, Message.body)
        .select_from(Message)
        .join(MessageCampaign, MessageCampaign.id == Message.campaign_id).outerjoin(Attempt, Attempt.id == Message.id)
        .where(Message.contact_id == contact_id).order_by(Attempt.at)
    )  # fmt: skip
    told = [(*row[:4], str(labels.MESSAGE_STATES[row.state]), row.body) for row in rows]
    return Sheet("messages", _l("Messages to you"), [_AT, _CAMPAIGN, _CHANNEL, _l("Phone"), _l("What became of it"),
                                                     _l("Text")], told)  # fmt: skip


def _received(session: Session, contact_id: int) -> Sheet:
    inbound = InboundMessage
    rows = session.execute(
        select(inbound.at, inbound.channel, inbound.phone, inbound.text)
        .where(inbound.contact_id == contact_id).order_by(inbound.at)
    )  # fmt: skip
    return Sheet("replies", _l("Messages from you"), [_AT, _CHANNEL, _l("Phone"), _l("Text")],
                 [tuple(row) for row in rows])  # fmt: skip


def _lists(session: Session, contact_id: int) -> Sheet:
    rows = session.execute(
        select(FrozenSegment.frozen_at, FrozenSegment.segment_name)
        .join(FrozenMember, FrozenMember.frozen_id == FrozenSegment.id)
        .where(FrozenMember.contact_id == contact_id)
    )
    return Sheet("lists", _l("Frozen lists you are on"), [_AT, _l("List")], [tuple(row) for row in rows])


def block(session: Session, contact_id: int) -> int:
    """Out of every campaign that has not written to them yet."""
    planned = (Message.contact_id == contact_id) & (Message.state == states.PLANNED)
    left_out = messages.close(session, planned, states.EXCLUDED, refusal=BLOCKED)
    return len(left_out) + conversation_keeping.block(session, contact_id)


def erase(session: Session, gone: Gone) -> dict[str, int]:
    """Messages stay as numbers of their campaign; what they said, and to whom, goes."""
    theirs = Message.contact_id.in_(gone.ids)
    messages.close(session, theirs & (Message.state == states.PLANNED), states.STOPPED)
    messages.close(session, theirs & Message.state.in_(UNSETTLED), states.UNDELIVERED)
    ids = select(Message.id).where(theirs)
    _count(session, delete(MessageReceipt).where(MessageReceipt.message_id.in_(ids)))
    nameless = {"phone": _nobody(Message.id), "body": None, "provider_ref": None, "news_at": real_now()}
    return {
        "messages": _count(session, update(Message).where(theirs).values(nameless)),
        "conversations": conversation_keeping.erase(session, gone),
        "inbound_messages": _forget_replies(session, gone),
        "frozen_members": _leave_lists(session, gone),
    }


def _forget_replies(session: Session, gone: Gone) -> int:
    """That somebody answered, and whether it was BAJA, stays; who and what they wrote goes."""
    inbound = InboundMessage
    theirs = or_(inbound.contact_id.in_(gone.ids), inbound.phone.in_(gone.phones))
    if gone.names:
        theirs = or_(theirs, mentions(cast(inbound.text, String), gone))
    nameless = {"phone": _nobody(inbound.id), "provider_ref": _nobody(inbound.id), "address": None, "text": "",
                "payload": {}, "contact_id": None}  # fmt: skip
    return _count(session, update(inbound).where(theirs).values(nameless))


def _leave_lists(session: Session, gone: Gone) -> int:
    return _count(session, delete(FrozenMember).where(FrozenMember.contact_id.in_(gone.ids)))


def _nobody(key: Any) -> Any:
    return literal(NOBODY) + cast(key, String)


def _count(session: Session, statement: Any) -> int:
    done = session.connection().execute(statement.execution_options(preserve_rowcount=True))
    return int(done.rowcount)
