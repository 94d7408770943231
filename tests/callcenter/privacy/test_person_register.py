"""Nothing personal is kept that nobody can show and erase."""

from sqlalchemy import Table, literal, select
from sqlalchemy.orm import Session

import wsgi
from callcenter.base.db import Base
from callcenter.base.settings import Settings
from callcenter.privacy import person_register
from callcenter.privacy.person_register import Gone, is_mentioned, words_of

# A column whose name holds one of these may hold a person.
PERSONAL = ("contact_id", "phone", "name", "text", "note", "body", "address", "email", "asker", "answer_to", "cells",
            "preview", "payload", "before", "removed", "detail")  # fmt: skip


def looks_personal(table: Table) -> bool:
    return any(word in column.name for column in table.columns for word in PERSONAL)


def test_every_table_that_looks_personal_is_kept_by_somebody_or_spared_for_a_reason(settings: Settings) -> None:
    wsgi.import_models()
    wsgi.compose(settings)
    covered = person_register.covered()
    uncovered = sorted(table.name for table in Base.metadata.sorted_tables if looks_personal(table)
                       and table.name not in covered)  # fmt: skip
    assert uncovered == [], "give these a keeper in person_register, or spare them and say why"
    assert all(covered.values())


def test_a_table_that_points_to_a_person_is_never_merely_spared(settings: Settings) -> None:
    wsgi.import_models()
    wsgi.compose(settings)
    covered = person_register.covered()
    keepers = {"callcenter", "surveys", "campaigns", "rows"}
    pointing = [table.name for table in Base.metadata.sorted_tables if "contact_id" in table.columns
                and covered.get(table.name) not in keepers]  # fmt: skip
    assert set(pointing) <= {"removed_people", "import_changes"}


def test_rows_that_go_with_the_person_do_so_in_the_database(settings: Settings) -> None:
    wsgi.import_models()
    wsgi.compose(settings)
    wrong = []
    for name, kind in person_register.covered().items():
        table = Base.metadata.tables.get(name)
        if kind != "rows" or table is None:
            continue
        (key,) = table.columns["contact_id"].foreign_keys
        if key.ondelete != "CASCADE":
            wrong.append(name)
    assert wrong == []


def test_a_text_mentions_a_person_by_full_name_or_phone(session: Session) -> None:
    words = words_of("María José Núñez")
    assert words == ("maria", "jose", "nunez")
    assert is_mentioned("habló MARIA  NUÑEZ, josé", words, ())
    assert not is_mentioned("habló María", words, ())
    assert is_mentioned("su cel es (922) 255-00-01", (), ("+529222550001",))
    assert not is_mentioned("Ana", words_of("Ana"), ())


def test_the_database_finds_what_python_finds(session: Session) -> None:
    gone = Gone([1], {"+529222550001"}, {1: words_of("María José Núñez")})
    texts = ["MARÍA JOSÉ NÚÑEZ LÓPEZ", "Maria Nunez", "tel. 044 922 255 0001", "9222550002", "josé y maría, núñez", ""]
    found = [bool(session.scalar(select(person_register.mentions(literal(said), gone)))) for said in texts]
    assert found == [is_mentioned(said, gone.names[1], gone.phones) for said in texts]
    assert found == [True, False, True, False, True, False]
