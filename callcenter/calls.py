"""The ledger of calls: planned before a carrier hears of them, moved by events along one table, closed once.

Every function here locks the call's row first; what it changes of the operator and of the queue entry comes after.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import consent, operators, queues
from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.base.outbox import enqueue_later, tell_later
from callcenter.ledger import apologies, call_ledger, call_states, voicemails
from callcenter.ledger.call_ledger import Call, CallEvent
from callcenter.ledger.call_planning import plan
from callcenter.ledger.call_scripts import script_for
from callcenter.ledger.dispositions import Disposition, disposition
from callcenter.people import contact_notes
from callcenter.queueing import queue_entries

__all__ = ["Call", "CallEvent", "Event", "answer", "dispose", "finish_unattended", "hang_up_later", "locked",
           "mark_difficult", "more_time", "plan", "record_event", "record_events", "save_note",
           "undo_disposition"]  # fmt: skip


@dataclass(frozen=True)
class Event:
    """Something that happened to a call. `kind`: see callcenter.ledger.call_states. The same `key` twice is one event;
    `payload` is kept raw, `ref` is the carrier's id when the event tells it."""

    kind: str
    key: str
    payload: dict[str, Any] = field(default_factory=dict)
    ref: str | None = None


def record_event(session: Session, call_id: UUID, event: Event) -> bool:
    """Keep the event and move the call along the table; False when it changed nothing. Harmless when repeated.

    Raises NotFound for a call that is not ours."""
    call = locked(session, call_id)
    return _keep(session, call_id, event) and _apply(session, call, event)


def record_events(session: Session, told: Sequence[tuple[UUID, Event]]) -> set[UUID]:
    """The same for events of many calls, in their order; those that are not ours are passed over. Returns ours."""
    found = call_ledger.lock_all(session, [call_id for call_id, _event in told])
    ours = [(found[call_id], event) for call_id, event in told if call_id in found]
    new = call_ledger.keep_events(session, [(call.id, event.key, event.kind, event.payload) for call, event in ours])
    for call, event in ours:
        if (call.id, event.key) in new:
            new.remove((call.id, event.key))  # the same may have come twice
            _apply(session, call, event)
    return set(found)


def _apply(session: Session, call: Call, event: Event) -> bool:
    """What a new event changes; False for nothing."""
    _note_facts(call, event)
    was, state = call.state, call_states.move(call.state, event.kind)
    if state is None:
        return False
    _enter(session, call, state)
    if state == "wrap_up":
        call.wrap_up_until = real_now() + _wrap_up_time(session, call)
        operators.begin_wrap_up(session, call.id)
    elif state == "ended":
        left = call.given_up_at is not None and call.answered_at is None
        outcome = call_states.outcome(event.kind, call.direction, was, given_up=left)
        _close(session, call, outcome)
        # The gate names its own time (call_placing.refuse); a call that came in is no try of ours.
        if event.kind != "refused_by_gate" and call.direction == "out":
            queue_entries.settle(session, call.entry_id, outcome)
        if outcome == "abandoned":
            apologies.owed(session, call.id)
    return True


def answer(session: Session, call_id: UUID, event: Event) -> int | None:
    """A citizen has picked up: returns the id of the operator who takes the call; None when it is over, when a
    recording takes it (then it is connected), and while nobody is free: then it stays `answered`, and whoever holds the
    line asks again (ledger.waiting_calls). Asked after `call_states.WAITS`, it closes the call as abandoned."""
    record_event(session, call_id, event)
    call = locked(session, call_id)
    if call.state == "connected":
        return call.operator_id
    if call.state != "answered":
        return None
    if queues.get(session, call.queue_id).answered_by == "recording":
        call.connected_at = real_now()
        record_event(session, call_id, Event("connected", "connected"))
        return None
    if call.answered_at is not None and real_now() >= call.answered_at + call_states.WAITS:
        record_event(session, call_id, Event("abandoned", "abandoned"))
        return None
    return connect(session, call)


def connect(session: Session, call: Call, *, first: int | None = None) -> int | None:
    """Give an answered call to an operator: to who is held for it (queueing.previews), to `first` when that one is
    free, else by the rule of `operators.offer`; their id, None when nobody is free. The caller holds the call's row."""
    operator = operators.take_held(session, call) or operators.offer(session, call.id, first=first)
    if operator is None:
        return None
    call.operator_id, call.offered_at, call.connected_at = operator.id, real_now(), real_now()
    record_event(session, call.id, Event("connected", "connected", {"operator_id": operator.id}))
    return operator.id


