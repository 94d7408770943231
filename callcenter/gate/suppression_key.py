"""Does this process's suppression key fit the list? With another key, everybody who opted out would be unknown."""

import hmac
from datetime import datetime

from sqlalchemy import LargeBinary, create_engine, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.pool import NullPool

from callcenter import suppressions
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.contacts import Contact
from callcenter.suppressions import Suppression

SENTENCE = (
    "The suppression key is not the one with which people's opt-outs were kept: with this key nobody who asked not to"
    " be contacted would be recognised. Put the right key back (CONVOCA_SUPPRESSION_KEY, or the file"
    " keys/suppression_key of the data folder) from your copy. If it is lost for good: flask privacy accept-key"
)


class SuppressionKey(Base):
    """One row: the fingerprint of the key in use, from which the key cannot be got."""

    __tablename__ = "suppression_keys"
    id: Mapped[int] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(32))
    accepted_at: Mapped[datetime] = mapped_column(default=real_now, server_default=text("now()"))


class WrongKey(Exception):
    """The start is refused; the message says why and what to do."""


def fingerprint(key: bytes) -> bytes:
    """Tells two keys apart and gives neither away."""
    return hmac.digest(key, b"convoca: fingerprint of the suppression key", "sha256")


def check(session: Session, key: bytes) -> None:
    """Remember the key at the first start, and raise WrongKey when it is another one later."""
    first = {"id": 1, "fingerprint": fingerprint(key), "accepted_at": real_now()}
    session.execute(insert(SuppressionKey).values(first).on_conflict_do_nothing())
    known = session.scalar(select(SuppressionKey.fingerprint).where(SuppressionKey.id == 1))
    if known is None or not hmac.compare_digest(known, fingerprint(key)):
        raise WrongKey(SENTENCE)


def check_at(url: str, key: bytes) -> None:
    """`check` for a process that is about to start others, on a connection that it keeps for nothing else.

    A database that is away, or has no tables yet, is left to whoever needs it. Raises WrongKey."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool)
    try:
        with Session(engine) as session:
            check(session, key)
            session.commit()
    except (OperationalError, ProgrammingError):
        return


def accept(session: Session, key: bytes) -> int:
    """Make this key, which `suppressions` works with, the right one, knowingly.

    Who is in the lists now and was kept out stays out under the new key; returns how many other opt-outs are no longer
    recognised."""
    unknown = session.scalar(select(func.count()).select_from(Suppression)) or 0
    for phone in session.scalars(select(Contact.phone).where(Contact.suppressed).distinct()).all():
        if suppressions.find(session, phone) is None:
            suppressions.add(session, phone, reason="administrator", source="key accepted", at=real_now())
            unknown -= 1
    row = {"id": 1, "fingerprint": fingerprint(key), "accepted_at": real_now()}
    statement = insert(SuppressionKey).values(row)
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=row))
    return max(unknown, 0)
