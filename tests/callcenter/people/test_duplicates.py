"""Duplicates: what is one person, what may be merged by rule, what a person decides; found as people change."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import contacts
from callcenter.base.clock import real_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.contacts import Contact, ContactPhone
from callcenter.imports import ImportBatch
from callcenter.people import duplicate_jobs, duplicate_runs, duplicates, merge_moves, merges
from callcenter.people.duplicates import DuplicatePair
from callcenter.people.name_likeness import is_certain, is_typo, likeness
from tests.callcenter import cast

PHONE = "+529221110001"


@pytest.fixture(autouse=True)
def _movers() -> None:
    merge_moves.compose()


def person(session: Session, name: str, phone: str = PHONE, **columns: Any) -> Contact:
    made = cast.person(session, name, phone, **columns)
    made.name_key = contacts.name_key(name)
    session.flush()
    return made


def search(session: Session) -> list[tuple[str, bool]]:
    """Search through everybody; the rule of each pair, and whether it is certain."""
    run = duplicate_runs.start_search(session)
    session.commit()
    duplicate_jobs.search(run.id)
    session.expire_all()
    return [(pair.rule, pair.certain) for pair in session.scalars(select(DuplicatePair).order_by(DuplicatePair.id))]


@pytest.mark.parametrize(
    ("one", "other", "rule"),
    [
        ("ana lopez cruz", "lopez cruz ana", "same_words"),
        ("ana lopez cruz", "ana cruz lopez", "same_words"),
        ("ma. del carmen ruiz", "carmen maria ruiz", "same_words"),
        ("fco. hdez. de la o", "francisco hernandez o", "same_words"),
        ("ana lopez cruz", "ana lopez", "missing_surname"),
        ("guadalupe ramos", "guadalupe ramos vda", "missing_surname"),
        ("ana gutierrez luna", "ana gutierez luna", "one_letter"),
        ("ana gutierrez luna", "ana gutierrze luna", None),  # the last letter is another
        ("ana martinez luna", "ana matrinez luna", "one_letter"),
        ("juan hernandez luna", "juan fernandez luna", None),
        ("mario lopez luna", "maria lopez luna", None),
        ("ana ruiz luna", "ana ruis luna", None),
        ("ana lopez cruz", "ana lopez perez", None),
        ("ana", "ana lopez", None),
        ("", "", None),
        ("de la", "del", None),
    ],
)
def test_names_are_alike_by_rule(one: str, other: str, rule: str | None) -> None:
    assert likeness(one, other) == likeness(other, one) == rule


@pytest.mark.parametrize(
    ("rule", "ages", "agree", "certain"),
    [
        ("same_words", (None, None), True, True),
        ("same_words", (30, 31), True, True),
        ("same_words", (30, 33), True, False),
        ("same_words", (30, 30), False, False),
        ("one_letter", (None, 30), True, False),  # Sonia and Sofía, Mario and Marco
        ("one_letter", (30, 30), True, True),
        ("missing_surname", (30, None), True, False),  # a father and his son
        ("missing_surname", (30, 30), True, True),
        ("same_place", (30, 30), True, False),
    ],
)
def test_only_what_nothing_contradicts_is_certain(
    rule: str, ages: tuple[int | None, int | None], agree: bool, certain: bool
) -> None:
    assert is_certain(rule, ages=ages, agree=agree) == certain


@given(st.text("abcdez", min_size=1, max_size=8), st.text("abcdez", min_size=1, max_size=8))
def test_a_typo_is_the_same_seen_from_either_side_and_keeps_both_ends(one: str, other: str) -> None:
    assert is_typo(one, other) == is_typo(other, one)
    if is_typo(one, other):
        assert (one[0], one[-1]) == (other[0], other[-1])
        assert one != other


@given(st.permutations(["ana", "maria", "lopez", "cruz"]))
def test_any_order_of_the_words_is_the_same_name(words: list[str]) -> None:
    assert likeness("ana maria lopez cruz", " ".join(words)) == "same_words"


def test_people_at_one_phone_are_compared_by_any_of_their_phones(session: Session) -> None:
    person(session, "Ana López Cruz")
    second = person(session, "López Cruz Ana", "+529221110002")
    session.add(ContactPhone(contact_id=second.id, position=1, phone=PHONE))
    person(session, "Beto Ramos Gil")
    assert search(session) == [("same_words", True)]


@pytest.mark.parametrize("columns", [{"sex": "H"}, {"section_number": 46}, {"age": 60}])
def test_what_contradicts_is_for_a_person_to_decide(session: Session, columns: dict[str, Any]) -> None:
    person(session, "Ana López Cruz", sex="M", section_number=45, age=30)
    person(session, "López Cruz Ana", **columns)
    assert search(session) == [("same_words", False)]


def test_a_namesake_of_the_section_with_another_phone_is_shown_never_merged(session: Session) -> None:
    person(session, "Ana López Cruz", section_number=45, age=30)
    person(session, "Ana López Cruz", "+529221110002", section_number=45)
    person(session, "Ana López Cruz", "+529221110003", section_number=45, age=66)  # surely somebody else
    person(session, "Ana López Cruz", "+529221110004", section_number=46)
    assert search(session) == [("same_place", False), ("same_place", False)]
    assert duplicates.counts(session) == {"certain": 0, "waiting": 2}


def test_a_switchboard_is_no_household(session: Session) -> None:
    for number in range(duplicates.CROWD + 1):
        person(session, f"Ana López {'x' * number}")
    assert search(session) == []


def test_invented_people_and_blocked_ones_are_left_alone(session: Session) -> None:
    person(session, "Ana López Cruz")
    person(session, "López Cruz Ana").invented = False
    person(session, "Cruz López Ana").blocked_at = real_now()
    assert search(session) == []


def test_not_the_same_person_is_remembered_for_ever(session: Session) -> None:
    person(session, "Ana López Cruz")
    person(session, "López Cruz Ana")
    search(session)
    (pair,) = session.scalars(select(DuplicatePair))
    duplicates.set_apart(session, pair.second_id, pair.first_id, None)
    search(session)
    assert duplicates.counts(session) == {"certain": 0, "waiting": 0}


def test_any_two_people_can_be_set_apart_before_a_rule_finds_them(session: Session) -> None:
    one, other = person(session, "Ana López Cruz"), person(session, "López Cruz Ana")
    duplicates.set_apart(session, one.id, other.id, None)
    search(session)
    assert duplicates.counts(session) == {"certain": 0, "waiting": 0}
    with pytest.raises(InvalidInput):
        duplicates.set_apart(session, one.id, one.id, None)


def merge_all(session: Session) -> tuple[int, int]:
    run = duplicate_runs.start_merge(session, None)
    session.commit()
    duplicate_jobs.merge_certain(run.id)
    duplicate_jobs.merge_certain(run.id)  # a job that runs again changes nothing
    session.expire_all()
    assert run.state == "done"
    return run.done, run.refused


def test_all_certain_pairs_are_merged_with_the_fuller_name(session: Session) -> None:
    older = person(session, "Ana López", age=30).id
    person(session, "Ana López Cruz", age=30)
    third = person(session, "Cruz López Ana", age=30).id
    person(session, "Beto Ramos Gil", age=41)
    person(session, "Beto Ramos", age=22)
    assert len(search(session)) == 3
    assert merge_all(session) == (1, 0)  # the third is like the second, who is the first now: looked at anew
    again = duplicate_runs.newest(session, "search", "running")
    assert again is not None
    duplicate_jobs.search(again.id)
    assert merge_all(session) == (1, 0)
    assert session.scalars(select(Contact.name).order_by(Contact.id)).all() == [
        "Ana López Cruz", "Beto Ramos Gil", "Beto Ramos",
    ]  # fmt: skip
    assert merges.into_whom(session, third) == older


def test_a_pair_in_a_call_is_held_back_and_stays_open(session: Session) -> None:
    ana = person(session, "Ana López Cruz")
    person(session, "López Cruz Ana")
    search(session)
    cast.planned(session, cast.queue(session, ana))
    run = duplicate_runs.start_merge(session, None)
    session.commit()
    duplicate_jobs.merge_certain(run.id)
    session.expire_all()
    assert (run.state, run.done, run.refused) == ("done", 0, 1)
    assert duplicates.counts(session)["certain"] == 1


def test_there_is_one_run_of_a_kind_at_a_time(session: Session) -> None:
    duplicate_runs.start_search(session)
    with pytest.raises(Refused):
        duplicate_runs.start_search(session)
    with pytest.raises(Refused, match="certain"):
        duplicate_runs.start_merge(session, None)


def test_a_list_that_came_in_is_searched_by_itself(session: Session) -> None:
    duplicate_runs.sweep(session)
    assert duplicate_runs.newest(session, "search") is None
    batch = ImportBatch(source="x", file_name="x", file="x", file_sha256="x", state="done", finished_at=real_now())
    session.add(batch)
    session.flush()
    duplicate_runs.sweep(session)
    run = duplicate_runs.newest(session, "search", "running")
    assert run is not None
    duplicate_jobs.search(run.id)
    session.expire_all()
    duplicate_runs.sweep(session)
    assert duplicate_runs.newest(session, "search") is run


def test_the_next_search_begins_where_the_last_one_saw_everything(session: Session) -> None:
    person(session, "Ana López Cruz")
    search(session)
    first = duplicate_runs.newest(session, "search")
    second = duplicate_runs.start_search(session)
    assert first is not None
    assert (second.since, second.phones_since) == (first.until, first.phones_until)
