"""How many different people WhatsApp lets us begin with in 24 hours, all our senders together: what went out, counted
from its rows, and who must wait.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messaging-limits"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, Index, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.clock import real_now
from callcenter.base.db import Base
from callcenter.suppressions import phone_hash
from campaigns.channels import channel_rules
from campaigns.dispatch.sender_tables import Sender

DAY = timedelta(hours=24)
_COUNTING = 20_291  # our own space of PostgreSQL's advisory locks


class MessageOpening(Base):
    """A message with which we began: it went to somebody without an open window. `person`: their address there, as a
    keyed hash. `at` is real time, as the provider counts. A message that failed stays counted: we rather wait."""

    __tablename__ = "message_openings"
    __table_args__ = (Index("ix_message_openings_channel_at", "channel", "at"),)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    channel: Mapped[str]
    person: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=real_now)


@dataclass(frozen=True)
class Room:
    """`limit`: different people in 24 hours, None without one; `used`: of these, so many. `frees_at` (real time): when
    the first of them is a day ago."""

    limit: int | None
    used: int
    frees_at: datetime | None

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)


def room(session: Session, channel: str) -> Room:
    recent = select(MessageOpening.person, func.max(MessageOpening.at).label("at")).where(
        MessageOpening.channel == channel, MessageOpening.at > real_now() - DAY
    )
    people = recent.group_by(MessageOpening.person).subquery()
    used, first = session.execute(select(func.count(), func.min(people.c.at))).one()
    return Room(limit(session, channel), used, first + DAY if first else None)


def limit(session: Session, channel: str) -> int | None:
    """The least of what somebody recorded and what the provider says of our senders (the limit is the account's)."""
    said = session.scalar(select(func.max(Sender.daily_people)).where(Sender.channel == channel))
    return min(filter(None, (said, channel_rules.daily_people(session, channel))), default=None)


def take(session: Session, channel: str, people: Sequence[tuple[UUID, str]]) -> dict[UUID, datetime]:
    """Count these (message, address) as begun with; returns those for whom there is no room, with when to ask again.

    Held until the commit, so that two workers do not both take the last place. Asking twice takes one place."""
    most = limit(session, channel)
    if most is not None:
        session.execute(select(func.pg_advisory_xact_lock(_COUNTING, func.hashtext(channel))))
    now = room(session, channel) if most is not None else Room(None, 0, None)
    hashed = [(message_id, phone_hash(address).hex()) for message_id, address in people]
    known = _known(session, channel, [person for _, person in hashed]) if most is not None else set()
    left, late, begun = now.left, dict[UUID, datetime](), []
    for message_id, person in hashed:
        if left is not None and person not in known:
            if left == 0:
                late[message_id] = now.frees_at or real_now() + DAY
                continue
            left -= 1
            known.add(person)
        begun.append({"message_id": message_id, "channel": channel, "person": person, "at": real_now()})
    if begun:
        session.execute(insert(MessageOpening).values(begun).on_conflict_do_nothing())
    return late


def _known(session: Session, channel: str, people: Collection[str]) -> set[str]:
    """Of these people those with whom we began within the day: one more message to them takes no room."""
    recent = select(MessageOpening.person).where(
        MessageOpening.channel == channel, MessageOpening.at > real_now() - DAY, MessageOpening.person.in_(people)
    )
    return set(session.scalars(recent))
