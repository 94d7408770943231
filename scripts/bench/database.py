"""A database of its own for a bench, and how it is filled with millions of rows."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text

import wsgi
from callcenter.base import db, outbox
from callcenter.base.settings import Settings, read_settings
from scripts import embedded


@contextmanager
def database() -> Iterator[Settings]:
    """A database with our tables in a temporary folder, and this process connected to it."""
    with tempfile.TemporaryDirectory(prefix="convoca-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        var = Path(folder) / "var"
        with embedded.running(var) as places:
            embedded.migrate(places.database_url)
            settings = read_settings(
                {"DATABASE_URL": places.database_url, "REDIS_URL": places.redis_url, "CONVOCA_VAR": str(var)}
            )
            wsgi.import_models()
            db.connect(settings.database_url)
            outbox.connect(settings.redis_url)
            wsgi.compose(settings)
            try:
                yield settings
            finally:
                db.engine().dispose()


@contextmanager
def loading(engine: Engine, tables: Sequence[str]) -> Iterator[Connection]:
    """A transaction that writes these tables without looking indexes and foreign keys up row by row; the indexes are
    made again at its end, and the tables put in order."""
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        indexes = _drop_indexes(connection, tables)
        yield connection
        connection.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
        for index in indexes:
            connection.execute(text(index.replace(":", "\\:")))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"VACUUM (ANALYZE) {', '.join(tables)}"))


def _drop_indexes(connection: Connection, tables: Sequence[str]) -> list[str]:
    """Drop the indexes that no constraint needs; returns the statements that make them again."""
    rows = connection.execute(
        text("SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS made FROM pg_index i"
             " WHERE i.indrelid = ANY(CAST(:tables AS regclass[]))"
             " AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)"),
        {"tables": list(tables)},
    ).all()  # fmt: skip
    for row in rows:
        connection.execute(text(f"DROP INDEX {row.name}"))
    return [row.made for row in rows]
