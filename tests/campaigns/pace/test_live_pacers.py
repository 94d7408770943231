from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from callcenter import calls, queues
from callcenter.base.clock import real_now
from callcenter.calls import Event
from callcenter.ledger import call_floor
from callcenter.ledger.call_ledger import Call
from callcenter.queueing import queue_pace
from callcenter.queueing.pacing_history import Totals
from callcenter.queueing.queue_pace import Pace
from callcenter.queues import CallQueue
from campaigns.pace import live_pacers
from campaigns.pace.live_pacers import LivePacers, Paced
from campaigns.pacing import FloorView
from tests.callcenter import cast
from tests.callcenter.conftest import carrier  # noqa: F401 - a fixture
from tests.callcenter.ledger_cast import past

pytestmark = pytest.mark.usefixtures("carrier")


def view(idle: int = 10, ringing: int = 0) -> FloorView:
    return FloorView(real_now().timestamp(), idle, (), (5.0,) * 10, (3.0,) * ringing, 0, 500)


def kept_up(session: Session, pacers: LivePacers | None = None) -> LivePacers:
    """Pacers that have looked at the ledger."""
    pacers = pacers or LivePacers()
    pacers.keep_up(session, queues.running(session))
    return pacers


def says(pacers: LivePacers, queue: CallQueue, idle: int = 10) -> Paced:
    return pacers.decide(queue, view(idle))


def predictive(session: Session, people: int = 4) -> CallQueue:
    return cast.queue(session, *[cast.person(session) for _ in range(people)], mode="predictive", abandon_limit=0.03)


def test_a_new_dialer_paces_as_the_old_one_did(session: Session) -> None:
    queue, olga = predictive(session), cast.operator(session)
    past(session, queue, answered=200, not_answered=600, abandoned=2)
    old = kept_up(session)
    talk = cast.connected(session, queue)
    kept_up(session, old)
    calls.dispose(session, talk, olga.id, "completed")
    rung = cast.rung(session, queue)
    kept_up(session, old)
    calls.record_event(session, rung, Event("no_answer", "status"))
    kept_up(session, old)
    new = kept_up(session)
    now = view()
    assert old.decide(queue, now) == new.decide(queue, now)
    assert says(new, queue).totals == Totals(attempts=804, answered=203, abandoned=2)


def test_a_campaign_that_knows_its_people_rings_more_phones_than_operators_wait(session: Session) -> None:
    queue = predictive(session)
    past(session, queue, answered=200, not_answered=800)
    paced = says(kept_up(session), queue)
    assert paced.decision.place > 10
    assert paced.falls_back is None
    assert paced.risk


def test_abandonment_of_long_ago_counts_although_only_the_last_calls_are_read(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callcenter.queueing.pacing_history.LEAST", 100)
    queue = predictive(session)
    past(session, queue, answered=90, abandoned=30, ended=real_now() - timedelta(hours=5))
    past(session, queue, answered=50, not_answered=100)
    paced = says(kept_up(session), queue)
    assert paced.totals == Totals(attempts=270, answered=170, abandoned=30)
    assert paced.falls_back == "risk_budget"
    assert paced.risk is not None
    assert paced.risk < 0.01  # of a limit of three in a hundred


def test_each_end_of_a_call_is_heard_once_however_often_the_dialer_looks(session: Session) -> None:
    queue, olga = predictive(session), cast.operator(session)
    pacers = kept_up(session)
    call_id = cast.planned(session, queue)
    pacers.planned(queue.id, [call_id])
    calls.record_event(session, call_id, Event("claimed", "claimed"))
    calls.record_event(session, call_id, Event("placed", "placed", ref="CA1"))
    calls.answer(session, call_id, Event("answered", "answer"))
    for _ in range(3):
        kept_up(session, pacers)
    calls.dispose(session, call_id, olga.id, "completed")
    for _ in range(3):
        kept_up(session, pacers)
    assert says(pacers, queue).totals == Totals(attempts=1, answered=1)


def test_an_outcome_that_is_taken_back_is_not_heard_as_another_call(session: Session) -> None:
    queue, olga = predictive(session), cast.operator(session)
    call_id = cast.connected(session, queue)
    pacers = kept_up(session)
    calls.dispose(session, call_id, olga.id, "completed")
    kept_up(session, pacers)
    calls.undo_disposition(session, call_id, olga.id)
    kept_up(session, pacers)
    calls.dispose(session, call_id, olga.id, "refused")
    kept_up(session, pacers)
    assert says(pacers, queue).totals == Totals(attempts=1, answered=1)


def test_another_mode_or_limit_counts_from_the_next_look_with_all_that_was_heard(session: Session) -> None:
    queue = predictive(session)
    past(session, queue, answered=200, not_answered=800)
    pacers = kept_up(session)
    assert says(pacers, queue).decision.place > 10
    queue_pace.set_pace(session, queue.id, Pace("progressive"), None)
    assert says(kept_up(session, pacers), queue).decision.place == 10
    queue_pace.set_pace(session, queue.id, Pace("power", ratio=3.0, abandon_limit=0.03), None)
    paced = says(kept_up(session, pacers), queue)
    assert (paced.decision.place, paced.totals.answered) == (30, 200)


@pytest.mark.parametrize("mode", ["manual", "preview"])
def test_the_dialer_rings_nobody_where_operators_begin_each_call(session: Session, mode: str) -> None:
    queue = cast.queue(session, cast.person(session), mode=mode)
    assert says(kept_up(session), queue).decision.reason == mode


def test_campaigns_whose_history_is_still_to_be_read_work_one_to_one_and_say_so(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_pacers, "BUILDING", -1.0)
    queue = predictive(session)
    past(session, queue, answered=200, not_answered=800)
    paced = says(kept_up(session), queue)
    assert (paced.decision.place, paced.falls_back) == (10, "warming_up")


def test_a_pacer_of_a_campaign_that_was_paused_begins_anew_from_the_ledger(session: Session) -> None:
    queue = predictive(session)
    call_id = cast.rung(session, queue)
    pacers = kept_up(session)
    queues.set_state(session, queue.id, "paused", "lunch", None)
    kept_up(session, pacers)
    calls.record_event(session, call_id, Event("no_answer", "status"))
    queues.set_state(session, queue.id, "running", None, None)
    assert says(kept_up(session, pacers), queue).totals == Totals(attempts=1)


def test_a_dialer_that_had_lost_the_lead_reads_everything_anew(session: Session) -> None:
    queue = predictive(session)
    pacers = kept_up(session)
    call_id = cast.rung(session, queue)
    pacers.forget()
    calls.record_event(session, call_id, Event("no_answer", "status"))
    session.execute(update(Call).values(placed_at=real_now() - timedelta(minutes=1)))
    assert says(kept_up(session, pacers), queue).totals == Totals(attempts=1)


def test_the_floor_tells_each_campaign_which_operators_will_come_free(session: Session) -> None:
    queue = predictive(session)
    olga, pedro = cast.operator(session, "olga"), cast.operator(session, "pedro")
    cast.connected(session, queue)
    cast.connected(session, queue)
    assert len(call_floor.read(session).of_queue(queue.id).talking) == 2
    cast.seat(session, olga.id).leave_after_call = True
    cast.seat(session, pedro.id).pause_reason = "lunch"
    session.flush()
    assert call_floor.read(session).of_queue(queue.id).talking == ()
    assert call_floor.read(session).talking == 2
