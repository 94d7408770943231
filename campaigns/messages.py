"""The ledger of messages: one row a person and campaign, written for a whole segment at once, moved forward only.

Who may follow whom is dispatch.message_states; what a provider says of a message is written by dispatch.message_news.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

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
    literal,
    null,
    or_,
    select,
    text,
    update,
)  # fmt: skip
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.attempts import Attempt
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.outbox import enqueue_later
from callcenter.contacts import Contact
from campaigns import audiences, channels, segments  # the tables that columns here point to
from campaigns.channels import channel_addresses
from campaigns.dispatch import message_states as states
from campaigns.dispatch import sender_tables  # noqa: F401  # the tables that columns here point to
from campaigns.mailings.message_campaigns import MessageCampaign

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
        UniqueConstraint("contact_id", "campaign_id", "turn"),
        Index("uq_messages_campaign_id_reached_turn", "campaign_id", text("COALESCE(address, phone)"), "turn",
              unique=True, postgresql_where=text("state <> 'excluded'")),  # one phone, one message
        Index("ix_messages_ready", "campaign_id", "not_before", "id",
              postgresql_where=text("state = 'planned' AND NOT is_held")),
        Index("ix_messages_campaign_id_state", "campaign_id", "state"),
        Index("ix_messages_phone", "phone"),
        Index("ix_messages_provider_ref", "provider_ref", postgresql_where=text("provider_ref IS NOT NULL")),
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


def people(session: Session, campaign: MessageCampaign, which: ColumnElement[bool] | None = None) -> Any:
    """Whom the campaign reaches, all or those of a condition of Contact. Columns: contact_id, phone, address (what the
    channel calls them; NULL: the phone), refusal (why nobody writes to them, or NULL), is_written (has a row already).

    Of those who share what the channel calls them (a household's phone) the first is written to."""
    facts = channels.facts(campaign.channel)
    address: ColumnElement[str | None] = null().cast(String)
    chosen = select(Contact.id).where(Contact.id.in_(segments.compile_rule(session, audiences.rule_of(campaign))))
    if which is not None:
        chosen = chosen.where(which)
    reached: ColumnElement[Any] = Contact.phone.expression
    if facts.reached_by != channels.BY_PHONE:
        known = channel_addresses.of_people(campaign.channel)
        chosen = chosen.outerjoin(known, known.c.contact_id == Contact.id)
        address = known.c.address
        reached = address if facts.reached_by == channels.BY_ADDRESS else func.coalesce(address, Contact.phone)
    willing_first = (Contact.consent == "opted_out", Contact.id)
    first = func.row_number().over(partition_by=reached, order_by=willing_first)
    by_phone = literal(facts.reached_by == channels.BY_PHONE) | (
        address.is_(None) & literal(facts.reached_by == channels.BY_EITHER)
    )
    refusal = case(
        (reached.is_(None), "no_address"),
        (by_phone & (Contact.line_kind == "landline"), "landline"),
        (by_phone & Contact.extension.is_not(None), "extension"),
        (first > 1, "household"),
        else_=null(),
    )
    is_written = exists().where(Message.campaign_id == campaign.id, Message.contact_id == Contact.id)
    return (
        chosen.with_only_columns(
            Contact.id.label("contact_id"), Contact.phone, address.label("address"),
            refusal.cast(String).label("refusal"), is_written.label("is_written"), maintain_column_froms=True,
        ).cte("people")
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
    whom = people(session, campaign)
    counts = select(whom.c.refusal, func.count()).group_by(whom.c.refusal)
    return {row[0]: row[1] for row in session.execute(counts)}


def sample(session: Session, campaign: MessageCampaign, limit: int) -> list[Row[Any]]:
    """Some people whom the campaign would write to, with the values of the placeholders."""
    whom = people(session, campaign)
    spread = func.hashint8(whom.c.contact_id)  # over the whole list, and the same people each time
    query = select(whom.c.contact_id, whom.c.phone, *PLACEHOLDERS).join(Contact, Contact.id == whom.c.contact_id)
    return list(session.execute(query.where(whom.c.refusal.is_(None)).order_by(spread).limit(limit)))


def add_reply(
    session: Session,
    campaign_id: int,
    contact_id: int | None,
    body: str,
    *,
    phone: str | None,
    address: str | None = None,
    user_id: int | None,
) -> UUID:
    """Plan what `user_id` writes to one person in a standing campaign, as the next turn of their conversation; it is
    sent as it stands, after the gate. The caller commits."""
    reached = address or phone
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"reply/{campaign_id}/{reached}"))))
    own = or_(Message.contact_id == contact_id, func.coalesce(Message.address, Message.phone) == reached)
    last = session.scalar(select(func.max(Message.turn)).where(Message.campaign_id == campaign_id, own))
    row = Message(id=uuid4(), campaign_id=campaign_id, contact_id=contact_id, phone=phone, address=address, body=body,
                  turn=max(last or 0, 0) + 1, released_by=user_id)  # fmt: skip
    session.add(row)
    session.flush()
    send_later(session)
    return row.id


def release(session: Session, which: Collection[UUID] | ColumnElement[bool], user_id: int | None) -> int:
    """Let held messages go; returns how many. `which`: their ids, or a condition of Message."""
    chosen = which if isinstance(which, ColumnElement) else Message.id.in_(list(which))
    ids = session.scalars(
        select(Message.id).where(chosen, Message.is_held, Message.state == states.PLANNED).order_by(Message.id)
        .with_for_update(key_share=True)
    ).all()  # fmt: skip
    session.execute(
        update(Message).where(Message.id.in_(ids)).values(is_held=False, released_by=user_id)
        .execution_options(synchronize_session=False)
    )  # fmt: skip
    send_later(session)
    return len(ids)


def send_later(session: Session) -> None:
    """After the commit a worker looks for whatever is ready to leave. Harmless when nothing is, or said twice."""
    enqueue_later(session, "campaigns.jobs.send_messages", queue="messages")


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
