"""Who works in which campaign. An operator without queues of their own takes the calls of every running one."""

from collections.abc import Collection

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.auth import User
from callcenter.base.outbox import tell_later
from callcenter.operators import Operator, operator_queues


def choices(session: Session) -> list[tuple[int, str]]:
    """(operator's id, name) of everybody who has a working place and may sign in, by name."""
    people = select(Operator.id, User.full_name).join(User, User.id == Operator.user_id).where(User.active)
    return [(row.id, row.full_name) for row in session.execute(people.order_by(User.full_name, Operator.id))]


def of_queue(session: Session, queue_id: int) -> list[int]:
    """The operators who were named for this queue; none: whoever is free."""
    named = select(operator_queues.c.operator_id).where(operator_queues.c.queue_id == queue_id)
    return sorted(session.scalars(named))


def name(session: Session, queue_id: int, operator_ids: Collection[int], user_id: int | None) -> None:
    """Let these operators, and of those who have no queues of their own nobody else, serve the queue. Audited."""
    wanted, present = set(operator_ids), set(of_queue(session, queue_id))
    if wanted == present:
        return
    session.execute(
        delete(operator_queues).where(
            operator_queues.c.queue_id == queue_id, operator_queues.c.operator_id.in_(present - wanted)
        )
    )
    if new := wanted - present:
        session.execute(insert(operator_queues), [{"operator_id": one, "queue_id": queue_id} for one in sorted(new)])
    audit.record(session, user_id, "queues.name_crew", f"queue/{queue_id}", was=sorted(present), now=sorted(wanted))
    tell_later(session, "dialer")
