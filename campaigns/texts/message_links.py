"""Links in messages: an address that stands in a wording leaves as a short one of our own, one a message.

A campaign names its addresses by writing them: a short link leads to one of those and nowhere else. Its code is drawn,
not derived: who holds one learns no person, phone or number from it, and cannot guess another.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, UniqueConstraint, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter.base.db import Base
from campaigns.messages import Message
from campaigns.texts import link_addresses


class MessageLink(Base):
    """An address that a campaign named. `position` is the second half of a short link's code."""

    __tablename__ = "message_links"
    __table_args__ = (UniqueConstraint("campaign_id", "url"), CheckConstraint("position BETWEEN 1 AND 9", "position"))
    campaign_id: Mapped[int] = mapped_column(
        ForeignKey("message_campaigns.id", ondelete="CASCADE"), primary_key=True
    )  # fmt: skip
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    url: Mapped[str]


class LinkCode(Base):
    """The code of one message's links."""

    __tablename__ = "link_codes"
    code: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), unique=True)


@dataclass(frozen=True)
class Target:
    """Where a short link leads, and whose it is."""

    message_id: UUID
    position: int
    url: str


def of(session: Session, campaign_id: int) -> dict[str, int]:
    """The addresses that the campaign has named, and their places."""
    rows = session.execute(select(MessageLink.url, MessageLink.position).where(MessageLink.campaign_id == campaign_id))
    return {row.url: row.position for row in rows}


def name(session: Session, campaign_id: int, texts: Iterable[str]) -> dict[str, int]:
    """Name the addresses of the campaign's wordings, which somebody approved; all that it has named. Harmless twice."""
    texts = list(texts)
    known = of(session, campaign_id)
    if set(link_addresses.places(texts, known)) == set(known):
        return known
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"message_links/{campaign_id}"))))
    known = of(session, campaign_id)  # another worker may have named them meanwhile
    wanted = link_addresses.places(texts, known)
    rows = [{"campaign_id": campaign_id, "position": place, "url": url} for url, place in wanted.items()
            if url not in known]  # fmt: skip
    if rows:
        session.execute(insert(MessageLink), rows)
    return wanted


def codes(session: Session, message_ids: Collection[UUID]) -> dict[UUID, str]:
    """The code of each message; who has none gets one. A message that is sent a second time keeps its own."""
    found: dict[UUID, str] = {}
    while missing := [one for one in message_ids if one not in found]:
        # A code that is another message's already is drawn again: that happens once in a life.
        drawn = [{"code": link_addresses.draw(), "message_id": one} for one in missing]
        session.execute(insert(LinkCode).on_conflict_do_nothing(), drawn)
        rows = session.execute(select(LinkCode.message_id, LinkCode.code).where(LinkCode.message_id.in_(missing)))
        found |= {row.message_id: row.code for row in rows}
    return found


def find(session: Session, written: str) -> Target | None:
    """Where a short link leads; None when it is none of ours."""
    read = link_addresses.read(written)
    if read is None:
        return None
    code, position = read
    row = session.execute(
        select(Message.id, MessageLink.position, MessageLink.url)
        .select_from(LinkCode)
        .join(Message, Message.id == LinkCode.message_id)
        .join(MessageLink, MessageLink.campaign_id == Message.campaign_id)
        .where(LinkCode.code == code, MessageLink.position == position)
    ).first()
    return Target(row[0], row[1], row[2]) if row else None
