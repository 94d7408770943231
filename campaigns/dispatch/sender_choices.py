"""What a form offers as the sender of a message campaign: pools that share the work, and single senders."""

from sqlalchemy.orm import Session

from callcenter.base.settings import Settings
from campaigns.dispatch import senders
from campaigns.dispatch.senders import ACTIVE

_POOL = "pool/"


def offered(session: Session, channel: str, settings: Settings) -> list[tuple[str, str]]:
    """(value, label) of everything that may send by this channel now; the installation's own number of old, too."""
    found = {f"{_POOL}{pool.id}": pool.name for pool in senders.pools(session, channel)}
    known = senders.listed(session, channel, settings.carrier)
    found |= {row.address: _label(row.address, row.name) for row in known if row.state == ACTIVE}
    own = settings.twilio.sms_sender if channel == "sms" else ""
    if own and own not in {row.address for row in known}:
        found[own] = own
    return list(found.items())


def read(session: Session, chosen: str) -> tuple[str, int | None]:
    """(the text that is shown, the pool's id or None) of what a form says."""
    number = chosen.removeprefix(_POOL)
    if chosen.startswith(_POOL) and number.isdecimal():
        names = {pool.id: pool.name for pool in senders.pools(session)}
        return names.get(int(number), ""), int(number)
    return chosen, None


def written(sender: str, pool_id: int | None) -> str:
    """What the form would hold for a campaign."""
    return f"{_POOL}{pool_id}" if pool_id is not None else sender


def is_alphanumeric(session: Session, channel: str, chosen: str) -> bool:
    """Can nobody answer to it? Of a pool: to one of its members at least."""
    _shown, pool_id = read(session, chosen)
    if pool_id is None:
        return bool(chosen) and senders.is_alphanumeric(channel, chosen)
    members = senders.members(session).get(pool_id, [])
    return any(one.is_alphanumeric for one in senders.listed(session, channel) if one.id in members)


def _label(address: str, name: str) -> str:
    return f"{name} · {address}" if name and name != address else address
