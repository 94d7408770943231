from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.conftest import ClientAs


def test_the_database_is_a_migrated_postgresql_18(session: Session) -> None:
    assert session.execute(text("SHOW server_version")).scalar_one().startswith("18")
    assert session.execute(text("SELECT count(*) FROM contacts")).scalar_one() == 0


def test_nobody_enters_without_signing_in(client: FlaskClient) -> None:
    answer = client.get("/people")
    assert answer.status_code == 302
    assert "/login" in answer.headers["Location"]


def test_a_person_sees_their_own_pages_and_no_others(client_as: ClientAs) -> None:
    assert client_as("administrator").get("/people", follow_redirects=True).status_code == 200
    assert client_as("operator").get("/people", follow_redirects=True).status_code == 403
