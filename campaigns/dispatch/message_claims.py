"""Claiming messages: the gate speaks, the text is dressed, a sender is found, the try is written down; only then may
one leave. A batch takes some ten statements, however many messages it holds."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from callcenter import consent, suppressions
from callcenter.base.clock import ZONE, campaign_now, real_now
from callcenter.contacts import Contact
from campaigns.channels import NOTHING_ENCLOSED, Enclosure
from campaigns.dispatch import message_states as states
from campaigns.dispatch import message_texts, sender_budget, sender_choice, senders
from campaigns.dispatch.message_texts import Asked
from campaigns.dispatch.sender_budget import AHEAD, Budget
from campaigns.dispatch.sender_choice import Wish
from campaigns.figures import message_prices
from campaigns.mailings import message_campaigns as campaigns
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import PLACEHOLDERS, TEST, Message, close, values_of
from campaigns.wording import parts as parts_of

LEASE = timedelta(seconds=90)  # far more than a batch takes; a row past it was being sent when its worker died
RECEIPT_LIFE = timedelta(hours=72)  # Twilio gives up on a message after 10 hours in its queue and 36 at the operator
LATE = timedelta(seconds=2)  # how long a message waits whose own sender is spoken for
LOOKS_AT = 100  # messages at least that are shown to the gate at once: most may be refused
SENDS = (campaigns.PLANNING, campaigns.RUNNING)  # what is planned leaves while the rest is being planned
# Refusals that pass by themselves within days: the message waits for `until` instead of being excluded.
WAITS = frozenset({"hours", "household", "people_a_day"})


@dataclass(frozen=True)
class Outgoing:
    """One claimed message, ready for the wire. `id` travels to the provider, `provider_ref` is what came back.
    `leaves_at`: the monotonic moment of this process at which it is its turn at the sender."""

    id: UUID
    phone: str
    sender: str
    body: str
    parts: int
    sent_at: datetime
    provider_ref: str | None = None
    address: str | None = None
    enclosed: Enclosure = NOTHING_ENCLOSED
    campaign_id: int = 0
    sender_id: int = 0
    leaves_at: float = 0.0


@dataclass(frozen=True)
class Claimed:
    """`letters` leave. `looked_at`: how many rows were locked. `is_full`: its senders carry nothing more just now;
    `has_sender`: one of them is active."""

    letters: list[Outgoing] = field(default_factory=list)
    looked_at: int = 0
    is_full: bool = False
    has_sender: bool = True


@dataclass
class _Batch:
    """Ready rows of one campaign, and what has been decided about each: dressed, refused for good, or waiting."""

    campaign: MessageCampaign
    now: datetime
    rows: Sequence[Row[Any]]
    dressed: dict[UUID, tuple[str, int]] = field(default_factory=dict)  # text, parts
    reached: dict[UUID, tuple[str | None, Enclosure]] = field(default_factory=dict)
    refused: dict[UUID, str] = field(default_factory=dict)
    waiting: dict[UUID, tuple[str | None, datetime]] = field(default_factory=dict)

    def open_rows(self) -> list[Row[Any]]:
        return [row for row in self.rows if row.id not in self.refused and row.id not in self.waiting]

    def say(self, message_id: UUID, refusal: consent.Refusal) -> None:
        if refusal.code in WAITS and refusal.until is not None:
            self.waiting[message_id] = refusal.code, refusal.until
        else:
            self.refused[message_id] = refusal.code


def claim(session: Session, campaign_id: int, limit: int) -> list[Outgoing]:
    """The letters of `take`."""
    return take(session, campaign_id, limit).letters


def take(session: Session, campaign_id: int, limit: int, *, looks_at: int = LOOKS_AT, ahead: float = AHEAD) -> Claimed:
    """Take up to `limit` planned messages of a running campaign: each passes the gate now, or is excluded, or waits.

    No more than its senders may carry within `ahead` seconds. The claimed ones are `sending`, under a lease; the caller
    commits before it tells the provider. No letters does not mean that nobody is left (all of a batch may have been
    refused): see `has_ready`."""
    campaign = session.get(MessageCampaign, campaign_id, populate_existing=True)
    if campaign is None or campaign.state not in SENDS:
        return Claimed()
    found = senders.of_campaign(session, campaign)
    budgets = list(sender_budget.lock(session, found, ahead).values())
    room = sum(budget.room for budget in budgets)
    if not room:
        return Claimed(is_full=True, has_sender=any(one.state == senders.ACTIVE for one in found))
    now = campaign_now(session)
    batch = _Batch(campaign, now, _ready(session, campaign_id, now, max(min(limit, room), looks_at), is_claim=True))
    if not batch.rows:
        return Claimed()
    _ask_gate(session, batch)
    _reach(session, batch)
    _dress(session, batch)
    letters = _find_senders(session, batch, budgets, limit)
    _write(session, batch, letters)
    return Claimed(letters, len(batch.rows), is_full=not any(budget.room for budget in budgets))


def has_ready(session: Session, campaign_id: int) -> bool:
    """Is there a planned message that may be claimed now?"""
    return bool(_ready(session, campaign_id, campaign_now(session), 1, is_claim=False))


def has_planned(session: Session, campaign_id: int) -> bool:
    """Is there a planned message, be it one that waits or is held?"""
    found = select(Message.id).where(Message.campaign_id == campaign_id, Message.state == states.PLANNED,
                                     Message.wave < TEST).limit(1)  # fmt: skip
    return session.execute(found).first() is not None


def exclude(session: Session, refused: Mapping[UUID, str]) -> None:
    """Planned messages that nobody will get, each with the code of its reason."""
    for code in sorted(set(refused.values())):
        ids = [message_id for message_id, reason in refused.items() if reason == code]
        close(session, Message.id.in_(ids), states.EXCLUDED, refusal=code)


def _ready(session: Session, campaign_id: int, now: datetime, limit: int, *, is_claim: bool) -> Sequence[Row[Any]]:
    """First those who waited and need not any more, then those who never did: one walk along the index each."""
    found: list[Row[Any]] = []
    for when in (Message.not_before <= now, Message.not_before.is_(None)):
        if len(found) < limit:
            wanted = _rows(campaign_id).where(when).limit(limit - len(found))
            if is_claim:
                wanted = wanted.with_for_update(of=Message, skip_locked=True)
            found += session.execute(wanted).all()
    return found


def _rows(campaign_id: int) -> Any:
    return (
        select(Message.id, Message.phone, Message.address, Message.contact_id, Message.wording, Message.body,
               Message.turn, Message.parts, *PLACEHOLDERS)
        .outerjoin(Contact, Contact.id == Message.contact_id)
        .where(Message.campaign_id == campaign_id, Message.state == states.PLANNED, ~Message.is_held,
               Message.wave < TEST)
        .order_by(Message.not_before, Message.id)
    )  # fmt: skip


def _ask_gate(session: Session, batch: _Batch) -> None:
    """What the law and the house say of each person at this moment, one at a time in a household."""
    campaign, rows = batch.campaign, batch.rows
    free = consent.hold_phones(session, {_reached_at(row) for row in rows})
    refusals = consent.refusals(
        session, [(row.contact_id, _reached_at(row)) for row in rows if row.contact_id is not None],
        campaign.channel, campaign.purpose, simulated=campaign.is_simulated, attempt_ids=[row.id for row in rows],
        is_answer=all(row.turn > 0 for row in rows),
    )  # fmt: skip
    for row in rows:
        refusal = refusals.get(row.contact_id) if row.contact_id is not None else _of_stranger(session, row)
        if refusal is None and _reached_at(row) not in free:  # somebody is asking the gate about this phone just now
            refusal = consent.Refusal("household", batch.now + consent.SOON)
        if refusal is not None:
            batch.say(row.id, refusal)


def _of_stranger(session: Session, row: Row[Any]) -> consent.Refusal | None:
    """Who is in no list of ours is answered when they wrote to us, unless they said that they want nothing more; who
    was in a list and is gone from it is not written to."""
    if row.turn < 1 or row.body is None:
        return consent.Refusal("erased")
    is_out = row.phone is not None and suppressions.find(session, row.phone) is not None
    return consent.Refusal("suppressed") if is_out else None


def _reach(session: Session, batch: _Batch) -> None:
    """How a channel that is not reached by phone alone calls each person, and what goes with the message."""
    if batch.campaign.channel == "sms":
        return
    from campaigns.dispatch import reach  # not needed for SMS, and it knows every provider

    asked = [
        reach.Person(id=row.id, contact_id=row.contact_id, phone=row.phone, address=row.address, wording=row.wording,
                     values=values_of(row), is_reply=row.body is not None)
        for row in batch.open_rows()
    ]  # fmt: skip
    for message_id, found in reach.reach(session, batch.campaign, asked, now=batch.now).items():
        if isinstance(found, consent.Refusal):
            batch.say(message_id, found)
        else:
            batch.reached[message_id] = found.address, found.enclosed


def _dress(session: Session, batch: _Batch) -> None:
    """The text of each; a reply is sent as it stands."""
    rows = batch.open_rows()
    asked = [Asked(row.id, row.wording, values_of(row), row.contact_id) for row in rows if row.body is None]
    texts = message_texts.write(session, batch.campaign, asked)
    batch.refused |= texts.refused
    batch.dressed = {message_id: (one.body, one.parts) for message_id, one in texts.written.items()}
    batch.dressed |= {row.id: (row.body, parts_of(row.body).count) for row in rows if row.body is not None}


def _find_senders(session: Session, batch: _Batch, budgets: list[Budget], limit: int) -> list[Outgoing]:
    is_cut = batch.campaign.channel == "sms"
    rows = [row for row in batch.rows if row.id in batch.dressed]
    wishes = [Wish(row.id, row.contact_id, batch.dressed[row.id][1] if is_cut else 1) for row in rows]
    sticks = batch.campaign.pool_id is not None
    choice = sender_choice.choose(session, budgets, wishes[:limit], sticks=sticks)
    sender_budget.keep(session, budgets)
    batch.waiting |= dict.fromkeys(choice.late, (None, batch.now + LATE))
    now, letters = real_now(), []
    for row in rows:
        if row.id in choice.carried:
            budget, leaves_at = choice.carried[row.id]
            address, enclosed = batch.reached.get(row.id, (row.address, NOTHING_ENCLOSED))
            body, parts = batch.dressed[row.id]
            letters.append(Outgoing(
                row.id, row.phone or "", budget.address, body, parts if is_cut else 1, now, address=address,
                enclosed=enclosed, campaign_id=batch.campaign.id, sender_id=budget.sender_id, leaves_at=leaves_at,
            ))  # fmt: skip
    return letters


def _reached_at(row: Row[Any]) -> str:
    """What stands for the phone of who has none: the law's caps and the household are theirs alone."""
    return row.phone or row.address or f"nobody/{row.id}"


