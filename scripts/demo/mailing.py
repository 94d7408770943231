"""The SMS campaign that was sent on the Friday before: who got it, who did not, and who wrote back."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import DRILL_START, real_now
from callcenter.contacts import Contact
from campaigns import inbox, messages, wording
from campaigns.channels import Reply
from campaigns.dispatch import message_planning, message_states
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message
from scripts.simulated_carrier.citizens import citizen

SENT_AT = DRILL_START - timedelta(days=3) + timedelta(hours=2)  # Friday noon
A_SECOND = timedelta(seconds=0.1)  # ten messages a second


def load(session: Session, campaign: MessageCampaign, *, seed: int) -> int:
    """Plan the campaign by the product's own function, then write what became of each message; returns how many."""
    message_planning.write_for_segment(session, campaign.id)
    rows = [_message(row, place, campaign, seed) for place, row in enumerate(_planned(session, campaign.id))]
    session.execute(insert(Attempt), [_attempt(row, campaign.purpose) for row in rows])
    kept = ("body", "parts", "provider_ref", "state", "error_code", "sent_at", "news_at", "finished_at")
    written = Message.__table__
    session.connection().execute(
        update(written)  # type: ignore[arg-type]  # a declarative class's table is one
        .where(written.c.id == bindparam("which"))
        .values({name: bindparam(f"new_{name}") for name in kept}),
        [{"which": row["id"], **{f"new_{name}": row[name] for name in kept}} for row in rows],
    )
    _answer(session, rows, campaign, seed)
    campaign.state, campaign.launched_at = "finished", _real(SENT_AT)
    campaign.finished_at = _real(SENT_AT + timedelta(minutes=5))
    return len(rows)


def _planned(session: Session, campaign_id: int) -> list[Any]:
    people = (
        select(
            Message.id,
            Message.contact_id,
            Message.phone,
            Contact.name,
            Contact.given_names,
            Contact.section_number,
            Contact.neighborhood,
            Contact.municipality,
        )
        .join(Contact, Contact.id == Message.contact_id)
        .where(Message.campaign_id == campaign_id, Message.state == message_states.PLANNED)
        .order_by(Message.contact_id)
    )
    return list(session.execute(people).all())


def _message(row: Any, place: int, campaign: MessageCampaign, seed: int) -> dict[str, Any]:
    body = wording.render(campaign.text, messages.values_of(row))
    outcome = citizen(row.phone, seed).receives(body)
    delivered = outcome == "delivered"
    at = SENT_AT + place * A_SECOND
    return {
        "id": row.id,
        "contact_id": row.contact_id,
        "phone": row.phone,
        "at": at,
        "body": body,
        "parts": wording.parts(body).count,
        "provider_ref": f"SM{row.id.hex}",
        "state": message_states.DELIVERED if delivered else message_states.UNDELIVERED,
        "error_code": None if delivered else outcome,
        "sent_at": _real(at),
        "news_at": _real(at + timedelta(seconds=2)),
        "finished_at": _real(at + timedelta(seconds=2)),
    }


def _attempt(row: dict[str, Any], purpose: str) -> dict[str, Any]:
    return {
        "id": row["id"],
        "channel": "sms",
        "purpose": purpose,
        "contact_id": row["contact_id"],
        "phone": row["phone"],
        "at": row["at"],
        "created_at": row["sent_at"],
        "deadline_at": row["finished_at"],
        "closed_at": row["finished_at"],
        "outcome": row["state"],
    }


def _answer(session: Session, rows: list[dict[str, Any]], campaign: MessageCampaign, seed: int) -> None:
    """Citizens write back, some of them BAJA: the product's own inbox obeys."""
    for row in rows:
        said = citizen(row["phone"], seed).replies(row["body"])
        if said is not None and row["state"] == message_states.DELIVERED:
            ref = f"SM{uuid.uuid5(row['id'], said).hex}"
            inbox.receive(session, Reply(ref, campaign.channel, row["phone"], row["phone"], said))


def _real(at: datetime) -> datetime:
    return real_now() - (DRILL_START - at)
