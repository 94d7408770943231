from collections.abc import Iterator

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

import wsgi
from callcenter.base.db import Base
from scripts import embedded


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(embedded.ROOT / "migrations"))
    config.attributes["url"] = url
    return config


@pytest.fixture
def empty_database(services: embedded.Places) -> Iterator[str]:
    """The address of a database of its own."""
    url = make_url(services.database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    admin = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE migrations_tried"))
        yield url.set(database="migrations_tried").render_as_string(hide_password=False)
        connection.execute(text("DROP DATABASE migrations_tried WITH (FORCE)"))


def test_there_is_one_newest_migration() -> None:
    heads = ScriptDirectory.from_config(_config("")).get_heads()
    assert heads == [embedded.newest_migration()]


def test_migrations_lead_to_the_models_and_back(empty_database: str) -> None:
    config = _config(empty_database)
    wsgi.import_models()
    engine = create_engine(empty_database, poolclass=NullPool)
    command.upgrade(config, "head")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    command.downgrade(config, "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    command.upgrade(config, "head")
