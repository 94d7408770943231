"""Claiming messages: the gate speaks, the text is dressed, the try is written down; only then may one leave."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, or_, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from callcenter import consent
from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now, real_now
from callcenter.contacts import Contact
from campaigns import message_campaigns as campaigns
from campaigns import message_states as states
from campaigns import wording
from campaigns.channels import NOTHING_ENCLOSED, Enclosure
from campaigns.message_campaigns import MessageCampaign
from campaigns.messages import PLACEHOLDERS, Message, close, values_of

LEASE = timedelta(minutes=5)  # far more than a batch takes; a row past it was being sent when its worker died
RECEIPT_LIFE = timedelta(hours=72)  # Twilio gives up on a message after 10 hours in its queue and 36 at the operator
# Refusals that pass by themselves within days: the message waits for `until` instead of being excluded.
WAITS = frozenset({"hours", "household"})


@dataclass(frozen=True)
class Outgoing:
    """One claimed message, ready for the wire. `id` travels to the provider, `provider_ref` is what came back."""

    id: UUID
    phone: str
    sender: str
    body: str
    parts: int
    sent_at: datetime
    provider_ref: str | None = None
    address: str | None = None
    enclosed: Enclosure = NOTHING_ENCLOSED


def claim(session: Session, campaign_id: int, limit: int) -> list[Outgoing]:
    """Take up to `limit` planned messages of a running campaign: each passes the gate now, or is excluded, or waits.

    The claimed ones are `sending`, under a lease; the caller commits before it tells the provider. An empty list does
    not mean that nobody is left (all of a batch may have been refused): see `has_ready`."""
    campaign = session.get(MessageCampaign, campaign_id, populate_existing=True)
    if campaign is None or campaign.state != campaigns.RUNNING:
        return []
    now = campaign_now(session)
    rows = session.execute(_ready(campaign_id, now).limit(limit).with_for_update(of=Message, skip_locked=True)).all()
    phones = {row.phone for row in rows}
    free = consent.hold_phones(session, phones)
    refusals = consent.refusals(
        session, [(row.contact_id, row.phone) for row in rows if row.contact_id is not None],
        campaign.channel, campaign.purpose, simulated=campaign.is_simulated, attempt_ids=[row.id for row in rows],
    )  # fmt: skip
    claimed: list[Outgoing] = []
    refused: dict[UUID, str] = {}
    waiting: dict[UUID, consent.Refusal] = {}
    for row in rows:
        refusal = refusals.get(row.contact_id) if row.contact_id is not None else None
        if refusal is None and row.phone not in free:  # somebody is asking the gate about this phone just now
            refusal = consent.Refusal("household", now + consent.SOON)
        if refusal is not None and refusal.code in WAITS and refusal.until is not None:
            waiting[row.id] = refusal
        elif row.contact_id is None or refusal is not None:
            refused[row.id] = refusal.code if refusal else "erased"
        else:
            _dress(row, campaign, claimed, refused)
    _keep_attempts(session, campaign, [(row.id, row.contact_id, row.phone) for row in rows if row.id not in waiting])
    _mark_sending(session, claimed)
    exclude(session, refused)
    _mark_waiting(session, waiting)
    return claimed


def has_ready(session: Session, campaign_id: int) -> bool:
    """Is there a planned message that may be claimed now?"""
    return session.execute(_ready(campaign_id, campaign_now(session)).limit(1)).first() is not None


def has_planned(session: Session, campaign_id: int) -> bool:
    """Is there a planned message, be it one that waits?"""
    found = select(Message.id).where(Message.campaign_id == campaign_id, Message.state == states.PLANNED).limit(1)
    return session.execute(found).first() is not None


def _ready(campaign_id: int, now: datetime) -> Any:
    return (
        select(Message.id, Message.phone, Message.contact_id, *PLACEHOLDERS)
        .outerjoin(Contact, Contact.id == Message.contact_id)
        .where(Message.campaign_id == campaign_id, Message.state == states.PLANNED,
               or_(Message.not_before.is_(None), Message.not_before <= now))
    )  # fmt: skip


def _dress(row: Row[Any], campaign: MessageCampaign, claimed: list[Outgoing], refused: dict[UUID, str]) -> None:
    try:
        body = wording.render(campaign.text, values_of(row))
    except wording.MissingValue:
        refused[row.id] = "missing_value"
        return
    if len(body) > wording.MAX_CHARACTERS:
        refused[row.id] = "too_long"
        return
    claimed.append(Outgoing(row.id, row.phone, campaign.sender, body, wording.parts(body).count, real_now()))


def _keep_attempts(session: Session, campaign: MessageCampaign, rows: list[tuple[UUID, int | None, str]]) -> None:
    """A claimed message is a try from now on: its row in the history of the person, before the provider hears of it."""
    if not rows:
        return
    now, at = real_now(), campaign_now(session)
    tries = postgresql.insert(Attempt).values([
        {"id": message_id, "channel": campaign.channel, "purpose": campaign.purpose, "contact_id": contact_id,
         "phone": phone, "at": at, "created_at": now, "deadline_at": now + RECEIPT_LIFE}
        for message_id, contact_id, phone in rows
    ])  # fmt: skip
    # A message that was given back (429, no connection) has its row already.
    session.execute(
        tries.on_conflict_do_update(index_elements=["id"], set_={"at": at, "deadline_at": now + RECEIPT_LIFE})
    )


def _mark_sending(session: Session, claimed: list[Outgoing]) -> None:
    if not claimed:
        return
    now = real_now()
    session.connection().execute(
        update(Message.__table__)  # type: ignore[arg-type]  # a mapped class's table is a Table
        .where(Message.id == bindparam("b_id"))
        .values(state=states.SENDING, body=bindparam("b_body"), parts=bindparam("b_parts"), sent_at=now, news_at=now,
                lease_until=now + LEASE, refusal=None, not_before=None),
        [{"b_id": one.id, "b_body": one.body, "b_parts": one.parts} for one in claimed],
    )  # fmt: skip


def _mark_waiting(session: Session, waiting: Mapping[UUID, consent.Refusal]) -> None:
    if waiting:
        session.connection().execute(
            update(Message.__table__)  # type: ignore[arg-type]  # as above
            .where(Message.id == bindparam("b_id"))
            .values(refusal=bindparam("b_refusal"), not_before=bindparam("b_until")),
            [{"b_id": id_, "b_refusal": why.code, "b_until": why.until} for id_, why in waiting.items()],
        )


def exclude(session: Session, refused: Mapping[UUID, str]) -> None:
    """Planned messages that nobody will get, each with the code of its reason."""
    for code in sorted(set(refused.values())):
        ids = [message_id for message_id, reason in refused.items() if reason == code]
        close(session, Message.id.in_(ids), states.EXCLUDED, refusal=code)
