"""Work of the ground floor for a worker: ids in, nothing out, harmless when run twice. Each opens its own sessions."""

import logging
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from callcenter import calls, carriers, consent
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.calls import Call, Event
from callcenter.carriers import Carrier, Known, NoCarrier, Route
from callcenter.ledger import call_placing, call_sweep
from callcenter.ledger.call_placing import Order
from callcenter.seats import operator_rooms, operator_sweep

log = logging.getLogger(__name__)
AT_ONCE = 4  # calls that a worker asks for side by side
# Calls claimed, judged and recorded together: through our own switches, which answer in no time; of a provider only as
# many as are asked for at once, so that nobody's lease runs out while others are waited for.
GROUP, PROVIDERS_GROUP = 10, AT_ONCE


def place_calls(call_ids: list[str]) -> None:
    """Place the planned calls of one decision. Calls whose placing breaks off stay for the sweeper; the rest go on with
    the job that `call_sweep.enqueue_again` gives them."""
    wanted = [UUID(call_id) for call_id in dict.fromkeys(call_ids)]
    size = GROUP if carriers.has_switchboard() else PROVIDERS_GROUP
    for first in range(0, len(wanted), size):
        group = wanted[first : first + size]
        try:
            _place(group)
        except OperationalError:  # one of them is in somebody's way: it must not hold up the others
            for call_id in group:
                _place([call_id])


def _place(call_ids: list[UUID]) -> None:
    """Claim, commit, gate, commit, dial, record, commit: no transaction is open while the carrier answers."""
    with open_session() as session:
        orders = call_placing.claim(session, call_ids)
        ways = [(order, _way(session, order)) for order in orders]
        session.commit()  # the next calls may have their trunks
        placed = [(order, way) for order, way in ways if isinstance(way, Event)]
        routed = [(order, *way) for order, way in ways if not isinstance(way, Event)]
        refused = _ask_gate(session, [(order, route) for order, _carrier, route in routed])
        session.commit()
        placed += _dial([each for each in routed if each[0].dial.call_id not in refused])
        call_placing.record(session, placed)
        session.commit()
        for order, event in placed:
            log.info("call %s: %s %s", order.dial.call_id, event.kind, event.payload.get("code", ""))


def _ask_gate(session: Session, routed: list[tuple[Order, Route]]) -> set[UUID]:
    """The ids of the calls that the gate refused, and that are closed."""
    groups: dict[tuple[str, bool], list[Order]] = {}
    for order, route in routed:
        groups.setdefault((order.purpose, route.simulated), []).append(order)
    refused: dict[UUID, consent.Refusal] = {}
    for (purpose, simulated), orders in groups.items():
        refused |= call_placing.ask_gate(session, orders, purpose, simulated=simulated)
    for call_id, refusal in refused.items():
        call_placing.refuse(session, call_id, refusal)
    return set(refused)


def _dial(routed: list[tuple[Order, Carrier, Route]]) -> list[tuple[Order, Event]]:
    """Several at once: most of it is waiting for the switch."""

    def dial(each: tuple[Order, Carrier, Route]) -> tuple[Order, Event]:
        order, carrier, route = each
        return order, call_placing.dial(carrier, order, route)

    if len(routed) < 2:
        return [dial(each) for each in routed]
    with ThreadPoolExecutor(AT_ONCE, "placing") as pool:
        return list(pool.map(dial, routed))


def _way(session: Session, order: Order) -> tuple[Carrier, Route] | Event:
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
        _end(session, calls.locked(session, UUID(call_id)))


def give_up(call_ids: list[str]) -> None:
    """Let these phones ring no longer, unless somebody has picked up meanwhile (callcenter.queueing.giving_up)."""
    with open_session() as session:
        for call_id in call_ids:
            call = calls.locked(session, UUID(call_id))
            if call.state == "ringing" and call.given_up_at is not None:
                _end(session, call)
            session.commit()


def _end(session: Session, call: Call) -> None:
    """Say that we end it, commit, ask the carrier, record."""
    call_id, ref, carrier, answered = call.id, call.carrier_ref, call.carrier, call.answered_at is not None
    if not answered:  # so that its end is known for ours, whatever the line says of it
        calls.record_event(session, call_id, Event("hang_up_asked", "hang_up_asked"))
    session.commit()
    if ref is None:
        return
    carriers.carrier(carrier).hang_up(ref)
    calls.record_event(session, call_id, Event("hung_up" if answered else "canceled", "hang_up"))
    session.commit()


def open_room(operator_id: int, again: bool = False) -> None:
    """Ring the operator's page for their permanent leg; the room counts when the leg asks for its TwiML, or is heard
    of in its room. `again`: also when we believe it open."""
    with open_session() as session:
        wanted = operator_rooms.ask(session, operator_id, again=again)
        session.commit()
        if not wanted:
            return
        try:
            carriers.the_carrier().open_room(operator_id)
        except ProviderError as error:
            log.warning("room of operator %s: %s %s", operator_id, error, error.code)
            if error.permanent:
                operator_rooms.lost(session, operator_id, "", reopen=False)
            else:
                operator_rooms.not_opened(session, operator_id)
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
                operator_rooms.lost(session, operator_id, ref)
                session.commit()


def _ask(late: call_sweep.Overdue) -> tuple[Known | None, bool]:
    """What the carrier knows, and whether it could be asked."""
    try:
        return carriers.carrier(late.carrier).find(late.trace), True
    except (ProviderError, NoCarrier) as error:
        log.warning("call %s: %s", late.trace.call_id, error)
        return None, False
