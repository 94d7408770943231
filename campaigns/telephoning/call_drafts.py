"""Drafts of calling campaigns. A draft calls nobody; its start makes a campaign of it (draft_plans). The row
stays and names that campaign, so that a second press of the button starts nothing twice."""

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from callcenter.base.db import Base
from campaigns.wizards.drafts import DraftRow, Shelf

# What a new draft says before anybody typed.
BEGUN: dict[str, Any] = {"gives_up": "y"}


class CallDraft(DraftRow, Base):
    """What the wizard of calling campaigns holds (campaigns.telephoning.draft_steps)."""

    __tablename__ = "call_drafts"
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("call_campaigns.id", ondelete="CASCADE"))


SHELF = Shelf(CallDraft, "call_draft", BEGUN)
begin, find, waiting, keep, discard = SHELF.begin, SHELF.find, SHELF.waiting, SHELF.keep, SHELF.discard
