"""Finding people: by any word of a name, by any of their phones, by section; quickly among millions, too."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from callcenter import contacts
from callcenter.contacts import Contact, ContactPhone, name_key
from callcenter.people import contact_search, name_index
from callcenter.people.contact_search import Search
from tests.callcenter import cast


@pytest.fixture(params=[False, True], ids=["some people", "millions of people"])
def is_large(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param:
        monkeypatch.setattr(contact_search, "LARGE", -2)
        monkeypatch.setattr(name_index, "reach", lambda _session: 1_000_000_000)
    return bool(request.param)


def named(session: Session, *names: str) -> None:
    for name in names:
        cast.person(session, name).name_key = name_key(name)
    session.flush()


def found(session: Session, search: Search) -> list[str]:
    return [person.name for person in contact_search.find(session, search)]


@pytest.mark.parametrize("typed", ["María Núñez", "NUÑ mar", "maria  nunez", "ma nu"])
def test_a_name_is_found_by_the_beginnings_of_its_words_in_any_order(
    session: Session, is_large: bool, typed: str
) -> None:
    named(session, "María Elena Núñez Ruiz", "María Ruiz", "Marta Núñez", "Elena Nu%ez")
    names = found(session, Search(name=typed))
    assert "María Elena Núñez Ruiz" in names
    assert not {"María Ruiz", "Elena Nu%ez"} & set(names)
    assert contact_search.count(session, Search(name=typed)) == len(names)


def test_among_millions_a_surname_alone_needs_the_first_name_or_the_section(session: Session, is_large: bool) -> None:
    named(session, "María Núñez")
    session.scalars(select(Contact)).one().section_number = 45
    session.flush()
    assert found(session, Search(name="nunez")) == ([] if is_large else ["María Núñez"])
    assert found(session, Search(name="nunez", section=45)) == ["María Núñez"]
    assert found(session, Search(name="%")) == []


def test_a_phone_finds_everybody_it_reaches(session: Session) -> None:
    first = cast.person(session, "Ana Cruz", "+529221110001")
    second = cast.person(session, "Beto Cruz", "+529221110002")
    session.add(ContactPhone(contact_id=second.id, position=1, phone=first.phone))
    session.flush()
    assert found(session, Search(phone="+529221110001")) == ["Ana Cruz", "Beto Cruz"]
    assert found(session, Search(phone="+529221110002")) == ["Beto Cruz"]
    assert [one.name for one in contacts.household(session, first)] == ["Beto Cruz"]
    assert [one.name for one in contacts.household(session, second)] == ["Ana Cruz"]


def test_sources_are_read_from_the_imports_not_from_everybody(session: Session) -> None:
    session.execute(text(
        "INSERT INTO import_batches (source, file_name, file, file_sha256, state, mapping, rows_done, counts,"
        " created_at) VALUES ('Lista B', 'b', 'b', 'b', 'done', '{}', 0, '{}', now()),"
        " ('Lista C', 'c', 'c', 'c', 'failed', '{}', 0, '{}', now())"
    ))  # fmt: skip
    cast.person(session)
    assert contact_search.sources(session) == ["Lista B", "test"]
