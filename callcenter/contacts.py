"""Contacts: people we may call or write to, and the phones at which they are reached."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from callcenter.base.clock import real_now
from callcenter.base.db import Base

SEXES = ("H", "M", "X")  # hombre, mujer, no binario
CONSENTS = ("opted_in", "opted_out", "unknown")


class Contact(Base):
    """One person. `phone` (E.164) is where they are called first; people who share it are one household.

    `name_key` is the name without accents, case and repeated spaces: same phone and same key is the same person.
    `consent` repeats the newest row of `consents`, so that segments need not look there.
    `invented`: made up for the drill; refused by the gate on every trunk that is not simulated.
    """

    __tablename__ = "contacts"
    __table_args__ = (
        UniqueConstraint("phone", "name_key"),
        CheckConstraint("sex IN ('H', 'M', 'X')", name="sex"),
        CheckConstraint("consent IN ('opted_in', 'opted_out', 'unknown')", name="consent"),
        CheckConstraint("line_kind IN ('mobile', 'landline', 'unknown')", name="line_kind"),
        Index("ix_contacts_section_id", "section_id"),
        Index("ix_contacts_name_key_prefix", text("name_key text_pattern_ops")),
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
    promoter: Mapped[str | None]
    language: Mapped[str] = mapped_column(default="es")
    source: Mapped[str]
    attributes: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))
    consent: Mapped[str] = mapped_column(default="unknown", server_default="unknown")
    invented: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_batches.id"))
    created_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))
    extra_phones: Mapped[list["ContactPhone"]] = relationship(order_by="ContactPhone.position")


class ContactPhone(Base):
    """A second, third… phone of a person, in the order to try them."""

    __tablename__ = "contact_phones"
    __table_args__ = (UniqueConstraint("contact_id", "phone"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    phone: Mapped[str] = mapped_column(index=True)
    phone_raw: Mapped[str | None]
    extension: Mapped[str | None]
    line_kind: Mapped[str] = mapped_column(default="unknown", server_default="unknown")
