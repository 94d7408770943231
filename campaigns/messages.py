"""The ledger of messages: one row a person and campaign, written for a whole segment at once, moved forward only.

Who may follow whom is campaigns.message_states; what a provider says of a message is written by campaigns.message_news.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    Row,
    String,
    UniqueConstraint,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    text,
    update,
)  # fmt: skip
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import consent
from callcenter.attempts import Attempt
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.contacts import Contact
from campaigns import message_campaigns as campaigns
from campaigns import message_states as states
from campaigns import segments, wording
from campaigns.message_campaigns import MessageCampaign

LEASE = timedelta(minutes=5)  # far more than a batch takes; a row past it was being sent when its worker died
RECEIPT_LIFE = timedelta(hours=72)  # Twilio gives up on a message after 10 hours in its queue and 36 at the operator
# Refusals that pass by themselves within days: the message waits for `until` instead of being excluded.
WAITS = frozenset({"hours"})
NOT_TRIED = "canceled"  # the outcome of an attempt that never left the house; the caps do not count it


class Message(Base):
    """`id` is the attempt's id from the claim on: who is only planned has not been tried yet, and counts in no cap.

    `refusal`: why it is excluded, or why it waits for `not_before`. `body` is what was really sent; `sent_at` when its
    request left, `news_at` when we last asked or heard of it."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("campaign_id", "contact_id"),
        Index("uq_messages_campaign_id_phone", "campaign_id", "phone", unique=True,
              postgresql_where=text("state <> 'excluded'")),  # one phone, one message
        Index("ix_messages_campaign_id_state", "campaign_id", "state"),
        Index("ix_messages_contact_id", "contact_id"),
        Index("ix_messages_phone", "phone"),
        Index("ix_messages_provider_ref", "provider_ref"),
        Index("ix_messages_unsettled", "news_at",
              postgresql_where=text("state IN ('sending', 'accepted', 'sent', 'unknown')")),
    )  # fmt: skip
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("message_campaigns.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"))
    phone: Mapped[str]
    state: Mapped[str] = mapped_column(default=states.PLANNED)
    refusal: Mapped[str | None]
    not_before: Mapped[datetime | None]  # campaign time
    body: Mapped[str | None]
    parts: Mapped[int | None]
    provider_ref: Mapped[str | None]
    error_code: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    news_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class MessageReceipt(Base):
    """What the provider said of a message, raw. The same key twice is one receipt."""

    __tablename__ = "message_receipts"
    __table_args__ = (UniqueConstraint("message_id", "key"),)
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"))
    key: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=real_now)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default=text("'{}'"))


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


def write_for_segment(session: Session, campaign_id: int) -> int:
    """Freeze the campaign's segment into planned rows by one INSERT … SELECT; returns how many rows were new.

    Every person of the segment gets a row. Of a household (one phone) the first is written to; the others, and phones
    that take no SMS, are excluded at once, so that the sums add up. Running it again adds nobody twice."""
    campaign = campaigns.lock(session, campaign_id)
    people = _people(campaign)
    finished = case((people.c.refusal.is_not(None), literal(real_now())), else_=null())
    state = case((people.c.refusal.is_not(None), states.EXCLUDED), else_=states.PLANNED)
    rows = insert(Message).from_select(
        ["id", "campaign_id", "contact_id", "phone", "state", "refusal", "finished_at"],
        select(func.gen_random_uuid(), literal(campaign_id), people.c.contact_id, people.c.phone, state,
               people.c.refusal, finished).where(~people.c.is_written),
        include_defaults=False,
    )  # fmt: skip
    written = session.connection().execute(rows, execution_options={"preserve_rowcount": True}).rowcount
    campaign.planned_at, campaign.segment_version = real_now(), campaign.segment.version
    return written


