"""What an operator's screen shows of a call, of the person in it, and of their own day."""

from datetime import datetime, time
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from callcenter import attempts, queues, recordings
from callcenter.base.clock import ZONE, real_now
from callcenter.contacts import Contact, masked
from callcenter.ledger import call_legs, dispositions
from callcenter.ledger.call_ledger import Call
from callcenter.ledger.call_scripts import script_for
from callcenter.ledger.call_states import UNDO
from callcenter.people import contact_notes
from callcenter.places import zones
from callcenter.queueing import queue_entries
from callcenter.queues import CallQueue


def card(session: Session, call: Call) -> dict[str, Any]:
    """The call as docs/architecture.md lays down the operator's snapshot."""
    queue = queues.get(session, call.queue_id)
    script = script_for(call.script)
    return {
        "id": str(call.id),
        "state": call.state,
        "direction": call.direction,
        "connected_at": _iso(call.connected_at),
        "hung_up_at": _iso(call.hung_up_at),
        "wrap_up_until": _iso(call.wrap_up_until) if call.state == "wrap_up" else None,
        "attempt_number": queue_entries.tries(session, call.entry_id) + 1,
        "recording": recordings.card(session, call),
        "note": call.note,
        "note_warning": contact_notes.warning_of(session, call.note),
        "difficult": call.difficult_at is not None,
        "queue": queue_of(queue),
        "contact": person(session, call.attempt.contact_id, call.attempt.phone),
        "script": call.script,
        "script_url": url_for(script.endpoint, call_id=call.id) if script else None,
        "history": history_of(session, call.attempt.contact_id),
        "suggested": script.suggested(session, call.id) if script else None,
        "acts": call_legs.card(session, call),
    }


def undo_offer(session: Session, operator_id: int) -> dict[str, Any] | None:
    """The last call whose outcome the operator may still take back: call_id, until (ISO), label."""
    last = session.scalar(
        select(Call)
        .where(Call.operator_id == operator_id, Call.disposition.is_not(None), Call.disposition_at > real_now() - UNDO)
        .order_by(Call.disposition_at.desc())
        .limit(1)
    )
    if last is None or last.disposition_at is None:
        return None
    label = dispositions.label(last.disposition)
    return {"call_id": str(last.id), "until": (last.disposition_at + UNDO).isoformat(), "label": label}


def machine_end(session: Session, operator_id: int) -> dict[str, str] | None:
    """A call that was taken from the operator a moment ago because a machine had picked up: {"call_id", "says"}."""
    last = session.scalar(
        select(Call).where(Call.operator_id == operator_id, Call.ended_at > real_now() - UNDO)
        .order_by(Call.ended_at.desc()).limit(1).execution_options(populate_existing=True)
    )  # fmt: skip
    if last is None or last.disposition is not None or last.attempt.outcome not in ("machine", "voicemail"):
        return None
    hears = last.attempt.outcome == "voicemail"
    says = _("An answering machine took the call: it hears our message") if hears else dispositions.label("machine")
    return {"call_id": str(last.id), "says": says}


def day_of(session: Session, operator_id: int) -> tuple[int, int]:
    """Calls ended and seconds talked since midnight (real time)."""
    midnight = datetime.combine(real_now().astimezone(ZONE).date(), time(), ZONE)
    talked = func.extract("epoch", Call.hung_up_at - Call.connected_at)
    row = session.execute(
        select(func.count(), func.coalesce(func.sum(talked), 0)).where(
            Call.operator_id == operator_id, Call.ended_at >= midnight
        )
    ).one()
    return row[0], int(row[1])


def person(session: Session, contact_id: int | None, phone: str) -> dict[str, Any] | None:
    """Somebody who is or will be called at `phone`; None when they were erased meanwhile. The phone is masked: nobody
    reads it out."""
    found = session.get(Contact, contact_id) if contact_id else None
    if found is None:
        return None
    return {
        "id": found.id,
        "name": found.name or str(_("(no name)")),  # a random number's, or a list's without names
        "given_names": found.given_names,
        "age": found.age,
        "sex": found.sex,
        "section": found.section_number,
        "neighborhood": found.neighborhood,
        "municipality": found.municipality,
        "zone": zones.zones_of(found.state, found.municipality, phone)[0].key,
        "phone": masked(phone),
    }


def queue_of(queue: CallQueue) -> dict[str, Any]:
    """For whom a call is, and what is read."""
    return {
        "id": queue.id,
        "name": queue.name,
        "on_behalf_of": queue.on_behalf_of,
        "privacy_notice_url": queue.privacy_notice_url,
        "script_text": queue.script_text,
    }


def history_of(session: Session, contact_id: int | None) -> list[dict[str, Any]]:
    """The newest tries to reach a person, on every channel."""
    return [
        {"at": a.at.isoformat(), "channel": a.channel, "outcome": dispositions.label(a.outcome)}
        for a in attempts.history(session, contact_id)
    ]


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
