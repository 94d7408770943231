"""Jobs of what is done in a call: ask the carrier, outside a transaction. Ids in; harmless when run twice."""

import logging
from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from callcenter import calls, carriers, queues
from callcenter.base.db import open_session
from callcenter.base.errors import ProviderError
from callcenter.carriers import Dial
from callcenter.ledger import call_legs, citizen_moves, leg_news, transfer_targets
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.call_states import RING_SECONDS
from callcenter.supervision import supervision

log = logging.getLogger(__name__)


def move(call_id: str) -> None:
    """Put the citizen's leg where it is wanted."""
    with open_session() as session:
        wanted = citizen_moves.wanted(session, UUID(call_id))
        session.commit()
        if wanted is None:
            return
        ref, room = wanted
        _quietly(lambda: carriers.the_switchboard().move(ref, room), f"call {call_id}")
        citizen_moves.done(session, UUID(call_id), room)
        session.commit()


def send_keys(call_id: str, keys: str) -> None:
    """Play keys to the outside leg that is up, else to the citizen."""
    with open_session() as session:
        leg = call_legs.live(session, UUID(call_id))
        has_leg = leg is not None and leg.kind == "outside" and leg.state == "up"
        call = calls.locked(session, UUID(call_id))
        ref = leg.ref if leg is not None and has_leg else call.carrier_ref
        room = call.wanted_room or (f"op-{call.operator_id}" if has_leg or not call.held_at else "hold")
    if ref is not None:
        _quietly(lambda: carriers.the_switchboard().send_keys(ref, keys, room), f"call {call_id}")


def open_leg(leg_id: str) -> None:
    """Call the outside number, or join the two operators' rooms. What fails ends the leg with its reason."""
    with open_session() as session:
        leg = session.get(call_legs.CallLeg, UUID(leg_id))
        if leg is None or leg.state != "asked" or leg.ref is not None:
            return
        call = calls.locked(session, leg.call_id)
        switch, board = carriers.switch_of(call.carrier_ref or "") or "", carriers.the_switchboard()
        room, kind, asker = leg.room, leg.kind, leg.asked_by
        try:
            dial = _dial(session, leg, call) if kind == "outside" else None
            session.commit()
            ref = board.invite(dial, room) if dial else board.link(switch, f"op-{asker}", room, UUID(leg_id))
        except ProviderError as error:
            leg_news.heard(session, UUID(leg_id), "ended", {"code": error.code, "sentence": str(error)})
        else:
            leg_news.begun(session, UUID(leg_id), ref)
        session.commit()


def end_leg(leg_id: str) -> None:
    """Hang a leg up."""
    with open_session() as session:
        leg = session.get(call_legs.CallLeg, UUID(leg_id))
        ref = leg.ref if leg is not None else None
        known = leg is not None
        session.commit()
        if ref is not None:
            carriers.the_switchboard().hang_up(ref)
        if known:
            leg_news.heard(session, UUID(leg_id), "ended", {"by": "us"})
            session.commit()


def move_leg(leg_id: str) -> None:
    """Put an outside leg into the room where it meets the citizen without us."""
    with open_session() as session:
        leg = session.get(call_legs.CallLeg, UUID(leg_id))
        if leg is None or leg.ref is None or leg.ended_at is not None:
            return
        ref, room = leg.ref, leg_news.meeting(leg.call_id)
        session.commit()
        _quietly(lambda: carriers.the_switchboard().move(ref, room), f"leg {leg_id}")
        leg_news.moved(session, UUID(leg_id), room)
        session.commit()


def sweep_legs() -> None:
    """Give up legs that nobody answered, end those whose call is over, and what a supervisor listens to no more; ask
    again for moves that were lost."""
    with open_session() as session:
        citizen_moves.sweep(session)
        leg_news.sweep(session)
        supervision.sweep(session)
        session.commit()


def listen(listening_id: int) -> None:
    """Ring the supervisor's page and let it hear the operator."""
    with open_session() as session:
        wanted = supervision.claim(session, listening_id)
        session.commit()
        if wanted is None or wanted.ref is None:
            return
        try:
            ref = carriers.the_switchboard().listen(wanted)
        except ProviderError as error:
            supervision.ended(session, listening_id, fault=error.code or "failed")
        else:
            supervision.begun(session, listening_id, ref)
        session.commit()


def set_listening(listening_id: int) -> None:
    """Bring the listener's leg into the mode that its row says."""
    with open_session() as session:
        wanted = supervision.find(session, listening_id)
        session.commit()
    if wanted is None or wanted.ref is None:
        return
    _quietly(lambda: carriers.the_switchboard().set_listening(wanted), f"listening {listening_id}")


def stop_listening(ref: str) -> None:
    """End the listener's leg."""
    carriers.the_switchboard().hang_up(ref)


def _dial(session: Session, leg: call_legs.CallLeg, call: Call) -> Dial:
    """How the outside number is called: by the campaign's own way out."""
    assert leg.target_id is not None  # an outside leg has its target
    phone = transfer_targets.get(session, leg.target_id).phone
    queue = queues.get(session, call.queue_id)
    route = carriers.carrier(call.carrier).route(session, phone, queue.caller_id, call.queue_id)
    return Dial(leg.id, phone, route.caller_id, RING_SECONDS, route=route)


def _quietly(ask: Callable[[], None], what: str) -> None:
    """A leg that ended meanwhile needs nothing more."""
    try:
        ask()
    except ProviderError as error:
        if error.code != "gone":
            raise
        log.info("%s: its leg has ended", what)
