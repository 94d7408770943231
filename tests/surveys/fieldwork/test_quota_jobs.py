"""The stopping rules of quotas: every cell full, or the error wanted reached; and who overrules them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from callcenter import queues
from callcenter.calls import Call
from callcenter.queues import CallQueue
from surveys import quotas
from surveys.fieldwork import quota_jobs, quota_standing
from surveys.fieldwork.quota_cells import Cell, Dimension, QuotaPlan
from surveys.interviews import Interview
from surveys.questionnaire import Survey, current
from tests.queued import run_jobs

PLAN = QuotaPlan((Dimension("sex", "", "code"),), (Cell(("M",), 60), Cell(("H",), 60)))


@pytest.fixture
def queue(session: Session, new_call: Callable[..., UUID]) -> CallQueue:
    number = session.get_one(Call, new_call()).queue_id
    assert number is not None
    return queues.get(session, number)


@pytest.fixture
def interviewed(session: Session, queue: CallQueue, survey: Survey) -> Callable[..., None]:
    """So many complete interviews of people whose record says this sex."""

    def make(sex: str, n: int) -> None:
        form = current(session, survey.id)
        session.add_all(
            Interview(id=uuid4(), survey_id=survey.id, questionnaire_id=form.id, queue_id=queue.id, state="complete",
                      seed=1, hidden={"sex": sex}, at=datetime(2027, 5, 10, tzinfo=UTC))
            for _ in range(n)
        )  # fmt: skip
        session.commit()

    return make


def state(session: Session, queue: CallQueue) -> tuple[str, str | None]:
    found = queues.get(session, queue.id)
    return found.state, found.state_reason


def test_a_campaign_pauses_when_every_cell_is_full(
    session: Session, queue: CallQueue, interviewed: Callable[..., None]
) -> None:
    quotas.set_plan(session, queue.id, PLAN, None)
    interviewed("M", 60)
    quota_jobs.sort_queue(queue.id)
    assert state(session, queue) == ("running", None)
    interviewed("H", 61)
    quota_jobs.sort_queue(queue.id)
    assert state(session, queue) == ("paused", "quota:full")
    assert "every cell" in (queues.pause_sentence("quota:full") or "")


def test_a_campaign_pauses_at_the_margin_of_error_wanted_and_not_before(
    session: Session, queue: CallQueue, interviewed: Callable[..., None]
) -> None:
    quotas.set_plan(session, queue.id, replace(PLAN, stop_margin=0.13), None)
    interviewed("M", 55)
    quota_jobs.sort_queue(queue.id)
    assert state(session, queue) == ("running", None)  # no margin is known while a cell has nobody
    interviewed("H", 5)
    quota_jobs.sort_queue(queue.id)
    assert state(session, queue) == ("running", None)  # sixty interviews, worth twenty of a simple sample
    interviewed("H", 20)
    standing = quota_standing.read(session, queue.id)
    assert standing is not None
    assert standing.margin == pytest.approx(0.98 * (0.25 / 55 + 0.25 / 25) ** 0.5, abs=1e-4)
    quota_jobs.sort_queue(queue.id)
    assert state(session, queue) == ("paused", "quota:margin")


def test_a_person_who_resumes_overrules_the_rule_until_the_quotas_change(
    session: Session, queue: CallQueue, interviewed: Callable[..., None]
) -> None:
    quotas.set_plan(session, queue.id, PLAN, None)
    interviewed("M", 60)
    interviewed("H", 60)
    quota_jobs.sort_queue(queue.id)
    queues.set_state(session, queue.id, "running", None, None)
    session.commit()
    quota_jobs.sort_queue(queue.id)
    assert state(session, queue) == ("running", None)
    quotas.set_plan(session, queue.id, PLAN, None)
    session.commit()
    quota_jobs.sort_queue(queue.id)
    assert state(session, queue) == ("paused", "quota:full")


def test_a_campaign_that_does_not_run_is_not_paused(
    session: Session, queue: CallQueue, interviewed: Callable[..., None]
) -> None:
    queues.set_state(session, queue.id, "paused", "review", None)
    quotas.set_plan(session, queue.id, PLAN, None)
    interviewed("M", 60)
    interviewed("H", 60)
    quota_jobs.sort_queue(queue.id)
    assert state(session, queue) == ("paused", "review")


def test_the_clock_sorts_the_lists_of_running_campaigns_with_quotas(session: Session, queue: CallQueue) -> None:
    quotas.set_plan(session, queue.id, PLAN, None)
    session.commit()
    run_jobs()
    quota_jobs.tend(session)
    session.commit()
    assert run_jobs() == [quotas.SORT]
    queues.set_state(session, queue.id, "paused", "review", None)
    quota_jobs.tend(session)
    session.commit()
    assert quotas.SORT not in run_jobs()
