from datetime import timedelta
from threading import Event

import pytest
from redis.exceptions import RedisError
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from callcenter import call_floor, carriers, queues
from callcenter.base import leases, outbox
from callcenter.base.clock import real_now
from callcenter.base.db import Sessions
from callcenter.call_ledger import Call
from callcenter.queues import CallQueue
from callcenter.switches import Switch
from scripts.daemon import Daemon
from scripts.dialer import NAME, Dialer, LostLease, place_for_queue
from tests.callcenter import cast
from tests.callcenter.conftest import carrier  # noqa: F401 - fixture

pytestmark = pytest.mark.usefixtures("carrier")


def turn(session: Session, dialer: Dialer | None = None) -> None:
    """One turn of a dialer that leads."""
    token = leases.take(session, NAME, "me", 60)
    session.commit()
    assert token is not None
    (dialer or Dialer()).turn(token)


def planned(session: Session, queue: CallQueue) -> int:
    return session.scalar(select(func.count()).select_from(Call).where(Call.queue_id == queue.id)) or 0


def why(session: Session, queue: CallQueue) -> str | None:
    session.refresh(queue)
    return queue.why_idle


def test_one_phone_rings_for_each_operator_who_waits_and_no_more_at_the_next_turn(session: Session) -> None:
    queue = cast.queue(session, *[cast.person(session) for _ in range(5)])
    for name in ("olga", "pedro"):
        cast.operator(session, name)
    turn(session)
    turn(session)
    assert planned(session, queue) == 2
    assert why(session, queue) == "enough_ringing"


def test_nobody_is_dialled_when_no_operator_waits_and_the_queue_says_why(session: Session) -> None:
    queue = cast.queue(session, cast.person(session))
    cast.operator(session, free=False)
    turn(session)
    assert (planned(session, queue), why(session, queue)) == (0, "no_operators")


def test_queues_share_the_operators_instead_of_dialling_for_each_twice(session: Session) -> None:
    first = cast.queue(session, *[cast.person(session) for _ in range(3)])
    second = cast.queue(session, *[cast.person(session) for _ in range(3)])
    cast.operator(session)
    turn(session)
    assert planned(session, first) + planned(session, second) == 1


def test_an_empty_and_a_resting_list_are_told_apart(session: Session) -> None:
    empty, resting = cast.queue(session), cast.queue(session, cast.person(session))
    session.execute(update(queues.QueueEntry).values(not_before=real_now() + timedelta(days=999)))
    cast.operator(session)
    turn(session)
    assert (why(session, empty), why(session, resting)) == ("list_exhausted", "all_resting")


def test_a_queue_of_a_carrier_or_mode_that_is_not_here_says_so(session: Session) -> None:
    foreign = cast.queue(session, cast.person(session), carrier="pigeon")
    strange = cast.queue(session, cast.person(session), mode="guess")
    cast.operator(session)
    turn(session)
    assert (why(session, foreign), why(session, strange)) == ("carrier_missing", "mode_unknown")


def test_a_paused_queue_is_left_alone(session: Session) -> None:
    queue = cast.queue(session, cast.person(session), state="paused")
    cast.operator(session)
    turn(session)
    assert planned(session, queue) == 0


def test_a_dialer_whose_lease_another_one_took_plans_nothing(session: Session) -> None:
    queue = cast.queue(session, cast.person(session))
    cast.operator(session)
    old = leases.take(session, NAME, "old", 0)
    new = leases.take(session, NAME, "new", 60)
    assert old is not None
    assert new == old + 1
    with pytest.raises(LostLease):
        place_for_queue(session, queue.id, call_floor.read(session), old)
    Dialer().turn(old)
    assert planned(session, queue) == 0


def test_two_dialers_never_lead_together(committed: Sessions) -> None:
    turns: list[str] = []
    first, second = (
        Daemon(NAME, lambda token: turns.append("first")),
        Daemon(NAME, lambda token: turns.append("second")),
    )
    first.holder, second.holder = "one", "two"
    for daemon in (first, second, first, second):
        daemon.step()
    assert turns == ["first", "first"]


def test_news_end_the_wait_and_a_redis_that_is_away_does_not_end_the_dialer(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialer, never = Dialer(), Event()
    dialer.wait(0.0, never)
    dialer.wait(0.1, never)
    outbox.redis().publish(NAME, "{}")
    dialer.wait(30, never)
    dialer.forget_news()

    def away() -> None:
        raise RedisError("away")

    monkeypatch.setattr(outbox, "redis", away)
    dialer.wait(0.01, never)


def test_the_list_of_carriers_is_named_when_one_is_missing() -> None:
    with pytest.raises(carriers.NoCarrier, match=r"'pigeon'.*simulated"):
        carriers.carrier("pigeon")


def recorded_queue(session: Session, people: int, **fields: object) -> CallQueue:
    return cast.queue(session, *[cast.person(session) for _ in range(people)], answered_by="recording", **fields)


def switch_with_sessions(session: Session, sessions: int) -> None:
    session.add(Switch(name="local", host="127.0.0.1", ami_port=1, ws_url="ws://x", secrets_sealed="",
                       ivr_seen_at=real_now(), ivr_sessions=sessions))  # fmt: skip
    session.flush()


def test_a_recorded_survey_rings_as_many_phones_as_it_has_sessions_and_needs_no_operator(session: Session) -> None:
    switch_with_sessions(session, 5)
    queue = recorded_queue(session, 9, sessions=3)
    turn(session)
    turn(session)
    assert (planned(session, queue), why(session, queue)) == (3, "sessions_busy")


def test_recorded_surveys_share_the_sessions_of_the_switches(session: Session) -> None:
    switch_with_sessions(session, 4)
    first, second = recorded_queue(session, 9), recorded_queue(session, 9)
    turn(session)
    assert planned(session, first) + planned(session, second) == 4


def test_a_recorded_survey_that_nobody_holds_dials_nobody_and_says_so(session: Session) -> None:
    queue = recorded_queue(session, 2)
    turn(session)
    assert (planned(session, queue), why(session, queue)) == (0, "ivr_away")
    switch_with_sessions(session, 5)
    session.execute(update(Switch).values(ivr_seen_at=real_now() - timedelta(minutes=1)))
    turn(session)
    assert (planned(session, queue), why(session, queue)) == (0, "ivr_away")


def test_phones_of_a_recorded_survey_do_not_keep_operators_waiting(session: Session) -> None:
    switch_with_sessions(session, 5)
    recorded, manned = recorded_queue(session, 5), cast.queue(session, cast.person(session))
    cast.operator(session)
    turn(session)
    turn(session)
    assert (planned(session, recorded), planned(session, manned)) == (5, 1)
