"""How long free text may go to somebody: WhatsApp lets us answer for 24 hours after they wrote, then only templates.

Kept by us, because Twilio tells of a closed window only by refusing (63016). Derived from what people wrote; real time.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from callcenter.base.clock import real_now
from campaigns import channels
from campaigns.inbox import InboundMessage

ALWAYS = datetime.max.replace(tzinfo=real_now().tzinfo)


def closes_at(session: Session, channel: str, address: str | None, phone: str | None = None) -> datetime | None:
    """When the window to this person closes; None: it is closed. A channel without windows is always open."""
    return open_for(session, channel, [(address, phone)]).get((address, phone))


def open_for(
    session: Session, channel: str, people: Sequence[tuple[str | None, str | None]]
) -> dict[tuple[str | None, str | None], datetime]:
    """When the window of each (address, phone) closes; who is not in the answer has none that is open."""
    length = channels.facts(channel).window
    if length is None:
        return dict.fromkeys(people, ALWAYS)
    inbound = InboundMessage
    who = or_(inbound.address.in_([address for address, _ in people if address]),
              inbound.phone.in_([phone for _, phone in people if phone]))  # fmt: skip
    rows = session.execute(
        select(inbound.address, inbound.phone, func.max(inbound.received_at))
        .where(inbound.channel == channel, inbound.received_at > real_now() - length, who)
        .group_by(inbound.address, inbound.phone)
    ).all()
    until: dict[str, datetime] = {}
    for address, phone, at in rows:
        for name in filter(None, (address, phone)):
            until[name] = max(at + length, until.get(name, at + length))
    found = {one: [until[name] for name in one if name in until] for one in people}
    return {one: max(times) for one, times in found.items() if times}
