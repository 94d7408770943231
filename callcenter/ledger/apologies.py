"""What somebody hears who picked up and found nobody: that we are sorry, and who called.

Spoken in the citizens' language, whatever the screens speak. Floors above may add to it: they register here.
"""

import hashlib
from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

LANGUAGE = "es"
_hearers: dict[str, Callable[[Session, UUID], None]] = {}


def register(name: str, hear: Callable[[Session, UUID], None]) -> None:
    """`hear(session, call_id)` is told of each abandoned call of ours, in the transaction that closes it."""
    _hearers[name] = hear


def owed(session: Session, call_id: UUID) -> None:
    """A call of ours was abandoned."""
    for hear in _hearers.values():
        hear(session, call_id)


def words(on_behalf_of: str) -> str:
    """The whole sentence; `on_behalf_of` may be empty."""
    caller = f"Le llamamos de parte de {on_behalf_of.strip().rstrip('.')}. " if on_behalf_of.strip() else ""
    return f"Disculpe la molestia. {caller}En este momento no podemos atenderle. Que tenga buen día."


def name(on_behalf_of: str) -> str:
    """The name of the file in which a switch keeps this sentence."""
    return "apology-" + hashlib.sha256(words(on_behalf_of).encode()).hexdigest()[:32]
