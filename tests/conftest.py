"""What every test stands on: real PostgreSQL and Redis of its own in a temporary folder, one rolled-back transaction a test."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from callcenter.base import db, outbox
from callcenter.base.settings import Settings, read_settings
from scripts import embedded

for name in [name for name in os.environ if name.startswith("CONVOCA_") or name in ("DATABASE_URL", "REDIS_URL")]:
    if name != "CONVOCA_TWILIO_OPENAPI":
        del os.environ[name]  # a test never touches anybody's data


@pytest.fixture(scope="session")
def services() -> Iterator[embedded.Places]:
    """PostgreSQL (migrated) and Redis for this test process."""
    # Not pytest's own folder: as root that one is closed to the service user.
    with tempfile.TemporaryDirectory(prefix="convoca-test-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        with embedded.running(Path(folder) / "var") as places:
            embedded.migrate(places.database_url)
            yield places


@pytest.fixture(scope="session")
def settings(services: embedded.Places, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return read_settings(
        {
            "DATABASE_URL": services.database_url,
            "REDIS_URL": services.redis_url,
            "CONVOCA_VAR": str(tmp_path_factory.mktemp("var")),
            "CONVOCA_PUBLIC_URL": "http://convoca.test",
            "CONVOCA_SIMULATED_URL": "http://127.0.0.1:9",
            "CONVOCA_SECRET_KEY": "secret-of-the-tests",
            "CONVOCA_SUPPRESSION_KEY": "suppression-of-the-tests",
        }
    )


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Engine]:
    engine = db.engine_for(settings.database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine, settings: Settings) -> Iterator[Session]:
    """A session whose commits are savepoints of one transaction, rolled back after the test.

    Views, jobs and commands under test open sessions on the same connection."""
    with engine.connect() as connection:
        transaction = connection.begin()
        factory = db.use(
            sessionmaker(connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        )
        outbox.connect(settings.redis_url)
        outbox.redis().flushall()
        with factory() as session:
            yield session
        transaction.rollback()
