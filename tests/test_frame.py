import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import cast

from flask.testing import FlaskClient
from sqlalchemy import QueuePool, text
from sqlalchemy.orm import Session

from callcenter.base import db, outbox
from callcenter.base.settings import Settings
from tests.conftest import ClientAs
from wsgi import create_app

ROOT = Path(__file__).parents[1]


def test_the_database_is_a_migrated_postgresql_18(session: Session) -> None:
    assert session.execute(text("SHOW server_version")).scalar_one().startswith("18")
    assert session.execute(text("SELECT count(*) FROM contacts")).scalar_one() == 0


def test_the_application_may_be_built_before_a_fork(settings: Settings, session: Session) -> None:
    """gunicorn builds it once and forks: no connection and no thread may be made before."""
    database = f"{settings.database_url}&application_name=fork"  # another address: a pool of its own
    threads = threading.active_count()
    create_app(replace(settings, database_url=database))
    pool = cast(QueuePool, db.engine().pool)
    assert (pool.checkedin(), pool.checkedout()) == (0, 0)
    assert outbox.redis().connection_pool._available_connections == []
    assert threading.active_count() == threads


def test_nobody_enters_without_signing_in(client: FlaskClient) -> None:
    answer = client.get("/people")
    assert answer.status_code == 302
    assert "/login" in answer.headers["Location"]


def test_a_person_sees_their_own_pages_and_no_others(client_as: ClientAs) -> None:
    assert client_as("administrator").get("/people", follow_redirects=True).status_code == 200
    assert client_as("operator").get("/people", follow_redirects=True).status_code == 403


def test_every_icon_that_a_page_names_is_in_the_sprite() -> None:
    sprite = next((ROOT / "callcenter/base/static/vendor").glob("bootstrap-icons-*/icons.svg")).read_text()
    named = {
        name
        for floor in ("callcenter", "surveys", "campaigns")
        for page in (ROOT / floor).rglob("*.html")
        for name in re.findall(r"""icon\(["']([a-z0-9-]+)["']\)""", page.read_text())
    }
    assert {name for name in named if f'id="{name}"' not in sprite} == set()
