"""A lawyer's written approval of a purpose in a phase: who signed, where the paper is, and its days."""

from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import CheckConstraint, ForeignKey, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.calendar import PHASES, PURPOSES
from callcenter.gate import elections

LENGTH = 300  # characters of a name or a document's reference


class LegalSignoff(Base):
    """The gate lets the purpose through in that phase of that election while one holds. Rows are never changed but
    for their withdrawal. `election_id` NULL: ordinary days, outside any election."""

    __tablename__ = "legal_signoffs"
    __table_args__ = (CheckConstraint("valid_from <= valid_until", name="days"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    election_id: Mapped[int | None] = mapped_column(ForeignKey("elections.id", ondelete="CASCADE"))
    phase: Mapped[str]
    signed_by: Mapped[str]
    document: Mapped[str]
    valid_from: Mapped[date]
    valid_until: Mapped[date]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    withdrawn_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Approval:
    """A sign-off as somebody records it."""

    purpose: str
    election_id: int | None
    phase: str
    signed_by: str
    document: str
    valid_from: date
    valid_until: date


def record(session: Session, approval: Approval, user_id: int | None) -> LegalSignoff:
    """Put the approval on file; audited. Raises InvalidInput with every fault, NotFound for the election."""
    if faults := _faults(approval):
        raise InvalidInput(faults)
    if approval.election_id is not None:
        elections.find(session, approval.election_id)
    row = LegalSignoff(**approval.__dict__, recorded_by=user_id)
    session.add(row)
    session.flush()
    audit.record(session, user_id, "signoffs.record", f"signoff/{row.id}", purpose=row.purpose, phase=row.phase,
                 election=row.election_id, document=row.document)  # fmt: skip
    return row


def withdraw(session: Session, signoff_id: int, user_id: int | None) -> None:
    """From now on it holds no more; the row stays. Raises NotFound."""
    row = session.get(LegalSignoff, signoff_id, with_for_update=True)
    if row is None:
        raise NotFound(_("There is no such approval."))
    if row.withdrawn_at is None:
        row.withdrawn_at, row.withdrawn_by = real_now(), user_id
        audit.record(session, user_id, "signoffs.withdraw", f"signoff/{signoff_id}")


def every(session: Session) -> list[LegalSignoff]:
    """All of them, the newest first."""
    return list(session.scalars(select(LegalSignoff).order_by(LegalSignoff.id.desc())))


def _faults(approval: Approval) -> dict[str, str]:
    faults = {}
    if approval.purpose not in PURPOSES:
        faults["purpose"] = _("There is no purpose %(purpose)s.", purpose=approval.purpose)
    if approval.phase not in PHASES:
        faults["phase"] = _("Choose a phase.")
    for field, sentence in (
        ("signed_by", _("Write who signed the approval.")),
        ("document", _("Write where the document is: its number, folder or link.")),
    ):
        if not 0 < len(getattr(approval, field).strip()) <= LENGTH:
            faults[field] = sentence
    if approval.valid_from > approval.valid_until:
        faults["valid_until"] = _("The last day is before the first.")
    return faults
