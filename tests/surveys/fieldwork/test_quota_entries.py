"""Lists under quotas: who is in no open cell is not dialled, and is dialled again when the cell opens."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.base.clock import campaign_now
from callcenter.contacts import Contact
from callcenter.queueing import queue_entries
from callcenter.queues import CallQueue, QueueEntry
from callcenter.territory import Section
from surveys import quotas
from surveys.fieldwork import quota_entries, quota_jobs
from surveys.fieldwork.quota_cells import Cell, Dimension, QuotaPlan
from tests.callcenter import cast

SEX, AGE = Dimension("sex", "sex", "code"), Dimension("age", "", "number")
OPEN_TO_WOMEN = QuotaPlan((SEX,), (Cell(("M",), 5), Cell(("H",), 0)))
Fate = tuple[str, str | None]


@pytest.fixture
def people(session: Session) -> dict[str, Contact]:
    wanted: dict[str, dict[str, Any]] = {
        "Ana": {"sex": "M", "age": 20}, "Beto": {"sex": "H", "age": 20}, "Carla": {"sex": "M", "age": 70},
        "Dani": {"sex": None, "age": 30}, "Equis": {"sex": "X", "age": None},
    }  # fmt: skip
    return {name: cast.person(session, name, **columns) for name, columns in wanted.items()}


@pytest.fixture
def queue(session: Session, people: dict[str, Contact]) -> CallQueue:
    return cast.queue(session, *people.values(), script="survey/1")


def fates(session: Session, queue: CallQueue) -> dict[str, Fate]:
    rows = session.execute(
        select(Contact.given_names, QueueEntry.state, QueueEntry.reason)
        .join(Contact, Contact.id == QueueEntry.contact_id)
        .where(QueueEntry.queue_id == queue.id)
    )
    return {name: (state, reason) for name, state, reason in rows}


def entry_of(session: Session, queue: CallQueue, person: Contact) -> QueueEntry:
    found = select(QueueEntry).where(QueueEntry.queue_id == queue.id, QueueEntry.contact_id == person.id)
    return session.scalars(found.execution_options(populate_existing=True)).one()


def test_people_of_full_cells_and_of_none_are_left_out_and_the_unknown_are_not(
    session: Session, queue: CallQueue
) -> None:
    quotas.set_plan(session, queue.id, OPEN_TO_WOMEN, None)
    assert quota_entries.sort_all(session, queue.id) == 2
    assert fates(session, queue) == {
        "Ana": ("waiting", None), "Beto": ("excluded", "quota_full"), "Carla": ("waiting", None),
        "Dani": ("waiting", None), "Equis": ("excluded", "quota_outside"),
    }  # fmt: skip
    assert quota_entries.left_out(session, queue.id) == 2
    assert {entry.contact_id for entry in queues.claim(session, queue.id, 10)}.isdisjoint(
        {person.id for person in session.scalars(select(Contact).where(Contact.given_names.in_(["Beto", "Equis"])))}
    )


def test_sorting_twice_changes_nothing_more(session: Session, queue: CallQueue) -> None:
    quotas.set_plan(session, queue.id, OPEN_TO_WOMEN, None)
    quota_entries.sort_all(session, queue.id)
    assert quota_entries.sort_all(session, queue.id) == 0


def test_a_cell_that_opens_again_takes_its_people_back(session: Session, queue: CallQueue) -> None:
    quotas.set_plan(session, queue.id, OPEN_TO_WOMEN, None)
    quota_entries.sort_all(session, queue.id)
    both = replace(OPEN_TO_WOMEN, cells=(Cell(("M",), 0), Cell(("H",), 3), Cell(("X",), None)))
    quotas.set_plan(session, queue.id, both, None)
    quota_entries.sort_all(session, queue.id)
    assert fates(session, queue) == {
        "Ana": ("excluded", "quota_full"), "Beto": ("waiting", None), "Carla": ("excluded", "quota_full"),
        "Dani": ("waiting", None), "Equis": ("waiting", None),
    }  # fmt: skip


def test_joint_cells_are_told_by_every_stratum_that_the_record_knows(session: Session, queue: CallQueue) -> None:
    plan = QuotaPlan(
        (SEX, AGE), (Cell(("M", "18-29"), 0), Cell(("M", "60+"), 3), Cell(("H", "18-29"), 1), Cell(("H", "60+"), 0))
    )
    quotas.set_plan(session, queue.id, plan, None)
    quota_entries.sort_all(session, queue.id)
    assert fates(session, queue) == {
        "Ana": ("excluded", "quota_full"), "Beto": ("waiting", None), "Carla": ("waiting", None),
        "Dani": ("excluded", "quota_outside"),  # thirty is between the bands, whatever the sex
        "Equis": ("excluded", "quota_outside"),
    }  # fmt: skip


def test_a_stratum_that_only_the_questionnaire_knows_leaves_nobody_out_while_a_cell_is_open(
    session: Session, queue: CallQueue
) -> None:
    asked = QuotaPlan((Dimension("", "likely", "number"), SEX), (Cell(("0-5", "H"), 0), Cell(("6-10", "H"), 1)))
    quotas.set_plan(session, queue.id, asked, None)
    quota_entries.sort_all(session, queue.id)
    assert fates(session, queue)["Beto"] == ("waiting", None)
    quotas.set_plan(session, queue.id, replace(asked, cells=(Cell(("0-5", "H"), 0), Cell(("6-10", "H"), 0))), None)
    quota_entries.sort_all(session, queue.id)
    assert fates(session, queue)["Beto"] == ("excluded", "quota_full")


def test_strata_of_the_territory_are_those_of_the_section(session: Session) -> None:
    rural = Section(state=30, number=4001, municipality_code=1, kind="R", municipality="Sayula", local_district=20)
    session.add(rural)
    session.flush()
    here = cast.person(session, "Aquí", section_id=rural.id, section_number=9)
    away = cast.person(session, "Lejos", section_number=4002)
    queue = cast.queue(session, here, away, script="survey/1")
    for field, kind, value in (
        ("section_kind", "code", "R"), ("section", "number", "4001"), ("municipality", "text", "SAYULA"),
        ("local_district", "number", "20"),
    ):  # fmt: skip
        quotas.set_plan(session, queue.id, QuotaPlan((Dimension(field, "", kind),), (Cell((value,), 0),)), None)
        quota_entries.sort_all(session, queue.id)
        assert fates(session, queue)["Aquí"] == ("excluded", "quota_full")


def test_a_promised_callback_is_kept_when_its_cell_is_full(
    session: Session, queue: CallQueue, people: dict[str, Contact]
) -> None:
    promised = entry_of(session, queue, people["Beto"])
    queue_entries.promise_callback(session, promised.id, campaign_now(session) + timedelta(hours=1), None)
    quotas.set_plan(session, queue.id, OPEN_TO_WOMEN, None)
    quota_entries.sort_all(session, queue.id)
    assert fates(session, queue)["Beto"] == ("waiting", "callback")


def test_who_is_done_or_left_out_for_another_reason_stays_so(
    session: Session, queue: CallQueue, people: dict[str, Contact]
) -> None:
    queue_entries.exclude(session, entry_of(session, queue, people["Beto"]).id, "opted_out", None)
    queue_entries.finish(session, entry_of(session, queue, people["Ana"]).id, "completed")
    session.flush()
    quotas.set_plan(session, queue.id, replace(OPEN_TO_WOMEN, cells=(Cell(("M",), 0), Cell(("H",), 1))), None)
    quota_entries.sort_all(session, queue.id)
    assert fates(session, queue)["Beto"] == ("excluded", "opted_out")
    assert fates(session, queue)["Ana"] == ("done", "completed")


def test_quotas_that_are_taken_off_give_everybody_back(session: Session, queue: CallQueue) -> None:
    quotas.set_plan(session, queue.id, OPEN_TO_WOMEN, None)
    quota_entries.sort_all(session, queue.id)
    quotas.set_plan(session, queue.id, None, None)
    session.commit()
    quota_jobs.sort_queue(queue.id)
    assert set(fates(session, queue).values()) == {("waiting", None)}


def test_who_comes_back_from_a_try_is_left_out_at_the_next_turn(
    session: Session, queue: CallQueue, people: dict[str, Contact]
) -> None:
    entry = entry_of(session, queue, people["Beto"])
    entry.state = "calling"
    quotas.set_plan(session, queue.id, OPEN_TO_WOMEN, None)
    session.commit()
    quota_jobs.sort_queue(queue.id)
    assert fates(session, queue)["Beto"] == ("calling", None)
    queue_entries.settle(session, entry.id, "no_answer")
    session.commit()
    quota_jobs.sort_queue(queue.id)
    assert fates(session, queue)["Beto"] == ("excluded", "quota_full")


def test_a_long_list_is_sorted_in_spans_that_leave_nobody_out(
    session: Session, queue: CallQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota_entries, "SPAN", 2)
    assert len(list(quota_entries.spans(session, queue.id))) == 3
    quotas.set_plan(session, queue.id, OPEN_TO_WOMEN, None)
    session.commit()
    quota_jobs.sort_queue(queue.id)
    assert quota_entries.left_out(session, queue.id) == 2


def test_a_list_without_people_has_nothing_to_sort(session: Session) -> None:
    empty = cast.queue(session, script="survey/1")
    quotas.set_plan(session, empty.id, OPEN_TO_WOMEN, None)
    assert list(quota_entries.spans(session, empty.id)) == []
    assert quota_entries.sort_all(session, empty.id) == 0
