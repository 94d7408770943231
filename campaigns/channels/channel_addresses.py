"""What a channel itself calls a person, where that is not their phone: a chat of Telegram, an e-mail address, a name
that WhatsApp gives to somebody whose phone it keeps to itself."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    Subquery,
    UniqueConstraint,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from callcenter import consent, suppressions
from callcenter.base.clock import campaign_now, real_now
from callcenter.base.db import Base
from callcenter.consent import Evidence
from callcenter.contacts import Contact
from campaigns.channels import Reply

ACTIVE, UNSUBSCRIBED, BLOCKED, GONE = "active", "unsubscribed", "blocked", "gone"
# What a provider's refusal says of the address itself: the person blocked us, or nobody is there.
LEARNT = {
    "telegram-403": BLOCKED, "63014": BLOCKED, "telegram-400": GONE, "smtp-550": GONE, "smtp-551": GONE,
    "smtp-553": GONE, "bad_address": GONE,
}  # fmt: skip


class ChannelAddress(Base):
    """`address` as the channel spells it (whatsapp:+521…, 5512345, ana@example.org); one address is one person's.

    `name`: as the channel shows them. `state`: active | unsubscribed (they want no more there) | blocked (they shut us
    out) | gone (nobody is there). `heard_at`: when they last wrote from it (real time)."""

    __tablename__ = "channel_addresses"
    __table_args__ = (
        UniqueConstraint("channel", "address"),
        CheckConstraint("state IN ('active', 'unsubscribed', 'blocked', 'gone')", name="state"),
        Index("ix_channel_addresses_contact_id", "contact_id", "channel"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    channel: Mapped[str]
    address: Mapped[str]
    contact_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("contacts.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(default="", server_default="")
    state: Mapped[str] = mapped_column(default=ACTIVE, server_default=ACTIVE)
    source: Mapped[str]  # import | form | inbound | link | shared_phone
    heard_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=real_now)


def add(session: Session, contact_id: int, channel: str, address: str, *, source: str) -> bool:
    """Note the address of a person; False when it is somebody's already. What they said of it before stays, also when
    everything else about them was erased meanwhile."""
    is_shut = suppressions.find(session, _key(channel, address)) is not None
    row = insert(ChannelAddress).values(
        contact_id=contact_id, channel=channel, address=address, source=source, created_at=real_now(),
        state=UNSUBSCRIBED if is_shut else ACTIVE,
    )  # fmt: skip
    linked = row.on_conflict_do_update(
        index_elements=["channel", "address"], set_={"contact_id": contact_id},
        where=ChannelAddress.contact_id.is_(None),
    )  # fmt: skip
    return session.scalar(linked.returning(ChannelAddress.id)) is not None


def heard(session: Session, reply: Reply) -> ChannelAddress:
    """Somebody wrote from this address: keep it, and whose it is as far as we can tell. Harmless twice.

    Whoever writes from an address that blocked us has let us in again; one who unsubscribed has not."""
    contact_id = reply.contact_id or _by_phone(session, reply.phone)
    source = "link" if reply.contact_id else "shared_phone" if reply.phone else "inbound"
    row = insert(ChannelAddress).values(
        channel=reply.channel, address=reply.address, contact_id=contact_id, name=reply.name, source=source,
        heard_at=real_now(), created_at=real_now(),
    )  # fmt: skip
    row_id = session.scalar(
        row.on_conflict_do_update(
            index_elements=["channel", "address"],
            set_={"heard_at": row.excluded.heard_at, "name": row.excluded.name},
        ).returning(ChannelAddress.id)
    )
    found = session.get_one(ChannelAddress, row_id, populate_existing=True)
    if found.contact_id is None and contact_id is not None:
        found.contact_id = contact_id
    if found.state in (BLOCKED, GONE):
        found.state = ACTIVE
    session.flush()
    return found


def person(session: Session, channel: str, address: str) -> int | None:
    """Whose address this is, as far as we know."""
    return session.scalar(select(ChannelAddress.contact_id).where(_is(channel, address)))


def phone_of(session: Session, channel: str, address: str) -> str | None:
    """The first phone of whose address this is."""
    theirs = select(Contact.phone).join(ChannelAddress, ChannelAddress.contact_id == Contact.id)
    return session.scalar(theirs.where(_is(channel, address)))


def known(session: Session, channel: str) -> int:
    """How many people may be reached at an address of theirs on this channel."""
    theirs = of_people(channel)
    return session.scalar(select(func.count()).select_from(theirs)) or 0


def of_people(channel: str) -> Subquery:
    """columns: contact_id, address: the one that each person was last heard from, of those that may be used"""
    newest_first = (ChannelAddress.heard_at.desc().nulls_last(), ChannelAddress.id)
    return (
        select(ChannelAddress.contact_id, ChannelAddress.address)
        .ext(distinct_on(ChannelAddress.contact_id))
        .where(ChannelAddress.channel == channel, ChannelAddress.state == ACTIVE,
               ChannelAddress.contact_id.is_not(None))
        .order_by(ChannelAddress.contact_id, *newest_first)
        .subquery("channel_address")
    )  # fmt: skip


def usable(session: Session, channel: str, contact_ids: Collection[int]) -> dict[int, str]:
    """The address of each of these people, as `of_people` chooses it; who has none is left out."""
    theirs = of_people(channel)
    found = session.execute(select(theirs.c.contact_id, theirs.c.address).where(theirs.c.contact_id.in_(contact_ids)))
    return {row.contact_id: row.address for row in found}


def shut(session: Session, channel: str, addresses: Collection[str]) -> dict[str, str]:
    """Of these addresses those that may not be used: address → state."""
    found = select(ChannelAddress.address, ChannelAddress.state).where(
        ChannelAddress.channel == channel, ChannelAddress.address.in_(addresses), ChannelAddress.state != ACTIVE
    )
    return {row.address: row.state for row in session.execute(found)}


def learn(session: Session, channel: str, address: str, code: str | None) -> None:
    """What a provider's refusal (its `code`) says of the address itself; nothing, mostly."""
    if code in LEARNT:
        mark(session, channel, address, LEARNT[code])


