from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from callcenter import calls, jobs
from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now, real_now
from callcenter.calls import Event
from callcenter.ledger import call_floor
from callcenter.ledger.call_ledger import Call
from callcenter.queueing import giving_up
from callcenter.queues import CallQueue
from tests.callcenter import cast
from tests.callcenter.cast import FakeCarrier
from tests.queued import run_jobs

pytestmark = pytest.mark.usefixtures("carrier")


def rung(session: Session, queue: CallQueue, seconds: float) -> UUID:
    """The queue's next call, ringing for so long."""
    call_id = cast.rung(session, queue)
    call = cast.call(session, call_id)
    call.placed_at = call.ringing_at = real_now() - timedelta(seconds=seconds)
    session.flush()
    return call_id


def queue_of(session: Session, people: int) -> CallQueue:
    return cast.queue(session, *[cast.person(session) for _ in range(people)], mode="predictive")


def test_the_phones_that_rang_longest_are_left_and_none_before_fifteen_seconds(session: Session) -> None:
    queue = queue_of(session, 3)
    oldest, young, old = rung(session, queue, 22), rung(session, queue, 14), rung(session, queue, 18)
    assert giving_up.begin(session, queue.id, 1) == [oldest]
    assert giving_up.begin(session, queue.id, 5) == [old]
    assert giving_up.begin(session, queue.id, 5) == giving_up.begin(session, queue.id, 0) == []
    assert cast.call(session, young).given_up_at is None
    assert giving_up.share(session, queue.id) == (2, 3)


def test_a_phone_left_is_a_try_that_counts_and_the_person_is_called_again_later(
    session: Session, carrier: FakeCarrier
) -> None:
    queue = queue_of(session, 1)
    call_id = rung(session, queue, 20)
    giving_up.begin(session, queue.id, 1)
    session.commit()
    jobs.give_up([str(call_id)])
    call, entry = cast.call(session, call_id), cast.entry(session, call_id)
    assert carrier.hung_up == [call.carrier_ref]
    assert (call.state, call.attempt.outcome) == ("ended", "given_up")
    assert (entry.state, entry.attempts) == ("waiting", 1)
    assert entry.not_before is not None
    assert entry.not_before > campaign_now(session) + timedelta(minutes=30)


@pytest.mark.parametrize("word", ["canceled", "hung_up", "failed"])
def test_the_lines_own_word_that_comes_first_tells_the_same(session: Session, word: str) -> None:
    queue = queue_of(session, 1)
    call_id = rung(session, queue, 20)
    giving_up.begin(session, queue.id, 1)
    calls.record_event(session, call_id, Event(word, "status"))
    assert cast.call(session, call_id).attempt.outcome == "given_up"


def test_a_phone_that_rang_out_by_itself_was_not_left(session: Session) -> None:
    queue = queue_of(session, 1)
    call_id = rung(session, queue, 25)
    giving_up.begin(session, queue.id, 1)
    calls.record_event(session, call_id, Event("no_answer", "status"))
    assert cast.call(session, call_id).attempt.outcome == "no_answer"


def test_whoever_picks_up_before_the_order_is_carried_out_is_served(session: Session, carrier: FakeCarrier) -> None:
    queue, operator = queue_of(session, 1), cast.operator(session)
    call_id = rung(session, queue, 20)
    giving_up.begin(session, queue.id, 1)
    assert calls.answer(session, call_id, Event("answered", "answer")) == operator.id
    session.commit()
    jobs.give_up([str(call_id)])
    assert carrier.hung_up == []
    assert cast.call(session, call_id).state == "connected"


def test_nobody_rings_short_twice_on_one_day_on_whichever_phone(session: Session) -> None:
    queue = queue_of(session, 2)
    first, second = rung(session, queue, 20), rung(session, queue, 20)
    earlier = cast.call(session, first).attempt
    session.add(Attempt(
        id=UUID(int=1), channel="call", purpose="survey", contact_id=earlier.contact_id, phone="+525512349999",
        at=campaign_now(session), deadline_at=real_now(), closed_at=real_now(), outcome="given_up",
    ))  # fmt: skip
    session.flush()
    assert giving_up.begin(session, queue.id, 5) == [second]
    session.execute(
        update(Attempt).where(Attempt.id == UUID(int=1)).values(at=campaign_now(session) - timedelta(days=1))
    )
    assert giving_up.begin(session, queue.id, 5) == [first]


def test_a_promised_call_is_never_left(session: Session) -> None:
    queue = queue_of(session, 1)
    call_id = rung(session, queue, 20)
    cast.entry(session, call_id).is_callback = True
    session.flush()
    assert giving_up.begin(session, queue.id, 5) == []


def test_the_order_goes_to_the_workers_after_the_commit(session: Session, carrier: FakeCarrier) -> None:
    queue = queue_of(session, 1)
    call_id = rung(session, queue, 20)
    giving_up.begin(session, queue.id, 5)
    assert run_jobs() == []
    session.commit()
    assert run_jobs() == ["callcenter.jobs.give_up"]
    assert carrier.hung_up == [cast.call(session, call_id).carrier_ref]


def test_a_phone_that_is_being_left_rings_no_more_in_the_dialers_eyes_until_it_should_be_down(session: Session) -> None:
    queue = queue_of(session, 1)
    call_id = rung(session, queue, 20)
    giving_up.begin(session, queue.id, 1)
    assert call_floor.read(session).of_queue(queue.id).ringing == ()
    session.execute(update(Call).where(Call.id == call_id).values(given_up_at=real_now() - timedelta(seconds=6)))
    assert len(call_floor.read(session).of_queue(queue.id).ringing) == 1