def dispose(session: Session, call_id: UUID, operator_id: int, code: str, *, note: str = "",
            callback_at: datetime | None = None, callback_mine: bool = False) -> None:  # fmt: skip
    """The operator's word on the call; hangs up when the citizen is still there. Frees the operator.

    `callback_at`: campaign time, aware. The same word twice is one. Raises InvalidInput, Refused, NotFound."""
    chosen = disposition(code)
    call = of_operator(session, call_id, operator_id)
    if call.state == "ended" and call.disposition == code:
        return
    if call.state not in ("connected", "wrap_up"):
        raise Refused("call_over", _("This call is closed already. Undo its outcome first, or ask a supervisor."))
    if chosen.effect == "callback" and (callback_at is None or callback_at <= campaign_now(session)):
        raise InvalidInput({"callback_at": _("Say when to call back: a time that is still to come.")})
    if call.state == "connected":
        _let_go(session, call, code)
    _write_note(session, call, note or call.note)
    _dispose(session, call, chosen, callback_at, operator_id if callback_mine else None)


def finish_unattended(session: Session, call_id: UUID, code: str) -> None:
    """A recording's word on the call that it held; harmless when that is closed. It hangs up itself, else the sweep."""
    chosen, call = disposition(code), locked(session, call_id)
    if call.operator_id is not None:
        raise Refused("attended", _("An operator has this call: the word is theirs."))
    if call.state in ("connected", "wrap_up"):
        _dispose(session, call, chosen, None, None)


def _dispose(session: Session, call: Call, chosen: Disposition, callback_at: datetime | None,
             promised_by: int | None) -> None:  # fmt: skip
    kept = {"code": chosen.code, "entry": queue_entries.remember(session, call.entry_id), "state": call.state}
    call.disposition, call.disposition_at = chosen.code, real_now()
    _keep(session, call.id, Event("disposed", f"disposed:{uuid4()}", kept))
    _enter(session, call, "ended")
    _close(session, call, chosen.code)
    take_effect(session, call, chosen, callback_at, promised_by)
    script = script_for(call.script)
    if script is not None:
        script.ended(session, call.id)


def take_effect(session: Session, call: Call, chosen: Disposition, callback_at: datetime | None,
                 promised_by: int | None) -> None:  # fmt: skip
    """What the operator's word means for the person: a callback, another try, done here, or never again."""
    if chosen.effect == "callback" and callback_at is not None:
        queue_entries.promise_callback(session, call.entry_id, callback_at, promised_by)
    elif chosen.effect == "retry":
        queue_entries.settle(session, call.entry_id, chosen.code)
    else:
        queue_entries.finish(session, call.entry_id, chosen.code)
    if chosen.effect == "suppress":
        consent.opt_out(session, call.attempt.phone, reason="call", proof=f"call/{call.id}", source="operator")


def undo_disposition(session: Session, call_id: UUID, operator_id: int) -> None:
    """Take the outcome back within ten seconds: the operator is in wrap-up again and everything is as it was before.

    Raises Refused when it is too late, or the operator or the phone is in another call."""
    call = of_operator(session, call_id, operator_id)
    too_late = call.disposition_at is None or real_now() > call.disposition_at + call_states.UNDO
    if call.state != "ended" or call.disposition is None or too_late:
        raise Refused("too_late", _("The ten seconds are over: the outcome stays. A supervisor can correct it."))
    phone_in_use = select(Attempt.id).where(
        Attempt.phone == call.attempt.phone, Attempt.channel == "call", Attempt.closed_at.is_(None)
    )
    if session.scalar(phone_in_use) is not None:
        raise Refused("phone_in_use", _("This phone is being called again already: the outcome stays."))
    disposed = select(CallEvent.payload).where(CallEvent.call_id == call_id, CallEvent.kind == "disposed")
    kept = session.scalars(disposed.order_by(CallEvent.id.desc()).limit(1)).one()
    effect = disposition(call.disposition).effect
    operators.take_back(session, operator_id, call.id)
    call.attempt.closed_at = call.attempt.outcome = call.ended_at = None
    call.disposition = call.disposition_at = None
    record_event(session, call.id, Event("undone", f"undone:{uuid4()}"))
    queue_entries.restore(session, call.entry_id, kept["entry"])
    if effect == "suppress":
        consent.undo_opt_out(session, call.attempt.phone, proof=f"call/{call.id}")
    script = script_for(call.script)
    if script is not None and script.reopened is not None:
        script.reopened(session, call.id)


