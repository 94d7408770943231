"""Placing planned calls: claim, the gate, the wire, the record. The job commits between the four."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from callcenter import calls, consent, queues
from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import ProviderError
from callcenter.calls import Event
from callcenter.carriers import BadNumber, Carrier, Dial, Route
from callcenter.ledger import apologies, call_ledger, call_states, voicemails
from callcenter.ledger.call_ledger import Call
from callcenter.queueing import queue_entries
from callcenter.queues import CallQueue

LEASE = timedelta(seconds=15)
WIRE = timedelta(seconds=9)  # what the carrier may take; no request starts with less than this left of the lease
# Why a person could not be called through any trunk -> when to look again; everything else comes back by itself.
WAITS = {"trunks_full": queues.ALONE, "no_route": timedelta(hours=1)}
PASSING = {"household"}  # refusals that pass by themselves within a minute or two


@dataclass(frozen=True)
class Order:
    """One claimed call, free of the session: who is called why, through which carrier, until when we may ask it."""

    dial: Dial
    queue_id: int
    carrier: str
    contact_id: int | None
    purpose: str
    lease_until: datetime


def claim(session: Session, call_ids: Collection[UUID]) -> list[Order]:
    """Take planned calls for placing. Left out: whom somebody else has, and what must not go out any more."""
    locked = call_ledger.lock_all(session, call_ids)
    planned = [locked[each] for each in call_ids if each in locked and locked[each].state == "planned"]
    rang = _rang_lately(session, {call.attempt.phone for call in planned})
    found = {queue_id: queues.get(session, queue_id) for queue_id in {call.queue_id for call in planned}}
    told, orders = [], []
    for call in planned:
        queue, lately = found[call.queue_id], call.attempt.phone in rang
        if lately or queue.state != "running":
            why = "phone_called_lately" if lately else "queue_not_running"
            told.append((call.id, Event("not_placed", "not_placed", {"why": why})))
        else:
            told.append((call.id, Event("claimed", "claimed")))
            orders.append(_order(call, queue, leaves_message=voicemails.leaves_message(session, call)))
    calls.record_events(session, told)
    return orders


def _order(call: Call, queue: CallQueue, *, leaves_message: bool) -> Order:
    call.lease_until = real_now() + LEASE
    attempt = call.attempt
    dial = Dial(
        call.id, attempt.phone, call.caller_id, call_states.RING_SECONDS,
        answered_by=queue.answered_by, machine_detection=queue.machine_detection,
        apology=apologies.name(queue.on_behalf_of), leaves_message=leaves_message,
    )  # fmt: skip
    return Order(dial, call.queue_id, call.carrier, attempt.contact_id, attempt.purpose, call.lease_until)


def find_route(session: Session, carrier: Carrier, order: Order) -> Route | Event:
    """The way that the call takes, kept in the ledger; an event when there is none. What is full or rests now gives the
    try back."""
    call = calls.locked(session, order.dial.call_id)  # before the trunk that `route` locks, like every end of a call
    try:
        route = carrier.route(session, order.dial.phone, order.dial.caller_id, order.queue_id)
    except ProviderError as error:
        return Event(_kind(error), "placing", {"code": error.code, "permanent": error.permanent})
    call.trunk_id, call.caller_id = route.trunk, route.caller_id
    return route


def ask_gate(
    session: Session, orders: Sequence[Order], purpose: str, *, simulated: bool
) -> dict[UUID, consent.Refusal]:
    """The one gate for calls of one purpose, at this moment: whom it refuses. The phones are ours until the caller
    commits, so that a household is reached one by one although several ask at once."""
    consent.hold_phones(session, {order.dial.phone for order in orders}, wait=True)
    first = {order.contact_id: order for order in reversed(orders)}
    known = [(contact_id, order.dial.phone) for contact_id, order in first.items() if contact_id is not None]
    own = [order.dial.call_id for order in orders]
    refused = consent.refusals(session, known, "call", purpose, simulated=simulated, attempt_ids=own)
    found: dict[UUID, consent.Refusal] = {}
    for order in orders:
        if order.contact_id is None:
            found[order.dial.call_id] = consent.Refusal("unknown_person")
        elif first[order.contact_id] is not order:  # the same person on another phone, for another campaign
            found[order.dial.call_id] = consent.Refusal("household")
        elif order.contact_id in refused:
            found[order.dial.call_id] = refused[order.contact_id]
    return found


def refuse(session: Session, call_id: UUID, refusal: consent.Refusal) -> None:
    """Close the call with the gate's reason; the person waits until it names a time, or is out of this queue."""
    event = Event("refused_by_gate", "refused_by_gate", {"code": refusal.code})
    if calls.record_event(session, call_id, event):
        call = calls.locked(session, call_id)
        call.cause = {"event": "refused_by_gate", "code": refusal.code}
        until = refusal.until
        if refusal.code in PASSING:
            until = campaign_now(session) + queues.ALONE
        queue_entries.exclude(session, call.entry_id, refusal.code, until)


def dial(carrier: Carrier, order: Order, route: Route) -> Event:
    """Ask the carrier for the call; what it said as an event. No session: nothing is open while it answers.

    A worker that was held up until its lease ran out does not ask: the sweeper may have closed the call."""
    if real_now() > order.lease_until - WIRE:
        return Event("not_placed", "not_placed", {"why": "lease_over"})
    try:
        wanted = replace(order.dial, route=route, caller_id=route.caller_id)
        return Event("placed", "placed", ref=carrier.place(wanted))
    except ProviderError as error:
        return Event(_kind(error), "placing", {"code": error.code, "permanent": error.permanent})


def record(session: Session, dialled: Sequence[tuple[Order, Event]]) -> None:
    """Write down what became of the orders."""
    calls.record_events(session, [(order.dial.call_id, event) for order, event in dialled])
    for order, event in dialled:
        _follow_up(session, order, event)


def _follow_up(session: Session, order: Order, event: Event) -> None:
    """What a call that was not placed means for its queue and for the person."""
    if halts_queue(event):
        queues.set_state(session, order.queue_id, "paused", f"carrier:{event.payload['code']}", None)
    elif event.payload.get("code") in WAITS:
        entry_id = calls.locked(session, order.dial.call_id).entry_id
        queue_entries.exclude(
            session, entry_id, event.payload["code"], campaign_now(session) + WAITS[event.payload["code"]]
        )


def halts_queue(event: Event) -> bool:
    """Did the carrier refuse us, rather than this one number? Then every further call would fail the same way."""
    return event.kind == "not_placed" and bool(event.payload.get("permanent"))


def _kind(error: ProviderError) -> str:
    if error.unknown:
        return "unknown"
    return "invalid_number" if isinstance(error, BadNumber) else "not_placed"


def _rang_lately(session: Session, phones: Collection[str]) -> set[str]:
    """Which rang within the last minute? Nobody is called twice in one, whichever queue asks."""
    since = real_now() - queues.ALONE
    reached = or_(Call.placed_at > since, Call.ringing_at > since, Call.hung_up_at > since)
    return set(session.scalars(select(Attempt.phone).join(Call, Call.id == Attempt.id).where(
        Attempt.phone.in_(phones), reached
    )))  # fmt: skip
