"""What an operator's screen shows, as docs/architecture.md lays it down."""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter import call_card, carriers, dispositions, queue_entries, queues, softphones
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.errors import NotFound
from callcenter.base.settings import web_settings
from callcenter.call_ledger import Call
from callcenter.operators import Operator, operator_queues


def snapshot(session: Session, operator_id: int) -> dict[str, Any]:
    """All that the operator's screen shows, as docs/architecture.md lays it down."""
    operator = session.get(Operator, operator_id, populate_existing=True)
    if operator is None:
        raise NotFound(_("There is no such operator."))
    call = session.get(Call, operator.call_id, populate_existing=True) if operator.call_id else None
    return {
        "server_now": real_now().isoformat(),
        "campaign_now": campaign_now(session).isoformat(),
        "simulated": web_settings().is_drill,
        "operator": _card(session, operator),
        "call": call_card.card(session, call) if call else None,
        "dispositions": dispositions.listed(),
        "phone": softphones.card(session, operator.id) if carriers.has_switchboard() else None,
        "undo": call_card.undo_offer(session, operator.id) if call is None else None,
        "next_callback": queue_entries.next_callback(session, operator.id),
        "queues": queues.running_for(session, _queue_ids(session, operator.id)),
    }


def _card(session: Session, operator: Operator) -> dict[str, Any]:
    calls_today, talk_seconds = call_card.day_of(session, operator.id)
    return {
        "id": operator.id,
        "name": operator.user.full_name,
        "state": operator.state,
        "since": operator.state_since.isoformat(),
        "pause_reason": operator.pause_reason,
        "leave_after_call": operator.leave_after_call,
        "room_open": operator.has_room,
        "calls_today": calls_today,
        "talk_seconds_today": talk_seconds,
    }


def _queue_ids(session: Session, operator_id: int) -> list[int]:
    """The operator's own queues; an empty list means every running one."""
    own = select(operator_queues.c.queue_id).where(operator_queues.c.operator_id == operator_id)
    return list(session.scalars(own))
