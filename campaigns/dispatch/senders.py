"""Which senders a campaign leaves by, and how an administrator enters, changes, pauses and pools them. Audited."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from flask_babel import gettext as _
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from callcenter.base import audit
from callcenter.base.errors import InvalidInput, NotFound
from campaigns.dispatch.sender_tables import ACTIVE, BLOCKED, PAUSED, PoolMember, Sender, SenderPool

# What a sender of ours carries where nobody said: a Mexican long code at Twilio, a WhatsApp number, a bot, a mailbox.
# https://www.twilio.com/en-us/guidelines/mx/sms · the anchors of the other providers stand in docs/messages.md
PARTS_PER_SECOND: Mapping[str, float] = {"sms": 10.0, "whatsapp": 80.0, "telegram": 25.0, "email": 10.0}
SIMULATED_PER_SECOND = 50.0  # what the simulated carrier's numbers carry
MOST_PER_SECOND, LONGEST = 10_000.0, 80
# https://www.twilio.com/docs/api/errors: what is wrong with the sender, and with nobody else
BLOCKS_SENDER = frozenset({"21212", "21606", "21659", "21660", "63007"})


class _Campaign(Protocol):
    channel: str
    carrier: str
    sender: str
    pool_id: int | None


@dataclass(frozen=True)
class Wanted:
    """What an administrator says of a sender, as written; `check` reads it."""

    channel: str
    address: str
    carrier: str
    parts_per_second: str
    name: str = ""
    daily_people: str = ""


def of_campaign(session: Session, campaign: _Campaign) -> list[Sender]:
    """Every sender that the campaign may leave by, the paused ones too; its own number is entered when it is new."""
    if campaign.pool_id is not None:
        members = select(PoolMember.sender_id).where(PoolMember.pool_id == campaign.pool_id)
        chosen = select(Sender).where(Sender.id.in_(members), Sender.carrier == campaign.carrier)
        return list(session.scalars(chosen.order_by(Sender.id)))
    return [_by_address(session, campaign.channel, campaign.sender, campaign.carrier)]


def find(session: Session, sender_id: int) -> Sender:
    """Raises NotFound."""
    sender = session.get(Sender, sender_id)
    if sender is None:
        raise NotFound(_("There is no such sender."))
    return sender


def listed(session: Session, channel: str | None = None, carrier: str | None = None) -> list[Sender]:
    """Every sender, by channel and address; of one channel or carrier where that is asked."""
    wanted = select(Sender).order_by(Sender.channel, Sender.address)
    if channel is not None:
        wanted = wanted.where(Sender.channel == channel)
    if carrier is not None:
        wanted = wanted.where(Sender.carrier == carrier)
    return list(session.scalars(wanted))


def fault(session: Session, campaign: _Campaign) -> str | None:
    """A sentence why nothing of the campaign could leave, or None."""
    found = of_campaign(session, campaign)
    if not found:
        return str(_("The pool has no sender: add one under Senders, or choose another pool."))
    if not any(sender.state == ACTIVE for sender in found):
        names = ", ".join(sender.address for sender in found)
        return str(_("No sender may send now (%(senders)s is paused or blocked): see Senders.", senders=names))
    return None


def save(session: Session, wanted: Wanted, user_id: int | None, *, sender_id: int | None = None) -> Sender:
    """Enter a sender, or change one (its channel, address and carrier stay). Raises InvalidInput with every fault."""
    faults, rate, people = _read(wanted)
    sender = find(session, sender_id) if sender_id is not None else None
    if sender is None and not faults:
        same = select(Sender.id).where(Sender.channel == wanted.channel, Sender.address == wanted.address.strip(),
                                       Sender.carrier == wanted.carrier)  # fmt: skip
        if session.scalar(same) is not None:
            faults["address"] = _("This sender is in the list already.")
    if faults:
        raise InvalidInput(faults)
    if sender is None:
        address = wanted.address.strip()
        sender = Sender(channel=wanted.channel, address=address, carrier=wanted.carrier,
                        is_alphanumeric=is_alphanumeric(wanted.channel, address))  # fmt: skip
        session.add(sender)
    sender.parts_per_second, sender.daily_people = rate, people
    sender.name = " ".join(wanted.name.split())
    session.flush()
    audit.record(session, user_id, "sender.save", f"sender/{sender.id}", parts_per_second=rate, daily_people=people)
    return sender


def set_state(session: Session, sender_id: int, state: str, reason: str | None, user_id: int | None) -> None:
    """Let the sender send, or not; whoever waits for it goes by another of its pool, or waits."""
    sender = find(session, sender_id)
    if sender.state == state:
        return
    audit.record(session, user_id, "sender.state", f"sender/{sender_id}", old=sender.state, new=state, reason=reason)
    sender.state, sender.state_reason, sender.setbacks = state, reason, 0
    sender.free_at = None


def block(session: Session, sender_id: int, code: str) -> None:
    """The provider refuses this sender: it rests until a person looks at it."""
    set_state(session, sender_id, BLOCKED, code, None)


def is_alphanumeric(channel: str, address: str) -> bool:
    """A name instead of a number: nobody can answer to it."""
    digits = address.removeprefix("+")
    return channel == "sms" and not digits.isdigit() and not address.startswith("MG")


def pools(session: Session, channel: str | None = None) -> list[SenderPool]:
    wanted = select(SenderPool).order_by(SenderPool.name)
    return list(session.scalars(wanted.where(SenderPool.channel == channel) if channel is not None else wanted))


def members(session: Session) -> dict[int, list[int]]:
    """pool → its senders."""
    found: dict[int, list[int]] = {}
    for row in session.execute(select(PoolMember.pool_id, PoolMember.sender_id).order_by(PoolMember.sender_id)):
        found.setdefault(row.pool_id, []).append(row.sender_id)
    return found


def save_pool(
    session: Session, name: str, sender_ids: Collection[int], user_id: int | None, *, pool_id: int | None = None
) -> SenderPool:
    """A pool of these senders, which share a channel and a carrier. Raises InvalidInput, NotFound."""
    name = " ".join(name.split())
    chosen = list(session.scalars(select(Sender).where(Sender.id.in_(sender_ids))))
    taken = select(SenderPool.id).where(func.lower(SenderPool.name) == name.lower(), SenderPool.id != (pool_id or 0))
    if not name or len(name) > LONGEST:
        raise InvalidInput({"name": _("Give the pool a name of at most %(n)s characters.", n=LONGEST)})
    if session.scalar(taken) is not None:
        raise InvalidInput({"name": _("Another pool has this name.")})
    if len({(sender.channel, sender.carrier) for sender in chosen}) != 1:
        raise InvalidInput({"senders": _("Choose senders of one channel and one provider.")})
    pool = session.get(SenderPool, pool_id) if pool_id is not None else SenderPool(channel=chosen[0].channel)
    if pool is None:
        raise NotFound(_("There is no such pool."))
    pool.name, pool.channel = name, chosen[0].channel
    session.add(pool)
    session.flush()
    session.execute(delete(PoolMember).where(PoolMember.pool_id == pool.id))
    session.add_all(PoolMember(pool_id=pool.id, sender_id=sender.id) for sender in chosen)
    audit.record(session, user_id, "sender_pool.save", f"sender-pool/{pool.id}", senders=len(chosen))
    return pool


def note_quality(session: Session, sender_id: int, quality: str | None, daily_people: int | None = None) -> None:
    """What the provider says of a sender. A daily limit that it does not name stays as it is."""
    values = {"quality": quality} | ({"daily_people": daily_people} if daily_people is not None else {})
    session.execute(update(Sender).where(Sender.id == sender_id).values(values))


def _by_address(session: Session, channel: str, address: str, carrier: str) -> Sender:
    wanted = select(Sender).where(Sender.channel == channel, Sender.address == address, Sender.carrier == carrier)
    found = session.scalar(wanted)
    if found is None:
        rate = SIMULATED_PER_SECOND if carrier == "simulated" else PARTS_PER_SECOND.get(channel, 1.0)
        row = insert(Sender).values(channel=channel, address=address, carrier=carrier, parts_per_second=rate,
                                    is_alphanumeric=is_alphanumeric(channel, address))  # fmt: skip
        session.execute(row.on_conflict_do_nothing())
        found = session.scalars(wanted).one()
    return found


def _read(wanted: Wanted) -> tuple[dict[str, str], float, int | None]:
    """(faults by field, parts a second, people a day)"""
    faults: dict[str, str] = {}
    rate, people = _number(wanted.parts_per_second), _number(wanted.daily_people)
    if not wanted.address.strip() or len(wanted.address.strip()) > LONGEST:
        faults["address"] = _("Write the number, name or account that messages come from, as the provider calls it.")
    if rate is None or not 0 < rate <= MOST_PER_SECOND:
        faults["parts_per_second"] = _("Write how many parts a second the provider lets this sender carry, above 0.")
    if wanted.daily_people.strip() and (people is None or people < 1 or people != int(people)):
        faults["daily_people"] = _("Write a whole number of people, or nothing where there is no limit.")
    return faults, rate or 0.0, None if people is None else int(people)


def _number(written: str) -> float | None:
    try:
        found = float(written.strip().replace(",", "."))
    except ValueError:
        return None
    return found if abs(found) < float("inf") else None


def in_trouble(session: Session) -> list[Sender]:
    """Senders that a person should look at: blocked, of low quality, or asked to wait again and again."""
    poor = or_(Sender.state == BLOCKED, func.upper(Sender.quality) == "LOW", Sender.setbacks >= 5)
    return list(session.scalars(select(Sender).where(poor).order_by(Sender.address)))


__all__ = ["ACTIVE", "BLOCKED", "PAUSED", "PoolMember", "Sender", "SenderPool", "block", "fault", "find", "in_trouble",
           "is_alphanumeric", "listed", "members", "note_quality", "of_campaign", "pools", "save", "save_pool",
           "set_state"]  # fmt: skip
