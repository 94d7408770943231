"""What the pages of every wizard have in common: where a step is, how it is kept, what stands around its fields."""

from dataclasses import dataclass
from typing import Any, Generic

from flask import request, url_for
from flask_babel import LazyString

from callcenter.base.db import web_session
from campaigns import labels
from campaigns.wizards.drafts import D, Shelf
from campaigns.wizards.wizard_steps import REVIEW, Wizard


@dataclass(frozen=True)
class Room(Generic[D]):
    """The pages of one wizard. `endpoint`: the blueprint with its views `step`, `save`, `keep`, `review`, `discard`;
    `folder`: where the templates of its steps are; `lead`: one line about every draft."""

    wizard: Wizard
    shelf: Shelf[D]
    endpoint: str
    folder: str
    lead: LazyString

    def address(self, draft: D, key: str, **more: Any) -> str:
        """The page of a step."""
        if key == REVIEW:
            return url_for(f"{self.endpoint}.review", draft_id=draft.id, **more)
        return url_for(f"{self.endpoint}.step", draft_id=draft.id, step=key, **more)

    def kept(self, draft_id: int, key: str) -> D:
        """The draft with what this request posts for the step, committed."""
        session = web_session()
        draft = self.shelf.find(session, draft_id)
        written = self.wizard.written(session, draft.form, key, request.form)
        draft = self.shelf.keep(session, draft_id, written)
        session.commit()
        return draft

    def frame(self, draft: D, key: str) -> dict[str, Any]:
        """What every step's page shows around its fields."""
        missing = self.wizard.missing(web_session(), draft.form)
        return {
            "draft": draft, "steps": self.wizard.steps, "here": key, "address": self.address, "missing": missing,
            "lacking": {fault.step for fault in missing}, "labels": labels, "room": self.endpoint,
            "folder": self.folder, "lead": self.lead,
        }  # fmt: skip
