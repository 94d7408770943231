"""Correcting a person by hand: their card and their typed attributes. Never over what somebody else just did.

A form carries the fingerprint of the values it was filled with; where the person reads otherwise by now nothing is
written, and the form is shown again with what was typed.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.contacts import SEXES, Contact, name_key
from callcenter.people import attributes, merges, structure
from callcenter.territory import Section

LANGUAGES: dict[str, LazyString] = {"es": _l("Spanish"), "en": _l("English")}
TEXTS = {"name": 200, "given_names": 100, "neighborhood": 200, "municipality": 200, "promoter": 200,
         "organization": 200}  # fmt: skip
AGES = range(15, 121)
ATTRIBUTE = "attr:"
LABELS: dict[str, LazyString] = {
    "name": _l("Name"), "given_names": _l("Given names"), "sex": _l("Sex"), "age": _l("Age"),
    "language": _l("Language"), "state": _l("State"), "section": _l("Section"), "neighborhood": _l("Neighbourhood"),
    "municipality": _l("Municipality"), "promoter": _l("Promoter"), "organization": _l("Organisation"),
    "is_member": _l("Member of the organisation"),
}  # fmt: skip


class SamePerson(Refused):
    """The change would make this person and `other_id` one: the same phone and the same name."""

    def __init__(self, other: Contact) -> None:
        names = {"name": other.name, "id": other.id}
        super().__init__("same_person", _("That is %(name)s, number %(id)s, already. Merge the two?", **names))
        self.other_id = other.id


class StaleForm(InvalidInput):
    """Somebody changed the person while the form was open. `changed`: the fields that read otherwise now."""

    def __init__(self, changed: list[str]) -> None:
        super().__init__(
            _(
                "Somebody changed this person while you were writing (%(fields)s). Nothing is lost: what you typed is"
                " below. Look at it, and save again.", fields=", ".join(changed),
            )
        )  # fmt: skip
        self.changed = changed


def values(session: Session, contact: Contact) -> dict[str, str]:
    """What the form shows of a person: every field as the text one would type; attributes as `attr:<key>`."""
    organization = session.get(structure.Organization, contact.organization_id or 0)
    promoter = session.get(structure.Promoter, contact.promoter_id or 0)
    shown = {
        "name": contact.name, "given_names": contact.given_names, "sex": contact.sex, "age": contact.age,
        "language": contact.language, "state": contact.state, "section": contact.section_number,
        "neighborhood": contact.neighborhood, "municipality": contact.municipality,
        "promoter": promoter.name if promoter else contact.promoter,
        "organization": organization.name if organization else None, "is_member": "yes" if contact.is_member else None,
    }  # fmt: skip
    for attribute in attributes.all_attributes(session):
        shown[ATTRIBUTE + attribute.key] = typed(attribute, contact.attributes.get(attribute.key))
    return {key: "" if value is None else str(value) for key, value in shown.items()}


def typed(attribute: attributes.Attribute, value: Any) -> str | None:
    """A value of an attribute as one would type it."""
    if value is None:
        return None
    return ("yes" if value else "no") if attribute.kind == "yes_no" else str(value)


def version(shown: Mapping[str, str]) -> str:
    """The fingerprint of a form's values, with each field's own, so that a stale form can say what changed."""
    return " ".join(f"{_digest(key)}{_digest(value)}" for key, value in sorted(shown.items()))


def save(session: Session, contact_id: int, given: Mapping[str, str], seen: str, user_id: int | None) -> list[str]:
    """Write what the form says; returns the fields that changed. `seen`: the form's `version`.

    Raises InvalidInput with the fault of each field, StaleForm, SamePerson, Refused for blocked data, NotFound."""
    contact = lock(session, contact_id)
    before = values(session, contact)
    if version(before) != seen:
        raise StaleForm([label(session, key) for key in _other_since(before, seen)])
    after = {key: " ".join(given.get(key, "").split()) for key in before}
    changed = [key for key in before if after[key] != before[key]]
    if not changed:
        return []
    read = _read(session, after, before)
    read["attributes"] = _undefined(session, contact) | read["attributes"]
    old_name = contact.name_key
    for column, value in read.items():
        setattr(contact, column, value)
    if contact.name_key != old_name:
        _refuse_same(session, contact)
        merges.remember_name(session, contact_id, contact.phone, old_name)
    contact.updated_at = real_now()
    session.flush()
    fields = [key.removeprefix(ATTRIBUTE) for key in changed]
    audit.record(session, user_id, "contacts.edit", f"contact/{contact_id}", fields=fields)
    return changed


def lock(session: Session, contact_id: int) -> Contact:
    """The person, locked, to change them. Raises NotFound, and Refused when their data are blocked."""
    contact = session.get(Contact, contact_id, with_for_update=True, populate_existing=True)
    if contact is None:
        raise NotFound(_("There is no such person: they may have been merged or deleted."))
    if contact.blocked_at is not None:
        raise Refused("blocked", _("This person's data are blocked after a privacy request: nothing may be changed."))
    return contact


def label(session: Session, key: str) -> str:
    """A field's name as people read it."""
    if key.startswith(ATTRIBUTE):
        attribute = session.get(attributes.Attribute, key.removeprefix(ATTRIBUTE))
        return attribute.label if attribute else key.removeprefix(ATTRIBUTE)
    return str(LABELS[key])


