"""Closing what passed its deadline: claim, ask the carrier, record. The job commits between the three."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from callcenter import calls, operators
from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.base.outbox import enqueue_later
from callcenter.calls import Event
from callcenter.carriers import Known, Trace
from callcenter.ledger import call_states, voicemails
from callcenter.ledger.call_ledger import Call

ASKING = timedelta(seconds=10)  # no other sweep asks about the same call meanwhile
JOB_PATIENCE = timedelta(seconds=4)  # a planned call older than this may have lost its job
ABSENCE = timedelta(seconds=30)  # an operator unseen for so long will not write their call up
HANG_UP_PATIENCE = timedelta(seconds=3)
BATCH = 50


@dataclass(frozen=True)
class Overdue:
    """A call past its deadline, free of the session. `created_at`: when it was planned (real time)."""

    trace: Trace
    state: str
    carrier: str
    created_at: datetime
    operator_id: int | None

    @property
    def is_asked(self) -> bool:
        """Does the carrier know more than we do?"""
        return self.state not in ("planned", "wrap_up")


def overdue(session: Session) -> list[Overdue]:
    """Claim calls past their deadline, the oldest first."""
    now = real_now()
    late = session.scalars(
        select(Call)
        .join(Call.attempt)
        .options(contains_eager(Call.attempt))
        .where(Attempt.closed_at.is_(None), Attempt.channel == "call", Attempt.deadline_at < now)
        .order_by(Attempt.deadline_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for call in late:
        call.attempt.deadline_at = now + ASKING
    return [_overdue(call) for call in late]


def settle(session: Session, late: Overdue, known: Known | None, *, reached: bool) -> None:
    """Record what is known of an overdue call. `reached`: the carrier was asked and answered (None: no such call)."""
    call_id = late.trace.call_id
    if calls.locked(session, call_id).state != late.state:
        # It has gone on since it was claimed here: that we had heard nothing is no news any more.
        if known is not None:
            calls.record_event(session, call_id, _asked(known))
    elif late.state == "planned":
        calls.record_event(session, call_id, Event("not_placed", "not_placed", {"why": "job_gone"}))
    elif late.state == "wrap_up":
        _close_unattended(session, late)
    elif not reached:
        if late.state != "connected" and real_now() > late.created_at + call_states.PATIENCE:
            calls.record_event(session, call_id, Event("lost", "lost", {"why": "carrier_away"}))
    elif known is None:
        calls.record_event(session, call_id, _unheard_of(late.state))
    else:
        calls.record_event(session, call_id, _asked(known))
        if known.event in ("placed", "ringing") and real_now() > late.created_at + call_states.PATIENCE:
            _take_down(session, call_id, known.event)
        if late.state == "answered" and known.event == "answered":
            # Nobody asked us what to do with the answered call, or the answer got lost: silence helps no one.
            calls.hang_up_later(session, call_id)
            calls.record_event(session, call_id, Event("abandoned", "abandoned", {"why": "no_webhook"}))


def enqueue_again(session: Session) -> None:
    """Give planned calls whose job is gone a new one, and calls that should be down another hang-up. Harmless when
    the old job still comes: only one of them finds the call planned."""
    now = real_now()
    planned = session.scalars(
        select(Call.id)
        .join(Attempt, Attempt.id == Call.id)
        .where(Attempt.closed_at.is_(None), Attempt.channel == "call", Call.state == "planned")
        .where(Attempt.created_at < now - JOB_PATIENCE, Attempt.deadline_at > now)
    ).all()
    if planned:
        enqueue_later(session, "callcenter.jobs.place_calls", [str(call_id) for call_id in planned], queue="urgent")
    for call_id in voicemails.overdue(session):
        calls.hang_up_later(session, call_id)
    in_room = Call.connected_at.is_not(None) & Call.hung_up_at.is_(None) & Call.handed_out_at.is_(None)
    for call_id in session.scalars(select(Call.id).where(in_room, Call.ended_at < now - HANG_UP_PATIENCE)):
        calls.hang_up_later(session, call_id)


def _take_down(session: Session, call_id: UUID, event: str) -> None:
    """It has rung, or waited in the carrier's own queue, for longer than any ring lasts: its end was never told, not
    even to the carrier's record. One that rang counts as a try, so that the person is left in peace."""
    calls.hang_up_later(session, call_id)
    kind = "no_answer" if event == "ringing" else "lost"
    calls.record_event(session, call_id, Event(kind, "taken_down", {"why": f"{event}_for_ever"}))


def _asked(known: Known) -> Event:
    return Event(known.event, f"asked:{known.event}", known.cause, known.ref)


def _close_unattended(session: Session, late: Overdue) -> None:
    call_id, since = late.trace.call_id, real_now() - ABSENCE
    if late.operator_id is None or not operators.is_present(session, late.operator_id, since):
        calls.record_event(session, call_id, Event("not_coded", "not_coded"))


def _unheard_of(state: str) -> Event:
    """The carrier has no such call. A list may lag behind, so one that was being placed is asked for twice."""
    if state == "placing":
        return Event("unknown", "not_found_yet")
    return Event("not_placed" if state == "unknown" else "lost", "not_found", {"why": "carrier_has_none"})


def _overdue(call: Call) -> Overdue:
    planned_at = call.attempt.created_at
    trace = Trace(call.id, call.carrier_ref, call.attempt.phone, call.caller_id, planned_at)
    return Overdue(trace, call.state, call.carrier, planned_at, call.operator_id)