# One text for all rows: a list of values costs the driver more than the server's work. A message that was given back
# (429, no connection) has its attempt already.
_TRIES = text("""
    INSERT INTO attempts (id, channel, purpose, contact_id, phone, at, created_at, deadline_at)
    SELECT id, :channel, :purpose, contact_id, phone, :at, :now, :deadline
    FROM json_to_recordset(CAST(:rows AS json)) AS given(id uuid, contact_id bigint, phone varchar)
    ON CONFLICT (id) DO UPDATE SET at = excluded.at, deadline_at = excluded.deadline_at
""")
_SENDING = text("""
    UPDATE messages SET state = 'sending', body = given.body, parts = given.parts, sender_id = given.sender_id,
        address = given.address, unit_price = :price, sent_at = :now, news_at = :now, lease_until = :lease,
        refusal = NULL, not_before = NULL
    FROM json_to_recordset(CAST(:rows AS json))
        AS given(id uuid, body varchar, parts int, sender_id int, address varchar)
    WHERE messages.id = given.id
""")
_WAITING = text("""
    UPDATE messages SET refusal = given.refusal, not_before = given.until
    FROM json_to_recordset(CAST(:rows AS json)) AS given(id uuid, refusal varchar, until timestamptz)
    WHERE messages.id = given.id
""")


