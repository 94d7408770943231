"""Drafts: what somebody has written in a wizard so far, kept at every change as it was typed, right or wrong.

A draft contacts nobody. What becomes of it is its wizard's: telephoning.draft_plans of calls, mailings.message_plans of
messages."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import NotFound


class DraftRow:
    """The columns of a draft. `form`: what the wizard's fields hold, by name: a text, or a list of texts where several
    are chosen. `campaign_id`: the campaign that was made of it."""

    id: Mapped[int] = mapped_column(primary_key=True)
    form: Mapped[dict[str, Any]] = mapped_column(default=dict)
    campaign_id: Mapped[int | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now)
    updated_at: Mapped[datetime] = mapped_column(default=real_now)

    @property
    def name(self) -> str:
        """What the draft is called in lists."""
        return str(self.form.get("name") or "").strip() or str(_("Draft %(number)s", number=self.id))

    @property
    def is_open(self) -> bool:
        """May it still be written in?"""
        return self.campaign_id is None


D = TypeVar("D", bound=DraftRow)


@dataclass(frozen=True)
class Shelf(Generic[D]):
    """The drafts of one wizard. `noun`: what they are called in the audit (`call_draft`); `begun`: what a new one says
    before anybody typed: boxes that are ticked (an absent box means "no")."""

    kind: type[D]
    noun: str
    begun: Mapping[str, Any]

    def begin(self, session: Session, user_id: int | None, form: Mapping[str, Any] | None = None) -> D:
        """A new draft; where nothing is given and the person has one in which nothing was written yet, that one."""
        if form is None:
            untouched = select(self.kind).where(
                self.kind.created_by == user_id, self.kind.form == dict(self.begun), self.kind.campaign_id.is_(None)
            )
            found = session.scalar(untouched.order_by(self.kind.id.desc()).limit(1))
            if found is not None:
                return found
        draft = self.kind()
        draft.form, draft.created_by = {**self.begun, **(form or {})}, user_id
        session.add(draft)
        session.flush()
        return draft

    def find(self, session: Session, draft_id: int, *, lock: bool = False) -> D:
        """Raises NotFound."""
        draft = session.get(self.kind, draft_id, with_for_update=lock or None, populate_existing=True)
        if draft is None:
            raise NotFound(_("There is no such draft of a campaign."))
        return draft

    def waiting(self, session: Session, limit: int = 50) -> list[D]:
        """Those of which nothing was made yet and somebody has written in, the last touched first."""
        unstarted = select(self.kind).where(self.kind.campaign_id.is_(None), self.kind.form != dict(self.begun))
        return list(session.scalars(unstarted.order_by(self.kind.updated_at.desc()).limit(limit)))

    def keep(self, session: Session, draft_id: int, written: Mapping[str, Any]) -> D:
        """Put what was typed into the draft: these fields, and no others. Raises NotFound."""
        draft = self.find(session, draft_id, lock=True)
        if draft.is_open and any(draft.form.get(name) != value for name, value in written.items()):
            draft.form = {**draft.form, **written}
            draft.updated_at = real_now()
            session.flush()
        return draft

    def discard(self, session: Session, draft_id: int, user_id: int | None) -> None:
        """Throw the draft away. Raises NotFound."""
        draft = self.find(session, draft_id, lock=True)
        subject = f"{self.noun.replace('_', '-')}/{draft_id}"
        audit.record(session, user_id, f"{self.noun}.discard", subject, name=draft.name)
        session.delete(draft)
        session.flush()
