"""The suppression list: phones that must not be contacted, as keyed hashes of their E.164 form."""

import hashlib
from collections.abc import Collection
from datetime import datetime

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, LargeBinary, SelectBase, delete, exists, func, literal, select, true, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.contacts import Contact

REASONS: dict[str, LazyString] = {
    "call": _l("Said so in a call"),
    "sms_reply": _l("Answered BAJA to a message"),
    "carrier": _l("Told the carrier to stop"),
    "public_page": _l("Wrote it on the public page"),
    "import": _l("Marked in an imported list"),
    "administrator": _l("Entered by an administrator"),
    "privacy_request": _l("Privacy request"),
}


class Suppression(Base):
    """A phone that must not be contacted: the row survives the person's deletion and re-import."""

    __tablename__ = "suppressions"
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    reason: Mapped[str]  # a code of REASONS
    source: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=real_now)


class _Key:
    """A key as HMAC-SHA256 uses it (RFC 2104): its two paddings, and SHA-256 begun with each.

    A hash begun once and copied takes a third of the time of `hmac.digest`, and the gate asks for thousands."""

    def __init__(self, key: bytes) -> None:
        padded = (key if len(key) <= 64 else hashlib.sha256(key).digest()).ljust(64, b"\0")
        self.inner, self.outer = (bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
        self.begun_inner, self.begun_outer = hashlib.sha256(self.inner), hashlib.sha256(self.outer)


_key: _Key | None = None


def configure(key: bytes) -> None:
    """Make `key` this process's suppression key (settings.suppression_key). The composition root calls it once."""
    global _key  # noqa: PLW0603  # one process, one key
    _key = _Key(key)


def phone_hash(phone: str) -> bytes:
    """The phone as the list knows it: HMAC-SHA256 of its E.164 form."""
    key = _configured_key()
    inner, outer = key.begun_inner.copy(), key.begun_outer.copy()
    inner.update(phone.encode())
    outer.update(inner.digest())
    return outer.digest()


def add(session: Session, phone: str, *, reason: str, source: str, at: datetime) -> None:
    """Put the phone on the list; an earlier row of the same phone stays as it is. Its people are marked."""
    row = insert(Suppression).values(phone_hash=phone_hash(phone), reason=reason, source=source, at=at)
    session.execute(row.on_conflict_do_nothing())
    _mark_people_at(session, phone, is_listed=True)


def add_all(session: Session, phones: SelectBase, *, reason: str, source: str, at: datetime) -> None:
    """As `add`, for every phone of a SELECT of one column."""
    phone = next(iter(phones.subquery().c))
    new = select(_hash_of(phone).label("phone_hash"), literal(reason), literal(source), literal(at)).distinct()
    # In one order, so that two who add the same phones do not wait for each other in a ring.
    rows = insert(Suppression).from_select(["phone_hash", "reason", "source", "at"], new.order_by("phone_hash"))
    session.execute(rows.on_conflict_do_nothing())
    unmarked = update(Contact).where(Contact.phone.in_(phones), ~Contact.suppressed).values(suppressed=True)
    session.execute(unmarked.execution_options(synchronize_session=False))


def take_off_source(session: Session, phones: Collection[str], source: str) -> list[str]:
    """Take off those of the phones that stand on the list because of `source` alone; returns them. Who is at them is
    not marked: see `unmark`."""
    by_hash = {phone_hash(phone): phone for phone in phones}
    which = (Suppression.phone_hash == func.any(list(by_hash)), Suppression.source == source)
    gone = session.scalars(delete(Suppression).where(*which).returning(Suppression.phone_hash))
    return [by_hash[bytes(one)] for one in gone]


def unmark(session: Session, phones: Collection[str]) -> None:
    """The people at these phones, which are no longer listed, say so."""
    marked = update(Contact).where(Contact.phone == func.any(list(phones)), Contact.suppressed).values(suppressed=False)
    session.execute(marked.execution_options(synchronize_session=False))


def find(session: Session, phone: str) -> Suppression | None:
    """The phone's row, if it has one."""
    return session.get(Suppression, phone_hash(phone))


def take_off(session: Session, phone: str) -> None:
    """Take the phone off the list, for who has a reason of their own to (`lift`, an operator's undo)."""
    listed = find(session, phone)
    if listed is not None:
        session.delete(listed)
        session.flush()
    _mark_people_at(session, phone, is_listed=False)


def lift(session: Session, phone: str, *, reason: str, proof: str, user_id: int | None) -> None:
    """The person wants to be contacted again, and there is proof of it: off the list, audited without the phone.

    It changes nobody's consent: that takes a consent of theirs, put on file. Raises InvalidInput, NotFound."""
    faults = {}
    if not reason.strip():
        faults["reason"] = _("Write why the phone may be contacted again.")
    if not proof.strip():
        faults["proof"] = _("Write where the proof is: a form's number, a recording, a message.")
    if faults:
        raise InvalidInput(faults)
    listed = find(session, phone)
    if listed is None:
        raise NotFound(_("This phone is not on the list."))
    audit.record(session, user_id, "suppressions.lift", f"suppression/{phone_hash(phone).hex()[:12]}",
                 reason=reason.strip()[:300], proof=proof.strip()[:300], was=listed.reason)  # fmt: skip
    take_off(session, phone)


def mark(session: Session, contact_ids: Collection[int]) -> int:
    """Let `contacts.suppressed` of these people say whether their first phone is listed; returns how many changed."""
    return _mark(session, Contact.id.in_(list(contact_ids)))


def mark_everybody(session: Session) -> int:
    """As `mark`, for all people: after an upgrade, or whenever in doubt."""
    return _mark(session, true())


def _mark(session: Session, which: ColumnElement[bool]) -> int:
    listed = is_suppressed(Contact.phone)
    changed = update(Contact).where(which, Contact.suppressed != listed).values(suppressed=listed)
    return session.connection().execute(changed).rowcount


def _mark_people_at(session: Session, phone: str, *, is_listed: bool) -> None:
    there = (Contact.phone == phone, Contact.suppressed != is_listed)
    session.execute(update(Contact).where(*there).values(suppressed=is_listed))


def counts(session: Session) -> dict[str, int]:
    """How many phones are listed, by reason, most first."""
    query = select(Suppression.reason, func.count()).group_by(Suppression.reason).order_by(func.count().desc())
    return {row[0]: row[1] for row in session.execute(query)}


def is_suppressed(phone: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """SQL: stands the phone of this column in the list? For counts; the gate asks by value."""
    return exists().where(Suppression.phone_hash == _hash_of(phone))


def _hash_of(phone: ColumnElement[str] | InstrumentedAttribute[str]) -> ColumnElement[bytes]:
    """SQL: `phone_hash` of a column."""
    # HMAC-SHA256 spelled out, because PostgreSQL's core has sha256 and no hmac.
    inner, outer = (literal(pad, LargeBinary) for pad in (_configured_key().inner, _configured_key().outer))
    return func.sha256(outer.concat(func.sha256(inner.concat(func.convert_to(phone, "UTF8")))))


def _configured_key() -> _Key:
    if _key is None:
        raise RuntimeError("callcenter.suppressions.configure(key) was not called in this process")
    return _key
