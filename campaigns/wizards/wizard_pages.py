"""What the pages of every wizard have in common: where a step is, how it is kept, what stands around its fields."""

from dataclasses import dataclass
from typing import Any, Generic

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from werkzeug.wrappers import Response

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

    def chosen(self, draft: D, here: str) -> str | None:
        """The step that the pressed button leads to: the one that it names, or the next one once this one is right;
        None while it is not."""
        wanted = request.form.get("go", "next")
        if wanted in self.wizard.steps:
            return wanted
        is_right = self.wizard.form_of(web_session(), draft.form, here).validate()
        return self.wizard.after(here) if is_right else None

    def go(self, draft: D, here: str, wanted: str | None) -> Response:
        """To the step that was `chosen`, else back to this one, which says what is wrong: it is kept as it is, and a
        reload sends nothing again."""
        return redirect(self.address(draft, wanted) if wanted else self.address(draft, here, check=1))

    def kept_note(self, draft_id: int, key: str) -> ResponseReturnValue:
        """The step kept while it is typed; the answer says when, and what is missing now."""
        page = render_template("campaigns/wizard/_kept.html", **self.frame(self.kept(draft_id, key), key))
        return page, 200, {"HX-Trigger": "drafted"}

    def frame(self, draft: D, key: str) -> dict[str, Any]:
        """What every step's page shows around its fields."""
        missing = self.wizard.missing(web_session(), draft.form)
        return {
            "draft": draft, "steps": self.wizard.steps, "here": key, "address": self.address, "missing": missing,
            "lacking": {fault.step for fault in missing}, "labels": labels, "room": self.endpoint,
            "folder": self.folder, "lead": self.lead,
        }  # fmt: skip
