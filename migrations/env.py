"""Alembic's entry: online only, on the process's database, short waits, so that no migration blocks a floor."""

from alembic import context
from sqlalchemy import text

import wsgi
from callcenter.base.db import Base, engine_for
from callcenter.base.settings import read_settings

wsgi.import_models()


def migrate() -> None:
    url = context.config.attributes.get("url") or read_settings().database_url
    engine = engine_for(url)
    with engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '4s'"))
        connection.commit()
        context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


migrate()
