"""Peer-to-peer: of a campaign whose messages are held, people take small batches and let each message go themselves.

A batch that nobody works on is given back, so that no message waits for somebody who has gone home.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Row, delete, exists, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base import audit
from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.base.errors import InvalidInput, NotFound, Refused
from callcenter.contacts import Contact
from campaigns import messages
from campaigns.dispatch import message_states as states
from campaigns.mailings.message_campaigns import MessageCampaign
from campaigns.messages import PLACEHOLDERS, Message

SIZES = (10, 25, 50, 100)
STALE = timedelta(minutes=20)  # without a message let go or left out
RELEASED, SKIPPED = "released", "skipped"
SKIPPED_CODE = "left_out_by_hand"


class PeerBatch(Base):
    """The messages that one person works on; each person has one at a time. `used_at`: of their last act in it."""

    __tablename__ = "peer_batches"
    __table_args__ = (
        Index("uq_peer_batches_open_user_id", "user_id", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index("ix_peer_batches_campaign_id", "campaign_id"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("message_campaigns.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    taken_at: Mapped[datetime] = mapped_column(default=real_now)
    used_at: Mapped[datetime] = mapped_column(default=real_now)
    closed_at: Mapped[datetime | None]


class PeerMessage(Base):
    """One message of a batch. `result`: released | skipped; None while it waits."""

    __tablename__ = "peer_messages"
    __table_args__ = (Index("ix_peer_messages_batch_id_position", "batch_id", "position"),)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("peer_batches.id", ondelete="CASCADE"))
    position: Mapped[int]
    done_at: Mapped[datetime | None]
    result: Mapped[str | None]


@dataclass(frozen=True)
class Progress:
    """How far a batch is: how many messages it has, how many went, were left out, and wait."""

    total: int
    released: int
    skipped: int
    left: int


def campaigns(session: Session) -> list[tuple[MessageCampaign, int]]:
    """Running campaigns of which messages are free to be taken, with how many."""
    counts = (
        select(Message.campaign_id, func.count().label("free"))
        .join(MessageCampaign, MessageCampaign.id == Message.campaign_id)
        .where(MessageCampaign.is_peer, MessageCampaign.state == "running", *_free())
        .group_by(Message.campaign_id).subquery()
    )  # fmt: skip
    rows = session.execute(
        select(MessageCampaign, counts.c.free)
        .join(counts, counts.c.campaign_id == MessageCampaign.id)
        .order_by(MessageCampaign.id)
    )
    return [(row[0], int(row[1])) for row in rows]


def _free() -> tuple[Any, ...]:
    taken = exists().where(PeerMessage.message_id == Message.id)
    return Message.state == states.PLANNED, Message.is_held, Message.wave == messages.REST, ~taken


def current(session: Session, user_id: int) -> PeerBatch | None:
    """The batch on which this person works."""
    return session.scalar(select(PeerBatch).where(PeerBatch.user_id == user_id, PeerBatch.closed_at.is_(None)))


def take(session: Session, campaign_id: int, size: int, user_id: int) -> PeerBatch:
    """A batch of `size` messages at most; audited. Raises Refused when the person has one, or nothing is left."""
    if size not in SIZES:
        raise InvalidInput({"size": _("Take %(sizes)s messages.", sizes=", ".join(map(str, SIZES)))})
    if current(session, user_id) is not None:
        raise Refused("batch_open", _("Finish the batch that you have, or give it back, before you take another one."))
    _running(session, campaign_id)
    ids = session.scalars(
        select(Message.id).where(Message.campaign_id == campaign_id, *_free())
        .order_by(Message.id).limit(size).with_for_update(skip_locked=True, of=Message)
    ).all()  # fmt: skip
    if not ids:
        raise Refused("nothing_left", _("Nothing is left to take in this campaign: colleagues have the rest."))
    batch = PeerBatch(campaign_id=campaign_id, user_id=user_id)
    session.add(batch)
    session.flush()
    session.add_all(PeerMessage(message_id=one, batch_id=batch.id, position=place) for place, one in enumerate(ids, 1))
    session.flush()
    audit.record(session, user_id, "peer.take", f"message-campaign/{campaign_id}", batch=batch.id, messages=len(ids))
    return batch


def next_of(session: Session, batch: PeerBatch) -> Row[Any] | None:
    """columns: PeerMessage, Message, contact_id and the placeholders of the next message; None at the end."""
    query: Any = (
        select(PeerMessage, Message, Contact.id.label("contact_id"), *PLACEHOLDERS)
        .join(Message, Message.id == PeerMessage.message_id)
        .outerjoin(Contact, Contact.id == Message.contact_id)
        .where(PeerMessage.batch_id == batch.id, PeerMessage.done_at.is_(None), Message.state == states.PLANNED)
        .order_by(PeerMessage.position).limit(1)
    )  # fmt: skip
    found: Row[Any] | None = session.execute(query).first()
    return found


def release(session: Session, user_id: int, message_id: UUID) -> None:
    """Let one message of one's batch go. Harmless twice. Raises NotFound, Refused while the campaign is paused."""
    batch, row = _mine(session, user_id, message_id)
    _running(session, batch.campaign_id)
    if row.done_at is None:
        messages.release(session, [message_id], user_id)
        _done(session, batch, row, RELEASED)