def mark_difficult(session: Session, call_id: UUID, operator_id: int) -> None:
    """A call that shook the operator: the floor hears of it, and a pause follows the call."""
    call = of_operator(session, call_id, operator_id)
    call.difficult_at = call.difficult_at or real_now()
    operators.pause(session, operator_id, "difficult_call")
    tell_later(session, "floor", alert="difficult_call", operator_id=operator_id)


def more_time(session: Session, call_id: UUID, operator_id: int) -> None:
    """As much time again to write the call up, as often as asked for. Raises Refused outside a wrap-up."""
    call = of_operator(session, call_id, operator_id)
    if call.state != "wrap_up":
        raise Refused("not_in_wrap_up", _("This call is not being written up."))
    call.wrap_up_until = max(real_now(), call.wrap_up_until or real_now()) + _wrap_up_time(session, call)
    tell_later(session, f"operator/{operator_id}")
    tell_later(session, "floor")


def save_note(session: Session, call_id: UUID, operator_id: int, note: str) -> None:
    """Keep the operator's note as it is typed. One with words of the list waits for a supervisor."""
    _write_note(session, of_operator(session, call_id, operator_id), note or None)


def _write_note(session: Session, call: Call, note: str | None) -> None:
    call.note = note
    contact_notes.screen_call(session, call)


def _let_go(session: Session, call: Call, code: str) -> None:
    """The operator has done: a machine may still hear the campaign's message, everybody else is hung up."""
    if code == voicemails.CODE and voicemails.leaves_message(session, call):
        voicemails.leave_later(session, call)
    else:
        hang_up_later(session, call.id)


def hang_up_later(session: Session, call_id: UUID) -> None:
    """After the commit, ask the carrier to end the call."""
    enqueue_later(session, "callcenter.jobs.hang_up", str(call_id), queue="urgent")


def note_event(session: Session, call: Call, kind: str, **payload: Any) -> None:
    """Keep that something was done in a call which moves it nowhere."""
    _keep(session, call.id, Event(kind, f"{kind}:{uuid4()}", payload))


def locked(session: Session, call_id: UUID) -> Call:
    """The call and its attempt, locked and fresh. Raises NotFound."""
    call = call_ledger.lock(session, call_id)
    if call is None:
        raise NotFound(_("There is no such call."))
    return call


def of_operator(session: Session, call_id: UUID, operator_id: int) -> Call:
    """The operator's call, locked and fresh. Raises NotFound for one of somebody else."""
    call = locked(session, call_id)
    if call.operator_id != operator_id:
        raise NotFound(_("There is no such call of yours."))
    return call


def _wrap_up_time(session: Session, call: Call) -> timedelta:
    return timedelta(seconds=queues.get(session, call.queue_id).wrap_up_seconds)


def _keep(session: Session, call_id: UUID, event: Event) -> bool:
    """Keep the event; False when it is known already."""
    return bool(call_ledger.keep_events(session, [(call_id, event.key, event.kind, event.payload)]))


def _note_facts(call: Call, event: Event) -> None:
    """What an event tells for good, in whatever order it came."""
    call.carrier_ref = call.carrier_ref or event.ref
    fact = call_states.FACTS.get(event.kind)
    if fact is not None and getattr(call, fact) is None:
        setattr(call, fact, real_now())
    is_end = fact == "hung_up_at" or event.kind in ("not_placed", "machine", "voicemail")
    if is_end and set(call.cause or {}) <= {"event"}:  # the line's own words may come after ours
        call.cause = {"event": event.kind, **event.payload, **(call.cause or {})}


def _enter(session: Session, call: Call, state: str) -> None:
    call.state = state
    if state != "ended":
        call.attempt.deadline_at = real_now() + call_states.LIFE[state]
    if call.operator_id is not None:
        tell_later(session, f"operator/{call.operator_id}")
    tell_later(session, "floor")
    tell_later(session, f"queue/{call.queue_id}")


def _close(session: Session, call: Call, outcome: str) -> None:
    call.ended_at = call.attempt.closed_at = real_now()
    call.attempt.outcome = outcome
    call.lease_until = None
    session.flush()
    if call.operator_id is not None:
        operators.release(session, call.id)
    tell_later(session, "dialer")
