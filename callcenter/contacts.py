"""Contacts: people we may call or write to, and the phones at which they are reached."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from sqlalchemy import (
    CTE,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    CompoundSelect,
    FetchedValue,
    ForeignKey,
    Identity,
    Index,
    Select,
    UniqueConstraint,
    column,
    func,
    or_,
    select,
    table,
    text,
    union,
    union_all,
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
LINE_KINDS: dict[str, LazyString] = {
    "mobile": _l("Mobile"),
    "landline": _l("Landline"),
    "unknown": _l("Kind not known"),
}


LARGE = 200_000  # people; in a list of fewer every word of a name is looked through
NAMES = 1_000  # different names that a search by several words follows
HOUSEHOLD = 50  # people of one phone that are shown
# Nouns that stand above this one.
_batches = table("import_batches", column("source"), column("state"))
_sections = table("sections", column("id"), column("number"))


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
        Index("ix_contacts_name_key_prefix", "name_key", postgresql_ops={"name_key": "text_pattern_ops"}),
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


@dataclass(frozen=True)
class Search:
    """What a list of people is narrowed to. `name`: beginnings of its words, in any spelling; among very many people
    (`is_large`) without a section, one of them must begin the whole name. `phone`: exact, E.164."""

    name: str = ""
    phone: str = ""
    section: int | None = None
    consent: str = ""
    source: str = ""
    import_id: int | None = None


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


def find(session: Session, search: Search, *, after: int = 0, limit: int = 50) -> list[Contact]:
    """People that match, by id, from the one after `after` on (keyset paging: page 1,000 costs what page 1 costs)."""
    matching = _matching(session, search).where(Contact.id > after).order_by(Contact.id).limit(limit)
    return list(session.scalars(matching))


def count(session: Session, search: Search, *, at_most: int = 10_000) -> int:
    """How many match, counted no further than `at_most`, so that a wide search stays quick."""
    some = _matching(session, search).with_only_columns(Contact.id).limit(at_most).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def stream(session: Session, search: Search) -> Iterator[Contact]:
    """Everybody who matches and is not blocked, a thousand at a time in memory: for exports."""
    people = _matching(session, search).where(Contact.blocked_at.is_(None)).order_by(Contact.id)
    for contact in session.scalars(people.execution_options(yield_per=1000)):
        session.expunge(contact)
        yield contact


def sources(session: Session) -> list[str]:
    """Where our people come from: the names of the lists that were imported, and of the drill's, in order."""
    lists = select(_batches.c.source).where(_batches.c.state == "done").distinct()
    first_people = select(Contact.source).order_by(Contact.id).limit(1000).subquery()  # who came without an import
    return sorted({*session.scalars(lists), *session.scalars(select(first_people.c.source).distinct())})


def household(session: Session, contact: Contact) -> list[Contact]:
    """Other people who are reached at one of this person's phones."""
    phones = [contact.phone, *(extra.phone for extra in contact.extra_phones)]
    others = select(Contact).where(Contact.id.in_(_ids_at(phones)), Contact.id != contact.id).order_by(Contact.id)
    return list(session.scalars(others.limit(HOUSEHOLD)))


def is_large(session: Session) -> bool:
    """Are there so many people that names are found by their beginning only? (PostgreSQL's own estimate.)"""
    return (session.scalar(text("SELECT reltuples FROM pg_class WHERE oid = 'contacts'::regclass")) or 0) > LARGE


def _matching(session: Session, search: Search) -> Select[Contact]:
    people = select(Contact)
    if search.section is not None:
        people = people.where(Contact.id.in_(select(_ids_in(search.section).c.id)))
    if search.phone:
        people = people.where(Contact.id.in_(_ids_at([search.phone])))
    words = name_key(search.name).split()
    if words and search.section is None and not search.phone and is_large(session):
        people = people.where(_named(words))
    else:
        people = people.where(*(_begins(word) for word in words))
    for column_, value in (
        (Contact.consent, search.consent),
        (Contact.source, search.source),
        (Contact.import_id, search.import_id),
    ):
        if value not in (None, ""):
            people = people.where(column_ == value)
    return people


def _ids_at(phones: list[str]) -> CompoundSelect[int]:
    """Everybody reached at one of these phones. A union, because an OR over two tables would read all people."""
    return union(
        select(Contact.id).where(Contact.phone.in_(phones)),
        select(ContactPhone.contact_id).where(ContactPhone.phone.in_(phones)),
    )


def _ids_in(section: int) -> CTE:
    """Everybody of a section's number, found by its index; also who could not be placed in a section of ours."""
    numbered = select(_sections.c.id).where(_sections.c.number == section)
    placed = select(Contact.id).where(Contact.section_id.in_(numbered))
    unplaced = select(Contact.id).where(Contact.section_id.is_(None), Contact.section_number == section)
    return union_all(placed, unplaced).cte("of_section").prefix_with("MATERIALIZED")


def _named(words: list[str]) -> ColumnElement[bool]:
    """Names of which one of the words is the beginning and the others begin a later word, for millions of people.

    One word is a range of the index of names. With several, names alone are read from that index (no row of the table),
    and then the people of the names that were found."""
    if len(words) == 1:
        return Contact.name_key.like(f"{_escaped(words[0])}%", escape="\\")
    found = [
        select(Contact.name_key)
        .where(Contact.name_key.like(f"{_escaped(first)}%", escape="\\"))
        .where(*(_follows(first, word) for at, word in enumerate(words) if at != place))
        .limit(NAMES)
        for place, first in enumerate(words)
    ]
    return Contact.name_key.in_(select(union(*(select(one.subquery()) for one in found)).subquery().c.name_key))


def _follows(first: str, word: str) -> ColumnElement[bool]:
    """A name that begins with `first` has a word that begins so; the first word itself may be it."""
    is_first = word.startswith(first) or first.startswith(word)
    return _begins(word) if is_first else Contact.name_key.like(f"% {_escaped(word)}%", escape="\\")


def _begins(word: str) -> ColumnElement[bool]:
    """Any word of the name begins so."""
    beginning = _escaped(word)
    return or_(
        Contact.name_key.like(f"{beginning}%", escape="\\"), Contact.name_key.like(f"% {beginning}%", escape="\\")
    )


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
