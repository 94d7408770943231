"""What an operator's screen shows, as docs/architecture.md lays it down."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import carriers, queues
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import NotFound
from callcenter.base.settings import web_settings
from callcenter.ledger import call_card, dispositions
from callcenter.ledger.call_ledger import Call
from callcenter.operators import Operator, operator_queues
from callcenter.queueing import preview_card, queue_entries
from callcenter.seats import attendance, operator_lines, operator_log, pause_reasons
from callcenter.seats.pause_reasons import Reason
from callcenter.supervision import floor_notes
from callcenter.telephony import softphones


def snapshot(session: Session, operator_id: int) -> dict[str, Any]:
    """All that the operator's screen shows, as docs/architecture.md lays it down."""
    operator = session.get(Operator, operator_id, populate_existing=True)
    if operator is None:
        raise NotFound(_("There is no such operator."))
    has_call = operator.call_id is not None and operator.state != "preview"
    call = session.get(Call, operator.call_id, populate_existing=True) if has_call else None
    return {
        "server_now": real_now().isoformat(),
        "campaign_now": campaign_now(session).isoformat(),
        "simulated": web_settings().is_drill,
        "operator": _card(session, operator),
        "call": call_card.card(session, call) if call else None,
        "preview": preview_card.card(session, operator),
        "preview_end": preview_card.last_end(session, operator.id) or call_card.machine_end(session, operator.id),
        "dispositions": dispositions.listed(),
        "phone": _page_phone(session, operator.id),
        "undo": call_card.undo_offer(session, operator.id) if call is None else None,
        "next_callback": queue_entries.next_callback(session, operator.id),
        "queues": queues.running_for(session, _queue_ids(session, operator.id)),
        "notes": floor_notes.unseen_by(session, operator.id),
    }


def pause_until(session: Session, operator: Operator, reasons: Sequence[Reason] | None = None) -> datetime | None:
    """When the operator's pause reaches the limit of its reason, for itself or for the day; None without a limit.
    `reasons`: all there are, where the caller has them."""
    if operator.state != "paused":
        return None
    known = pause_reasons.listed(session, enabled_only=False) if reasons is None else reasons
    reason = next((one for one in known if one.code == operator.pause_reason), None)
    if reason is None:
        return None
    earlier = 0.0
    if reason.minutes_a_day is not None:
        earlier = attendance.paused_seconds(session, operator.id, reason.code, operator.state_since)
    return pause_reasons.ends_at(reason, operator.state_since, earlier)


def _page_phone(session: Session, operator_id: int) -> dict[str, Any] | None:
    """The telephone in the operator's page; None where it has none, or where they telephone otherwise."""
    if carriers.has_switchboard():
        return softphones.card(session, operator_id)
    return operator_lines.card(session, operator_id) if carriers.can("browser_leg") else None


def _card(session: Session, operator: Operator) -> dict[str, Any]:
    calls_today, talk_seconds = call_card.day_of(session, operator.id)
    until = pause_until(session, operator)
    return {
        "id": operator.id,
        "name": operator.user.full_name,
        "state": operator.state,
        "since": operator.state_since.isoformat(),
        "pause_reason": operator.pause_reason,
        "pause_until": until.isoformat() if until else None,
        "left": _left(operator),
        "leave_after_call": operator.leave_after_call,
        "room_open": operator.has_room,
        "calls_today": calls_today,
        "talk_seconds_today": talk_seconds,
    }


def _left(operator: Operator) -> dict[str, Any] | None:
    """How somebody who is off came to be so, when it was not by themselves: {"at": ISO, "reason": words}."""
    if operator.state != "offline" or operator.leave_reason in (None, "own"):
        return None
    return {"at": operator.state_since.isoformat(), "reason": operator_log.leaving(operator.leave_reason)}


def _queue_ids(session: Session, operator_id: int) -> list[int]:
    """The operator's own queues; an empty list means every running one."""
    own = select(operator_queues.c.queue_id).where(operator_queues.c.operator_id == operator_id)
    return list(session.scalars(own))
