"""Leases: which process may do a thing that only one may do. A PostgreSQL row with a fencing token; real time."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.db import Base


class Lease(Base):
    """`token` grows with every change of holder: work done under an older token is refused."""

    __tablename__ = "leases"
    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    token: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime]


def take(session: Session, name: str, holder: str, seconds: float, *, patience: float = 0.0) -> int | None:
    """Take or renew the lease; returns its fencing token, or None while another holder has it. The database's clock.

    `patience`: seconds that this transaction may stand still before the database ends it (a process that was stopped
    in its middle would keep everybody else from the lease); 0 for ever."""
    return session.execute(
        text(
            "INSERT INTO leases (name, holder, token, expires_at)"
            " VALUES (:name, :holder, 1, clock_timestamp() + :life)"
            " ON CONFLICT (name) DO UPDATE SET holder = :holder, expires_at = clock_timestamp() + :life,"
            "  token = leases.token + (leases.holder <> :holder)::int"
            " WHERE leases.holder = :holder OR leases.expires_at < clock_timestamp()"
            " RETURNING token, set_config('idle_in_transaction_session_timeout', :patience, true)"
        ),
        {"name": name, "holder": holder, "life": timedelta(seconds=seconds), "patience": _milliseconds(patience)},
    ).scalar()


def release(session: Session, name: str, holder: str) -> None:
    """Give the lease back, so that another process need not wait for it to expire."""
    session.execute(
        text("UPDATE leases SET expires_at = clock_timestamp() WHERE name = :name AND holder = :holder"),
        {"name": name, "holder": holder},
    )


def holds(session: Session, name: str, token: int, *, patience: float = 0.0) -> bool:
    """Is `token` still the lease's, and the lease alive? Nobody else can take it before this transaction ends, so work
    committed with the answer yes was done by the one holder. `patience`: see `take`."""
    row = session.execute(
        text(
            "SELECT set_config('idle_in_transaction_session_timeout', :patience, true) FROM leases"
            " WHERE name = :name AND token = :token AND expires_at > clock_timestamp() FOR SHARE"
        ),
        {"name": name, "token": token, "patience": _milliseconds(patience)},
    )
    return row.first() is not None


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
