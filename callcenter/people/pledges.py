"""Signed pledges (promovidos): a person's commitment on a numbered form, brought by one promoter, verified by a call.

Of two pledges of one person the first signed form wins; both are kept, and both are shown. A pledge is no proof of a
vote, and says nothing of for whom.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.contacts import Contact
from callcenter.people import structure
from callcenter.people.contact_history import Deed
from callcenter.people.structure import Organization, Promoter

STATES: dict[str, LazyString] = {
    "pending": _l("To be verified"),
    "confirmed": _l("Confirmed"),
    "denied": _l("Denied"),
    "unreachable": _l("Not reached"),
}


class Pledge(Base):
    """One signed form; times are campaign time.

    `series`: whose forms are numbered together (o7: organisation 7; p12: promoter 12); a number exists once in it.
    `state`: what the verification call found (`call_id`, `verified_at`). `proof`: where the paper lies; never an image
    of a card."""

    __tablename__ = "pledges"
    __table_args__ = (
        UniqueConstraint("series", "form_id"),
        CheckConstraint("state IN ('pending', 'confirmed', 'denied', 'unreachable')", name="state"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"), index=True)
    promoter_id: Mapped[int | None] = mapped_column(ForeignKey("promoters.id", ondelete="SET NULL"), index=True)
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("organizations.id", ondelete="SET NULL"), index=True)
    series: Mapped[str]
    form_id: Mapped[str]
    signed_on: Mapped[date | None]
    proof: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="pending", server_default="pending")
    verified_at: Mapped[datetime | None]
    call_id: Mapped[UUID | None] = mapped_column(ForeignKey("attempts.id", ondelete="SET NULL"))
    captured_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    captured_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))
    source: Mapped[str]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_batches.id"), index=True)


@dataclass(frozen=True)
class Form:
    """What a clerk types from the paper. Either a promoter or an organisation numbers it."""

    form_id: str
    promoter: str = ""
    organization: str = ""
    signed_on: date | None = None
    proof: str = ""


@dataclass(frozen=True)
class Shown:
    """A pledge as a page shows it; `counts`: it is the person's first, the one that holds."""

    pledge: Pledge
    promoter: str | None
    organization: str | None
    counts: bool


def of_person(session: Session, contact_id: int) -> list[Shown]:
    """The person's pledges, the one that counts first."""
    rows = session.execute(
        select(Pledge, Promoter.name, Organization.name)
        .join(Promoter, Promoter.id == Pledge.promoter_id, isouter=True)
        .join(Organization, Organization.id == Pledge.organization_id, isouter=True)
        .where(Pledge.contact_id == contact_id)
        .order_by(Pledge.signed_on.asc().nulls_last(), Pledge.captured_at, Pledge.id)
    )
    return [Shown(pledge, promoter, organization, at == 0) for at, (pledge, promoter, organization) in enumerate(rows)]


def add(session: Session, contact_id: int, form: Form, *, source: str, user_id: int | None) -> Pledge:
    """Keep a signed form of a person. Raises InvalidInput naming the field, also when its number is taken."""
    _check(form, campaign_now(session).date())
    organization = structure.organization(session, form.organization) if form.organization.strip() else None
    promoter = structure.promoter(session, form.promoter, organization) if form.promoter.strip() else None
    organization_id = organization.id if organization else promoter.organization_id if promoter else None
    pledge = Pledge(
        contact_id=contact_id, promoter_id=promoter.id if promoter else None, organization_id=organization_id,
        series=series(organization_id, promoter.id if promoter else None), form_id=form.form_id.strip(),
        signed_on=form.signed_on, proof=form.proof.strip() or None, source=source, captured_by=user_id,
        captured_at=campaign_now(session),
    )  # fmt: skip
    if other := _same_form(session, pledge):
        whose = _("this same person") if other == contact_id else _("another person")
        raise InvalidInput({"form_id": _("Form %(form)s of this series is there already, of %(whose)s.",
                                         form=pledge.form_id, whose=whose)})  # fmt: skip
    session.add(pledge)
    session.flush()
    _repeat_on_person(session, contact_id)
    audit.record(session, user_id, "pledges.add", f"contact/{contact_id}", pledge=pledge.id)
    return pledge


