"""The database: declarative base, one engine a process, sessions for requests and for everything else."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, ClassVar

from flask import Flask, current_app, g
from psycopg import Error as PostgresError
from sqlalchemy import DateTime, Engine, ExceptionContext, MetaData, create_engine, event, make_url
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Session, scoped_session, sessionmaker

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
# https://www.postgresql.org/docs/18/errcodes-appendix.html: data exceptions, and violated constraints.
ROW_QUOTED = ("22", "23")


class Base(DeclarativeBase):
    """Every table of the product. Times are aware UTC; a dict or list column is JSONB."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB, list[Any]: JSONB}


Sessions = sessionmaker[Session]
_sessions: Sessions | None = None


def engine_for(url: str, *, pool_size: int = 5) -> Engine:
    """An engine that survives a restarted server (connections are tested before use), and whose errors hold no data."""
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        hide_parameters=True,
        connect_args={"connect_timeout": 5, "application_name": "convoca"},
    )
    event.listen(engine, "handle_error", _forget_the_row)
    return engine


def _forget_the_row(context: ExceptionContext) -> None:
    """PostgreSQL quotes the row it refuses, and a row holds a person: of such an error its kind and constraint stay.

    Whoever logs the exception, a worker or a daemon, then logs no phone. Its `diag` keeps what code may ask for."""
    error = context.original_exception
    if not isinstance(error, PostgresError) or error.sqlstate is None or error.sqlstate[:2] not in ROW_QUOTED:
        return
    said = f"{type(error).__name__} ({error.sqlstate} {error.diag.constraint_name or ''})".replace(" )", ")")
    error.args = (said,)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (said,)


def connect(url: str, *, pool_size: int = 5) -> Sessions:
    """Make `url` the database of this process: `open_session` and every app made afterwards use it."""
    return use(sessionmaker(engine_for(url, pool_size=pool_size), expire_on_commit=False))


def use(sessions: Sessions) -> Sessions:
    """Make `sessions` the process's session factory (tests bind it to one rolled-back connection)."""
    global _sessions  # noqa: PLW0603  # one process, one database
    _sessions = sessions
    return sessions


def kept(session: Session, name: str) -> dict[Any, Any]:
    """What this transaction knows under `name`; empty at its start. A savepoint keeps nothing: rolled back, it gives
    back its locks."""
    if session.in_nested_transaction():
        return {}
    transaction = session.get_transaction() or session.begin()
    whose, known = session.info.get(name, (None, {}))
    if whose is not transaction:
        known = {}
        session.info[name] = (transaction, known)
    found: dict[Any, Any] = known
    return found


def is_connected(url: str) -> bool:
    """Is this process connected to the database of `url` already (so that its pool is kept)?"""
    return _sessions is not None and engine().url == make_url(url)


def engine() -> Engine:
    """The engine of this process."""
    if _sessions is None:
        raise RuntimeError("callcenter.base.db.connect(url) was not called in this process")
    found: Engine = _sessions.kw["bind"].engine  # of an engine, itself; of a connection (tests), its engine
    return found


@contextmanager
def open_session() -> Iterator[Session]:
    """A session for a job, a command or a daemon. It commits nothing by itself."""
    if _sessions is None:
        raise RuntimeError("callcenter.base.db.connect(url) was not called in this process")
    with _sessions() as session:
        yield session


def has_connections() -> bool:
    """May threads of this process work beside each other, each by a connection of its own? Not in most tests."""
    return _sessions is not None and isinstance(_sessions.kw["bind"], Engine)


@contextmanager
def pinned_session() -> Iterator[Session]:
    """A session that keeps one connection through its commits: what belongs to a connection (temporary tables) stays.
    It commits nothing by itself."""
    if _sessions is None:
        raise RuntimeError("callcenter.base.db.connect(url) was not called in this process")
    bind = _sessions.kw["bind"]
    if not isinstance(bind, Engine):  # one connection already (tests)
        with _sessions() as session:
            yield session
        return
    with bind.connect() as connection, _sessions(bind=connection) as session:
        yield session


def init_app(app: Flask) -> None:
    """Give each application context one session, closed (never committed) at its end."""
    if _sessions is None:
        raise RuntimeError("callcenter.base.db.connect(url) comes before create_app")
    registry = scoped_session(_sessions, scopefunc=lambda: id(g._get_current_object()))
    app.extensions["sessions"] = registry

    @app.teardown_appcontext
    def close(_: BaseException | None) -> None:
        registry.remove()


def web_session() -> Session:
    """The session of the current request (or application context)."""
    registry: scoped_session[Session] = current_app.extensions["sessions"]
    return registry()