def skip(session: Session, user_id: int, message_id: UUID) -> None:
    """Leave one person out: they get nothing of this campaign. Raises NotFound."""
    batch, row = _mine(session, user_id, message_id)
    if row.done_at is None:
        messages.close(session, Message.id == message_id, states.EXCLUDED, refusal=SKIPPED_CODE)
        audit.record(session, user_id, "peer.skip", f"message/{message_id}")
        _done(session, batch, row, SKIPPED)


def give_back(session: Session, batch: PeerBatch, user_id: int | None) -> int:
    """Close a batch; what was not let go is free again. Returns how many that were. `user_id` None: it was stale."""
    waiting = delete(PeerMessage).where(PeerMessage.batch_id == batch.id, PeerMessage.done_at.is_(None))
    returned = session.connection().execute(waiting.execution_options(preserve_rowcount=True)).rowcount
    batch.closed_at = real_now()
    subject = f"message-campaign/{batch.campaign_id}"
    audit.record(session, user_id, "peer.give_back", subject, batch=batch.id, messages=returned)
    return returned


def progress(session: Session, batch: PeerBatch) -> Progress:
    """Of the batch as it stands now; a message that somebody else ended counts as neither."""
    row = session.execute(
        select(
            func.count(),
            func.count().filter(PeerMessage.result == RELEASED),
            func.count().filter(PeerMessage.result == SKIPPED),
            func.count().filter(PeerMessage.done_at.is_(None), Message.state == states.PLANNED),
        )
        .join(Message, Message.id == PeerMessage.message_id)
        .where(PeerMessage.batch_id == batch.id)
    ).one()
    return Progress(*row)


def sweep(session: Session) -> int:
    """Give back the batches that nobody has worked on for STALE, or whose campaign is over; returns how many."""
    over = MessageCampaign.state.in_(("finished", "stopped"))
    stale = session.scalars(
        select(PeerBatch).join(MessageCampaign, MessageCampaign.id == PeerBatch.campaign_id)
        .where(PeerBatch.closed_at.is_(None), (PeerBatch.used_at < real_now() - STALE) | over)
        .with_for_update(of=PeerBatch, skip_locked=True)
    ).all()  # fmt: skip
    for batch in stale:
        give_back(session, batch, None)
    return len(stale)


def _mine(session: Session, user_id: int, message_id: UUID) -> tuple[PeerBatch, PeerMessage]:
    row = session.execute(
        select(PeerBatch, PeerMessage).join(PeerMessage, PeerMessage.batch_id == PeerBatch.id)
        .where(PeerMessage.message_id == message_id, PeerBatch.user_id == user_id, PeerBatch.closed_at.is_(None))
        .with_for_update()
    ).first()  # fmt: skip
    if row is None:
        raise NotFound(_("This message is not in your batch any more: it was given back. Take another batch."))
    return row[0], row[1]


def _running(session: Session, campaign_id: int) -> MessageCampaign:
    campaign = session.get(MessageCampaign, campaign_id, populate_existing=True)
    if campaign is None or not campaign.is_peer:
        raise NotFound(_("There is no such campaign whose messages people let go."))
    if campaign.state != "running":
        raise Refused("paused", _("The campaign is not running just now. Your batch stays yours for a while."))
    return campaign


def _done(session: Session, batch: PeerBatch, row: PeerMessage, result: str) -> None:
    now = real_now()
    row.done_at, row.result, batch.used_at = now, result, now
    session.flush()
    if next_of(session, batch) is None:
        give_back(session, batch, batch.user_id)
