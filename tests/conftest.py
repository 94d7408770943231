"""What every test stands on: its own PostgreSQL and Redis in a temporary folder, one rolled-back transaction a test."""

import os
import tempfile
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from uuid import uuid4

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session, sessionmaker

from callcenter.base import clock, db, outbox
from callcenter.base.auth import ROLES, Role, User
from callcenter.base.settings import Settings, read_settings
from scripts import embedded
from surveys.fieldwork import quota_memory
from tests import unordered
from wsgi import create_app

for name in [name for name in os.environ if name.startswith("CONVOCA_") or name in ("DATABASE_URL", "REDIS_URL")]:
    if name != "CONVOCA_TWILIO_OPENAPI":
        del os.environ[name]  # a test never touches anybody's data

# How fast examples are made tells how busy the machine is, and nothing of what is tested.
hypothesis.settings.register_profile("house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("house")

unordered.come_newest_first()

# Who works here in the tests: a name and its one role.
CAST = {
    "administrator": "Ana Lara Prueba",
    "strategist": "Esteban Ruiz Prueba",
    "supervisor": "Sofía Mena Prueba",
    "pollster": "Pablo Soto Prueba",
    "operator": "Olga Díaz Prueba",
    "data_clerk": "Diana Cruz Prueba",
}
ClientAs = Callable[[str], FlaskClient]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where CI=true, a browser's or telephone's test that was skipped has failed: nobody would notice otherwise."""
    report = yield
    is_telling = item.get_closest_marker("browser") or item.get_closest_marker("telephone")
    if report.skipped and is_telling and os.environ.get("CI") == "true":
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def services() -> Iterator[embedded.Places]:
    """PostgreSQL (migrated) and Redis for this test process."""
    # Not pytest's own folder: as root that one is closed to the service user.
    with tempfile.TemporaryDirectory(prefix="convoca-test-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        with embedded.running(Path(folder) / "var", throwaway=True) as places:
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
            "CONVOCA_DEMO_PASSWORDS": "allowed",
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
        factory = db.use(sessionmaker(connection, join_transaction_mode="create_savepoint", expire_on_commit=False))
        outbox.connect(settings.redis_url)
        outbox.redis().flushall()
        clock.configure(is_drill=settings.is_drill)  # an earlier test may have tried another mode
        _forget_quotas()
        with factory() as session:
            yield session
        transaction.rollback()


@pytest.fixture
def app(session: Session, settings: Settings) -> Flask:
    app = create_app(settings)
    app.config["TESTING"] = True
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser in which nobody has signed in."""
    return app.test_client()


@pytest.fixture
def people(session: Session) -> dict[str, User]:
    """One person of the cast for each role."""
    roles = {role.name: role for role in session.scalars(select(Role))}
    for name in ROLES:
        roles.setdefault(name, Role(name=name))
    cast = {
        role: User(
            username=f"{role}.{uuid4().hex[:6]}", full_name=full_name, password="!", fs_uniquifier=uuid4().hex,
            roles=[roles[role]],
        )
        for role, full_name in CAST.items()
    }  # fmt: skip
    session.add_all(cast.values())
    session.commit()
    return cast


@pytest.fixture
def client_as(app: Flask, people: dict[str, User]) -> ClientAs:
    """`client_as("pollster")`: a browser in which the cast's person of that role has signed in."""

    def enter(role: str) -> FlaskClient:
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = people[role].fs_uniquifier
            cookie["_fresh"] = True
        return client

    return enter


@pytest.fixture
def committed(engine: Engine, settings: Settings) -> Iterator[db.Sessions]:
    """Sessions of connections of their own, whose commits are real; every table is emptied afterwards."""
    outbox.connect(settings.redis_url)
    outbox.redis().flushall()  # no job of an earlier test is done here
    _forget_quotas()
    yield db.use(sessionmaker(engine, expire_on_commit=False))
    with engine.begin() as connection:
        tables = text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        names = ", ".join(name for name in connection.scalars(tables) if name != "alembic_version")
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


def _forget_quotas() -> None:
    """Numbers of queues begin anew when tables were emptied."""
    quota_memory.plans.clear()
    quota_memory.full.clear()
