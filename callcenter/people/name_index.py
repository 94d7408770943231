# ruff: noqa: S608  # what is put into the statements are numbers and a name of ours
"""The index by which a name is found among millions: built behind the imports, so that these need not pay for it.

It holds the people up to a number (`reach`), whatever is changed of them later; newer people are looked through until
it is built again. PostgreSQL builds it beside everything else, and in a third of the time that a list would spend on it
row by row.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from callcenter.base.db import engine
from callcenter.base.outbox import enqueue_later

JOB = "callcenter.people.name_index.build"
BEHIND = 50_000  # numbers of people that may be looked through
_LOCK = 0x10_0058
_PREFIX = "ix_contacts_names_to_"
_BUILT = text(
    f"""
    SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = 'contacts'::regclass AND starts_with(c.relname, '{_PREFIX}')"""
)


def reach(session: Session) -> int:
    """The number of a person up to whom names are indexed; 0 when nobody's is."""
    return max((_number(row.relname) for row in session.execute(_BUILT) if row.indisvalid), default=0)


def tend(session: Session) -> None:
    """Ask for the index where too many newer people would be looked through."""
    if _newest(session) - reach(session) > BEHIND:
        enqueue_later(session, JOB, queue="bulk")


def build() -> None:
    """Build the index anew, up to the newest person, and then drop the older one. A job; harmless twice."""
    with engine().connect() as connection, Session(connection) as session:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        if not session.scalar(text(f"SELECT pg_try_advisory_lock({_LOCK})")):
            return  # another worker is at it
        try:
            newest = _newest(session)
            if newest - reach(session) > BEHIND:
                _build_to(session, newest)
        finally:
            session.execute(text(f"SELECT pg_advisory_unlock({_LOCK})"))


def _build_to(session: Session, newest: int) -> None:
    before = session.execute(_BUILT).all()
    for row in before:
        if not row.indisvalid:  # a build that was cut short
            session.execute(text(f"DROP INDEX CONCURRENTLY {row.relname}"))
    session.execute(text("SET maintenance_work_mem = '256MB'"))
    session.execute(
        text(
            f"CREATE INDEX CONCURRENTLY {_PREFIX}{newest} ON contacts (name_key text_pattern_ops) WHERE id <= {newest}"
        )
    )
    for row in before:
        if row.indisvalid:
            session.execute(text(f"DROP INDEX CONCURRENTLY {row.relname}"))
    session.execute(text("RESET maintenance_work_mem"))


def _newest(session: Session) -> int:
    return int(session.scalar(text("SELECT COALESCE(max(id), 0) FROM contacts")) or 0)


def _number(name: str) -> int:
    return int(name.removeprefix(_PREFIX))
