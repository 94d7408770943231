from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base.audit import AuditEntry, record
from tests.unordered import newest_first


def test_rows_asked_for_in_no_order_come_newest_first_and_in_an_order_as_asked(session: Session) -> None:
    for action in ("one", "two", "three"):
        record(session, None, action, "nobody")
    session.flush()
    of_nobody = select(AuditEntry.action).where(AuditEntry.subject == "nobody")
    assert session.scalars(of_nobody).all() == ["three", "two", "one"]
    assert session.scalars(of_nobody.order_by(AuditEntry.id)).all() == ["one", "two", "three"]


def test_sums_groups_and_what_is_taken_once_stay_as_they_are() -> None:
    for asked in (
        select(func.count(AuditEntry.id)),
        select(AuditEntry.action).group_by(AuditEntry.action),
        select(AuditEntry.action).distinct(),
        select(AuditEntry.__table__.c.action),
    ):
        assert newest_first(asked) is asked
