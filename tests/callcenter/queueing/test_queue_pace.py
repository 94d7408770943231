from dataclasses import replace
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.queueing import queue_pace
from callcenter.queueing.queue_pace import Pace
from campaigns import pacing
from tests.callcenter import cast

PREDICTIVE = Pace("predictive", abandon_limit=0.02, ratio=2.0, gives_up=False, calls_per_second=5)


def test_a_queue_begins_one_to_one_with_a_limit_of_one_in_a_hundred(session: Session) -> None:
    assert queue_pace.of(session, cast.queue(session).id) == Pace("progressive", 0.01, 1.5, True, None)


def test_a_pace_is_kept_and_audited_once_and_the_same_again_changes_nothing(session: Session) -> None:
    queue = cast.queue(session)
    queue_pace.set_pace(session, queue.id, PREDICTIVE, None)
    queue_pace.set_pace(session, queue.id, PREDICTIVE, None)
    assert queue_pace.of(session, queue.id) == PREDICTIVE
    (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.subject == f"queue/{queue.id}"))
    assert (entry.action, entry.detail["was"]["mode"], entry.detail["now"]["mode"]) == (
        "queues.set_pace", "progressive", "predictive",
    )  # fmt: skip


def test_what_no_pace_can_be_is_named_field_by_field_and_nothing_is_kept(session: Session) -> None:
    queue = cast.queue(session)
    with pytest.raises(InvalidInput) as caught:
        queue_pace.set_pace(session, queue.id, Pace("guess", 0.031, 0.5, True, 0), None)
    assert set(caught.value.faults) == {"mode", "abandon_limit", "ratio", "calls_per_second"}
    assert "predictive" in caught.value.faults["mode"]
    assert "between 0 and 3 %" in caught.value.faults["abandon_limit"]
    assert queue_pace.of(session, queue.id).mode == "progressive"
    with pytest.raises(NotFound):
        queue_pace.set_pace(session, 0, PREDICTIVE, None)


@given(st.builds(Pace, st.sampled_from([*queue_pace.MODES]), st.floats(), st.floats(), st.booleans(),
                 st.none() | st.integers()))  # fmt: skip
def test_every_pace_without_a_fault_can_be_paced(pace: Pace) -> None:
    if not queue_pace.faults_of(pace):
        pacing.Pacer(pace.mode, pace.abandon_limit, pace.ratio, gives_up=pace.gives_up)


@pytest.mark.parametrize("number", [nan, inf, -inf])
def test_what_is_no_number_is_a_fault(number: float) -> None:
    assert set(queue_pace.faults_of(replace(PREDICTIVE, ratio=number, abandon_limit=number))) == {
        "ratio", "abandon_limit",
    }  # fmt: skip


def test_the_modes_and_their_words_are_those_that_pacing_knows() -> None:
    assert tuple(queue_pace.MODES) == tuple(queue_pace.NAMES) == pacing.MODES
    assert queue_pace.MOST_ABANDONED == pacing.MOST_ABANDONED


def test_a_fallback_has_words() -> None:
    assert "Too few operators" in str(queue_pace.fallback_sentence("small_team"))
    assert queue_pace.fallback_sentence(None) is None
