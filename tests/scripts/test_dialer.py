from datetime import timedelta
from threading import Event

import pytest
from redis.exceptions import RedisError
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from callcenter import carriers, operators, queues
from callcenter.base import leases, outbox
from callcenter.base.clock import real_now
from callcenter.base.db import Sessions
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator
from callcenter.queueing import dial_decisions, queue_pace
from callcenter.queueing.pacing_history import Totals
from callcenter.queueing.queue_pace import Pace
from callcenter.queues import CallQueue
from callcenter.switches import Switch
from campaigns.pace.live_pacers import LivePacers, Paced
from campaigns.pacing import Decision, FloorView
from scripts.daemon import Daemon
from scripts.dialer import NAME, Dialer
from surveys.fieldwork import recorded_calls
from tests.callcenter import cast
from tests.callcenter.conftest import carrier  # noqa: F401 - fixture
from tests.callcenter.ledger_cast import past

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


def test_a_dialer_whose_lease_another_one_took_does_nothing_at_all(session: Session) -> None:
    queue = cast.queue(session, cast.person(session))
    cast.operator(session)
    old = leases.take(session, NAME, "old", 0)
    new = leases.take(session, NAME, "new", 60)
    assert old is not None
    assert new == old + 1
    Dialer().turn(old)
    assert (planned(session, queue), why(session, queue)) == (0, None)
    assert dial_decisions.latest(session, queue.id) == []


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


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recorded surveys are held by switches of our own here."""
    monkeypatch.setattr(recorded_calls, "CARRIED", ())


def switch_with_sessions(session: Session, sessions: int) -> None:
    session.add(Switch(name="local", host="127.0.0.1", ami_port=1, ws_url="ws://x", secrets_sealed="",
                       ivr_seen_at=real_now(), ivr_sessions=sessions))  # fmt: skip
    session.flush()


@pytest.mark.usefixtures("switched")
def test_a_recorded_survey_rings_as_many_phones_as_it_has_sessions_and_needs_no_operator(session: Session) -> None:
    switch_with_sessions(session, 5)
    queue = recorded_queue(session, 9, sessions=3)
    turn(session)
    turn(session)
    assert (planned(session, queue), why(session, queue)) == (3, "sessions_busy")


@pytest.mark.usefixtures("switched")
def test_recorded_surveys_share_the_sessions_of_the_switches(session: Session) -> None:
    switch_with_sessions(session, 4)
    first, second = recorded_queue(session, 9), recorded_queue(session, 9)
    turn(session)
    assert planned(session, first) + planned(session, second) == 4


def test_a_recorded_survey_over_a_carriers_webhooks_needs_no_program_of_ours(session: Session) -> None:
    queue = recorded_queue(session, 9, sessions=4)
    turn(session)
    assert planned(session, queue) == 4


@pytest.mark.usefixtures("switched")
def test_a_recorded_survey_that_nobody_holds_dials_nobody_and_says_so(session: Session) -> None:
    queue = recorded_queue(session, 2)
    turn(session)
    assert (planned(session, queue), why(session, queue)) == (0, "ivr_away")
    switch_with_sessions(session, 5)
    session.execute(update(Switch).values(ivr_seen_at=real_now() - timedelta(minutes=1)))
    turn(session)
    assert (planned(session, queue), why(session, queue)) == (0, "ivr_away")


@pytest.mark.usefixtures("switched")
def test_phones_of_a_recorded_survey_do_not_keep_operators_waiting(session: Session) -> None:
    switch_with_sessions(session, 5)
    recorded, manned = recorded_queue(session, 5), cast.queue(session, cast.person(session))
    cast.operator(session)
    turn(session)
    turn(session)
    assert (planned(session, recorded), planned(session, manned)) == (5, 1)


def crew(session: Session, number: int) -> None:
    for each in range(number):
        cast.operator(session, f"op{each}")


def crowd(session: Session, **columns: object) -> CallQueue:
    """A queue with forty people and an abandonment limit of 3 %."""
    return cast.queue(session, *[cast.person(session) for _ in range(40)], **{"abandon_limit": 0.03} | columns)


def test_a_campaign_that_knows_how_people_answer_rings_more_phones_than_operators_wait(session: Session) -> None:
    queue = crowd(session, mode="predictive")
    past(session, queue, answered=200, not_answered=800)
    crew(session, 8)
    turn(session)
    assert planned(session, queue) - 1000 > 8
    (decision,) = dial_decisions.latest(session, queue.id)
    assert (decision.mode, decision.idle, decision.answered, decision.attempts) == ("predictive", 8, 200, 1000)
    assert decision.place == decision.planned == planned(session, queue) - 1000
    assert decision.risk


def test_nobody_is_dialled_after_everybody_has_logged_off_however_well_the_campaign_knows_its_people(
    session: Session,
) -> None:
    queue = crowd(session, mode="predictive")
    past(session, queue, answered=200, not_answered=800)
    crew(session, 5)
    turn(session)
    ringing = planned(session, queue)
    for operator_id in session.scalars(select(Operator.id)).all():
        operators.leave(session, operator_id)
    for _ in range(3):
        turn(session)
    assert planned(session, queue) == ringing
    assert why(session, queue) == "no_operators"


def test_whoever_leaves_after_the_present_call_is_not_counted_on(session: Session) -> None:
    queue = crowd(session, mode="predictive")
    past(session, queue, answered=200, not_answered=800)
    crew(session, 5)
    for _ in range(5):
        cast.connected(session, queue)
    for operator_id in session.scalars(select(Operator.id)).all():
        operators.leave(session, operator_id)
    turn(session)
    assert planned(session, queue) == 1000 + 5
    assert why(session, queue) == "no_operators"


def test_a_team_that_is_too_small_for_a_limit_works_one_to_one_and_says_so(session: Session) -> None:
    queue = crowd(session, mode="predictive")
    past(session, queue, answered=200, not_answered=800)
    crew(session, 2)
    turn(session)
    assert planned(session, queue) - 1000 == 2
    session.refresh(queue)
    assert "Too few operators" in str(queue_pace.fallback_sentence(queue.falls_back))


def test_a_mode_that_is_changed_while_the_campaign_runs_counts_at_the_next_turn(session: Session) -> None:
    queue, dialer = crowd(session), Dialer()
    crew(session, 4)
    turn(session, dialer)
    assert planned(session, queue) == 4
    queue_pace.set_pace(session, queue.id, Pace("power", 0.03, ratio=2.0), None)
    turn(session, dialer)
    assert planned(session, queue) == 8
    queue_pace.set_pace(session, queue.id, Pace("preview"), None)
    crew(session, 4)
    turn(session, dialer)
    assert (planned(session, queue), why(session, queue)) == (8, "preview")


def test_no_more_calls_begin_each_second_than_the_campaign_allows(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, dialer = crowd(session, calls_per_second=3), Dialer()
    crew(session, 7)
    monkeypatch.setattr("campaigns.pace.dialling.time.monotonic", lambda: 100.0)
    turn(session, dialer)
    turn(session, dialer)
    assert (planned(session, queue), why(session, queue)) == (3, "calls_per_second")
    monkeypatch.setattr("campaigns.pace.dialling.time.monotonic", lambda: 101.0)
    turn(session, dialer)
    assert (planned(session, queue), why(session, queue)) == (6, None)


def test_all_campaigns_together_begin_no_more_calls_each_second_than_the_carrier_takes(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    carriers.use({"simulated": cast.FakeCarrier(a_second=4)})
    queues, dialer = [crowd(session), crowd(session)], Dialer()
    crew(session, 12)
    monkeypatch.setattr("campaigns.pace.dialling.time.monotonic", lambda: 100.0)
    turn(session, dialer)
    turn(session, dialer)
    assert sum(planned(session, queue) for queue in queues) == 4
    assert {why(session, queue) for queue in queues} == {"calls_per_second"}
    monkeypatch.setattr("campaigns.pace.dialling.time.monotonic", lambda: 101.1)
    turn(session, dialer)
    assert sum(planned(session, queue) for queue in queues) == 8


def test_a_carrier_without_a_free_line_is_the_limit_that_binds(session: Session) -> None:
    carriers.use({"simulated": cast.FakeCarrier(free_lines=2)})
    queue = crowd(session, calls_per_second=5)
    crew(session, 4)
    turn(session)
    turn(session)
    assert (planned(session, queue), why(session, queue)) == (2, "no_lines")


def test_phones_that_ring_in_vain_are_left_and_the_decision_says_how_many(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = crowd(session, mode="predictive")
    ids = [cast.rung(session, queue) for _ in range(4)]
    old = real_now() - timedelta(seconds=20)
    session.execute(update(Call).where(Call.id.in_(ids[:1])).values(ringing_at=old, placed_at=old))
    wishes = Paced(Decision(5, 3, None), None, 0.1, Totals())
    monkeypatch.setattr(LivePacers, "decide", lambda *_: wishes)
    turn(session)
    assert cast.call(session, ids[0]).given_up_at is not None
    assert planned(session, queue) == 4 + 3  # two of the three could not be left: two fewer are begun
    (decision,) = dial_decisions.latest(session, queue.id)
    assert (decision.place, decision.planned, decision.hang_up, decision.broken_off) == (5, 3, 3, 1)


def test_a_queue_that_was_paused_a_moment_ago_dials_nobody(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = crowd(session)
    crew(session, 2)
    seen = queues.running(session)
    queues.set_state(session, queue.id, "paused", "lunch", None)
    monkeypatch.setattr(queues, "running", lambda _session: seen)
    turn(session)
    assert planned(session, queue) == 0


def test_a_queue_that_has_spent_its_money_dials_nobody_and_says_so(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = crowd(session)
    crew(session, 2)
    monkeypatch.setattr("callcenter.queueing.queue_spending.stop", lambda *_: "spend_day_limit")
    turn(session)
    assert (planned(session, queue), why(session, queue)) == (0, "spend_day_limit")


def test_a_fault_that_one_campaign_meets_keeps_no_other_from_dialling(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = crowd(session), crowd(session)
    crew(session, 2)
    session.commit()
    decide = LivePacers.decide

    def fail(self: LivePacers, queue: CallQueue, view: FloorView) -> Paced:
        if queue.id == broken.id:
            raise ZeroDivisionError
        return decide(self, queue, view)

    monkeypatch.setattr(LivePacers, "decide", fail)
    for _ in range(2):
        turn(session)
    assert (planned(session, sound), why(session, broken)) == (2, "dialer_fault")
