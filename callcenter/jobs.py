"""Work of the ground floor for a worker: ids in, nothing out, harmless when run twice. Each opens its own sessions."""

import logging
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from sqlalchemy.orm import Session

from callcenter import call_placing, call_sweep, calls, carriers, operator_sweep, operators
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.calls import Event
from callcenter.carriers import Carrier, Known, NoCarrier, Route

log = logging.getLogger(__name__)
AT_ONCE = 4


def place_calls(call_ids: list[str]) -> None:
    """Place the planned calls of one decision. A call whose placing breaks off stays for the sweeper; the rest go on
    with the job that `call_sweep.enqueue_again` gives them.

    Through our own switches several at once: most of placing is waiting for the database and the switch."""
    wanted = [UUID(call_id) for call_id in call_ids]
    if len(wanted) < 2 or not carriers.has_switchboard():
        for call_id in wanted:
            _place(call_id)
        return
    carriers.the_carrier()  # made once, before several ask for it
    with ThreadPoolExecutor(AT_ONCE, "placing") as pool:
        list(pool.map(_place, wanted))


def _place(call_id: UUID) -> None:
    """Claim, commit, gate, commit, dial, record, commit: no transaction is open while the carrier answers."""
    with open_session() as session:
        order = call_placing.claim(session, call_id)
        way = _way(session, order) if order is not None else None
        session.commit()  # the next call may have its trunk
        if order is None or way is None:
            return
        if isinstance(way, Event):
            event = way
        else:
            carrier, route = way
            refusal = call_placing.ask_gate(session, order, simulated=route.simulated)
            if refusal is not None:
                call_placing.refuse(session, call_id, refusal)
                session.commit()
                return
            session.commit()
            event = call_placing.dial(carrier, order, route)
        calls.record_event(session, call_id, event)
        call_placing.follow_up(session, order, event)
        session.commit()
        log.info("call %s: %s %s", call_id, event.kind, event.payload.get("code", ""))


def _way(session: Session, order: call_placing.Order) -> tuple[Carrier, Route] | Event:
    """Through whom, and which way; an event when there is none."""
    try:
        carrier = carriers.carrier(order.carrier)
    except NoCarrier:
        return Event("not_placed", "placing", {"code": "carrier_missing", "permanent": True})
    route = call_placing.find_route(session, carrier, order)
    return route if isinstance(route, Event) else (carrier, route)


def hang_up(call_id: str) -> None:
    """End a call at its carrier. When the carrier cannot be reached, the sweep asks again."""
    with open_session() as session:
        call = calls.locked(session, UUID(call_id))
        ref, carrier, answered = call.carrier_ref, call.carrier, call.answered_at is not None
        if not answered:  # so that its end is known for ours, whatever the line says of it
            calls.record_event(session, call.id, Event("hang_up_asked", "hang_up_asked"))
        session.commit()
        if ref is None:
            return
        carriers.carrier(carrier).hang_up(ref)
        calls.record_event(session, UUID(call_id), Event("hung_up" if answered else "canceled", "hang_up"))
        session.commit()


def open_room(operator_id: int, again: bool = False) -> None:
    """Ring the operator's page for their permanent leg; the room counts when the leg asks for its TwiML, or is heard
    of in its room. `again`: also when we believe it open."""
    with open_session() as session:
        wanted = operators.ask_for_room(session, operator_id, again=again)
        session.commit()
        if not wanted:
            return
        try:
            carriers.the_carrier().open_room(operator_id)
        except ProviderError as error:
            log.warning("room of operator %s: %s %s", operator_id, error, error.code)
            if error.permanent:
                operators.room_lost(session, operator_id, "", reopen=False)
            else:
                operators.room_not_opened(session, operator_id)
            session.commit()


def close_room(ref: str) -> None:
    """End an operator's permanent leg."""
    carriers.the_carrier().close_room(ref)


def sweep_calls() -> None:
    """Close calls past their deadline after asking their carrier, outside a transaction; give lost jobs a successor."""
    with open_session() as session:
        late_ones = call_sweep.overdue(session)
        call_sweep.enqueue_again(session)
        session.commit()
        is_reachable = True
        for late in late_ones:
            # A carrier that does not answer is asked once a sweep: the other calls must not wait for it.
            known, reached = _ask(late) if late.is_asked and is_reachable else (None, False)
            is_reachable = is_reachable and (reached or not late.is_asked)
            call_sweep.settle(session, late, known, reached=reached)
            session.commit()


def check_rooms() -> None:
    """Ask the carrier for rooms that were not heard of for a while; one that is gone is opened again."""
    with open_session() as session:
        stale = operator_sweep.rooms_to_check(session)
        session.commit()
        for operator_id, ref in stale:
            try:
                is_open = carriers.the_carrier().is_room_open(ref)
            except ProviderError as error:
                log.warning("room of operator %s: %s", operator_id, error)
                continue
            if not is_open:
                operators.room_lost(session, operator_id, ref)
                session.commit()


def _ask(late: call_sweep.Overdue) -> tuple[Known | None, bool]:
    """What the carrier knows, and whether it could be asked."""
    try:
        return carriers.carrier(late.carrier).find(late.trace), True
    except (ProviderError, NoCarrier) as error:
        log.warning("call %s: %s", late.trace.call_id, error)
        return None, False
