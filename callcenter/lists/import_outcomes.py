"""What would become of single rows: a new person, a known one changed or not, a duplicate, or nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from callcenter.contacts import Contact, text_key
from callcenter.lists.import_columns import ATTRIBUTE
from callcenter.lists.import_rows import Person, Refused
from callcenter.people.merges import ContactAlias
from callcenter.people.structure import Organization

Read: TypeAlias = tuple[Sequence[str], Person | Refused]

# Code → what a person reads, the colour and the icon.
OUTCOMES: dict[str, tuple[LazyString, str, str]] = {
    "created": (_l("new person"), "success", "person-plus"),
    "household": (_l("new person, shares a phone"), "success", "people"),
    "updated": (_l("known, would change"), "info", "pencil"),
    "unchanged": (_l("known, nothing new"), "secondary", "check"),
    "duplicate": (_l("the same person again"), "secondary", "copy"),
    "refused": (_l("refused"), "danger", "x-circle"),
}
REASON_SENTENCES: dict[str, LazyString] = {
    "no_phone": _l("no phone, or words in its place"),
    "fake": _l("an invented number (the same digit many times, or digits in order)"),
    "no_area_code": _l("seven or eight digits: the area code is missing"),
    "toll_free": _l("an 800 number: not a person"),
    "foreign": _l("a number of another country"),
    "spreadsheet_notation": _l("written as 2.28E+09: export the list again with the column as text"),
    "invalid": _l("not a number of the Mexican plan"),
}
POLICIES: dict[str, LazyString] = {
    "overwrite": _l("replace what we have"),
    "fill": _l("fill blanks only"),
    "keep": _l("leave as it is"),
}
# Field → column of contacts, for what replaces a known person's values.
KEPT_AS = {
    "sex": "sex", "age": "age", "birth_date": "age", "neighborhood": "neighborhood", "municipality": "municipality",
    "state": "state", "section": "section_number", "promoter": "promoter", "is_member": "is_member",
    "holds_post": "holds_post",
}  # fmt: skip
# Field → what of a Person says whether its cell was understood.
_READ_AS = {field: field for field in KEPT_AS} | {
    "birth_date": "age", "consent": "answer", "do_not_contact": "answer", "folio_compromiso": "form_id",
    "fecha_compromiso": "signed_on",
}  # fmt: skip
# Fields whose policy a person chooses; phones and names say who it is, an answer and a pledge become evidence.
WITH_POLICY = (*KEPT_AS, "organization")


@dataclass(frozen=True)
class Outcome:
    """`code`: one of OUTCOMES; `reason` of a refused row; `changes`: fields of a known person that would change."""

    code: str
    reason: str | None = None
    changes: tuple[str, ...] = ()


def of(
    session: Session, rows: Sequence[Read], mapping: Mapping[int, str], policies: Mapping[str, str]
) -> list[Outcome]:
    """The outcome of each row, in order, as if they were imported now. A person's first row counts."""
    people = [row for _cells, row in rows if isinstance(row, Person)]
    known, phones = _known(session, people), _known_phones(session, people)
    seen: set[tuple[str, str]] = set()
    found = []
    for _cells, row in rows:
        if isinstance(row, Refused):
            found.append(Outcome("refused", row.reason))
            continue
        key = _key(row)
        if key in seen:
            found.append(Outcome("duplicate"))
        elif key in known:
            changes = _changes(row, known[key], mapping, policies)
            found.append(Outcome("updated" if changes else "unchanged", changes=changes))
        else:
            found.append(Outcome("household" if key[0] in phones else "created"))
        seen.add(key)
        phones.add(key[0])
    return found


def _key(person: Person) -> tuple[str, str]:
    return person.phones[0].e164, person.name_key


def is_read(field: str, person: Person) -> bool:
    """Was a filled cell understood as what its column is?"""
    if field.startswith(ATTRIBUTE):
        return field.removeprefix(ATTRIBUTE) in person.attributes
    return field not in _READ_AS or getattr(person, _READ_AS[field]) is not None


def _known(session: Session, people: Sequence[Person]) -> dict[tuple[str, str], Any]:
    """The people we know by first phone and name, or by a spelling under which they were merged."""
    keys = set(map(_key, people))
    names = sorted({*KEPT_AS.values(), "consent", "line_kind", "extension", "attributes", "phone", "name_key"})
    query = select(*(getattr(Contact, name) for name in names), Organization.name_key.label("organization_key")).join(
        Organization, Organization.id == Contact.organization_id, isouter=True
    )
    merged = query.add_columns(ContactAlias.phone.label("alias_phone"), ContactAlias.name_key.label("alias_key"))
    aliases = session.execute(
        merged.join(ContactAlias, ContactAlias.contact_id == Contact.id).where(
            tuple_(ContactAlias.phone, ContactAlias.name_key).in_(keys)
        )
    )
    known = {(row.alias_phone, row.alias_key): row for row in aliases}
    found = session.execute(query.where(tuple_(Contact.phone, Contact.name_key).in_(keys)))
    return known | {(row.phone, row.name_key): row for row in found}


def _known_phones(session: Session, people: Sequence[Person]) -> set[str]:
    return set(session.scalars(select(Contact.phone).where(Contact.phone.in_({one.phones[0].e164 for one in people}))))


def _changes(person: Person, known: Any, mapping: Mapping[int, str], policies: Mapping[str, str]) -> tuple[str, ...]:
    """The fields that a known person's row would change under the policies."""
    kept = [field for field in mapping.values() if field in KEPT_AS]
    pairs = {field: (getattr(known, KEPT_AS[field]), getattr(person, _READ_AS[field])) for field in kept}
    if "organization" in mapping.values():
        name = person.organization
        pairs["organization"] = (known.organization_key, text_key(name) if name else None)
    for key, value in person.attributes.items():
        pairs[ATTRIBUTE + key] = (known.attributes.get(key), value)
    changed = [field for field, (old, new) in pairs.items() if _replaces(old, new, policies.get(field, "overwrite"))]
    if person.answer and known.consent != "opted_out" and person.answer != known.consent:
        changed.append("consent")
    first = person.phones[0]
    if first.line_kind not in ("unknown", known.line_kind) or first.extension not in (None, known.extension):
        changed.append("phone")
    return tuple(dict.fromkeys(changed))


def _replaces(old: Any, new: Any, policy: str) -> bool:
    if new is None or new == old or policy == "keep":
        return False
    return policy == "overwrite" or old in (None, "", False)
