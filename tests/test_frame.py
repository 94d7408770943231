from sqlalchemy import text
from sqlalchemy.orm import Session


def test_the_database_is_a_migrated_postgresql_18(session: Session) -> None:
    assert session.execute(text("SHOW server_version")).scalar_one().startswith("18")
    assert session.execute(text("SELECT count(*) FROM contacts")).scalar_one() == 0
