"""Templates: texts that WhatsApp approved, as Twilio's Content API keeps them. We copy them; nobody writes one here.

A campaign uses one by saying what stands for each {{1}}: a placeholder of ours, such as {given_names|vecina}, or plain
words. Its text is then the template's with our placeholders in their places, so that all that holds for a text holds.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import false, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound
from campaigns import wording
from campaigns.channels.content import Content
from campaigns.channels.whatsapp import MOST_VALUES

APPROVED = "approved"
# https://www.twilio.com/docs/content/approvals (status of an approval request)
STATES: dict[str, LazyString] = {
    "unsubmitted": _l("Not submitted to WhatsApp yet"),
    "received": _l("Submitted; Twilio has it"),
    "pending": _l("WhatsApp is looking at it"),
    APPROVED: _l("Approved"),
    "rejected": _l("Rejected by WhatsApp"),
    "paused": _l("Paused by WhatsApp: too many people complained"),
    "disabled": _l("Disabled by WhatsApp for good"),
    "gone": _l("No longer at Twilio"),
}
_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")


class MessageTemplate(Base):
    """A copy of one Content resource. `variables`: name → the provider's example. `media_url` may hold a variable.
    `buttons`: [{"title", "id"}]. `state`: a code of STATES, `state_reason`: why WhatsApp rejected it."""

    __tablename__ = "message_templates"
    id: Mapped[int] = mapped_column(primary_key=True)
    provider_ref: Mapped[str] = mapped_column(unique=True)
    carrier: Mapped[str]
    name: Mapped[str]
    language: Mapped[str]
    kind: Mapped[str]  # twilio/text, twilio/media, twilio/quick-reply …
    body: Mapped[str]
    variables: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    buttons: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    media_url: Mapped[str | None]
    category: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="unsubmitted")
    state_reason: Mapped[str | None]
    is_gone: Mapped[bool] = mapped_column(default=False, server_default=false())
    synced_at: Mapped[datetime] = mapped_column(default=real_now)

    @property
    def is_usable(self) -> bool:
        return self.state == APPROVED and not self.is_gone

    @property
    def standing(self) -> str:
        """A code of STATES."""
        return "gone" if self.is_gone else self.state

    @property
    def media_variable(self) -> str | None:
        """The variable in the address of its image or video, when it has one."""
        found = _VARIABLE.search(self.media_url or "")
        return found[1] if found else None

    @property
    def text_variables(self) -> list[str]:
        """The variables of its text, in their order, each once."""
        return list(dict.fromkeys(match[1] for match in _VARIABLE.finditer(self.body)))


def find(session: Session, template_id: int) -> MessageTemplate:
    """Raises NotFound."""
    found = session.get(MessageTemplate, template_id)
    if found is None:
        raise NotFound(_("There is no such template."))
    return found


def every(session: Session, carrier: str) -> list[MessageTemplate]:
    """All of this provider account, the usable ones first."""
    mine = select(MessageTemplate).where(MessageTemplate.carrier == carrier)
    rows = session.scalars(mine.order_by(MessageTemplate.name, MessageTemplate.language))
    return sorted(rows, key=lambda one: not one.is_usable)


def keep(session: Session, carrier: str, now_there: Iterable[Content]) -> dict[str, int]:
    """Take over what the provider has: new ones, changed states, and which are gone; returns how many of each."""
    before = {one.provider_ref: one.standing for one in every(session, carrier)}
    there = list(now_there)
    for one in there:
        row = insert(MessageTemplate).values(
            provider_ref=one.provider_ref, carrier=carrier, name=one.name, language=one.language, kind=one.kind,
            body=one.body, variables=dict(one.variables), buttons=[dict(each) for each in one.buttons],
            media_url=one.media_url, category=one.category, state=one.state, state_reason=one.state_reason,
            is_gone=False, synced_at=real_now(),
        )  # fmt: skip
        taken = {column: row.excluded[column] for column in (
            "name", "language", "kind", "body", "variables", "buttons", "media_url", "category", "state",
            "state_reason", "is_gone", "synced_at")}  # fmt: skip
        session.execute(row.on_conflict_do_update(index_elements=["provider_ref"], set_=taken))
    refs = {one.provider_ref for one in there}
    missing = [ref for ref, state in before.items() if ref not in refs and state != "gone"]
    session.execute(update(MessageTemplate).where(MessageTemplate.provider_ref.in_(missing)).values(is_gone=True))
    session.expire_all()
    changed = sum(1 for one in there if before.get(one.provider_ref, one.state) != one.state)
    return {"new": len(refs - set(before)), "changed": changed, "gone": len(missing)}


def as_wording(template: MessageTemplate, variables: Mapping[str, str]) -> str:
    """The template's text with our placeholders in place of its variables: the text of a campaign."""
    return _VARIABLE.sub(lambda found: variables.get(found[1], found[0]), template.body)


def values(
    template: MessageTemplate, variables: Mapping[str, str], of_person: Mapping[str, str | None]
) -> dict[str, str]:
    """What travels as ContentVariables for one person. Raises wording.MissingValue."""
    return {name: _tidy(wording.render(variables.get(name, ""), of_person)) for name in template.text_variables}


def faults(template: MessageTemplate, variables: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with a template and what stands for its variables, by field of the form; empty when nothing is."""
    found = {}
    if not template.is_usable:
        found["template_id"] = _("This template cannot be used: %(state)s.", state=str(STATES[template.standing]))
    for name in template.text_variables:
        said = variables.get(name, "")
        if not said.strip():
            found[f"variable-{name}"] = _("Say what stands for {{%(name)s}}.", name=name)
        elif unknown := [one for one in wording.fields(said) if one not in (*wording.FIELDS, wording.SURVEY_LINK)]:
            found[f"variable-{name}"] = _("{%(field)s} is not a field.", field=unknown[0])
    if not found and sum(len(variables.get(name, "")) for name in template.text_variables) > MOST_VALUES:
        found["template_id"] = _("What stands for the variables is too long together: at most %(most)s characters.",
                                 most=MOST_VALUES)  # fmt: skip
    return found


def _tidy(value: str) -> str:
    """WhatsApp takes no line breaks, tabs or more than four spaces in a row inside a value."""
    return re.sub(r"\s+", " ", value)
