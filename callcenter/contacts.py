"""Contacts: people we may call or write to, and the phones at which they are reached."""

import unicodedata
from datetime import datetime
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    CompoundSelect,
    FetchedValue,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    select,
    text,
    union,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import NotFound

SEXES: dict[str, LazyString] = {"H": _l("Man"), "M": _l("Woman"), "X": _l("Non-binary")}  # hombre, mujer, no binario
CONSENTS: dict[str, LazyString] = {
    "opted_in": _l("Accepted"),
    "opted_out": _l("Refused"),
    "unknown": _l("No answer"),
}
# Where an answer came in, as we write it down; any other source is somebody's own words: a list, a form.
SOURCES: dict[str, LazyString] = {
    "inbox": _l("Inbox"),
    "inbound": _l("A call to us"),
    "operator": _l("Operator"),
    "supervisor": _l("Supervisor"),
    "recording": _l("Recorded survey"),
    "survey link": _l("Survey by link"),
    "public_page": _l("Page for opting out"),
    "carrier": _l("Carrier"),
    "person page": _l("Page of the person"),
    "merge": _l("Merge"),
    "opposition": _l("Privacy request"),
    "privacy request": _l("Privacy request"),
}
LINE_KINDS: dict[str, LazyString] = {
    "mobile": _l("Mobile"),
    "landline": _l("Landline"),
    "unknown": _l("Kind not known"),
}


HOUSEHOLD = 50  # people of one phone that are shown


class Contact(Base):
    """One person. `phone` (E.164) is where they are called first; people who share it are one household.

    `name_key` is the name without accents, case and repeated spaces: same phone and same key is the same person.
    `consent` repeats the newest row of `consents`, so that segments need not look there.
    `suppressed` repeats whether `phone` stands in the suppression list, for counts; the gate asks the list itself.
    `change_id` is the transaction that wrote the row last (a trigger keeps it): how copies learn what is new.
    `is_member`: of our own organisation, in writing. `holds_post`: has a post in the structure on election day.
    `invented`: made up for the drill; refused by the gate on every trunk that is not simulated.
    """

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("phone", "name_key"),
        CheckConstraint("sex IN ('H', 'M', 'X')", name="sex"),
        CheckConstraint("consent IN ('opted_in', 'opted_out', 'unknown')", name="consent"),
        CheckConstraint("line_kind IN ('mobile', 'landline', 'unknown')", name="line_kind"),
        Index("ix_contacts_section_id", "section_id"),
        Index("ix_contacts_change_id", "change_id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str]
    given_names: Mapped[str]
    name_key: Mapped[str]
    sex: Mapped[str | None]
    age: Mapped[int | None]
    phone: Mapped[str]
    phone_raw: Mapped[str | None]
    extension: Mapped[str | None]
    line_kind: Mapped[str] = mapped_column(default="unknown")
    line_kind_source: Mapped[str | None]
    neighborhood: Mapped[str | None]
    municipality: Mapped[str | None]
    state: Mapped[int | None]
    section_number: Mapped[int | None]
    section_id: Mapped[int | None] = mapped_column(ForeignKey("sections.id"))
    promoter: Mapped[str | None]  # as the list spells them
    promoter_id: Mapped[int | None] = mapped_column(ForeignKey("promoters.id", ondelete="SET NULL"))
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id", ondelete="SET NULL"))
    is_member: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    holds_post: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    language: Mapped[str] = mapped_column(default="es")
    source: Mapped[str]
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    consent: Mapped[str] = mapped_column(default="unknown", server_default="unknown")
    suppressed: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    invented: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_batches.id"))
    blocked_at: Mapped[datetime | None]  # a privacy request took the data out of use
    created_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))
    change_id: Mapped[int] = mapped_column(
        BigInteger, server_default=text("(pg_current_xact_id()::text::bigint)"), server_onupdate=FetchedValue()
    )
    extra_phones: Mapped[list["ContactPhone"]] = relationship(order_by="ContactPhone.position")


class ContactPhone(Base):
    """A second, third… phone of a person, in the order to try them."""

    __tablename__ = "contact_phones"
    __table_args__ = (UniqueConstraint("contact_id", "phone"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    position: Mapped[int]
    phone: Mapped[str] = mapped_column(index=True)
    phone_raw: Mapped[str | None]
    extension: Mapped[str | None]
    line_kind: Mapped[str] = mapped_column(default="unknown", server_default="unknown")


def name_key(name: str) -> str:
    """The name without accents, case and repeated spaces: how two spellings of one person are found to be one."""
    if name.isascii():
        return " ".join(name.casefold().split())
    plain = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def text_key(text: str) -> str:
    """How texts of people's lists are compared: `Promotor  01` and `PROMOTOR 1` are one promoter."""
    return " ".join(word.lstrip("0") or "0" if word.isdigit() else word for word in name_key(text).split())


def masked(phone: str) -> str:
    """The phone with all but its last four digits hidden."""
    return "•" * max(len(phone) - 4, 0) + phone[-4:]


def get(session: Session, contact_id: int) -> Contact:
    """The person; raises NotFound."""
    contact = session.get(Contact, contact_id)
    if contact is None:
        raise NotFound(f"There is no person with the number {contact_id}.")
    return contact


def household(session: Session, contact: Contact) -> list[Contact]:
    """Other people who are reached at one of this person's phones."""
    phones = [contact.phone, *(extra.phone for extra in contact.extra_phones)]
    others = select(Contact).where(Contact.id.in_(ids_at(phones)), Contact.id != contact.id).order_by(Contact.id)
    return list(session.scalars(others.limit(HOUSEHOLD)))


def ids_at(phones: list[str]) -> CompoundSelect[int]:
    """Everybody reached at one of these phones. A union, because an OR over two tables would read all people."""
    return union(
        select(Contact.id).where(Contact.phone.in_(phones)),
        select(ContactPhone.contact_id).where(ContactPhone.phone.in_(phones)),
    )