def _read(session: Session, after: Mapping[str, str], before: Mapping[str, str]) -> dict[str, Any]:
    """The columns that the form means. Raises InvalidInput with every fault."""
    faults: dict[str, str] = {}
    for key, limit in TEXTS.items():
        if len(after[key]) > limit:
            faults[key] = _("At most %(limit)s characters.", limit=limit)
    if not name_key(after["name"]):
        faults["name"] = _("Write the name.")
    read: dict[str, Any] = {
        "name": after["name"], "name_key": name_key(after["name"]),
        "given_names": after["given_names"] or after["name"].partition(" ")[0],
        "sex": _choice(after, "sex", SEXES, faults), "language": _choice(after, "language", LANGUAGES, faults) or "es",
        "age": _number(after, "age", AGES, faults), "neighborhood": after["neighborhood"] or None,
        "municipality": after["municipality"] or None, "is_member": after["is_member"] == "yes",
    }  # fmt: skip
    if before["language"] == after["language"]:
        read["language"] = before["language"]  # a list may have brought another one
    read |= _place(session, after, before, faults)
    read["attributes"] = _attributes(session, after, faults)
    if faults:
        raise InvalidInput(faults)
    if after["promoter"] != before["promoter"]:
        read["promoter"] = after["promoter"] or None
        read["promoter_id"] = structure.promoter(session, after["promoter"]).id if after["promoter"] else None
    if after["organization"] != before["organization"]:
        of = after["organization"]
        read["organization_id"] = structure.organization(session, of).id if of else None
    return read


def _place(
    session: Session, after: Mapping[str, str], before: Mapping[str, str], faults: dict[str, str]
) -> dict[str, Any]:
    """State, section and the section's row. A section that our sections do not know is refused once we have any."""
    state, number = _number(after, "state", range(1, 33), faults), _number(after, "section", range(1, 10_000), faults)
    if (after["state"], after["section"]) == (before["state"], before["section"]):
        return {}
    if number is None:
        return {"state": state, "section_number": None, "section_id": None}
    current = select(Section.id).where(Section.state == state, Section.number == number, Section.valid_to.is_(None))
    section_id = session.scalar(current)
    if section_id is None and session.scalar(select(Section.id).where(Section.state == state).limit(1)) is not None:
        faults["section"] = _("State %(state)s has no section %(number)s.", state=state, number=number)
    return {"state": state, "section_number": number, "section_id": section_id}


def _attributes(session: Session, after: Mapping[str, str], faults: dict[str, str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for attribute in attributes.all_attributes(session):
        try:
            value = attributes.parse(attribute, after[ATTRIBUTE + attribute.key])
        except ValueError:
            kind = attributes.KINDS[attribute.kind]
            faults[ATTRIBUTE + attribute.key] = _("This is not what the field takes: %(kind)s.", kind=kind)
            continue
        if value is not None:
            kept[attribute.key] = value
    return kept


def _undefined(session: Session, contact: Contact) -> dict[str, Any]:
    """Values whose attribute is not defined (any more): no form shows them, and none takes them away."""
    defined = {attribute.key for attribute in attributes.all_attributes(session)}
    return {key: value for key, value in contact.attributes.items() if key not in defined}


def _refuse_same(session: Session, contact: Contact) -> None:
    with session.no_autoflush:
        other = session.scalar(
            select(Contact).where(
                Contact.phone == contact.phone, Contact.name_key == contact.name_key, Contact.id != contact.id
            )
        )
    if other is not None:
        raise SamePerson(other)


def _choice(after: Mapping[str, str], key: str, choices: Mapping[str, Any], faults: dict[str, str]) -> str | None:
    if after[key] and after[key] not in choices and key != "language":
        faults[key] = _("Choose one of the list.")
    return after[key] or None


def _number(after: Mapping[str, str], key: str, allowed: range, faults: dict[str, str]) -> int | None:
    if not after[key]:
        return None
    if after[key].isascii() and after[key].isdecimal() and int(after[key][:9]) in allowed:
        return int(after[key])
    faults[key] = _("A whole number from %(least)s to %(most)s.", least=allowed[0], most=allowed[-1])
    return None


def _other_since(now: Mapping[str, str], seen: str) -> list[str]:
    known = set(seen.split())
    return [key for key, value in now.items() if f"{_digest(key)}{_digest(value)}" not in known]


def _digest(said: str) -> str:
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:8]
