"""The standing message campaigns by which answers leave: one for each campaign that people answer, and channel.

An answer is a message like any other: in the ledger, past the gate, with the purpose, sender, price and principal of
the campaign whose words the person answered. Who wrote of their own accord is answered as a citizen who asks for care.
"""

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from campaigns import channels
from campaigns.correspondence.conversations import Conversation
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings.message_campaigns import MessageCampaign, MessagePlan
from campaigns.segments import Segment

WHO_WROTE = {"all": [{"did": "replied"}]}
OWN_PURPOSE = "citizen_care"
ALIVE = ("running", "paused")


class ConversationCampaign(Base):
    """`campaign_id` carries the answers by `channel` to those who answer `answers_id` (None: who wrote unasked)."""

    __tablename__ = "conversation_campaigns"
    __table_args__ = (UniqueConstraint("answers_id", "channel", postgresql_nulls_not_distinct=True),)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("message_campaigns.id", ondelete="CASCADE"), primary_key=True)
    answers_id: Mapped[int | None] = mapped_column(ForeignKey("message_campaigns.id", ondelete="CASCADE"))
    channel: Mapped[str]


def is_one(session: Session, campaign_id: int) -> bool:
    """Does this campaign carry answers? The gate then leaves the caps aside."""
    return session.get(ConversationCampaign, campaign_id) is not None


def purpose(session: Session, conversation: Conversation) -> str:
    """The purpose of an answer: that of the campaign which the person answers."""
    answered = session.get(MessageCampaign, conversation.campaign_id) if conversation.campaign_id else None
    return answered.purpose if answered is not None else OWN_PURPOSE


def answered_by(session: Session, conversation: Conversation, channel: str) -> MessageCampaign | None:
    """The campaign that the person answers, if it wrote by this channel: answers then come from its own sender."""
    answered = session.get(MessageCampaign, conversation.campaign_id) if conversation.campaign_id else None
    return answered if answered is not None and answered.channel == channel else None


def carrying(session: Session, conversation: Conversation, channel: str) -> MessageCampaign | None:
    """The campaign that carries the answers of this conversation by `channel`; None before the first one."""
    same = ConversationCampaign.answers_id.is_not_distinct_from(conversation.campaign_id)
    return session.scalar(
        select(MessageCampaign)
        .join(ConversationCampaign, ConversationCampaign.campaign_id == MessageCampaign.id)
        .where(same, ConversationCampaign.channel == channel, MessageCampaign.state.in_(ALIVE))
    )


def carry(
    session: Session, conversation: Conversation, channel: str, sender: str, user_id: int | None
) -> MessageCampaign:
    """As `carrying`, made now if there is none. `sender`: for a channel by which the campaign itself did not write."""
    found = carrying(session, conversation, channel)
    if found is not None:
        return found
    answered = session.get(MessageCampaign, conversation.campaign_id) if conversation.campaign_id else None
    made = campaigns.create(session, _plan(session, answered, channel, sender), user_id)
    made.is_standing, made.urgency, made.launched_at, made.planned_at = True, "urgent", real_now(), real_now()
    made.segment_version = made.segment.version
    if answered is not None and answered.channel == channel:
        made.pool_id = answered.pool_id
    for state in ("planning", "running"):
        campaigns.set_state(session, made.id, state, None, user_id)
    _remember(session, made.id, conversation.campaign_id, channel)
    return made


def _remember(session: Session, campaign_id: int, answers_id: int | None, channel: str) -> None:
    """The newest campaign carries: one that was stopped for good is forgotten."""
    same = ConversationCampaign.answers_id.is_not_distinct_from(answers_id)
    for old in session.scalars(select(ConversationCampaign).where(same, ConversationCampaign.channel == channel)):
        session.delete(old)
    session.flush()
    session.add(ConversationCampaign(campaign_id=campaign_id, answers_id=answers_id, channel=channel))
    session.flush()


def _plan(session: Session, answered: MessageCampaign | None, channel: str, sender: str) -> MessagePlan:
    if answered is None:
        return MessagePlan(
            name=_("Conversations"), segment_id=_who_wrote(session).id, purpose=OWN_PURPOSE, text=_text(),
            sender=sender, carrier=channels.carrier(), channel=channel,
        )  # fmt: skip
    return MessagePlan(
        name=_("Conversations: %(name)s", name=answered.name), segment_id=answered.segment_id,
        frozen_segment_id=answered.frozen_segment_id, purpose=answered.purpose, text=_text(),
        sender=answered.sender if answered.channel == channel else sender, carrier=channels.carrier(),
        on_behalf_of=answered.on_behalf_of, unit_price=answered.unit_price, channel=channel,
    )  # fmt: skip


def _text() -> str:
    """No answer has this text: each is written by a person."""
    return str(_("(each answer is written by a person)"))


def _who_wrote(session: Session) -> Segment:
    """The segment of those who wrote by themselves: made once."""
    name = str(_("People who wrote to us"))
    found = session.scalar(select(Segment).where(Segment.rule == WHO_WROTE).order_by(Segment.id).limit(1))
    if found is None:
        taken = session.scalar(select(Segment.id).where(Segment.name == name))
        found = Segment(name=f"{name} (2)" if taken else name, rule=WHO_WROTE)
        session.add(found)
        session.flush()
    return found
