"""Drafts of calling campaigns: what somebody has written in the wizard so far, kept at every change as it was typed.

A draft calls nobody. Its start makes a campaign of it (campaigns.draft_plans); the row stays and names that campaign,
so that a second press of the button starts nothing twice."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound

# What a new draft says before anybody typed: boxes that are ticked (an absent box means "no").
BEGUN: dict[str, Any] = {"gives_up": "y"}


class CallDraft(Base):
    """`form`: what the wizard's fields hold, by name: a text, or a list of texts where several are chosen."""

    __tablename__ = "call_drafts"
    id: Mapped[int] = mapped_column(primary_key=True)
    form: Mapped[dict[str, Any]] = mapped_column(default=dict)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("call_campaigns.id", ondelete="CASCADE"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    updated_at: Mapped[datetime] = mapped_column(default=real_now)

    @property
    def name(self) -> str:
        """What the draft is called in lists."""
        return str(self.form.get("name") or "").strip() or str(_("Draft %(number)s", number=self.id))


def begin(session: Session, user_id: int | None, form: dict[str, Any] | None = None) -> CallDraft:
    """A new draft; where nothing is given and the person has one in which nothing was written yet, that one."""
    if form is None:
        untouched = select(CallDraft).where(
            CallDraft.created_by == user_id, CallDraft.form == BEGUN, CallDraft.campaign_id.is_(None)
        )
        found = session.scalar(untouched.order_by(CallDraft.id.desc()).limit(1))
        if found is not None:
            return found
    draft = CallDraft(form=BEGUN | (form or {}), created_by=user_id)
    session.add(draft)
    session.flush()
    return draft


def find(session: Session, draft_id: int, *, lock: bool = False) -> CallDraft:
    """Raises NotFound."""
    draft = session.get(CallDraft, draft_id, with_for_update=lock or None, populate_existing=True)
    if draft is None:
        raise NotFound(_("There is no such draft of a campaign."))
    return draft


def waiting(session: Session, limit: int = 50) -> list[CallDraft]:
    """Those that nobody has started and somebody has written in, the last touched first."""
    unstarted = select(CallDraft).where(CallDraft.campaign_id.is_(None), CallDraft.form != BEGUN)
    return list(session.scalars(unstarted.order_by(CallDraft.updated_at.desc()).limit(limit)))


def keep(session: Session, draft_id: int, written: dict[str, Any]) -> CallDraft:
    """Put what was typed into the draft: these fields, and no others. Raises NotFound."""
    draft = find(session, draft_id, lock=True)
    if draft.campaign_id is None and any(draft.form.get(name) != value for name, value in written.items()):
        draft.form = draft.form | written
        draft.updated_at = real_now()
        session.flush()
    return draft


def discard(session: Session, draft_id: int, user_id: int | None) -> None:
    """Throw the draft away. Raises NotFound."""
    draft = find(session, draft_id, lock=True)
    audit.record(session, user_id, "call_draft.discard", f"call-draft/{draft_id}", name=draft.name)
    session.delete(draft)
    session.flush()
