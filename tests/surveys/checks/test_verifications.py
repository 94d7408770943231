"""Call-backs that verify: who is drawn, who may verify, and what is found."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.attempts import Attempt
from callcenter.base.auth import User
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.queues import CallQueue, QueueEntry
from surveys.checks import verification_figures, verification_queue, verifications
from surveys.checks.verification_tables import Verification, VerificationPlan
from surveys.checks.verifications import Open, Wanted
from surveys.interviews import Interview
from surveys.questionnaire import Survey
from tests.surveys import quality_cast
from tests.surveys.quality_cast import person, rung_again

NewCall = Callable[..., UUID]


@pytest.fixture
def survey(session: Session) -> Survey:
    return quality_cast.survey_of(session)


@pytest.fixture
def carla(session: Session) -> User:
    return person(session, "Carla")


@pytest.fixture
def vera(session: Session) -> User:
    """Who verifies."""
    return person(session, "Vera")


def plan_of(session: Session, survey: Survey, user: User, percent: str = "100", *items: str) -> VerificationPlan:
    return verifications.set_plan(session, survey.id, Wanted(percent, items), user.id)


def started(session: Session, plan: VerificationPlan, vera: User) -> CallQueue:
    return verification_queue.start(session, plan, [operators.of_user(session, vera.id).id], vera.id)


def opened(session: Session, call_id: UUID) -> Open:
    found = verifications.of_call(session, call_id)
    assert found is not None
    return found


def test_a_share_of_each_interviewer_is_drawn_and_at_least_one(
    session: Session, survey: Survey, new_call: NewCall, carla: User
) -> None:
    dora = person(session, "Dora")
    for number in range(12):
        quality_cast.ended(session, new_call(), (carla if number < 10 else dora).id, {})
    plan = plan_of(session, survey, carla, "20")
    assert verifications.draw(session, plan) == 3
    rows = session.execute(
        select(Interview.interviewer_id).join(Verification, Verification.interview_id == Interview.id)
    )
    assert sorted(who for who in rows.scalars() if who) == sorted([carla.id, carla.id, dora.id])
    assert verifications.draw(session, plan) == 0, "the seed draws the same again"


def test_who_broke_off_or_was_asked_by_a_machine_is_not_drawn(
    session: Session, survey: Survey, new_call: NewCall, carla: User
) -> None:
    quality_cast.ended(session, new_call(), carla.id, {"why": None})
    quality_cast.ended(session, new_call(), None, {})
    assert verifications.draw(session, plan_of(session, survey, carla)) == 0


@pytest.mark.parametrize("percent", ["", "0", "101", "-5", "x", "nan"])
def test_a_share_that_is_none_is_refused(session: Session, survey: Survey, carla: User, percent: str) -> None:
    with pytest.raises(InvalidInput) as fault:
        plan_of(session, survey, carla, percent)
    assert "percent" in fault.value.faults


def test_the_vote_and_the_consent_are_never_asked_again(session: Session, survey: Survey, carla: User) -> None:
    names = [name for name, _label in verifications.questions(session, survey.id)]
    assert names == ["age", "op_azul", "op_rojo", "op_verde"]
    assert plan_of(session, survey, carla, "10", "vote", "age", "why").items == ["age"]


def test_nobody_verifies_their_own_interviews(session: Session, survey: Survey, new_call: NewCall, carla: User) -> None:
    quality_cast.ended(session, new_call(), carla.id, {})
    plan = plan_of(session, survey, carla)
    with pytest.raises(InvalidInput) as fault:
        started(session, plan, carla)
    assert "Carla" in fault.value.faults["crew"]
    with pytest.raises(InvalidInput):
        verification_queue.start(session, plan, [], carla.id)


def test_without_interviews_by_telephone_nothing_is_called(
    session: Session, survey: Survey, carla: User, vera: User
) -> None:
    with pytest.raises(Refused) as refused:
        started(session, plan_of(session, survey, carla), vera)
    assert refused.value.code == "nothing_to_verify"


def test_the_queue_calls_those_drawn_on_the_same_behalf(
    session: Session, survey: Survey, new_call: NewCall, carla: User, vera: User
) -> None:
    one = quality_cast.ended(session, new_call(), carla.id, {})
    queue = started(session, plan_of(session, survey, carla), vera)
    assert (queue.state, queue.mode, queue.script) == ("running", "preview", f"verification/{survey.id}")
    assert queue.on_behalf_of == "Instituto Inventado"
    assert one.call_id is not None
    entry = session.scalars(select(QueueEntry).where(QueueEntry.queue_id == queue.id)).one()
    assert entry.contact_id == session.get_one(Attempt, one.call_id).contact_id
    assert started(session, session.get_one(VerificationPlan, survey.id), vera).id == queue.id


def test_who_says_the_same_is_confirmed_even_a_year_later(
    session: Session, survey: Survey, new_call: NewCall, carla: User, vera: User
) -> None:
    one = quality_cast.ended(session, new_call(), carla.id, {})
    plan = plan_of(session, survey, carla, "100", "age", "op_azul")
    started(session, plan, vera)
    call_id = rung_again(session, one, plan)
    asked = opened(session, call_id)
    assert [question.name for question in asked.questions] == ["age", "op_azul"]
    verifications.record(session, asked, call_id, vera.id, "yes", {"age": "41", "op_azul": "good"})
    assert asked.verification.outcome == "confirmed"
    assert verifications.suggested(session, call_id) == "completed"


def test_who_says_something_else_differs_and_the_page_says_where(
    session: Session, survey: Survey, new_call: NewCall, carla: User, vera: User
) -> None:
    one = quality_cast.ended(session, new_call(), carla.id, {})
    plan = plan_of(session, survey, carla, "100", "age", "op_azul")
    started(session, plan, vera)
    call_id = rung_again(session, one, plan)
    verifications.record(session, opened(session, call_id), call_id, vera.id, "yes", {"age": "", "op_azul": "bad"})
    (finding,) = verification_figures.findings(session, survey.id)
    label = "¿Qué opinión tiene usted de la persona del Partido Azul?"
    assert finding.differences == ((label, "Buena", "Mala"),)
    assert (finding.interviewer, finding.verifier) == ("Carla", "Vera")
    (figures,) = verification_figures.by_interviewer(session, survey.id)
    assert figures.share is not None
    assert figures.share[0] == 0.0


def test_codes_that_are_figures_are_not_years() -> None:
    assert verifications.differing({"a": "1", "b": "1"}, {"a": "2", "b": "2"}, {"b"}) == ["a"]


@pytest.mark.parametrize(("remembers", "outcome", "suggested"), [
    ("no", "denied", "completed"), ("other", "not_reached", None),
])  # fmt: skip
def test_who_knows_of_no_interview_is_asked_nothing_more(
    session: Session, survey: Survey, new_call: NewCall, carla: User, vera: User,
    remembers: str, outcome: str, suggested: str | None,
) -> None:  # fmt: skip
    one = quality_cast.ended(session, new_call(), carla.id, {})
    plan = plan_of(session, survey, carla, "100", "age")
    started(session, plan, vera)
    call_id = rung_again(session, one, plan)
    asked = opened(session, call_id)
    verifications.record(session, asked, call_id, vera.id, remembers, {"age": "99"})
    assert (asked.verification.outcome, asked.verification.given) == (outcome, {})
    assert verifications.suggested(session, call_id) == suggested


def test_an_answer_that_cannot_be_is_said_beside_its_question(
    session: Session, survey: Survey, new_call: NewCall, carla: User, vera: User
) -> None:
    one = quality_cast.ended(session, new_call(), carla.id, {})
    plan = plan_of(session, survey, carla, "100", "age")
    started(session, plan, vera)
    call_id = rung_again(session, one, plan)
    with pytest.raises(InvalidInput) as fault:
        verifications.record(session, opened(session, call_id), call_id, vera.id, "yes", {"age": "mucho"})
    assert "age" in fault.value.faults
    with pytest.raises(InvalidInput) as fault:
        verifications.record(session, opened(session, call_id), call_id, carla.id, "yes", {})
    assert "remembers" in fault.value.faults


def test_whom_the_queue_gave_up_counts_as_not_reached(
    session: Session, survey: Survey, new_call: NewCall, carla: User, vera: User
) -> None:
    one = quality_cast.ended(session, new_call(), carla.id, {})
    queue = started(session, plan_of(session, survey, carla), vera)
    entry = session.scalars(select(QueueEntry).where(QueueEntry.queue_id == queue.id)).one()
    entry.state, entry.reason = "done", "no_answer"
    session.flush()
    verifications.tend(session)
    assert session.get_one(Verification, one.id, populate_existing=True).outcome == "not_reached"


def test_a_call_of_another_kind_verifies_nothing(session: Session, survey: Survey, new_call: NewCall) -> None:
    with pytest.raises(NotFound):
        verifications.of_call(session, new_call())


def test_with_somebody_who_was_not_drawn_nothing_waits(
    session: Session, survey: Survey, new_call: NewCall, carla: User, vera: User
) -> None:
    quality_cast.ended(session, new_call(), carla.id, {})
    other = quality_cast.ended(session, new_call(), carla.id, {"why": None})
    plan = plan_of(session, survey, carla)
    started(session, plan, vera)
    assert verifications.of_call(session, rung_again(session, other, plan)) is None
