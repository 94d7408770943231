"""Asking the provider about messages of which nobody has heard: whose worker died, whose answer or receipt was lost.

Who is asked about, and when: `silent`. What the answer means: `record_look_ups`. A provider's list knows no id of ours
before it named the message itself, so a message without such a name is sought by person, sender, text and time; where
two of ours fit, neither is guessed at, and both stay unknown where people see it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from campaigns import channels
from campaigns.channels import Receipt
from campaigns.dispatch import message_news
from campaigns.dispatch import message_states as states
from campaigns.dispatch.message_claims import Outgoing
from campaigns.dispatch.sender_tables import Sender
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message, MessageReceipt

QUIET = timedelta(minutes=2)  # of silence, after which the provider is asked; doubled with each asking
SOON = timedelta(minutes=1)  # the same for an unknown message: asked again after each minute
# The provider's list must have shown nothing twice, so long apart, before we say that it never took a message. Not
# measured from the sending: a clock that jumps would make every message old at once.
APART = timedelta(minutes=2)
# Two equal texts to one person closer than this cannot be told apart in a list that is asked late.
WINDOW = timedelta(hours=36)
NOT_LISTED = "not_listed"  # the key under which an asking that found nothing is kept


def silent(session: Session, limit: int, carrier: str) -> list[tuple[str, Outgoing]]:
    """Messages by `carrier` of which nobody has heard for a while, with their channel.

    Claimed by moving `news_at`: the caller commits, asks the provider, then writes `record_look_ups`."""
    now = real_now()
    rows = session.execute(
        due(now, carrier)
        .with_only_columns(Message.id, Message.phone, Message.address, Message.body, Message.parts, Message.sent_at,
                           Message.provider_ref, MessageCampaign.channel,
                           func.coalesce(Sender.address, MessageCampaign.sender).label("sender"))
        .outerjoin(Sender, Sender.id == Message.sender_id)
        .order_by(Message.news_at).limit(limit).with_for_update(of=Message, skip_locked=True)
    ).all()  # fmt: skip
    ids = [row.id for row in rows]
    session.execute(
        update(Message).where(Message.id.in_(ids)).values(news_at=now).execution_options(synchronize_session=False)
    )
    return [
        (row.channel, Outgoing(id=row.id, phone=row.phone, address=row.address, sender=row.sender, body=row.body,
                               parts=row.parts, sent_at=row.sent_at, provider_ref=row.provider_ref))
        for row in rows
    ]  # fmt: skip


def record_look_ups(session: Session, answers: Sequence[tuple[Outgoing, Sequence[Receipt]]]) -> None:
    """What the provider says of messages that it was asked about."""
    named = [(asked.id, found[0]) for asked, found in answers if asked.provider_ref is not None and len(found) == 1]
    heard = message_news.record_receipts(session, named)
    message_news.tell(session, heard)
    for asked, found in answers:
        if asked.provider_ref is None:
            _record_listed(session, asked, found)


def _record_listed(session: Session, asked: Outgoing, found: Sequence[Receipt]) -> None:
    """What the provider's list says of a message that it has not named yet."""
    others = _named_otherwise(session, asked.id, [one.provider_ref for one in found])
    ours = [one for one in found if one.provider_ref not in others]
    if _has_twin(session, asked):
        return  # stays unknown: the list cannot say which of the two it means
    if len(ours) == 1:
        message_news.record_receipt(session, asked.id, ours[0])
    elif not ours:
        _note_absence(session, asked.id)


def due(now: datetime, carrier: str) -> Select[UUID]:
    """The messages by `carrier` that should be asked about at `now`."""
    waited = func.greatest(QUIET, (Message.news_at - Message.sent_at))
    is_long_ago = or_(
        Message.news_at < now - waited, and_(Message.state == states.UNKNOWN, Message.news_at < now - SOON)
    )
    return (
        select(Message.id)
        .join(Attempt, Attempt.id == Message.id).join(MessageCampaign, MessageCampaign.id == Message.campaign_id)
        .where(Message.state.in_([states.ACCEPTED, states.SENT, states.UNKNOWN]), Attempt.closed_at.is_(None),
               Message.body.is_not(None), Message.news_at < now - SOON, is_long_ago,
               MessageCampaign.carrier == carrier, MessageCampaign.channel.in_(_that_can_be_asked()))
    )  # fmt: skip


def _that_can_be_asked() -> list[str]:
    return [name for name in channels.NAMES if channels.facts(name).can_look_up]


def _named_otherwise(session: Session, message_id: UUID, refs: Sequence[str | None]) -> set[str | None]:
    """Those of the provider's names that belong to other messages of ours."""
    known = select(Message.provider_ref).where(Message.provider_ref.in_(refs), Message.id != message_id)
    return set(session.scalars(known))


def _has_twin(session: Session, asked: Outgoing) -> bool:
    """Is there another message of ours whose name we do not know, with the same text to the same person, that was sent
    about then? Then the list may mean either."""
    to_them = Message.phone == asked.phone if asked.phone else Message.address == asked.address
    twin = select(Message.id).where(
        to_them, Message.body == asked.body, Message.id != asked.id, Message.provider_ref.is_(None),
        Message.state.in_([states.SENDING, states.UNKNOWN]),
        Message.sent_at.between(asked.sent_at - WINDOW, asked.sent_at + WINDOW),
    ).limit(1)  # fmt: skip
    return session.execute(twin).first() is not None


def _note_absence(session: Session, message_id: UUID) -> None:
    """The list did not show it: the first time that is kept, and later it means that the provider never took it."""
    now = real_now()
    first: datetime | None = session.scalar(
        select(MessageReceipt.at).where(MessageReceipt.message_id == message_id, MessageReceipt.key == NOT_LISTED)
    )
    if first is None:
        absent = insert(MessageReceipt).values(message_id=message_id, key=NOT_LISTED, at=now,
                                               payload={"Source": "list", "Found": 0})  # fmt: skip
        session.execute(absent.on_conflict_do_nothing())
    elif now - first >= APART:
        message_news.fail(session, message_id, "never_taken")
