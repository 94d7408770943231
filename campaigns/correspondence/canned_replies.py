"""Canned replies: what is answered often, under a short name, with the placeholders of every message."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.contacts import Contact
from campaigns import labels, messages, wording

SHORTCUT = re.compile(r"[\w-]{1,30}")
MOST = 300


class CannedReply(Base):
    """`shortcut`: what one types after a slash; lower case."""

    __tablename__ = "canned_replies"
    id: Mapped[int] = mapped_column(primary_key=True)
    shortcut: Mapped[str] = mapped_column(unique=True)
    text: Mapped[str]
    changed_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    changed_at: Mapped[datetime] = mapped_column(default=real_now)


@dataclass(frozen=True)
class Offered:
    """One of them with a person's values in it. `missing`: the field that this person has no value for."""

    shortcut: str
    text: str
    missing: str | None = None


def listed(session: Session) -> list[CannedReply]:
    return list(session.scalars(select(CannedReply).order_by(CannedReply.shortcut).limit(MOST)))


def find(session: Session, reply_id: int) -> CannedReply:
    """Raises NotFound."""
    found = session.get(CannedReply, reply_id)
    if found is None:
        raise NotFound(_("There is no such canned reply."))
    return found


def save(session: Session, reply_id: int | None, shortcut: str, text: str, user_id: int) -> CannedReply:
    """A new one (no id), or another wording of one; audited. Raises InvalidInput with every fault, NotFound."""
    shortcut, text = shortcut.strip().lstrip("/").lower(), wording.clean(text)
    faults = _faults(session, reply_id, shortcut, text)
    if faults:
        raise InvalidInput(faults)
    reply = find(session, reply_id) if reply_id is not None else CannedReply()
    reply.shortcut, reply.text, reply.changed_by, reply.changed_at = shortcut, text, user_id, real_now()
    session.add(reply)
    session.flush()
    audit.record(session, user_id, "inbox.save_canned_reply", f"canned-reply/{reply.id}", shortcut=shortcut)
    return reply


def remove(session: Session, reply_id: int, user_id: int) -> None:
    """Raises NotFound."""
    session.delete(find(session, reply_id))
    audit.record(session, user_id, "inbox.remove_canned_reply", f"canned-reply/{reply_id}")


def offered(session: Session, contact: Contact | None) -> list[Offered]:
    """All of them as this person would read them. Of nobody we know, a placeholder says its fallback."""
    values = messages.values_of(contact) if contact is not None else dict.fromkeys(wording.FIELDS)
    return [_filled(one, values) for one in listed(session)]


def _filled(reply: CannedReply, values: Mapping[str, str | None]) -> Offered:
    try:
        return Offered(reply.shortcut, wording.render(reply.text, values))
    except wording.MissingValue as missing:
        return Offered(reply.shortcut, reply.text, missing.field)


def _faults(session: Session, reply_id: int | None, shortcut: str, text: str) -> dict[str, str]:
    faults = {}
    if not SHORTCUT.fullmatch(shortcut):
        faults["shortcut"] = _("Give it a short name of letters, digits and hyphens, for example «hours».")
    taken = session.scalar(select(CannedReply.id).where(CannedReply.shortcut == shortcut))
    if taken is not None and taken != reply_id:
        faults["shortcut"] = _("There is a reply of that name already. Choose another one.")
    if found := wording.check(text):
        faults["text"] = " ".join(labels.fault(one) for one in found)
    return faults
