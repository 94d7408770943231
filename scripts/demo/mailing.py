"""The SMS campaign that was sent on the Friday before: who got it, who did not, and who wrote back.

It invites to the panel in two wordings, so that a newcomer sees how a trial of them stands.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from callcenter.attempts import Attempt
from callcenter.base.clock import DRILL_START
from callcenter.contacts import Contact
from campaigns import inbox, messages
from campaigns.channels import Reply
from campaigns.dispatch import message_planning, message_states, message_texts
from campaigns.dispatch.message_texts import Asked, Written
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import Message
from scripts.demo import rows
from scripts.demo.past import real
from scripts.simulated_carrier.citizens import citizen

SENT_AT = DRILL_START - timedelta(days=3) + timedelta(hours=2)  # Friday noon
A_SECOND = timedelta(seconds=0.1)  # ten messages a second


def load(session: Session, campaign: MessageCampaign, *, seed: int) -> int:
    """Plan and write the campaign by the product's own functions, then say what became of each message; returns how
    many."""
    message_planning.write_for_segment(session, campaign.id)
    planned = _planned(session, campaign.id)
    texts = message_texts.write(
        session, campaign, [Asked(row.id, row.wording, messages.values_of(row), row.contact_id) for row in planned]
    ).written
    sent = [_message(row, place, texts[row.id], campaign.name, seed) for place, row in enumerate(planned)]
    rows.copy(session, Attempt, [attempt(row, campaign.purpose) for row in sent])
    kept = ("body", "parts", "provider_ref", "state", "error_code", "sent_at", "news_at", "finished_at")
    written = Message.__table__
    session.connection().execute(
        update(written)  # type: ignore[arg-type]  # a declarative class's table is one
        .where(written.c.id == bindparam("which"))
        .values({name: bindparam(f"new_{name}") for name in kept}),
        [{"which": row["id"], **{f"new_{name}": row[name] for name in kept}} for row in sent],
    )
    campaign.state, campaign.launched_at = "finished", real(SENT_AT)
    campaign.finished_at = real(SENT_AT + timedelta(minutes=5))
    session.flush()
    _answer(session, sent, campaign, seed)
    return len(sent)


def _planned(session: Session, campaign_id: int) -> list[Any]:
    people = (
        select(
            Message.id,
            Message.contact_id,
            Message.phone,
            Message.wording,
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


def _message(row: Any, place: int, text: Written, name: str, seed: int) -> dict[str, Any]:
    # Not by the text: who gets which wording under trial, and each link, are another installation's others.
    outcome = citizen(row.phone, seed).receives(name)
    delivered = outcome == "delivered"
    at = SENT_AT + place * A_SECOND
    return {
        "id": row.id,
        "contact_id": row.contact_id,
        "phone": row.phone,
        "at": at,
        "body": text.body,
        "parts": text.parts,
        "provider_ref": f"SM{row.id.hex}",
        "state": message_states.DELIVERED if delivered else message_states.UNDELIVERED,
        "error_code": None if delivered else outcome,
        "sent_at": real(at),
        "news_at": real(at + timedelta(seconds=2)),
        "finished_at": real(at + timedelta(seconds=2)),
    }


def attempt(row: Mapping[str, Any], purpose: str) -> dict[str, Any]:
    """The ledger's row of a message that has its end. `row`: id, contact_id, phone, at, sent_at, finished_at, state."""
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


def _answer(session: Session, sent: Sequence[dict[str, Any]], campaign: MessageCampaign, seed: int) -> None:
    """Citizens write back, some of them BAJA: the product's own inbox obeys."""
    for row in sent:
        said = citizen(row["phone"], seed).replies(campaign.name)
        if said is not None and row["state"] == message_states.DELIVERED:
            ref = f"SM{uuid.uuid5(row['id'], said).hex}"
            inbox.receive(session, Reply(ref, campaign.channel, row["phone"], row["phone"], said))
