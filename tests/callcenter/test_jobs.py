"""What a worker does, and what is left when it dies at any of its commits."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from callcenter import calls, consent, jobs, queues
from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError
from callcenter.calls import Event
from callcenter.carriers import BadNumber, Known, Route
from callcenter.consent import Refusal
from callcenter.ledger import call_placing, call_sweep
from callcenter.queues import CallQueue
from tests.callcenter import cast, switchboard_cast
from tests.callcenter.cast import FakeCarrier


class Killed(BaseException):
    """The process dies here."""


def refuses(refusal: Refusal) -> Callable[..., dict[int, Refusal]]:
    """A gate that says this of everybody."""
    return lambda _session, people, *_, **__: {contact_id: refusal for contact_id, _phone in people}


@pytest.fixture(autouse=True)
def _open_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consent, "refusals", lambda *_, **__: {})


@pytest.fixture
def planned(session: Session) -> UUID:
    call_id = cast.planned(session, cast.queue(session, cast.person(session)))
    session.commit()
    return call_id


def sweep_until_closed(session: Session, call_id: UUID, sweeps: int = 4) -> str | None:
    for _ in range(sweeps):
        if cast.call(session, call_id).state == "ended":
            break
        cast.age(session, call_id)
        jobs.sweep_calls()
    return cast.call(session, call_id).attempt.outcome


def test_a_planned_call_is_placed_once_however_often_the_job_runs(
    session: Session, planned: UUID, carrier: FakeCarrier
) -> None:
    jobs.place_calls([str(planned)])
    jobs.place_calls([str(planned), str(planned)])
    assert [dial.call_id for dial in carrier.dialled] == [planned]
    call = cast.call(session, planned)
    assert (call.state, call.carrier_ref) == ("placing", f"CA{planned.hex}")


def test_the_gate_has_the_last_word_and_the_try_does_not_count(
    session: Session, planned: UUID, carrier: FakeCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consent, "refusals", refuses(Refusal("opted_out")))
    jobs.place_calls([str(planned)])
    call, entry = cast.call(session, planned), cast.entry(session, planned)
    assert carrier.dialled == []
    assert (call.attempt.outcome, call.cause) == ("refused_by_gate", {"event": "refused_by_gate", "code": "opted_out"})
    assert (entry.state, entry.reason, entry.attempts) == ("excluded", "opted_out", 0)


def test_calls_that_are_placed_together_have_each_their_own_fate(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [cast.person(session) for _ in range(jobs.GROUP + 3)]
    queue = cast.queue(session, *people, carrier="asterisk")
    planned = calls.plan(session, queue, queues.claim(session, queue.id, len(people)))
    phones = [cast.call(session, call_id).attempt.phone for call_id in planned]
    shut_out = cast.call(session, planned[1]).attempt.contact_id
    session.commit()

    def gate(_session: Session, asked: list[tuple[int, str]], *_: object, **__: object) -> dict[int, Refusal]:
        return {contact_id: Refusal("opted_out") for contact_id, _phone in asked if contact_id == shut_out}

    monkeypatch.setattr(consent, "refusals", gate)
    with switchboard_cast.switchboard() as board:
        board.fails_for = {phones[2]: BadNumber("no such number", code="bad_number"),
                           phones[11]: ProviderError("silence", code="no_answer", unknown=True)}  # fmt: skip
        jobs.place_calls([str(call_id) for call_id in planned])
    fates = {call_id: cast.call(session, call_id) for call_id in planned}
    assert sorted(dial.phone for dial in board.dialled) == sorted(set(phones) - {phones[1], phones[2], phones[11]})
    assert [fates[planned[at]].attempt.outcome for at in (0, 1, 2)] == [None, "refused_by_gate", "invalid_number"]
    assert fates[planned[11]].state == "unknown"
    assert {fates[call_id].carrier_ref for call_id in planned[3:11]} == {f"CA{each.hex}" for each in planned[3:11]}


def test_one_person_who_is_planned_twice_is_called_once(session: Session) -> None:
    ana = cast.person(session)
    planned = [cast.planned(session, cast.queue(session, ana, carrier="asterisk"))]
    ana.phone = "+529225550199"
    session.flush()
    planned.append(cast.planned(session, cast.queue(session, ana, carrier="asterisk")))
    session.commit()
    with switchboard_cast.switchboard() as board:
        jobs.place_calls([str(call_id) for call_id in planned])
    assert [dial.call_id for dial in board.dialled] == [planned[0]]
    assert cast.call(session, planned[1]).cause == {"event": "refused_by_gate", "code": "household"}


def test_a_refusal_that_names_a_time_makes_the_person_wait_until_then(
    session: Session, planned: UUID, carrier: FakeCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    until = datetime(2027, 5, 11, 15, tzinfo=real_now().tzinfo)
    monkeypatch.setattr(consent, "refusals", refuses(Refusal("hours", until)))
    jobs.place_calls([str(planned)])
    entry = cast.entry(session, planned)
    assert (entry.state, entry.reason, entry.not_before) == ("waiting", "hours", until)


def test_a_paused_queue_places_nothing_and_gives_the_try_back(
    session: Session, planned: UUID, carrier: FakeCarrier
) -> None:
    queues.set_state(session, cast.call(session, planned).queue_id, "paused", "lunch", None)
    session.commit()
    jobs.place_calls([str(planned)])
    assert carrier.dialled == []
    assert (cast.entry(session, planned).state, cast.entry(session, planned).attempts) == ("waiting", 0)


@pytest.mark.parametrize(
    ("error", "after"),
    [
        (ProviderError("429", code="20429"), ("ended", "not_placed", "waiting")),
        (ProviderError("no line", code="no_connection"), ("ended", "not_placed", "waiting")),
        (ProviderError("500", code="500", unknown=True), ("unknown", None, "calling")),
        (BadNumber("no such number", code="21211"), ("ended", "invalid_number", "done")),
    ],
)
def test_what_the_carrier_says_decides_whether_the_person_may_be_tried_again(
    session: Session,
    planned: UUID,
    carrier: FakeCarrier,
    error: ProviderError,
    after: tuple[str, str | None, str],
) -> None:
    carrier.fails = error
    jobs.place_calls([str(planned)])
    call = cast.call(session, planned)
    assert (call.state, call.attempt.outcome, cast.entry(session, planned).state) == after


def test_a_carrier_that_refuses_us_pauses_the_queue_and_says_why(
    session: Session, planned: UUID, carrier: FakeCarrier
) -> None:
    carrier.fails = ProviderError("authenticate", code="20003", permanent=True)
    jobs.place_calls([str(planned)])
    queue = queues.get(session, cast.call(session, planned).queue_id)
    assert (queue.state, queue.state_reason) == ("paused", "carrier:20003")
    assert cast.entry(session, planned).attempts == 0


def test_a_worker_held_up_beyond_its_lease_does_not_dial(session: Session, planned: UUID, carrier: FakeCarrier) -> None:
    (order,) = call_placing.claim(session, [planned])
    late = call_placing.Order(**{**order.__dict__, "lease_until": real_now()})
    assert call_placing.dial(carrier, late, Route(order.dial.caller_id, simulated=True)).kind == "not_placed"
    assert carrier.dialled == []


def test_killed_between_the_plan_and_the_claim_the_call_gets_a_new_job(
    session: Session, planned: UUID, carrier: FakeCarrier
) -> None:
    cast.call(session, planned).attempt.created_at = real_now() - timedelta(seconds=6)
    session.commit()
    call_sweep.enqueue_again(session)
    assert [item.args for item in session.info.pop("outbox")] == [([str(planned)],)]


def test_killed_after_the_claim_nobody_was_called_and_the_try_is_given_back(
    session: Session, planned: UUID, carrier: FakeCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    die(monkeypatch, call_placing, "ask_gate")
    with pytest.raises(Killed):
        jobs.place_calls([str(planned)])
    session.rollback()
    jobs.place_calls([str(planned)])  # the job comes again: the claim is taken
    assert carrier.dialled == []
    assert sweep_until_closed(session, planned) == "not_placed"
    assert (cast.entry(session, planned).state, cast.entry(session, planned).attempts) == ("waiting", 0)
    assert queues.claim(session, cast.call(session, planned).queue_id, 1) == []  # not within the minute


def test_a_late_call_that_a_worker_takes_while_the_sweep_looks_at_others_is_left_to_it(
    session: Session, planned: UUID, carrier: FakeCarrier
) -> None:
    cast.age(session, planned)
    (late,) = call_sweep.overdue(session)
    session.commit()
    jobs.place_calls([str(planned)])
    call_sweep.settle(session, late, None, reached=False)
    assert cast.call(session, planned).state == "placing"
    assert [dial.call_id for dial in carrier.dialled] == [planned]


def test_a_late_answer_that_an_operator_takes_while_the_carrier_is_asked_is_not_cut_off(
    session: Session, carrier: FakeCarrier
) -> None:
    call_id = cast.waiting(session, cast.queue(session, cast.person(session)))
    cast.age(session, call_id)
    (late,) = call_sweep.overdue(session)
    cast.operator(session)
    assert calls.answer(session, call_id, Event("answered", "answer")) is not None
    session.info.pop("outbox", None)
    call_sweep.settle(session, late, Known(f"CA{call_id.hex}", "answered"), reached=True)
    assert cast.call(session, call_id).state == "connected"
    assert "callcenter.jobs.hang_up" not in [item.function for item in session.info.get("outbox", [])]


def test_killed_after_the_dial_the_carrier_is_asked_and_nobody_is_dialled_again(
    session: Session, planned: UUID, carrier: FakeCarrier
) -> None:
    carrier.fails_after = Killed()  # type: ignore[assignment]
    with pytest.raises(Killed):
        jobs.place_calls([str(planned)])
    session.rollback()
    carrier.known = Known("CA9", "ringing")
    cast.age(session, planned)
    jobs.sweep_calls()
    jobs.place_calls([str(planned)])
    assert (cast.call(session, planned).state, cast.call(session, planned).carrier_ref) == ("ringing", "CA9")
    carrier.known = Known("CA9", "no_answer")
    assert sweep_until_closed(session, planned) == "no_answer"
    assert len(carrier.dialled) == 1


def test_an_unknown_call_is_resolved_by_its_callback_without_being_placed_again(
    session: Session, planned: UUID, carrier: FakeCarrier
) -> None:
    carrier.fails_after = ProviderError("time-out", code="ReadTimeout", unknown=True)
    jobs.place_calls([str(planned)])
    assert cast.call(session, planned).state == "unknown"
    calls.record_event(session, planned, Event("ringing", "status:r", ref="CA1"))
    jobs.place_calls([str(planned)])
    assert (cast.call(session, planned).state, len(carrier.dialled)) == ("ringing", 1)


Make = Callable[[Session, CallQueue], UUID]


@pytest.mark.parametrize(
    ("make", "known", "outcome"),
    [
        (cast.planned, None, "not_placed"),
        (cast.rung, None, "lost"),
        (cast.rung, Known("CA", "busy"), "busy"),
        (cast.rung, Known("CA", "answered"), "abandoned"),
        (cast.rung, Known("CA", "hung_up"), "abandoned"),
        (cast.waiting, None, "abandoned"),
        (cast.waiting, Known("CA", "answered"), "abandoned"),
        (cast.waiting, Known("CA", "failed"), "abandoned"),
    ],
)
def test_the_sweep_closes_every_call_whose_news_never_came(
    session: Session, carrier: FakeCarrier, make: Make, known: Known | None, outcome: str
) -> None:
    call_id = make(session, cast.queue(session, cast.person(session)))
    carrier.known = known
    assert sweep_until_closed(session, call_id) == outcome
    assert cast.entry(session, call_id).state == "waiting"


def test_a_conversation_goes_on_while_the_carrier_has_it_and_is_wrapped_up_when_it_has_not(
    session: Session, carrier: FakeCarrier
) -> None:
    olga = cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    carrier.known = Known("CA", "answered")
    cast.age(session, call_id)
    jobs.sweep_calls()
    assert cast.call(session, call_id).state == "connected"
    carrier.known = None
    cast.age(session, call_id)
    jobs.sweep_calls()
    assert cast.call(session, call_id).state == "wrap_up"
    cast.age(session, call_id)
    jobs.sweep_calls()
    assert cast.call(session, call_id).state == "wrap_up"  # the operator is there and writes it up
    cast.seat(session, olga.id).last_seen_at = real_now() - timedelta(minutes=1)
    cast.age(session, call_id)
    jobs.sweep_calls()
    assert cast.call(session, call_id).attempt.outcome == "not_coded"


def test_a_carrier_that_cannot_be_asked_leaves_no_call_stuck(session: Session, carrier: FakeCarrier) -> None:
    call_id = cast.rung(session, cast.queue(session, cast.person(session)))
    carrier.fails = ProviderError("away", code="no_connection")
    cast.age(session, call_id)
    jobs.sweep_calls()
    assert cast.call(session, call_id).state == "ringing"
    cast.call(session, call_id).attempt.created_at = real_now() - timedelta(minutes=1)
    assert sweep_until_closed(session, call_id) == "lost"


def test_a_hang_up_that_got_lost_is_asked_for_again(session: Session, carrier: FakeCarrier) -> None:
    olga = cast.operator(session)
    call_id = cast.connected(session, cast.queue(session, cast.person(session)))
    calls.dispose(session, call_id, olga.id, "completed")
    cast.call(session, call_id).ended_at = real_now() - timedelta(seconds=5)
    session.commit()
    call_sweep.enqueue_again(session)
    assert [item.function for item in session.info.pop("outbox")] == ["callcenter.jobs.hang_up"]
    jobs.hang_up(str(call_id))
    assert carrier.hung_up == [f"CA{call_id.hex}"]
    assert cast.call(session, call_id).hung_up_at is not None


def test_an_operators_room_is_asked_for_once_and_again_when_it_is_lost(session: Session, carrier: FakeCarrier) -> None:
    olga = cast.operator(session, free=False)
    cast.seat(session, olga.id).state = "available"
    session.commit()
    jobs.open_room(olga.id)
    jobs.open_room(olga.id)
    assert carrier.rooms == [olga.id]


def test_a_room_that_the_carrier_lost_is_opened_anew(session: Session, carrier: FakeCarrier) -> None:
    olga = cast.operator(session)
    cast.seat(session, olga.id).room_checked_at = real_now() - timedelta(minutes=1)
    session.commit()
    jobs.check_rooms()
    assert cast.seat(session, olga.id).room_ref is None
    jobs.open_room(olga.id)
    assert carrier.rooms == [olga.id]


def die(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> None:
    def killed(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(module, name, killed)