def verify(session: Session, pledge_id: int, state: str, *, call_id: UUID | None, at: datetime) -> None:
    """What a verification call found; the step that makes these calls asks here. Raises NotFound, InvalidInput."""
    pledge = session.get(Pledge, pledge_id)
    if pledge is None:
        raise NotFound(_("There is no such pledge."))
    if state not in STATES:
        raise InvalidInput({"state": _("There is no state %(state)s.", state=state)})
    pledge.state, pledge.call_id, pledge.verified_at = state, call_id, None if state == "pending" else at


def insert_from(session: Session, rows: str, bound: dict[str, Any] | None = None) -> int:
    """Add the pledges that a SELECT gives; returns how many are new.

    `rows` (SQL of ours, never of a person) selects contact_id, promoter_id, organization_id, form_id, signed_on,
    source, import_id. A form that is there already stays as it is: the same list twice adds nothing."""
    added = session.execute(text(_INSERT.format(rows=rows)), {**(bound or {}), "captured_at": campaign_now(session)})
    return added.rowcount  # type: ignore[attr-defined, no-any-return]  # a cursor's result


def tell(session: Session, contact_id: int, limit: int, before: datetime | None) -> list[Deed]:
    """The person's pledges for their history: when they were captured, and what a call found."""
    deeds = [
        Deed(
            shown.pledge.verified_at or shown.pledge.captured_at,
            _("Pledge"),
            shown.promoter or shown.organization or "",
            _("form %(form)s: %(state)s", form=shown.pledge.form_id, state=STATES[shown.pledge.state]),
        )
        for shown in of_person(session, contact_id)
    ]
    told = [deed for deed in deeds if before is None or (deed.at is not None and deed.at < before)]
    return sorted(told, key=lambda deed: deed.at or real_now(), reverse=True)[:limit]


def series(organization_id: int | None, promoter_id: int | None) -> str:
    """Whose numbering a form belongs to: the organisation's if there is one, else the promoter's."""
    return f"o{organization_id}" if organization_id else f"p{promoter_id}" if promoter_id else "-"


def _check(form: Form, today: date) -> None:
    faults = {}
    if not form.form_id.strip() or len(form.form_id) > 40:
        faults["form_id"] = _("Write the number of the form, up to 40 characters.")
    if not form.promoter.strip() and not form.organization.strip():
        faults["promoter"] = _("Name the promoter or the organisation whose form this is.")
    if form.signed_on and not date(2000, 1, 1) <= form.signed_on <= today:
        faults["signed_on"] = _("The date of the signature must lie between 2000 and today.")
    if faults:
        raise InvalidInput(faults)


def _same_form(session: Session, pledge: Pledge) -> int | None:
    same = select(Pledge.contact_id).where(Pledge.series == pledge.series, Pledge.form_id == pledge.form_id)
    return session.scalar(same)


def _repeat_on_person(session: Session, contact_id: int) -> None:
    """Whose pledge counts is whose person it is: `contacts.promoter_id` repeats it, for segments."""
    first = of_person(session, contact_id)[0]
    person = session.get(Contact, contact_id)
    if person is not None and first.pledge.promoter_id:
        person.promoter_id, person.promoter = first.pledge.promoter_id, first.promoter
        person.organization_id = first.pledge.organization_id


_INSERT = """
    INSERT INTO pledges (contact_id, promoter_id, organization_id, series, form_id, signed_on, source, import_id,
        captured_at)
    SELECT DISTINCT ON (series, form_id) contact_id, promoter_id, organization_id, series, form_id, signed_on, source,
        import_id, :captured_at
    FROM (SELECT r.*, COALESCE('o' || organization_id, 'p' || promoter_id, '-') AS series FROM ({rows}) r) s
    ORDER BY series, form_id, signed_on NULLS LAST, contact_id
    ON CONFLICT (series, form_id) DO NOTHING"""
