"""Privacy requests: their states, deadlines, lights and history."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry
from callcenter.base.auth import User
from callcenter.base.clock import ZONE, campaign_now
from callcenter.base.errors import InvalidInput, Refused
from callcenter.gate.working_days import WorkingDays
from callcenter.privacy import arco, arco_deadlines
from callcenter.privacy.arco import ArcoRequest, Asked
from tests.callcenter.cast import person

ASKED = Asked("access", "Ana Pérez", "ana@example.org", "+522281234567", way="letter")


@pytest.fixture
def case(session: Session) -> ArcoRequest:
    return arco.open_case(session, ASKED, None)


def today(session: Session) -> date:
    return campaign_now(session).astimezone(ZONE).date()


def test_a_case_goes_its_way_with_both_deadlines(session: Session, case: ArcoRequest, people: dict[str, User]) -> None:
    admin, days = people["administrator"].id, WorkingDays()
    assert case.due_on == days.after(today(session), 20)
    arco.check_identity(session, case.id, ["voter_card"], admin)
    assert (case.state, case.documents, case.due_on) == (
        "identity_checked",
        ["voter_card"],
        days.after(today(session), 20),
    )
    arco.answer(session, case.id, "Se le envió", admin)
    assert case.due_on == days.after(today(session), 15)
    arco.carry_out(session, case.id, "Entregado", admin)
    assert case.state == "carried_out"
    session.refresh(case)
    assert not case.due_on
    assert case.closed_at is not None
    steps = [(step.step, step.user_id) for step in arco.history(session, case.id)]
    assert steps == [("received", None), ("identity_checked", admin), ("answered", admin), ("carried_out", admin)]


def test_each_step_is_audited_without_words(session: Session, case: ArcoRequest) -> None:
    arco.reject(session, case.id, "No es Ana Pérez", None)
    of_case = select(AuditEntry).where(AuditEntry.subject == f"privacy-request/{case.id}").order_by(AuditEntry.id)
    entries = session.scalars(of_case).all()
    assert [entry.action for entry in entries] == ["privacy.received", "privacy.rejected"]
    assert "Ana" not in str([entry.detail for entry in entries])


@pytest.mark.parametrize("state", arco.STATES)
def test_only_the_steps_of_the_table_are_taken(session: Session, case: ArcoRequest, state: str) -> None:
    moves: dict[str, Callable[[], None]] = {
        "identity_checked": lambda: arco.check_identity(session, case.id, ["passport"], None),
        "answered": lambda: arco.answer(session, case.id, "Sí", None),
        "carried_out": lambda: arco.carry_out(session, case.id, "Hecho", None),
        "rejected": lambda: arco.reject(session, case.id, "No", None),
    }
    for wanted, move in moves.items():
        case.state = state
        session.flush()
        if wanted in arco.NEXT[state]:
            move()
            assert case.state == wanted
        else:
            with pytest.raises(Refused):
                move()


def test_identity_is_a_kind_of_document_and_who_acts_for_another_brings_a_power(
    session: Session, case: ArcoRequest
) -> None:
    with pytest.raises(InvalidInput):
        arco.check_identity(session, case.id, [], None)
    with pytest.raises(InvalidInput):
        arco.check_identity(session, case.id, ["ABCD123456"], None)
    case.is_representative = True
    with pytest.raises(InvalidInput, match="power of attorney"):
        arco.check_identity(session, case.id, ["passport"], None)
    arco.check_identity(session, case.id, ["passport", "power_of_attorney", "ABCD123456"], None)
    assert case.documents == ["passport", "power_of_attorney"]


def test_a_deadline_is_extended_once_with_a_reason(session: Session, case: ArcoRequest) -> None:
    first = case.due_on
    assert first
    with pytest.raises(InvalidInput):
        arco.extend(session, case.id, " ", None)
    arco.extend(session, case.id, "El archivo está en otra ciudad", None)
    assert case.due_on == WorkingDays().after(first, 20)
    with pytest.raises(Refused, match="once"):
        arco.extend(session, case.id, "Otra vez", None)
    assert arco.history(session, case.id)[-1].note == "El archivo está en otra ciudad"


def test_the_lights_change_after_ten_fifteen_and_eighteen_days(session: Session, case: ArcoRequest) -> None:
    days, start = WorkingDays(), today(session)
    seen = {}
    for over in (0, 9, 10, 14, 15, 17, 18, 20, 21):
        left = arco_deadlines.days_left(case, days, days.after(start, over))
        seen[over] = arco_deadlines.light(left)
    assert seen == {0: "green", 9: "green", 10: "yellow", 14: "yellow", 15: "amber", 17: "amber", 18: "red", 20: "red",
                    21: "late"}  # fmt: skip


def test_the_warnings_count_open_cases_only(session: Session) -> None:
    old = Asked("access", "Eva", "x", received_on=today(session) - timedelta(days=40))
    late = arco.open_case(session, old, None)
    arco.open_case(session, ASKED, None)
    assert arco_deadlines.warnings(session) == {"late": 1}
    assert next(one.case.id for one in arco_deadlines.listed(session, closed=False)) == late.id
    arco.reject(session, late.id, "No es ella", None)
    assert arco_deadlines.warnings(session) == {}
    assert [one.light for one in arco_deadlines.listed(session, closed=True)] == ["closed"]


def test_what_cannot_be_used_is_said_by_field(session: Session) -> None:
    with pytest.raises(InvalidInput) as fault:
        arco.open_case(session, Asked("x", "", " ", text="x" * 3000, way="?"), None)
    assert set(fault.value.faults) == {"kind", "asker", "answer_to", "text", "way"}
    with pytest.raises(InvalidInput):
        arco.open_case(session, Asked("access", "Eva", "x", received_on=today(session) + timedelta(days=2)), None)


def test_a_case_is_about_a_person_or_nobody_of_ours(session: Session, case: ArcoRequest) -> None:
    who = person(session)
    arco.link(session, case.id, who.id, None)
    assert case.contact_id == who.id
    arco.link(session, case.id, None, None)
    assert case.contact_id is None
    assert isinstance(case.received_at, datetime)


def test_a_closed_case_is_about_nobody_else(session: Session, case: ArcoRequest) -> None:
    arco.check_identity(session, case.id, ["passport"], None)
    arco.answer(session, case.id, "Sí", None)
    arco.carry_out(session, case.id, "Hecho", None)
    with pytest.raises(Refused):
        arco.link(session, case.id, person(session).id, None)
    assert case.contact_id is None
