from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import sessionmaker

from callcenter import carriers, suppressions
from callcenter.base import db, outbox
from callcenter.base.settings import Settings
from tests.callcenter.cast import FakeCarrier


@pytest.fixture(autouse=True)
def _suppression_key() -> None:
    suppressions.configure(b"suppression-of-the-tests")


@pytest.fixture
def carrier() -> Iterator[FakeCarrier]:
    """The process's carrier `simulated`, which does as it is told."""
    fake = FakeCarrier()
    carriers.use({"simulated": fake})
    yield fake
    carriers.use({})


@pytest.fixture
def committed(engine: Engine, settings: Settings) -> Iterator[db.Sessions]:
    """Sessions of connections of their own, whose commits are real; every table is emptied afterwards."""
    outbox.connect(settings.redis_url)
    yield db.use(sessionmaker(engine, expire_on_commit=False))
    with engine.begin() as connection:
        tables = text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        names = ", ".join(name for name in connection.scalars(tables) if name != "alembic_version")
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
