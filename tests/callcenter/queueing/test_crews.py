"""Who works in which campaign."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import operators
from callcenter.base.audit import AuditEntry
from callcenter.operators import Operator
from callcenter.queueing import crews
from tests.callcenter.cast import operator, queue


def serving(session: Session, queue_id: int) -> set[int]:
    return set(session.scalars(select(Operator.id).where(operators.serves(queue_id))))


def test_whoever_is_named_serves_the_queue_and_no_other_unnamed_one(session: Session) -> None:
    olga, pedro, rita = (operator(session, name) for name in ("olga", "pedro", "rita"))
    one, other = queue(session), queue(session)
    crews.name(session, one.id, [olga.id], None)
    crews.name(session, other.id, [pedro.id], None)
    assert serving(session, one.id) == {olga.id, rita.id}
    crews.name(session, one.id, [pedro.id], None)
    assert crews.of_queue(session, one.id) == [pedro.id]
    assert serving(session, one.id) == {olga.id, pedro.id, rita.id}
    assert serving(session, other.id) == {olga.id, pedro.id, rita.id}


def test_a_change_is_on_file_and_no_change_is_not(session: Session) -> None:
    olga, made = operator(session), queue(session)
    for wanted in ([], [olga.id], [olga.id], []):
        crews.name(session, made.id, wanted, None)
    kept = select(AuditEntry.detail).where(AuditEntry.action == "queues.name_crew").order_by(AuditEntry.id)
    assert [(row["was"], row["now"]) for row in session.scalars(kept)] == [([], [olga.id]), ([olga.id], [])]


def test_nobody_who_left_the_house_is_offered(session: Session) -> None:
    olga, pedro = operator(session, "olga"), operator(session, "pedro")
    pedro.user.active = False
    session.flush()
    assert [number for number, _name in crews.choices(session)] == [olga.id]
