"""What a form offers as the sender of a message campaign: pools that share the work, and single senders."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from callcenter.base.settings import Settings
from campaigns.sender_tables import ACTIVE, Sender, SenderPool

_POOL = "pool/"


def offered(session: Session, channel: str, settings: Settings) -> list[tuple[str, str]]:
    """(value, label) of everything that may send by this channel now; the installation's own number of old, too."""
    pools = session.execute(select(SenderPool.id, SenderPool.name).where(SenderPool.channel == channel))
    found = {f"{_POOL}{row.id}": row.name for row in pools}
    mine = (Sender.channel == channel, Sender.carrier == settings.carrier)
    known = session.execute(select(Sender.address, Sender.name, Sender.state).where(*mine).order_by(Sender.id)).all()
    found |= {row.address: _label(row.address, row.name) for row in known if row.state == ACTIVE}
    own = settings.twilio.sms_sender if channel == "sms" else ""
    if own and own not in {row.address for row in known}:
        found[own] = own
    return list(found.items())


def read(session: Session, chosen: str) -> tuple[str, int | None]:
    """(the text that is shown, the pool's id or None) of what a form says."""
    number = chosen.removeprefix(_POOL)
    if chosen.startswith(_POOL) and number.isdecimal():
        return str(session.scalar(select(SenderPool.name).where(SenderPool.id == int(number))) or ""), int(number)
    return chosen, None


def written(sender: str, pool_id: int | None) -> str:
    """What the form would hold for a campaign."""
    return f"{_POOL}{pool_id}" if pool_id is not None else sender


def is_alphanumeric(session: Session, chosen: str) -> bool:
    """Can nobody answer to it? Of a pool: to one of them at least."""
    return session.scalar(select(Sender.is_alphanumeric).where(Sender.address == chosen).limit(1)) is True


def _label(address: str, name: str) -> str:
    return f"{name} · {address}" if name and name != address else address
