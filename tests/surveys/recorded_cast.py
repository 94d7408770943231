"""Calls that a recorded survey takes."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from callcenter.calls import Call
from callcenter.queues import CallQueue
from callcenter.switches import Switch

NewCall = Callable[..., UUID]


def recorded_call(session: Session, new_call: NewCall, **person: object) -> UUID:
    """A call that was answered and belongs to no operator."""
    call_id = new_call(**person)
    session.execute(update(CallQueue).values(answered_by="recording"))
    call = session.get_one(Call, call_id, populate_existing=True)
    call.operator_id, call.carrier_ref, call.connected_at = None, f"local/{call_id}", real_now()
    session.flush()
    return call_id


def switch(session: Session, folder: str | None = None) -> Switch:
    made = Switch(name="local", host="127.0.0.1", ami_port=1, ws_url="ws://x", secrets_sealed="", folder=folder,
                  folder_there=folder)  # fmt: skip
    session.add(made)
    session.flush()
    return made