def mark(session: Session, channel: str, address: str, state: str) -> None:
    """Move the address; one whose person unsubscribed stays so until they write to us again."""
    stays = ChannelAddress.state != UNSUBSCRIBED
    session.execute(update(ChannelAddress).where(_is(channel, address), stays).values(state=state))


def reopen(session: Session, channel: str, address: str) -> None:
    """They let us in again where they had shut us out; who unsubscribed has not asked to be written to."""
    was_shut = ChannelAddress.state.in_((BLOCKED, GONE))
    session.execute(update(ChannelAddress).where(_is(channel, address), was_shut).values(state=ACTIVE))


def opt_out(session: Session, channel: str, address: str, *, reason: str, proof: str, source: str) -> None:
    """Whoever is at this address wants to hear nothing more, on any channel. Harmless twice.

    Their phone is suppressed where we know it; the address is shut in any case, also one that nobody here knows."""
    phone = phone_of(session, channel, address)
    unsubscribe(session, channel, address)
    if phone is not None:
        consent.opt_out(session, phone, reason=reason, proof=proof, source=source)


def unsubscribe(session: Session, channel: str, address: str, proof: str = "") -> None:
    """No more on this channel; `proof` becomes evidence that this person refuses it. Harmless twice.

    The address goes on the suppression list as a phone does: it outlives the person's row and every import."""
    now = campaign_now(session)
    suppressions.add(session, _key(channel, address), reason="public_page", source="unsubscribed", at=now)
    row = insert(ChannelAddress).values(
        channel=channel, address=address, state=UNSUBSCRIBED, source="inbound", created_at=real_now()
    )
    shut_now = row.on_conflict_do_update(
        index_elements=["channel", "address"], set_={"state": UNSUBSCRIBED},
        where=ChannelAddress.state != UNSUBSCRIBED,
    )  # fmt: skip
    is_new = session.scalar(shut_now.returning(ChannelAddress.id)) is not None
    contact_id = person(session, channel, address)
    if is_new and proof and contact_id is not None:
        consent.record(session, contact_id, Evidence("opted_out", channel, proof, now, "unsubscribed"), None)


def welcome_back(session: Session, channel: str, address: str) -> None:
    """They started the bot again, or asked to be written to: the address may be used once more."""
    suppressions.take_off(session, _key(channel, address))
    session.execute(update(ChannelAddress).where(_is(channel, address)).values(state=ACTIVE))


def _is(channel: str, address: str) -> ColumnElement[bool]:
    return (ChannelAddress.channel == channel) & (ChannelAddress.address == address)


def _key(channel: str, address: str) -> str:
    """An address as the suppression list hashes it: no phone is spelled so."""
    return f"{channel}:{address}"


def _by_phone(session: Session, phone: str | None) -> int | None:
    if phone is None:
        return None
    return session.scalar(select(Contact.id).where(Contact.phone == phone).order_by(Contact.id).limit(1))
