"""Citizens who change rooms: nobody meets another one on the way, and no move is lost."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from callcenter import calls
from callcenter.base import outbox
from callcenter.base.auth import User
from callcenter.base.clock import real_now
from callcenter.base.errors import ProviderError, Refused
from callcenter.calls import Event
from callcenter.ledger import call_act_jobs, call_acts, call_legs, leg_news, transfer_targets
from callcenter.ledger.call_acts import Target
from callcenter.ledger.call_legs import CallLeg
from callcenter.operators import Operator
from callcenter.queues import CallQueue
from tests.callcenter import cast, switchboard_cast
from tests.callcenter.switchboard_cast import FakeSwitchboard
from tests.queued import run_jobs


@pytest.fixture
def call_id(session: Session, olga: Operator) -> UUID:
    found = switchboard_cast.talking(session, cast.queue(session, cast.person(session), carrier="asterisk"))
    run_jobs()
    return found


@pytest.fixture
def omar(session: Session, call_id: UUID) -> Operator:
    """A colleague who came later and is free."""
    return switchboard_cast.operator(session, "omar")


@pytest.fixture
def help_line(session: Session, people: dict[str, User]) -> int:
    return transfer_targets.add(session, "Línea de ayuda", "55 5555 0101", people["administrator"].id).id


def _forget_jobs() -> None:
    """What a Redis that was lost does."""
    outbox.redis().flushdb()


def _next_taker(session: Session) -> int | None:
    """Who gets a call that is answered now."""
    call_id = cast.planned(session, cast.queue(session, cast.person(session), carrier="asterisk"))
    calls.record_event(session, call_id, Event("claimed", "claimed"))
    calls.record_event(session, call_id, Event("placed", "placed", ref=f"local/{call_id}"))
    taker = calls.answer(session, call_id, Event("answered", "answer"))
    if taker is None:  # and waits for nobody
        calls.record_event(session, call_id, Event("hung_up", "hung_up"))
    session.commit()
    return taker


def test_nobody_else_comes_into_the_room_before_the_citizen_has_left_it(
    session: Session, olga: Operator, omar: Operator, call_id: UUID
) -> None:
    call_acts.transfer(session, call_id, olga.id, Target("operator", omar.id))
    session.commit()
    assert cast.seat(session, olga.id).state == "available"
    assert _next_taker(session) is None
    run_jobs()
    assert _next_taker(session) == olga.id


def test_a_move_that_the_switch_did_not_take_keeps_the_room_and_is_asked_for_again(
    session: Session, olga: Operator, omar: Operator, call_id: UUID, board: FakeSwitchboard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    call_acts.transfer(session, call_id, olga.id, Target("operator", omar.id))
    session.commit()

    def away(ref: str, room: str) -> None:
        raise ProviderError("It is away.", code="unreachable")

    with monkeypatch.context() as patch:
        patch.setattr(board, "move", away)
        with pytest.raises(ProviderError):
            run_jobs()
    _forget_jobs()
    assert _next_taker(session) is None
    _sweep_later(session, call_id)
    run_jobs()
    assert board.acts[-1] == ("move", f"local/{call_id}", f"op-{omar.id}")
    assert _next_taker(session) == olga.id


def _sweep_later(session: Session, call_id: UUID) -> None:
    """The clock, some seconds after the last wish."""
    call = cast.call(session, call_id)
    call.wanted_at = real_now() - timedelta(seconds=10)
    session.commit()
    call_act_jobs.sweep_legs()


def test_a_citizen_whose_move_was_lost_is_fetched_from_the_music(
    session: Session, olga: Operator, call_id: UUID, board: FakeSwitchboard
) -> None:
    call_acts.hold(session, call_id, olga.id, on=True)
    session.commit()
    run_jobs()
    call_acts.hold(session, call_id, olga.id, on=False)
    session.commit()
    _forget_jobs()
    _sweep_later(session, call_id)
    run_jobs()
    assert board.acts[-1] == ("move", f"local/{call_id}", f"op-{olga.id}")
    _sweep_later(session, call_id)
    assert run_jobs() == []


def test_of_two_wishes_the_last_one_counts_whatever_job_comes_first(
    session: Session, olga: Operator, call_id: UUID, board: FakeSwitchboard
) -> None:
    call_acts.hold(session, call_id, olga.id, on=True)
    call_acts.hold(session, call_id, olga.id, on=False)
    session.commit()
    run_jobs()
    assert [act for act in board.acts if act[0] == "move"] == [("move", f"local/{call_id}", f"op-{olga.id}")]


def test_a_citizen_handed_on_twice_is_still_where_they_were(
    session: Session, olga: Operator, omar: Operator, call_id: UUID
) -> None:
    pepe = switchboard_cast.operator(session, "pepe")
    call_acts.transfer(session, call_id, olga.id, Target("operator", omar.id))
    call_acts.transfer(session, call_id, omar.id, Target("operator", pepe.id))
    calls.dispose(session, switchboard_cast.talking(session, _queue(session)), omar.id, "completed")
    cast.seat(session, omar.id).state = "paused"
    session.commit()
    assert _next_taker(session) is None  # olga's room has the citizen still
    run_jobs()
    assert _next_taker(session) == olga.id


def test_a_citizen_handed_on_while_they_were_moved_stands_where_that_brought_them(
    session: Session, olga: Operator, omar: Operator, call_id: UUID, board: FakeSwitchboard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    pepe = switchboard_cast.operator(session, "pepe")
    call_acts.transfer(session, call_id, olga.id, Target("operator", omar.id))
    session.commit()
    _forget_jobs()

    def slow(ref: str, room: str) -> None:
        call_acts.transfer(session, call_id, omar.id, Target("operator", pepe.id))
        session.commit()

    with monkeypatch.context() as patch:
        patch.setattr(board, "move", slow)
        call_act_jobs.move(str(call_id))
    assert cast.call(session, call_id).leaves_room == omar.id
    assert _next_taker(session) == olga.id
    run_jobs()
    assert cast.call(session, call_id).leaves_room is None


def _queue(session: Session) -> CallQueue:
    return cast.queue(session, cast.person(session), carrier="asterisk")


def test_a_citizen_who_hung_up_keeps_nobody_waiting(
    session: Session, olga: Operator, omar: Operator, call_id: UUID
) -> None:
    call_acts.transfer(session, call_id, olga.id, Target("operator", omar.id))
    calls.record_event(session, call_id, Event("hung_up", "bye"))
    session.commit()
    _forget_jobs()
    assert _next_taker(session) == olga.id
    _sweep_later(session, call_id)
    assert run_jobs() == []


def test_who_consulted_a_colleague_is_free_only_once_the_line_between_them_is_down(
    session: Session, olga: Operator, omar: Operator, call_id: UUID
) -> None:
    leg = _consulting(session, olga, call_id, Target("operator", omar.id))
    call_acts.complete(session, call_id, olga.id)
    session.commit()
    _forget_jobs()
    call_act_jobs.move(str(call_id))  # the citizen has left; the line to the colleague's room has not
    assert _next_taker(session) is None
    call_act_jobs.sweep_legs()
    run_jobs()
    assert session.get_one(CallLeg, leg, populate_existing=True).state == "ended"
    assert _next_taker(session) == olga.id


def test_an_outsider_who_was_not_moved_is_moved_again_and_meets_nobody(
    session: Session, olga: Operator, call_id: UUID, help_line: int, board: FakeSwitchboard
) -> None:
    leg = _consulting(session, olga, call_id, Target("outside", help_line))
    call_acts.complete(session, call_id, olga.id)
    calls.dispose(session, call_id, olga.id, "completed")
    session.commit()
    _forget_jobs()
    call_act_jobs.move(str(call_id))
    assert _next_taker(session) is None
    cast.call(session, call_id).handed_out_at = real_now() - timedelta(seconds=10)
    session.commit()
    call_act_jobs.sweep_legs()
    run_jobs()
    assert ("move", f"local/{leg}", f"meet-{call_id}") in board.acts
    assert _next_taker(session) == olga.id


def _consulting(session: Session, olga: Operator, call_id: UUID, target: Target) -> UUID:
    leg_id = call_acts.consult(session, call_id, olga.id, target).id
    session.commit()
    run_jobs()
    leg_news.heard(session, leg_id, "up")
    session.commit()
    return leg_id


def test_a_colleague_who_took_another_call_meanwhile_keeps_it(
    session: Session, olga: Operator, omar: Operator, call_id: UUID
) -> None:
    _consulting(session, olga, call_id, Target("operator", omar.id))
    cast.seat(session, omar.id).state = "available"
    session.commit()
    taken = cast.planned(session, cast.queue(session, cast.person(session), carrier="asterisk"))
    seat = cast.seat(session, omar.id)
    seat.state, seat.call_id = "in_call", taken
    session.commit()
    with pytest.raises(Refused, match="Nobody is free"):
        call_acts.complete(session, call_id, olga.id)
    session.rollback()
    assert cast.seat(session, omar.id).call_id == taken
    assert cast.call(session, call_id).operator_id == olga.id


def test_a_leg_that_was_given_up_while_the_switch_was_asked_is_taken_down(
    session: Session, olga: Operator, call_id: UUID, help_line: int, board: FakeSwitchboard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    leg = call_acts.consult(session, call_id, olga.id, Target("outside", help_line))
    session.commit()
    _forget_jobs()
    real = board.invite

    def slow(*given: object) -> str:
        call_act_jobs.end_leg(str(leg.id))  # the operator does not wait
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(board, "invite", slow)
    call_act_jobs.open_leg(str(leg.id))
    run_jobs()
    assert board.hung_up == [f"local/{leg.id}"]
    assert call_legs.live(session, call_id) is None
