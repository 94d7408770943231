"""The suppression list: phones that must not be contacted, as keyed hashes of their E.164 form."""

import hashlib
import hmac
from datetime import datetime

from sqlalchemy import ColumnElement, LargeBinary, exists, func, literal
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base


class Suppression(Base):
    """A phone that must not be contacted: the row survives the person's deletion and re-import."""

    __tablename__ = "suppressions"
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    reason: Mapped[str]  # call | sms_reply | public_page | import | administrator
    source: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=real_now)


_key: bytes | None = None


def configure(key: bytes) -> None:
    """Make `key` this process's suppression key (settings.suppression_key). The composition root calls it once."""
    global _key  # noqa: PLW0603  # one process, one key
    _key = key


def phone_hash(phone: str) -> bytes:
    """The phone as the list knows it: HMAC-SHA256 of its E.164 form."""
    return hmac.digest(_configured_key(), phone.encode(), "sha256")


def add(session: Session, phone: str, *, reason: str, source: str, at: datetime) -> None:
    """Put the phone on the list; an earlier row of the same phone stays as it is."""
    row = insert(Suppression).values(phone_hash=phone_hash(phone), reason=reason, source=source, at=at)
    session.execute(row.on_conflict_do_nothing())


def find(session: Session, phone: str) -> Suppression | None:
    """The phone's row, if it has one."""
    return session.get(Suppression, phone_hash(phone))


def is_suppressed(phone: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """SQL: stands the phone of this column in the list? For counts; the gate asks by value."""
    key = _configured_key()
    key = (key if len(key) <= 64 else hashlib.sha256(key).digest()).ljust(64, b"\0")
    inner, outer = (literal(bytes(byte ^ pad for byte in key), LargeBinary) for pad in (0x36, 0x5C))
    # HMAC-SHA256 spelled out (RFC 2104), because PostgreSQL's core has sha256 and no hmac.
    digest = func.sha256(outer.concat(func.sha256(inner.concat(func.convert_to(phone, "UTF8")))))
    return exists().where(Suppression.phone_hash == digest)


def _configured_key() -> bytes:
    if _key is None:
        raise RuntimeError("callcenter.suppressions.configure(key) was not called in this process")
    return _key
