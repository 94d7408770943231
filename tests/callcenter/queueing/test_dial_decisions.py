from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.queueing import dial_decisions
from callcenter.queueing.dial_decisions import Decided, DialDecision
from callcenter.queues import CallQueue
from tests.callcenter import cast


def kept(session: Session, queue: CallQueue) -> int:
    return session.scalar(select(func.count()).where(DialDecision.queue_id == queue.id)) or 0


def test_a_queue_says_the_dialers_last_word_and_a_decision_is_kept_when_that_changed(session: Session) -> None:
    queue = cast.queue(session)
    idle = Decided(queue.id, "predictive", "small_team", idle=1, ringing=1, reason="small_team")
    dial_decisions.keep(session, [idle])
    dial_decisions.keep(session, [idle])
    session.refresh(queue)
    assert (queue.why_idle, queue.falls_back, kept(session, queue)) == ("small_team", "small_team", 1)
    dial_decisions.keep(session, [replace(idle, falls_back=None, reason=None, place=2, planned=2)])
    session.refresh(queue)
    assert (queue.why_idle, queue.falls_back) == (None, None)
    newest, oldest = dial_decisions.latest(session, queue.id)
    assert (newest.planned, oldest.ringing, oldest.risk) == (2, 1, None)


def test_a_decision_that_did_something_is_always_kept_and_an_idle_one_again_when_it_grew_old(session: Session) -> None:
    queue = cast.queue(session)
    for _ in range(3):
        dial_decisions.keep(session, [Decided(queue.id, "power", place=1, planned=1)])
    assert kept(session, queue) == 3
    dial_decisions.keep(session, [Decided(queue.id, "power", reason="no_operators")])
    session.execute(update(CallQueue).values(decided_at=real_now() - timedelta(seconds=6)))
    dial_decisions.keep(session, [Decided(queue.id, "power", reason="no_operators")])
    assert kept(session, queue) == 5


def test_the_word_of_a_queue_that_was_paused_meanwhile_is_not_said(session: Session) -> None:
    queue = cast.queue(session, state="paused")
    dial_decisions.keep(session, [Decided(queue.id, "power", reason="no_operators")])
    session.refresh(queue)
    assert (queue.why_idle, kept(session, queue)) == (None, 0)
    dial_decisions.keep(session, [])


def test_only_the_newest_decisions_of_each_queue_are_kept(session: Session) -> None:
    busy, quiet = cast.queue(session), cast.queue(session)
    for number in range(dial_decisions.KEPT + 30):
        dial_decisions.keep(session, [Decided(busy.id, "power", place=1, planned=1, ringing=number)])
    dial_decisions.keep(session, [Decided(quiet.id, "power", place=1, planned=1)])
    dial_decisions.sweep(session)
    assert (kept(session, busy), kept(session, quiet)) == (dial_decisions.KEPT, 1)
    assert dial_decisions.latest(session, busy.id, 1)[0].ringing == dial_decisions.KEPT + 29
    session.execute(update(DialDecision).values(at=real_now() - timedelta(days=8)))
    dial_decisions.sweep(session)
    assert kept(session, busy) == 0
