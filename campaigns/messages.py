"""The ledger of messages: one row a person and campaign, written for a whole segment at once, moved forward only.

Who may follow whom is campaigns.message_states; what a provider says of a message is written by campaigns.message_news.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    Row,
    SmallInteger,
    String,
    UniqueConstraint,
    and_,
    case,
    exists,
    false,
    func,
    insert,
    literal,
    null,
    select,
    text,
    update,
)  # fmt: skip
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.contacts import Contact
from campaigns import audiences, segments, sender_tables  # noqa: F401  # the tables that columns here point to
from campaigns import message_campaigns as campaigns
from campaigns import message_states as states
from campaigns.message_campaigns import MessageCampaign

NOT_TRIED = "canceled"  # the outcome of an attempt that never left the house; the caps do not count it
REST, CANARY, TEST = 0, 1, 2  # waves: the list, the few who get it first, our own phones

PLACEHOLDERS = (Contact.name, Contact.given_names, Contact.section_number, Contact.neighborhood, Contact.municipality)


class Message(Base):
    """`id` is the attempt's id from the claim on: who is only planned has not been tried yet, and counts in no cap.

    `refusal`: why it is excluded, or why it waits for `not_before`. `body` is what was really sent (a planned row that
    has one, a reply, is sent as it stands); `sent_at` when its request left, `news_at` when we last asked or heard of
    it. `phone` is the person's, for the law (None: they have none); `address` what the channel calls them, where that
    is another thing. `turn`: 0 for what the list gets, more for a conversation. `is_held`: planned, but not released.
    `parts`: as planned, and from the claim on as sent; `provider_parts`: as billed; `unit_price`: MXN for one part.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("campaign_id", "contact_id", "turn"),
        Index("uq_messages_campaign_id_phone_turn", "campaign_id", "phone", "turn", unique=True,
              postgresql_where=text("state <> 'excluded'")),  # one phone, one message
        Index("ix_messages_ready", "campaign_id", "id", postgresql_where=text("state = 'planned' AND NOT is_held")),
        Index("ix_messages_campaign_id_state", "campaign_id", "state"),
        Index("ix_messages_contact_id", "contact_id"),
        Index("ix_messages_phone", "phone"),
        Index("ix_messages_provider_ref", "provider_ref"),
        Index("ix_messages_unsettled", "news_at",
              postgresql_where=text("state IN ('sending', 'accepted', 'sent', 'unknown')")),
        Index("ix_messages_leases", "lease_until", postgresql_where=text("state = 'sending'")),
        Index("ix_messages_results", "campaign_id", "finished_at",
              postgresql_where=text("state IN ('delivered', 'undelivered', 'failed')")),
    )  # fmt: skip
    id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("message_campaigns.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"))
    phone: Mapped[str | None]
    address: Mapped[str | None]
    turn: Mapped[int] = mapped_column(default=0, server_default="0")
    wave: Mapped[int] = mapped_column(SmallInteger, default=REST, server_default="0")
    wording: Mapped[str] = mapped_column(default="A", server_default="A")
    sender_id: Mapped[int | None] = mapped_column(ForeignKey("senders.id"))
    is_held: Mapped[bool] = mapped_column(default=False, server_default=false())
    released_by: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    state: Mapped[str] = mapped_column(default=states.PLANNED)
    refusal: Mapped[str | None]
    not_before: Mapped[datetime | None]  # campaign time
    body: Mapped[str | None]
    parts: Mapped[int | None]
    provider_parts: Mapped[int | None]
    unit_price: Mapped[Decimal | None] = mapped_column(Numeric(10, 5))
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


def write_for_segment(session: Session, campaign_id: int) -> int:
    """Freeze the campaign's segment into planned rows by one INSERT … SELECT; returns how many rows were new.

    Every person of the segment gets a row. Of a household (one phone) the first is written to; the others, and phones
    that take no SMS, are excluded at once, so that the sums add up. Running it again adds nobody twice."""
    campaign = campaigns.lock(session, campaign_id)
    people = _people(session, campaign)
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


def _people(session: Session, campaign: MessageCampaign) -> Any:
    """columns: contact_id, phone, refusal (why nobody writes to them, or NULL), is_written (has a row already)"""
    willing_first = (Contact.consent == "opted_out", Contact.id)
    first = func.row_number().over(partition_by=Contact.phone, order_by=willing_first)
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
        .where(Contact.id.in_(segments.compile_rule(session, audiences.rule_of(campaign))))
        .cte("people")
    )  # fmt: skip


def values_of(person: Row[Any] | Contact) -> Mapping[str, str | None]:
    """What the placeholders of a wording stand for, for one person."""
    section = person.section_number
    return {
        "given_names": person.given_names, "name": person.name, "neighborhood": person.neighborhood,
        "municipality": person.municipality, "section": None if section is None else f"{section:04}",
    }  # fmt: skip


def audience(session: Session, campaign: MessageCampaign) -> dict[str | None, int]:
    """How many people of the segment would be written to (None), and how many not, by reason, before the gate."""
    people = _people(session, campaign)
    counts = select(people.c.refusal, func.count()).group_by(people.c.refusal)
    return {row[0]: row[1] for row in session.execute(counts)}


def sample(session: Session, campaign: MessageCampaign, limit: int) -> list[Row[Any]]:
    """Some people whom the campaign would write to, with the values of the placeholders."""
    people = _people(session, campaign)
    spread = func.hashint8(people.c.contact_id)  # over the whole list, and the same people each time
    query = select(people.c.contact_id, people.c.phone, *PLACEHOLDERS).join(Contact, Contact.id == people.c.contact_id)
    return list(session.execute(query.where(people.c.refusal.is_(None)).order_by(spread).limit(limit)))


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
