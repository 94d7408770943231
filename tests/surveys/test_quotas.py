"""Quotas of a campaign: what counts, who is asked the strata alone, what is kept beyond the target."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from callcenter import calls, operators
from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.base.errors import InvalidInput, NotFound
from callcenter.calls import Call
from callcenter.operators import Operator
from surveys import interviews, quotas
from surveys.fieldwork import quota_counts, quota_standing
from surveys.fieldwork.quota_cells import Cell, Dimension, QuotaPlan
from surveys.interviews import Interview
from tests.conftest import ClientAs

WOMEN, MEN = ("M", "18-29"), ("H", "18-29")
PLAN = QuotaPlan(
    (Dimension("sex", "sex", "code"), Dimension("age", "age", "number")), (Cell(WOMEN, 1), Cell(MEN, 2)), "screen"
)
REST = {"registered": "yes", "likely": "8", "vote": "rojo", "second": "azul", "problems": "water",
        "opinion_azul": "g", "why": "Porque sí."}  # fmt: skip
NewCall = Callable[..., UUID]


@pytest.fixture
def ask(session: Session, new_call: NewCall, rosa: User) -> Callable[..., Interview]:
    """Interview an invented person of 20 as far as the screen leads; keywords change their record."""

    def interview(sex: str = "M", age: str = "20", **person: Any) -> Interview:
        call_id = new_call(**({"sex": None, "age": None} | person))
        begun = interviews.open_for_call(session, call_id, rosa.id)
        told = {"intro": "", "consent": "yes", "age": age, "sex": sex, **REST, "bye": ""}
        while (question := interviews.standing_of(session, begun.id).next_question()) is not None:
            interviews.record_answer(session, begun.id, question.name, told[question.name])
        interviews.close_call(session, call_id)
        session.flush()
        return begun

    return interview


@pytest.fixture
def queue_id(session: Session, new_call: NewCall) -> int:
    """The queue of the calls, with quotas of one woman and two men under thirty."""
    number = session.get_one(Call, new_call()).queue_id
    assert number is not None
    quotas.set_plan(session, number, PLAN, None)
    return number


def answers_of(session: Session, interview: Interview) -> dict[str, str]:
    return {answer.item: answer.value for answer in interviews.trail(session, interview.id)}


def test_a_campaign_without_quotas_asks_everybody_everything(session: Session, ask: Callable[..., Interview]) -> None:
    assert [ask().state for _ in range(3)] == ["complete"] * 3
    assert quota_standing.read(session, 1_000_000) is None


def test_whoever_comes_when_the_cell_is_full_is_asked_the_strata_and_thanked(
    session: Session, ask: Callable[..., Interview], queue_id: int
) -> None:
    first, second = ask(), ask()
    assert (first.state, second.state, second.over_quota) == ("complete", "screened", True)
    assert answers_of(session, second) == {"intro": "", "consent": "yes", "age": "20", "sex": "M"}
    assert second.call_id is not None
    assert interviews.suggested(session, second.call_id) == "over_quota"
    assert ask("H").state == "complete"


def test_who_filled_a_cell_is_not_sent_away_by_it(session: Session, ask: Callable[..., Interview]) -> None:
    one = ask()
    assert one.queue_id is not None
    quotas.set_plan(session, one.queue_id, PLAN, None)
    interviews.record_answer(session, one.id, "age", "21")
    assert interviews.standing_of(session, one.id).interview.state == "complete"
    assert not one.over_quota


def test_a_cell_that_fills_up_during_a_conversation_does_not_end_it(
    session: Session, ask: Callable[..., Interview], new_call: NewCall, rosa: User, queue_id: int
) -> None:
    slow = interviews.open_for_call(session, new_call(sex=None, age=None), rosa.id)
    for item, value in {"intro": "", "consent": "yes", "age": "20", "sex": "M"}.items():
        interviews.record_answer(session, slow.id, item, value)
    assert ask().state == "complete"  # somebody else fills the cell
    for item, value in REST.items():
        interviews.record_answer(session, slow.id, item, value)
    assert slow.state == "complete"
    standing = quota_standing.read(session, queue_id)
    assert standing is not None
    women = standing.cells[0]
    assert (women.done, women.extra, women.is_full, standing.counted, standing.extra) == (2, 1, True, 1, 1)


def test_interviews_beyond_the_target_are_kept_and_marked_the_later_ones(
    session: Session, ask: Callable[..., Interview], queue_id: int
) -> None:
    quotas.set_plan(session, queue_id, replace(PLAN, when_full="finish"), None)
    told = [ask(), ask(), ask("H"), ask("X")]
    assert {one.state for one in told} == {"complete"}
    marks = {mark.interview_id: mark for mark in quota_counts.marks(session, queue_id, quotas.get(session, queue_id))}
    assert [(marks[one.id].cell, marks[one.id].is_extra) for one in told] == [
        (WOMEN, False), (WOMEN, True), (MEN, False), (None, False),
    ]  # fmt: skip
    quotas.set_plan(session, queue_id, replace(PLAN, cells=(Cell(WOMEN, 2), Cell(MEN, 2))), None)
    raised = quota_counts.marks(session, queue_id, quotas.get(session, queue_id))
    assert not any(mark.is_extra for mark in raised)  # a higher target wants them after all


def test_a_mistake_in_a_stratum_can_be_corrected_and_the_interview_goes_on(
    session: Session, ask: Callable[..., Interview], new_call: NewCall, rosa: User, queue_id: int
) -> None:
    ask()
    call_id = new_call(sex=None, age=None)
    one = interviews.open_for_call(session, call_id, rosa.id)
    for item, value in {"intro": "", "consent": "yes", "age": "20", "sex": "M"}.items():
        interviews.record_answer(session, one.id, item, value)
    assert one.state == "screened"
    interviews.record_answer(session, one.id, "sex", "H")
    standing = interviews.standing_of(session, one.id)
    question = standing.next_question()
    assert (one.state, one.over_quota, question and question.name) == ("started", False, "registered")
    interviews.record_answer(session, one.id, "sex", "M")
    assert one.state == "screened"


def test_what_the_record_knows_counts_until_the_person_says_otherwise(
    session: Session, ask: Callable[..., Interview], new_call: NewCall, rosa: User, queue_id: int
) -> None:
    ask()
    call_id = new_call(sex="M", age=22)  # the list promised a woman of 22
    one = interviews.open_for_call(session, call_id, rosa.id)
    assert one.over_quota
    assert interviews.standing_of(session, one.id).path() == ["intro", "consent"]
    for item, value in {"intro": "", "consent": "yes"}.items():
        interviews.record_answer(session, one.id, item, value)
    assert interviews.standing_of(session, one.id).path() == ["intro", "consent", "age", "sex"]
    interviews.record_answer(session, one.id, "age", "22")
    interviews.record_answer(session, one.id, "sex", "H")  # her husband took the phone
    assert not one.over_quota
    assert one.state == "started"


def test_who_declines_is_void_also_when_the_cell_is_full(
    session: Session, ask: Callable[..., Interview], new_call: NewCall, rosa: User, queue_id: int
) -> None:
    ask()
    call_id = new_call(sex="M", age=22)
    one = interviews.open_for_call(session, call_id, rosa.id)
    interviews.record_answer(session, one.id, "consent", "no")
    interviews.close_call(session, call_id)
    assert one.state == "void"


def test_who_hangs_up_before_the_strata_are_known_is_partial_and_counts_nowhere(
    session: Session, ask: Callable[..., Interview], new_call: NewCall, rosa: User, queue_id: int
) -> None:
    ask()
    call_id = new_call(sex="M", age=22)
    one = interviews.open_for_call(session, call_id, rosa.id)
    for item, value in {"intro": "", "consent": "yes", "age": "22"}.items():
        interviews.record_answer(session, one.id, item, value)
    interviews.close_call(session, call_id)
    standing = quota_standing.read(session, queue_id)
    assert standing is not None
    assert (one.state, standing.complete, standing.screened) == ("partial", 1, 0)


def test_counts_are_those_of_the_interviews_whatever_became_of_their_calls(
    session: Session, ask: Callable[..., Interview], queue_id: int
) -> None:
    ask(), ask(), ask("H"), ask("H", "75")
    session.execute(update(Interview).values(call_id=None))  # a privacy request unlinks them
    standing = quota_standing.read(session, queue_id)
    assert standing is not None
    assert [(cell.done, cell.screened) for cell in standing.cells] == [(1, 1), (1, 0)]
    assert (standing.outside, standing.complete, standing.full_cells, standing.all_full) == (1, 3, 1, False)


def test_an_answer_taken_back_takes_the_interview_out_of_its_cell(
    session: Session, ask: Callable[..., Interview], queue_id: int
) -> None:
    one = ask()
    interviews.record_answer(session, one.id, "registered", "no")
    interviews.record_answer(session, one.id, "registered", "yes")
    interviews.record_answer(session, one.id, "consent", "no")
    counts = quota_counts.read(session, queue_id, PLAN)
    assert (one.state, counts.done) == ("void", {})


def test_the_outcome_of_a_short_interview_ends_the_matter(
    session: Session, ask: Callable[..., Interview], operator: Operator, queue_id: int
) -> None:
    ask()
    short = ask()
    assert short.call_id is not None
    calls.dispose(session, short.call_id, operator.id, "over_quota")
    assert session.get_one(Call, short.call_id).disposition == "over_quota"
    assert short.state == "screened"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"cells": ()}, "cells"),
        ({"dimensions": ()}, "cells"),
        ({"cells": (Cell(WOMEN, -1),)}, "cells"),
        ({"cells": (Cell(WOMEN, 10_000_000),)}, "cells"),
        ({"cells": tuple(Cell((str(n), "1"), 1) for n in range(2_001))}, "cells"),
        ({"when_full": "shout"}, "when_full"),
        ({"stop_margin": 0.5}, "stop_margin"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_by_field(
    session: Session, queue_id: int, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        quotas.set_plan(session, queue_id, replace(PLAN, **change), None)
    assert list(refused.value.faults) == [field]
    assert quotas.get(session, queue_id) == PLAN


def test_quotas_are_kept_as_given_audited_and_taken_off(session: Session, queue_id: int, rosa: User) -> None:
    plan = QuotaPlan((Dimension("municipality", "", "text"),), (Cell(("Ñanduti",), None),), "finish", 0.03)
    quotas.set_plan(session, queue_id, plan, rosa.id)
    assert quotas.get(session, queue_id) == plan
    quotas.set_plan(session, queue_id, None, rosa.id)
    assert quotas.of(session, queue_id) is None
    with pytest.raises(NotFound):
        quotas.get(session, queue_id)
    with pytest.raises(NotFound):
        quotas.set_plan(session, 1_000_000, PLAN, None)
    acts = session.scalars(select(AuditEntry.action).where(AuditEntry.action == "quotas.set")).all()
    assert len(acts) == 3


def test_a_list_is_sorted_anew_when_an_interview_is_complete(
    session: Session, ask: Callable[..., Interview], queue_id: int
) -> None:
    session.info.pop("outbox", None)
    ask()
    jobs = [item.function for item in session.info["outbox"] if hasattr(item, "function")]
    assert jobs.count(quotas.SORT) == 1


def test_the_operator_is_told_that_only_the_strata_are_left(
    app: Flask, session: Session, client_as: ClientAs, people: dict[str, User], new_call: NewCall, queue_id: int
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    quotas.set_plan(session, queue_id, replace(PLAN, cells=(Cell(WOMEN, 0), Cell(MEN, 2))), None)
    call_id = new_call(sex="M", age=22)
    session.get_one(Call, call_id).operator_id = operators.of_user(session, people["operator"].id).id
    session.commit()
    client = client_as("operator")
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    page = client.get(f"/surveys/calls/{call_id}").text
    assert "This group has enough interviews: only these questions are left" in page
    number = session.scalars(select(Interview.id).where(Interview.call_id == call_id)).one()
    for item, value in {"intro": "", "consent": "yes", "age": "22", "sex": "M"}.items():
        page = client.post(f"/surveys/interviews/{number}/answers", data={"item": item, "value": value}).text
    assert "This group has enough interviews." in page
    assert "choose the outcome of the call" in page


def test_quotas_that_are_taken_off_during_a_call_ask_everything_again(
    session: Session, new_call: NewCall, rosa: User, queue_id: int
) -> None:
    quotas.set_plan(session, queue_id, replace(PLAN, cells=(Cell(WOMEN, 0), Cell(MEN, 2))), None)
    one = interviews.open_for_call(session, new_call(sex="M", age=22), rosa.id)
    assert len(interviews.standing_of(session, one.id).path()) == 2
    quotas.set_plan(session, queue_id, None, None)
    for item, value in {"intro": "", "consent": "yes", "age": "22", "sex": "M"}.items():
        interviews.record_answer(session, one.id, item, value)
    question = interviews.standing_of(session, one.id).next_question()
    assert (one.state, question and question.name) == ("started", "registered")
