"""How people answered a message campaign: replies, opt-outs and opened links, by wording."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, or_, select, true
from sqlalchemy.orm import Session

from campaigns.correspondence import survey_invitations
from campaigns.dispatch import message_rows as rows
from campaigns.inbox import InboundMessage
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import TEST, Message
from campaigns.texts.clicks import MessageClick
from surveys.fieldwork.link_ledger import SurveyLink

ANSWERS_FOR = timedelta(days=7)  # after a message what comes from the phone is counted as an answer to it


@dataclass(frozen=True)
class Responses:
    """People, each once: who wrote back (opt-outs among them), who opted out by that, who opened the link."""

    replied: int = 0
    opted_out: int = 0
    clicked: int = 0

    def __add__(self, other: "Responses") -> "Responses":
        return Responses(
            self.replied + other.replied, self.opted_out + other.opted_out, self.clicked + other.clicked
        )  # fmt: skip


def by_wording(session: Session, campaign: MessageCampaign) -> dict[str, Responses]:
    """What came back, by the letter of the wording; letters of which nothing came are left out."""
    replies, clicks = _replies(session, campaign), _clicks(session, campaign)
    return {
        letter: Responses(*replies.get(letter, (0, 0)), clicks.get(letter, 0))
        for letter in sorted(replies.keys() | clicks.keys())
    }


def _replies(session: Session, campaign: MessageCampaign) -> dict[str, tuple[int, int]]:
    """letter → (who replied, who opted out). A reply answers the last message of a list that its phone got."""
    if campaign.launched_at is None:
        return {}
    answered = (
        select(Message.id, Message.campaign_id, Message.wording)
        .where(or_(Message.phone == InboundMessage.phone,
                   Message.phone.is_(None) & (Message.contact_id == InboundMessage.contact_id)),
               Message.turn == 0, Message.wave != TEST, Message.sent_at <= InboundMessage.received_at,
               Message.sent_at > InboundMessage.received_at - ANSWERS_FOR)
        .order_by(Message.sent_at.desc()).limit(1).lateral("answered")
    )  # fmt: skip
    opted_out = func.count(answered.c.id.distinct()).filter(InboundMessage.is_opt_out)
    found = session.execute(
        select(answered.c.wording, func.count(answered.c.id.distinct()), opted_out)
        .select_from(InboundMessage).join(answered, true())
        .where(InboundMessage.received_at >= campaign.launched_at, answered.c.campaign_id == campaign.id)
        .group_by(answered.c.wording)
    )  # fmt: skip
    return {row[0]: (row[1], row[2]) for row in found}


def _clicks(session: Session, campaign: MessageCampaign) -> dict[str, int]:
    """letter → people who opened the link of a message, or began the survey of their own link."""
    mine = select(Message.id, Message.wording).where(rows.of_list(campaign.id))
    opened = mine.join(MessageClick, MessageClick.message_id == Message.id)
    began = mine.join(SurveyLink, SurveyLink.contact_id == Message.contact_id).where(
        SurveyLink.source == survey_invitations.source(campaign), SurveyLink.opened_at.is_not(None)
    )
    found = (opened if campaign.survey_id is None else opened.union(began)).subquery()
    counted = select(found.c.wording, func.count(found.c.id.distinct())).group_by(found.c.wording)
    return {row[0]: row[1] for row in session.execute(counted)}
