"""Outside numbers to which a call may be transferred: an administrator's list, and nothing that is not on it."""

from flask_babel import gettext as _
from sqlalchemy import select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import suppressions
from callcenter.base import audit
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.phones import normalise

LENGTH = 80


class TransferTarget(Base):
    """`phone` is E.164."""

    __tablename__ = "transfer_targets"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    phone: Mapped[str] = mapped_column(unique=True)
    is_enabled: Mapped[bool] = mapped_column(default=True, server_default=text("true"))


def listed(session: Session, *, enabled_only: bool = True) -> list[TransferTarget]:
    """By name."""
    wanted = select(TransferTarget).order_by(TransferTarget.name)
    return list(session.scalars(wanted.where(TransferTarget.is_enabled) if enabled_only else wanted))


def get(session: Session, target_id: int) -> TransferTarget:
    """An allowed target. Raises NotFound."""
    target = session.get(TransferTarget, target_id)
    if target is None or not target.is_enabled or suppressions.find(session, target.phone) is not None:
        raise NotFound(_("This number is not on the list of numbers a call may be transferred to."))
    return target


def add(session: Session, name: str, phone: str, user_id: int) -> TransferTarget:
    """Allow a number. Raises InvalidInput."""
    reading = normalise(phone)
    faults = {}
    if not name.strip() or len(name) > LENGTH:
        faults["name"] = _("Write a name of at most %(n)s characters.", n=LENGTH)
    if len(reading.numbers) != 1 or reading.numbers[0].extension:
        faults["phone"] = _("Write one telephone number of ten digits, without an extension.")
    elif session.scalar(select(TransferTarget.id).where(TransferTarget.phone == reading.numbers[0].e164)):
        faults["phone"] = _("This number is on the list already.")
    elif suppressions.find(session, reading.numbers[0].e164) is not None:
        faults["phone"] = _("This phone is on the suppression list: it is not called, not even for a test.")
    if faults:
        raise InvalidInput(faults)
    target = TransferTarget(name=name.strip(), phone=reading.numbers[0].e164)
    session.add(target)
    session.flush()
    audit.record(session, user_id, "transfer_targets.add", f"transfer-target/{target.id}")
    return target


def turn(session: Session, target_id: int, *, on: bool, user_id: int) -> None:
    """Allow a number again, or no more. Raises NotFound."""
    target = session.get(TransferTarget, target_id)
    if target is None:
        raise NotFound(_("This number is not on the list of numbers a call may be transferred to."))
    target.is_enabled = on
    audit.record(session, user_id, "transfer_targets.turn", f"transfer-target/{target.id}", on=on)