def _write(session: Session, batch: _Batch, letters: Sequence[Outgoing]) -> None:
    """Tries, rows that leave, rows that will not, rows that wait. All of them are locked by this transaction."""
    campaign, now = batch.campaign, real_now()
    tried = {letter.id for letter in letters} | set(batch.refused)
    rows = [{"id": str(row.id), "contact_id": row.contact_id, "phone": _reached_at(row)}
            for row in batch.rows if row.id in tried]  # fmt: skip
    if rows:
        session.execute(_TRIES, {
            "rows": json.dumps(rows), "channel": campaign.channel, "purpose": campaign.purpose, "at": batch.now,
            "now": now, "deadline": now + RECEIPT_LIFE,
        })  # fmt: skip
    if letters:
        price = message_prices.price(session, campaign.channel, campaign.carrier, now.astimezone(ZONE).date(),
                                     otherwise=campaign.unit_price)  # fmt: skip
        given = [{"id": str(one.id), "body": one.body, "parts": one.parts, "sender_id": one.sender_id,
                  "address": one.address} for one in letters]  # fmt: skip
        session.execute(_SENDING, {"rows": json.dumps(given), "price": price, "now": now, "lease": now + LEASE})
    exclude(session, batch.refused)
    if batch.waiting:
        waits = [{"id": str(message_id), "refusal": code, "until": until.isoformat()}
                 for message_id, (code, until) in batch.waiting.items()]  # fmt: skip
        session.execute(_WAITING, {"rows": json.dumps(waits)})


def give_back(session: Session, ids: Iterable[UUID]) -> None:
    """Claimed messages that surely did not leave (their campaign was paused, or the process ends) are planned again."""
    session.execute(
        text("""
            UPDATE messages SET state = 'planned', lease_until = NULL, news_at = :now
            WHERE id IN (SELECT id FROM messages WHERE id = ANY(:ids) AND state = 'sending' ORDER BY id
                         FOR NO KEY UPDATE)
        """),
        {"ids": list(ids), "now": real_now()},
    )
