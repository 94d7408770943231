"""Lanes: how many workers send at once. Each holds one by a lease; the sweep calls a worker only when none is held."""

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from callcenter.base import leases
from callcenter.base.leases import Lease

LANES = 4
SECONDS, RENEWED = 8.0, 2.0  # a worker that was killed is missed after the first; a living one renews after the second
_NAME = "send-messages/"


def take(session: Session, holder: str) -> str | None:
    """The name of a free lane, which `holder` has from now on; None when all are taken."""
    for number in range(LANES):
        if leases.take(session, f"{_NAME}{number}", holder, SECONDS) is not None:
            return f"{_NAME}{number}"
    return None


def renew(session: Session, lane: str, holder: str) -> bool:
    """False: another has it, because we were away for too long."""
    return leases.take(session, lane, holder, SECONDS) is not None


def is_anybody_sending(session: Session) -> bool:
    """Does a worker have its turn just now? It calls the next one by itself."""
    held = select(Lease.name).where(Lease.name.startswith(_NAME), Lease.expires_at > text("clock_timestamp()"))
    return session.execute(held.limit(1)).first() is not None
