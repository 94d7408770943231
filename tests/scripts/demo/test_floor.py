"""What the demonstration's call centre has behind it: shifts, notes on people, replies that are written often."""

from itertools import pairwise

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator
from callcenter.people import contact_notes
from callcenter.seats.operator_log import OperatorChange
from campaigns.correspondence import canned_replies
from scripts.demo import SIMULATED_OPERATORS, floor


def test_the_simulated_floor_was_at_work_in_every_shift_and_nobody_is_left_there(demo: Session) -> None:
    assert demo.scalar(select(func.count(OperatorChange.operator_id.distinct()))) == SIMULATED_OPERATORS
    in_order = select(OperatorChange.operator_id, OperatorChange.state).order_by(OperatorChange.at, OperatorChange.id)
    assert set(dict(demo.execute(in_order).all()).values()) == {"offline"}
    assert set(demo.scalars(select(Operator.state))) == {"offline"}
    assert all(at < real_now() for at in demo.scalars(select(OperatorChange.at)))


def test_whoever_was_at_work_talked_and_wrote_up_and_never_two_things_at_once(demo: Session) -> None:
    in_order = select(OperatorChange.operator_id, OperatorChange.at, OperatorChange.state)
    rows = demo.execute(in_order.order_by(OperatorChange.operator_id, OperatorChange.id)).all()
    follows = {(one.state, other.state) for one, other in pairwise(rows) if one.operator_id == other.operator_id}
    assert all(one.at <= other.at for one, other in pairwise(rows) if one.operator_id == other.operator_id)
    assert {before for before, after in follows if after == "in_call"} == {"available"}
    assert {after for before, after in follows if before == "in_call"} == {"wrap_up"}
    talked = sum(one.state == "in_call" for one in rows)
    held = demo.scalar(select(func.count()).select_from(Call).where(Call.connected_at.is_not(None)))
    assert held is not None
    assert 0.7 * held < talked <= held


def test_a_note_waits_for_a_supervisor_and_replies_are_at_hand(demo: Session) -> None:
    assert contact_notes.count_open(demo) == 1
    assert {reply.shortcut for reply in canned_replies.listed(demo)} == set(floor.CANNED)
