"""A campaign's abandoned calls are counted in the ledger and held against its own limit."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from callcenter import calls
from callcenter.base.clock import real_now
from callcenter.calls import Event
from callcenter.queueing import abandonment
from callcenter.queueing.abandonment import Abandonment
from tests.callcenter import cast


def test_each_queue_has_its_own_figures_to_date_and_of_the_last_hour(session: Session) -> None:
    busy, calm = (cast.queue(session, *[cast.person(session) for _ in range(3)]) for _ in range(2))
    old = cast.abandoned(session, busy)
    cast.call(session, old).answered_at = real_now() - timedelta(minutes=61)
    cast.abandoned(session, busy)
    olga = cast.operator(session)
    calls.dispose(session, cast.connected(session, busy), olga.id, "completed")
    calls.record_event(session, cast.rung(session, calm), Event("busy", "busy"))
    session.flush()
    found = abandonment.of_queues(session, [busy.id, calm.id])
    assert found == {busy.id: Abandonment(3, 2, 2, 1), calm.id: Abandonment()}
    assert (found[busy.id].share, found[busy.id].hour_share) == (2 / 3, 0.5)
    assert (found[calm.id].share, found[calm.id].hour_share) == (None, None)
    assert abandonment.of_queues(session, []) == {}


@pytest.mark.parametrize(
    ("figures", "is_over"),
    [
        (Abandonment(0, 0, 0, 0), False),
        (Abandonment(40, 1, 40, 1), False),  # among the first hundred one may be above
        (Abandonment(40, 2, 40, 1), True),
        (Abandonment(1000, 10, 0, 0), False),
        (Abandonment(1000, 11, 0, 0), True),
        (Abandonment(10_000, 90, 100, 2), False),
        (Abandonment(10_000, 90, 100, 3), True),  # by the hour, though to date there is room
    ],
)
def test_the_limit_is_held_to_date_and_twice_of_it_within_an_hour(figures: Abandonment, is_over: bool) -> None:
    assert figures.is_over(0.01) is is_over
