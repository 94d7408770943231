"""Names are indexed behind the imports, up to a person; newer people are looked through until it is built again."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select, text

from callcenter.base import db, outbox
from callcenter.contacts import Contact, name_key
from callcenter.people import contact_search, name_index
from callcenter.people.contact_search import Search

NAMES = ("María Elena Núñez", "Marta Ruiz", "Ana María Núñez", "Elena Cruz")


@pytest.fixture(autouse=True)
def _among_millions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_search, "LARGE", -2)
    monkeypatch.setattr(name_index, "BEHIND", 1)


def add(sessions: db.Sessions, *names: str) -> None:
    with sessions() as session:
        for name in names:
            session.add(
                Contact(name=name, given_names=name, name_key=name_key(name), phone="+522281234567", source="x")
            )
        session.commit()


@pytest.fixture(autouse=True)
def _no_index_stays(committed: db.Sessions) -> Iterator[None]:
    yield
    with committed() as session:
        for name in indexes(committed):
            session.execute(text(f"DROP INDEX {name}"))
        session.commit()


def indexes(sessions: db.Sessions) -> list[str]:
    with sessions() as session:
        found = text("SELECT indexname FROM pg_indexes WHERE indexname LIKE 'ix_contacts_names%' ORDER BY 1")
        return list(session.scalars(found))


def newest(sessions: db.Sessions) -> int:
    with sessions() as session:
        return session.scalars(select(Contact.id).order_by(Contact.id.desc()).limit(1)).one()


def search(sessions: db.Sessions, name: str) -> list[str]:
    with sessions() as session:
        found = [person.name for person in contact_search.find(session, Search(name=name))]
        assert contact_search.count(session, Search(name=name)) == len(found)
        assert [person.name for person in contact_search.stream(session, Search(name=name))] == found
        return found


def test_the_index_is_built_up_to_the_newest_person_and_the_older_one_goes(committed: db.Sessions) -> None:
    add(committed, *NAMES)
    name_index.build()
    assert indexes(committed) == [f"ix_contacts_names_to_{newest(committed)}"]
    add(committed, "Zoe Uno")
    name_index.build()  # one is not too many to be looked through
    assert indexes(committed) == [f"ix_contacts_names_to_{newest(committed) - 1}"]
    add(committed, "Zoe Dos")
    name_index.build()
    assert indexes(committed) == [f"ix_contacts_names_to_{newest(committed)}"]


def test_older_and_newer_people_are_found_alike(committed: db.Sessions) -> None:
    assert search(committed, "maria nu") == []
    add(committed, *NAMES)
    assert search(committed, "maria nu") == ["María Elena Núñez", "Ana María Núñez"]
    name_index.build()
    add(committed, "María Núñez Vera", "Rosa María")
    assert search(committed, "maria nu") == ["María Elena Núñez", "María Núñez Vera"]
    assert search(committed, "mar") == ["María Elena Núñez", "Marta Ruiz", "María Núñez Vera", "Rosa María"]
    with committed() as session:
        first = contact_search.find(session, Search(name="mar"), limit=3)
        rest = contact_search.find(session, Search(name="mar"), after=first[-1].id, limit=3)
    assert [person.name for person in (*first, *rest)] == search(committed, "mar")


def test_the_index_answers_for_the_people_it_holds(committed: db.Sessions) -> None:
    add(committed, *NAMES)
    name_index.build()
    with committed() as session:
        span = contact_search._spans(session, Search(name="mar"))[0]
        session.execute(text("SET LOCAL enable_seqscan = off"))
        for name in ("mar", "maria nu"):
            people = contact_search._matching(Search(name=name), span)
            query = people.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
            plan = "\n".join(session.scalars(text("EXPLAIN " + str(query).replace(":", "\\:"))))
            assert f"ix_contacts_names_to_{newest(committed)}" in plan


def test_what_a_build_that_was_cut_short_left_is_removed(committed: db.Sessions) -> None:
    add(committed, *NAMES)
    with committed() as session:
        session.execute(text("CREATE INDEX ix_contacts_names_to_2 ON contacts (name_key) WHERE id <= 2"))
        session.execute(
            text("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ix_contacts_names_to_2'::regclass")
        )
        session.commit()
        assert name_index.reach(session) == 0
        session.rollback()
        name_index.build()
        assert name_index.reach(session) == newest(committed)
    assert len(indexes(committed)) == 1


def test_one_worker_builds_at_a_time(committed: db.Sessions) -> None:
    add(committed, *NAMES)
    with committed() as session:
        session.execute(text(f"SELECT pg_advisory_lock({name_index._LOCK})"))
        name_index.build()
        assert indexes(committed) == []
        session.execute(text(f"SELECT pg_advisory_unlock({name_index._LOCK})"))


def test_the_clock_asks_for_it_where_too_many_are_newer(committed: db.Sessions) -> None:
    add(committed, "Ana Cruz")
    outbox.redis().flushall()
    with committed() as session:
        name_index.tend(session)
        session.commit()
        asked = len(outbox.redis().keys("rq:job:*"))
        add(committed, *NAMES)
        name_index.tend(session)
        session.commit()
    assert (asked, len(outbox.redis().keys("rq:job:*"))) == (0, 1)
