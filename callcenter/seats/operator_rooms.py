"""Rooms of operators: their one permanent leg is asked for, opened, lost, and opened again.

Where the carrier tells things twice, each ring has a mark (operator_lines.mark): what is told of an old one is dropped.
"""

from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from callcenter import carriers
from callcenter.base.clock import real_now
from callcenter.base.errors import Refused
from callcenter.base.outbox import enqueue_later
from callcenter.operators import Operator, enter, forget_room, locked, pause, tell
from callcenter.seats import operator_lines
from callcenter.telephony import softphones


def ask(session: Session, operator_id: int, *, again: bool = False) -> bool:
    """Claim the opening of the operator's room; False when it is open, being opened, or no longer wanted, or while
    their browser is not there to be rung. `again`: the browser has come back and may have lost the leg we know."""
    operator = locked(session, operator_id)
    now = real_now()
    patience = operator_lines.patience(session, operator_id)
    asked = operator.room_asked_at is not None and operator.room_asked_at > now - patience
    if operator.state == "offline" or (not again and (operator.has_room or asked)):
        return False
    if not _can_be_rung(session, operator_id):
        return False
    operator.room_asked_at = now
    return True


def not_opened(session: Session, operator_id: int) -> None:
    """Nobody picked the leg up: the next one who asks need not wait."""
    locked(session, operator_id).room_asked_at = None


def opened(session: Session, operator_id: int, ref: str, *, mark: str | None = None) -> bool:
    """The operator's permanent leg was answered. An older leg of theirs is closed. False when nothing was opened: they
    are off, or `mark` is not of the last ring (operator_lines.mark; None: the carrier tells nothing twice)."""
    operator = locked(session, operator_id)
    if operator.room_ref != ref and mark not in (None, operator_lines.mark(operator.room_asked_at)):
        return False
    if operator.state == "offline":
        enqueue_later(session, "callcenter.jobs.close_room", ref, queue="urgent")
        return False
    if operator.room_ref not in (None, ref):
        enqueue_later(session, "callcenter.jobs.close_room", operator.room_ref, queue="urgent")
    if operator.room_ref != ref or operator.room_opened_at is None:
        operator.room_opened_at = real_now()
    operator.room_ref, operator.room_checked_at, operator.room_lost_at = ref, real_now(), None
    tell(session, operator)
    return True


def dialled_in(session: Session, operator_id: int, ref: str) -> None:
    """The operator has called us: their leg is open. Who was off begins in a pause, as when they connect."""
    if locked(session, operator_id).state == "offline":
        pause(session, operator_id, "starting")
    opened(session, operator_id, ref)


def at_leg(session: Session, ref: str) -> int | None:
    """The id of the operator whose permanent leg this is; None when it is nobody's."""
    return session.scalar(select(Operator.id).where(Operator.room_ref == ref)) if ref else None


def lost(session: Session, operator_id: int, ref: str, *, reopen: bool = True, mark: str | None = None) -> None:
    """The operator's leg is gone. A free operator gets a new one at once, or a pause that says why. Who hung their own
    telephone up is rung again only while a citizen waits. `mark`: see opened; '' when it must be the open leg."""
    operator = locked(session, operator_id)
    is_last = operator.room_ref is None and mark in (None, operator_lines.mark(operator.room_asked_at))
    if operator.room_ref != ref and not is_last:
        return  # news of a leg that was replaced, or told twice
    is_rung_anew = mark is not None and _is_ringing(operator, operator_lines.patience(session, operator_id))
    operator.room_ref = operator.room_opened_at = None
    operator.room_lost_at = operator.room_lost_at or real_now()
    if is_rung_anew:  # a page that was reloaded: its new leg is on the way
        tell(session, operator)
        return
    operator.room_asked_at = None
    is_telephone = carriers.can("phone_leg") and operator_lines.way(session, operator_id) != "browser"
    if carriers.can("browser_leg") and not is_telephone and not reopen and mark:
        # The page did not take it, perhaps while it was being reloaded: it says when it is there again, and is rung
        # then; who stays away is paused by the sweep.
        operator_lines.page_gone(session, operator_id)
        tell(session, operator)
        return
    reopen = reopen and (not is_telephone or operator.state == "in_call")
    if reopen and operator.state != "offline":
        enqueue_later(session, "callcenter.jobs.open_room", operator.id, queue="urgent")
    elif operator.state != "offline":
        operator.pause_reason = "room_lost"
        if operator.call_id is None:
            enter(session, operator, "paused")
    tell(session, operator)


def renew(session: Session, operator_id: int) -> None:
    """Another way to hear from now on: the leg that is up is closed, the new one rung. Raises Refused in a call."""
    operator = locked(session, operator_id)
    if operator.call_id is not None:
        raise Refused("in_call", _("You are in a call: change your line after it."))
    if operator.room_ref:
        enqueue_later(session, "callcenter.jobs.close_room", operator.room_ref, queue="urgent")
    forget_room(operator)
    if operator.state in ("available", "preview"):
        operator.pause_reason = "room_lost"
        enter(session, operator, "paused")
    if operator.state != "offline":
        enqueue_later(session, "callcenter.jobs.open_room", operator_id, True, queue="urgent")
    tell(session, operator)


def is_alone(since: datetime) -> Any:
    """The condition of an operator without a leg, and without any way to be rung, since before `since`."""
    gone = softphones.lost(Operator.id, since)
    if carriers.can("phone_leg"):
        gone = or_(gone, Operator.room_lost_at < since)
    return and_(Operator.room_opened_at.is_(None), gone)


def _is_ringing(operator: Operator, patience: timedelta) -> bool:
    """Is a leg being rung that would replace the one that is up?"""
    asked_at, opened_at = operator.room_asked_at, operator.room_opened_at
    return asked_at is not None and opened_at is not None and max(opened_at, real_now() - patience) < asked_at


def _can_be_rung(session: Session, operator_id: int) -> bool:
    if carriers.has_switchboard():
        return softphones.is_there(session, f"op-{operator_id}")
    return operator_lines.address(session, operator_id) is not None