def _people(campaign: MessageCampaign) -> Any:
    """columns: contact_id, phone, refusal (why nobody writes to them, or NULL), is_written (has a row already)"""
    first = func.row_number().over(partition_by=Contact.phone, order_by=Contact.id)
    refusal = case(
        (Contact.line_kind == "landline", "landline"),
        (Contact.extension.is_not(None), "extension"),
        (first > 1, "household"),
        else_=null(),
    )
    is_written = exists().where(Message.campaign_id == campaign.id, Message.contact_id == Contact.id)
    return (
        select(Contact.id.label("contact_id"), Contact.phone, refusal.cast(String).label("refusal"),
               is_written.label("is_written"))
        .where(Contact.id.in_(segments.compile_rule(campaign.segment.rule)))
        .cte("people")
    )  # fmt: skip


def claim(session: Session, campaign_id: int, limit: int) -> list[Outgoing]:
    """Take up to `limit` planned messages of a running campaign: each passes the gate now, or is excluded, or waits.

    The claimed ones are `sending`, under a lease; the caller commits before it tells the provider. An empty list does
    not mean that nobody is left (all of a batch may have been refused): see `has_ready`."""
    campaign = session.get(MessageCampaign, campaign_id, populate_existing=True)
    if campaign is None or campaign.state != campaigns.RUNNING:
        return []
    now = campaign_now(session)
    rows = session.execute(_ready(campaign_id, now).limit(limit).with_for_update(of=Message, skip_locked=True)).all()
    refusals = consent.refusals(
        session, [(row.contact_id, row.phone) for row in rows if row.contact_id is not None],
        campaign.channel, campaign.purpose, simulated=campaign.is_simulated, attempt_ids=[row.id for row in rows],
    )  # fmt: skip
    claimed: list[Outgoing] = []
    refused: dict[UUID, str] = {}
    waiting: dict[UUID, consent.Refusal] = {}
    for row in rows:
        refusal = refusals.get(row.contact_id) if row.contact_id is not None else None
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
        select(Message.id, Message.phone, Message.contact_id, Contact.name, Contact.given_names, Contact.section_number,
               Contact.neighborhood, Contact.municipality)
        .outerjoin(Contact, Contact.id == Message.contact_id)
        .where(Message.campaign_id == campaign_id, Message.state == states.PLANNED,
               or_(Message.not_before.is_(None), Message.not_before <= now))
    )  # fmt: skip


def values_of(person: Row[Any] | Contact) -> Mapping[str, str | None]:
    """What the placeholders of a wording stand for, for one person."""
    section = person.section_number
    return {
        "given_names": person.given_names, "name": person.name, "neighborhood": person.neighborhood,
        "municipality": person.municipality, "section": None if section is None else f"{section:04}",
    }  # fmt: skip


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


def drop_planned(session: Session, campaign_id: int, limit: int) -> int:
    """Mark up to `limit` planned messages of a stopped campaign as stopped; returns how many."""
    ids = session.scalars(
        select(Message.id).where(Message.campaign_id == campaign_id, Message.state == states.PLANNED).limit(limit)
        .with_for_update(skip_locked=True, of=Message)
    ).all()  # fmt: skip
    close(session, Message.id.in_(ids), states.STOPPED)
    return len(ids)


def close(session: Session, which: ColumnElement[bool], state: str, **values: Any) -> list[UUID]:
    """Move messages to a final state where the table of states allows it, and close their attempts."""
    now = real_now()
    ids = session.scalars(
        update(Message)
        .where(and_(which, Message.state.in_(states.before(state))))
        .values(state=state, finished_at=now, lease_until=None, news_at=now, **values)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    ).all()
    close_attempts(session, ids, NOT_TRIED if state == states.STOPPED else state)
    return list(ids)


def close_attempts(session: Session, ids: Iterable[UUID], outcome: str) -> None:
    """The attempts' one outcome; one that is closed already keeps its own."""
    session.execute(
        update(Attempt)
        .where(Attempt.id.in_(list(ids)), Attempt.closed_at.is_(None))
        .values(closed_at=real_now(), outcome=outcome)
        .execution_options(synchronize_session=False)
    )
