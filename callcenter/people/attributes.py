"""Custom attributes: what a campaign keeps of people beyond our own columns, each with a type.

Their values stand in `contacts.attributes` under the attribute's key, as JSON: a text is a string, a number a number, a
date `YYYY-MM-DD`, yes/no a boolean, a choice the string of one of its choices. What is not known has no key.
"""

import re
from datetime import date, datetime
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import CheckConstraint, ForeignKey, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput

KINDS: dict[str, LazyString] = {
    "text": _l("Text"),
    "number": _l("Number"),
    "date": _l("Date"),
    "yes_no": _l("Yes or no"),
    "choice": _l("One of a list"),
}
KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
MAX_ATTRIBUTES, MAX_CHOICES, MAX_TEXT = 100, 200, 200
_YES, _NO = frozenset(("si", "sí", "s", "yes", "y", "1", "true", "x")), frozenset(("no", "n", "0", "false"))


class Attribute(Base):
    """One thing kept of people. `key` names it in rules and files for good; `label` is what people read."""

    __tablename__ = "contact_attributes"
    __table_args__ = (CheckConstraint(f"kind IN {tuple(KINDS)}", name="kind"),)
    key: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    kind: Mapped[str]
    choices: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))


def all_attributes(session: Session) -> list[Attribute]:
    """Every attribute, by key."""
    return list(session.scalars(select(Attribute).order_by(Attribute.key)))


def define(
    session: Session, key: str, label: str, kind: str, choices: list[str] | None = None, *, user_id: int | None
) -> Attribute:
    """Create an attribute or give it another label or more choices; its kind stays. Raises InvalidInput."""
    choices = [" ".join(choice.split()) for choice in choices or [] if choice.strip()]
    _check(key, label, kind, choices)
    attribute = session.get(Attribute, key)
    if attribute is None:
        if len(all_attributes(session)) >= MAX_ATTRIBUTES:
            raise InvalidInput({"key": _("There are %(limit)s attributes already.", limit=MAX_ATTRIBUTES)})
        attribute = Attribute(key=key, kind=kind, created_by=user_id)
        session.add(attribute)
    elif attribute.kind != kind:
        raise InvalidInput({"kind": _("The kind of an attribute cannot change: people's values have it.")})
    elif missing := set(attribute.choices) - set(choices):
        raise InvalidInput({"choices": _("A choice in use cannot be removed: %(it)s.", it=", ".join(sorted(missing)))})
    attribute.label, attribute.choices = " ".join(label.split()), choices
    session.flush()
    audit.record(session, user_id, "attributes.define", f"attribute/{key}")
    return attribute


def parse(attribute: Attribute, cell: str) -> Any:
    """The value that a cell means as JSON keeps it; None for a blank. Raises ValueError when it is of another kind."""
    plain = " ".join(cell.split())
    if not plain:
        return None
    if attribute.kind == "number":
        number = float(plain.replace(",", ""))
        if number != number or abs(number) > 1e15:
            raise ValueError(plain)
        return int(number) if number.is_integer() else number
    if attribute.kind == "date":
        return _date(plain).isoformat()
    if attribute.kind == "yes_no":
        if plain.casefold() not in _YES | _NO:
            raise ValueError(plain)
        return plain.casefold() in _YES
    if attribute.kind == "choice":
        return _choice(attribute.choices, plain)
    return plain[:MAX_TEXT]


def _date(plain: str) -> date:
    found = re.match(r"(?:(\d{4})-(\d\d?)-(\d\d?)|(\d\d?)[/-](\d\d?)[/-](\d{4}))(?:[ T].*)?\Z", plain)
    if not found:
        raise ValueError(plain)
    parts = found.groups()
    year, month, day = (int(part) for part in (parts[:3] if parts[0] else (parts[5], parts[4], parts[3])))
    return date(year, month, day)


def _choice(choices: list[Any], plain: str) -> str:
    for choice in choices:
        if str(choice).casefold() == plain.casefold():
            return str(choice)
    raise ValueError(plain)


def _check(key: str, label: str, kind: str, choices: list[str]) -> None:
    if not KEY.fullmatch(key):
        raise InvalidInput({"key": _("A key is a small letter, then small letters, digits and _; at most 40.")})
    if not label.strip() or len(label) > MAX_TEXT:
        raise InvalidInput({"label": _("Give the attribute a name of at most %(limit)s characters.", limit=MAX_TEXT)})
    if kind not in KINDS:
        raise InvalidInput({"kind": _("There is no kind %(kind)s.", kind=kind)})
    if (kind == "choice") != bool(choices) or len(choices) > MAX_CHOICES or len(set(choices)) != len(choices):
        sentence = _("A list has 1 to %(limit)s different choices; no other kind has.", limit=MAX_CHOICES)
        raise InvalidInput({"choices": sentence})
