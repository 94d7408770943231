"""Drafts of message campaigns: the wizard over a campaign, also over one that is paused to be changed.

What is typed changes nobody's campaign: campaigns.mailings.message_plans.apply puts a whole draft into it."""

from typing import Any

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from callcenter.base.db import Base
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.wizards.drafts import DraftRow, Shelf

BEGUN: dict[str, Any] = {}
CHANGEABLE = ("draft", "paused")  # states of a campaign in which its draft may be written in


class MessageDraft(DraftRow, Base):
    """What the wizard of message campaigns holds (mailings.message_steps). `campaign_id`: the campaign it describes,
    from the first time that nothing was missing."""

    __tablename__ = "message_drafts"
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("message_campaigns.id", ondelete="CASCADE"), unique=True)
    campaign: Mapped[MessageCampaign | None] = relationship()

    @property
    def is_open(self) -> bool:
        """May it still be written in?"""
        return self.campaign is None or self.campaign.state in CHANGEABLE


SHELF = Shelf(MessageDraft, "message_draft", BEGUN)
begin, find, waiting, keep, discard = SHELF.begin, SHELF.find, SHELF.waiting, SHELF.keep, SHELF.discard


def of_campaign(session: Session, campaign_id: int) -> MessageDraft | None:
    """The draft that describes this campaign."""
    return session.scalar(select(MessageDraft).where(MessageDraft.campaign_id == campaign_id))
