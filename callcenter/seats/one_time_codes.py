"""One-time codes of six digits: made at random, kept only as a keyed fingerprint, and how often they may be tried."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Index, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base

DIGITS = 6
WINDOW = timedelta(minutes=15)
KEPT = timedelta(days=1)
_key = b""


class CodeTry(Base):
    """Somebody asked for a code, or gave a wrong one. `who`: an operator, or the fingerprint of a telephone; no
    number and no code is kept."""

    __tablename__ = "code_tries"
    __table_args__ = (Index("ix_code_tries_who_at", "who", "at"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    who: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=real_now)


def configure(secret_key: str) -> None:
    """Say the secret key, once a process."""
    global _key  # noqa: PLW0603  # one process, one key
    _key = hashlib.sha256(b"one-time codes:" + secret_key.encode()).digest()


def fresh() -> str:
    """A new code: six digits, the first may be 0."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"


def fingerprint(text: str, purpose: str) -> bytes:
    """32 bytes by which a code or a telephone is known again; without our secret key a million guesses tell nothing."""
    if not _key:
        raise RuntimeError("one_time_codes.configure was not called in this process")
    return hmac.digest(_key, f"{purpose}:{text}".encode(), "sha256")


def is_shut(session: Session, who: str, most: int) -> bool:
    """Did `who` try `most` times within WINDOW?"""
    recent = select(func.count()).where(CodeTry.who == who, CodeTry.at > real_now() - WINDOW)
    return (session.scalar(recent) or 0) >= most


def note(session: Session, who: str) -> None:
    """One try more; old ones are forgotten."""
    session.execute(delete(CodeTry).where(CodeTry.at < real_now() - KEPT))
    session.add(CodeTry(who=who, at=real_now()))
    session.flush()
