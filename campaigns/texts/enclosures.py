"""What goes with a wording beyond its text: an approved template with what stands for its variables, an image or video,
an e-mail's subject. One row a wording of a campaign that has any of these."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.db import Base
from callcenter.base.errors import NotFound, Refused
from campaigns import channels, wording
from campaigns.texts import message_media, message_templates
from campaigns.texts.message_media import MessageMedia
from campaigns.texts.message_templates import MessageTemplate

MOST_TITLE = 150  # characters; mail programs show some 70
VARIABLE = "variable-"  # and its name: a field of the form


class MessageEnclosure(Base):
    """`variables`: name in the template → a placeholder of ours, or words."""

    __tablename__ = "message_enclosures"
    campaign_id: Mapped[int] = mapped_column(ForeignKey("message_campaigns.id", ondelete="CASCADE"), primary_key=True)
    wording: Mapped[str] = mapped_column(primary_key=True)
    template_id: Mapped[int | None] = mapped_column(ForeignKey("message_templates.id"))
    variables: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    media_id: Mapped[UUID | None] = mapped_column(ForeignKey("message_media.id"))
    title: Mapped[str] = mapped_column(default="", server_default="")


@dataclass(frozen=True)
class Enclosed:
    """What a wording carries, by ids. The title may hold placeholders."""

    template_id: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    media_id: UUID | None = None
    title: str = ""


NOTHING = Enclosed()


def keep(session: Session, campaign_id: int, letter: str, said: Enclosed, user_id: int | None) -> None:
    """What the wording of that letter carries from now on; audited."""
    session.execute(
        delete(MessageEnclosure).where(MessageEnclosure.campaign_id == campaign_id, MessageEnclosure.wording == letter)
    )
    if said != NOTHING:
        session.execute(insert(MessageEnclosure).values(
            campaign_id=campaign_id, wording=letter, template_id=said.template_id, variables=dict(said.variables),
            media_id=said.media_id, title=said.title.strip(),
        ))  # fmt: skip
    audit.record(session, user_id, "message_campaign.enclose", f"message-campaign/{campaign_id}", wording=letter,
                 template=said.template_id, media=str(said.media_id) if said.media_id else None)  # fmt: skip


def of(session: Session, campaign_id: int) -> dict[str, Enclosed]:
    """By letter; a wording with its text alone is left out."""
    rows = session.scalars(select(MessageEnclosure).where(MessageEnclosure.campaign_id == campaign_id))
    return {row.wording: Enclosed(row.template_id, row.variables, row.media_id, row.title) for row in rows}


def read(form: Mapping[str, str], letter: str = "A") -> Enclosed:
    """What the form part says (campaigns/channels/_enclosed.html). Of several wordings each has its prefix: B-title."""
    prefix = "" if letter == "A" else f"{letter}-"
    template, media = form.get(prefix + "template_id", ""), form.get(prefix + "media_id", "")
    begin = prefix + VARIABLE
    return Enclosed(
        int(template) if template.isascii() and template.isdigit() and len(template) < 10 else None,
        {name.removeprefix(begin): value.replace("\0", "").strip()[:1024] for name, value in form.items()
         if name.startswith(begin)},
        _uuid(media), form.get(prefix + "title", "").replace("\0", "").strip(),
    )  # fmt: skip


def faults(session: Session, channel: str, said: Enclosed, written: str) -> dict[str, str]:
    """What is wrong with it on this channel, by field of the form; empty when nothing is. `written`: the text."""
    facts, found = channels.facts(channel), dict[str, str]()
    if said.media_id is not None:
        found |= _of_media(session, facts, said)
    if facts.has_templates:
        found |= _of_template(session, said, written)
    elif said.template_id is not None:
        found["template_id"] = _("Only WhatsApp has templates.")
    if facts.has_title:
        found |= _of_title(said.title)
    return found


def missing(session: Session, campaign_id: int, channel: str, texts: Mapping[str, str]) -> list[str]:
    """Sentences of what keeps a campaign of these wordings (letter → text) from leaving by its channel."""
    said = of(session, campaign_id)
    found = [faults(session, channel, said.get(letter, NOTHING), text) for letter, text in texts.items()]
    return list(dict.fromkeys(sentence for each in found for sentence in each.values()))


def require(session: Session, campaign_id: int, channel: str, texts: Mapping[str, str]) -> None:
    """Raises Refused when what goes with the wordings is not what the channel takes."""
    if sentences := missing(session, campaign_id, channel, texts):
        raise Refused("enclosed", " ".join(sentences))


def shown(session: Session, campaign_id: int, channel: str, letters: Iterable[str]) -> list[dict[str, Any]]:
    """letter, template, media, title of each wording, for a page; empty where the channel carries text alone."""
    facts = channels.facts(channel)
    if not (facts.has_templates or facts.has_title or facts.media):
        return []
    said = of(session, campaign_id)
    return [
        {"letter": letter, "template": template_of(session, one), "media": media_of(session, one), "title": one.title}
        for letter in letters
        for one in (said.get(letter, NOTHING),)
    ]


def _of_media(session: Session, facts: channels.Facts, said: Enclosed) -> dict[str, str]:
    media = session.get(MessageMedia, said.media_id)
    sentence = _("There is no such image or video.") if media is None else message_media.fault(media, facts)
    return {"media_id": sentence} if sentence else {}


def _of_template(session: Session, said: Enclosed, written: str) -> dict[str, str]:
    if said.template_id is None:
        return {"template_id": _("On WhatsApp who has not written within a day gets only texts that it approved: "
                                 "choose a template.")}  # fmt: skip
    try:
        template = message_templates.find(session, said.template_id)
    except NotFound as error:
        return {"template_id": str(error)}
    found = message_templates.faults(template, said.variables)
    if template.media_variable and said.media_id is None:
        found["media_id"] = _("This template shows an image or a video: choose one.")
    if not found and wording.clean(written) != wording.clean(message_templates.as_wording(template, said.variables)):
        found["text"] = _("The text is not the template's: WhatsApp would send another one than you see.")
    return found


def _of_title(title: str) -> dict[str, str]:
    if not title.strip():
        return {"title": _("Write a subject.")}
    if len(title) > MOST_TITLE:
        return {"title": _("The subject has %(length)s characters; the limit is %(limit)s.", length=len(title),
                           limit=MOST_TITLE)}  # fmt: skip
    unknown = [one for one in wording.fields(title) if one not in wording.FIELDS]
    return {"title": _("{%(field)s} is not a field.", field=unknown[0])} if unknown else {}


def template_of(session: Session, said: Enclosed) -> MessageTemplate | None:
    return session.get(MessageTemplate, said.template_id) if said.template_id is not None else None


def media_of(session: Session, said: Enclosed) -> MessageMedia | None:
    return session.get(MessageMedia, said.media_id) if said.media_id is not None else None


def _uuid(said: str) -> UUID | None:
    try:
        return UUID(said)
    except ValueError:
        return None
