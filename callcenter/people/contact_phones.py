"""A person's phones, corrected by hand: one more, one less, another first."""

from collections.abc import Collection

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import phones, suppressions
from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.contacts import Contact, ContactPhone
from callcenter.lists.import_outcomes import REASON_SENTENCES
from callcenter.people import contact_edit, merges

MOST = 10


def add(session: Session, contact_id: int, said: str, user_id: int | None) -> list[str]:
    """Add every number that the text means; returns them. Raises InvalidInput with the reason why it is no phone."""
    contact = contact_edit.lock(session, contact_id)
    reading = phones.normalise(said[:100])
    if not reading.numbers:
        reason = REASON_SENTENCES.get(reading.reason or "no_phone", REASON_SENTENCES["no_phone"])
        raise InvalidInput({"phone": _("This is no phone to call: %(reason)s.", reason=reason)})
    known = _known(contact)
    new = [number for number in reading.numbers if number.e164 not in known]
    if not new:
        raise InvalidInput({"phone": _("This person has that phone already.")})
    if len(known) + len(new) > MOST:
        raise InvalidInput({"phone": _("A person has at most %(most)s phones. Remove one first.", most=MOST)})
    last = max((extra.position for extra in contact.extra_phones), default=0)
    for position, number in enumerate(new, start=last + 1):
        contact.extra_phones.append(
            ContactPhone(position=position, phone=number.e164, phone_raw=said[:100], extension=number.extension,
                         line_kind=number.line_kind)
        )  # fmt: skip
    _done(session, contact, "contacts.add_phone", user_id)
    return [number.e164 for number in new]


def remove(session: Session, contact_id: int, phone_id: int, user_id: int | None) -> None:
    """Remove one that is not called first. Raises NotFound."""
    contact = contact_edit.lock(session, contact_id)
    contact.extra_phones.remove(_extra(contact, phone_id))
    session.delete(session.get_one(ContactPhone, phone_id))
    _done(session, contact, "contacts.remove_phone", user_id)


def make_first(session: Session, contact_id: int, phone_id: int, user_id: int | None) -> None:
    """Call the person there first; the one that was first takes its place. Raises NotFound, SamePerson."""
    contact = contact_edit.lock(session, contact_id)
    extra = _extra(contact, phone_id)
    is_other = select(Contact).where(
        Contact.phone == extra.phone, Contact.name_key == contact.name_key, Contact.id != contact_id
    )
    other = session.scalar(is_other)
    if other is not None:
        raise contact_edit.SamePerson(other)
    merges.remember_name(session, contact_id, contact.phone, contact.name_key)
    for column in ("phone", "phone_raw", "extension", "line_kind"):
        mine, theirs = getattr(contact, column), getattr(extra, column)
        setattr(contact, column, theirs)
        setattr(extra, column, mine)
    contact.line_kind_source = None
    _done(session, contact, "contacts.make_phone_first", user_id)


def _known(contact: Contact) -> Collection[str]:
    return {contact.phone, *(extra.phone for extra in contact.extra_phones)}


def _extra(contact: Contact, phone_id: int) -> ContactPhone:
    for extra in contact.extra_phones:
        if extra.id == phone_id:
            return extra
    raise NotFound(_("This person has no such phone any more."))


def _done(session: Session, contact: Contact, action: str, user_id: int | None) -> None:
    contact.updated_at = real_now()
    session.flush()
    suppressions.mark(session, [contact.id])
    session.expire(contact)
    audit.record(session, user_id, action, f"contact/{contact.id}")
