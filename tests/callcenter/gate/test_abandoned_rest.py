from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import calls
from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now
from callcenter.calls import Event
from callcenter.contacts import Contact
from callcenter.gate.abandoned_rest import REST, is_resting_abandoned
from callcenter.queues import QueueEntry
from tests.callcenter import cast


def resting(session: Session) -> list[int]:
    wanted = select(Contact.id).where(is_resting_abandoned(Contact.phone, campaign_now(session)))
    return list(session.scalars(wanted.order_by(Contact.id)))


def test_who_found_nobody_rests_on_every_phone_that_is_theirs_alone_for_three_days(session: Session) -> None:
    ana, luis = cast.person(session, "Ana"), cast.person(session, "Luis")
    call_id = cast.abandoned(session, cast.queue(session, ana))
    household = cast.person(session, "Eva", phone=ana.phone)
    assert resting(session) == [ana.id, household.id]
    attempt = session.get_one(Attempt, call_id)
    attempt.at -= REST + timedelta(minutes=1)
    session.flush()
    assert resting(session) == []
    assert luis.id not in resting(session)


@pytest.mark.parametrize(("kind", "rests"), [("busy", False), ("no_answer", False), ("not_placed", True)])
def test_a_later_call_that_reached_the_phone_ends_the_rest_and_one_that_never_left_does_not(
    session: Session, kind: str, rests: bool
) -> None:
    ana = cast.person(session)
    first = cast.abandoned(session, cast.queue(session, ana))
    session.get_one(Attempt, first).at -= timedelta(minutes=5)
    session.flush()
    again = cast.queue(session, ana)
    entries = session.scalars(select(QueueEntry).where(QueueEntry.queue_id == again.id)).all()
    (later,) = calls.plan(session, again, entries)
    calls.record_event(session, later, Event("claimed", "claimed"))
    calls.record_event(session, later, Event(kind, kind))
    assert resting(session) == ([ana.id] if rests else [])
